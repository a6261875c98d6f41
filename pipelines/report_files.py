"""Where reports lie: beside the runs, which never change, a folder a date; each appears whole."""

import secrets
from datetime import date
from pathlib import Path

from pipelines.locks import locked
from pipelines.publish import FRESH, LOCKS, _disk, _sync

REPORTS, PAGE = "reports", "report.html"


def report_path(output: Path, as_of: date) -> Path:
    """Path of the report of a date."""
    return output / REPORTS / f"as_of={as_of.isoformat()}" / PAGE


def write_report(output: Path, as_of: date, page: str) -> Path:
    """Write a report in one step: readers see the one of before, or the new one.

    Raises
    ------
    EnvironmentFailed
        If the disk fails; the report of before stays.
    """
    path = report_path(output, as_of)
    with locked(output / LOCKS / REPORTS), _disk(output):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{FRESH}*"):  # of a process that was killed
            left.unlink(missing_ok=True)
        fresh = path.with_name(f"{FRESH}{secrets.token_hex(3)}")
        try:
            fresh.write_text(page, "utf-8")
            _sync(fresh)
            fresh.replace(path)
            _sync(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
    return path
