"""Where the outcome ledger lies: a folder a date, which appears whole and is replaced in one step."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pipelines.dated_files import dates_of, newest_dated
from pipelines.durable import FRESH, point, sync, sync_tree
from pipelines.locks import locked
from pipelines.publish import LOCKS

OUTCOMES, MADE = "outcomes", ".made"
TABLE, ROWS, PAGE = "outcomes.csv", "closed.parquet", "outcomes.html"
_DATE = "as_of="


def outcome_link(output: Path, as_of: date) -> Path:
    """Path of the ledger of a date, a link to its folder."""
    return output / OUTCOMES / f"{_DATE}{as_of.isoformat()}"


def newest_outcomes(output: Path, by: date) -> Path | None:
    """Find the comparison of the newest date up to `by`; None where there is none."""
    return newest_dated(output, OUTCOMES, by, TABLE)


@contextmanager
def replacing(output: Path, as_of: date) -> Iterator[Path]:
    """Give a folder to write into, which takes the place of the date's ledger once the block has ended.

    If the block raises, nothing is visible of it. What was there before goes when the next ledger is written,
    so that whoever is reading it can go on.

    Raises
    ------
    Locked
        If another process is at it.
    """
    root = output / OUTCOMES
    with locked(output / LOCKS / OUTCOMES, wait=False):
        folder = root / MADE / f"{as_of.isoformat()}-{secrets.token_hex(3)}"
        folder.mkdir(parents=True)
        try:
            _sweep(root, but=folder)
            yield folder
            sync_tree(folder)
            sync(folder.parent)
            point(outcome_link(output, as_of), Path(MADE) / folder.name)
            _thin_out(output)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _thin_out(output: Path) -> None:
    """Let only the newest date keep the closed rows: they hold those of all dates before it."""
    for day in dates_of(output / OUTCOMES)[:-1]:
        (outcome_link(output, day) / ROWS).unlink(missing_ok=True)


def _sweep(root: Path, but: Path) -> None:
    """Remove folders to which no date leads, and links that a killed process has not put in place."""
    kept = {link.resolve() for link in root.glob(f"{_DATE}*")} | {but.resolve()}
    for folder in (root / MADE).iterdir():
        if folder.resolve() not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    for link in root.glob(f"{FRESH}*"):
        link.unlink(missing_ok=True)
