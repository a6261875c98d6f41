"""Files beside the runs, which never change: a report, a table; a folder a date, each file whole."""

import secrets
from datetime import date
from pathlib import Path

from pipelines.durable import FRESH, on_disk, sync
from pipelines.locks import locked
from pipelines.publish import LOCKS
from pipelines.published_runs import day_of

_DATE = "as_of="


def dated_path(output: Path, kind: str, as_of: date, name: str) -> Path:
    """Path of a kind's file of a date."""
    return output / kind / f"{_DATE}{as_of.isoformat()}" / name


def dates_of(root: Path) -> list[date]:
    """List the dates that a kind has a folder of; what people and programs have put beside them is none."""
    dates = (day_of(folder) for folder in root.glob(f"{_DATE}*") if folder.exists())
    return sorted(day for day in dates if day is not None)


def newest_dated(output: Path, kind: str, by: date, name: str) -> Path | None:
    """Find a kind's file of the newest date up to `by`; None where there is none."""
    dates = [day for day in dates_of(output / kind) if day <= by]
    return dated_path(output, kind, max(dates), name) if dates else None


def write_dated(output: Path, kind: str, as_of: date, name: str, text: str) -> Path:
    """Write a kind's file of a date in one step: readers see the one of before, or the new one.

    Raises
    ------
    EnvironmentFailed
        If the disk fails; the file of before stays.
    """
    path = dated_path(output, kind, as_of, name)
    with locked(output / LOCKS / kind), on_disk(output):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{FRESH}*"):  # of a process that was killed
            left.unlink(missing_ok=True)
        fresh = path.with_name(f"{FRESH}{secrets.token_hex(3)}")
        try:
            fresh.write_text(text, "utf-8")
            sync(fresh)
            fresh.replace(path)
            sync(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
    return path
