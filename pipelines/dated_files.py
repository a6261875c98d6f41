"""Files beside the runs, which never change: a report, a table; a folder a date, each file whole."""

import secrets
from datetime import date
from pathlib import Path

from pipelines.locks import locked
from pipelines.publish import FRESH, LOCKS, _disk, _sync
from pipelines.published_runs import day_of


def dated_path(output: Path, kind: str, as_of: date, name: str) -> Path:
    """Path of a kind's file of a date."""
    return output / kind / f"as_of={as_of.isoformat()}" / name


def write_dated(output: Path, kind: str, as_of: date, name: str, text: str) -> Path:
    """Write a kind's file of a date in one step: readers see the one of before, or the new one.

    Raises
    ------
    EnvironmentFailed
        If the disk fails; the file of before stays.
    """
    path = dated_path(output, kind, as_of, name)
    with locked(output / LOCKS / kind), _disk(output):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{FRESH}*"):  # of a process that was killed
            left.unlink(missing_ok=True)
        fresh = path.with_name(f"{FRESH}{secrets.token_hex(3)}")
        try:
            fresh.write_text(text, "utf-8")
            _sync(fresh)
            fresh.replace(path)
            _sync(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
    return path


def newest_dated(output: Path, kind: str, by: date, name: str) -> Path | None:
    """Find a kind's file of the newest date up to `by`; None where there is none."""
    paths = (output / kind).glob(f"as_of=*/{name}")
    days = (day_of(path.parent) for path in paths)
    return max((dated_path(output, kind, day, name) for day in days if day and day <= by), default=None)
