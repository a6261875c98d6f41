"""Remove what nobody needs any more under the output folder: superseded runs, and what killed runs left."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipelines.durable import FRESH
from pipelines.failures import Locked
from pipelines.publish import STAGE, TRASH, date_lock, root_lock
from pipelines.published_runs import BY_DATE, RUNS, current_dates, date_link


def clean_up(output: Path, keep: int) -> list[str]:
    """Remove runs beyond the newest `keep`, but never the current one of a date.

    A run goes in one step: it is renamed first, so that no reader finds half of it.

    Parameters
    ----------
    output : Path
        The shop's output folder.
    keep : int
        How many runs stay in any case, for readers that are still at it, and for `repurchase replay`.

    Returns
    -------
    list of str
        The run ids that went.
    """
    with root_lock(output):
        newest = _newest(output, keep)
        gone = [path for path in _superseded(output) if path not in newest]
        for path in gone:
            path.rename(output / f"{TRASH}{path.name}")
        left = [*output.glob(f"{FRESH}*"), *(output / BY_DATE).glob(f"{FRESH}*")]
        for link in left:
            link.unlink(missing_ok=True)
    for path in output.glob(f"{TRASH}*"):
        shutil.rmtree(path, ignore_errors=True)
    for stage in dead_stages(output):
        shutil.rmtree(stage, ignore_errors=True)
    return [path.name for path in gone]


def _superseded(output: Path) -> list[Path]:
    links = [date_link(output, as_of) for as_of in current_dates(output)]
    current = {link.readlink().name for link in links}
    return [path for path in _runs(output) if path.name not in current]


def _newest(output: Path, keep: int) -> set[Path]:
    return {*sorted(_runs(output), key=lambda path: path.stat().st_mtime_ns)[-keep:]}


def _runs(output: Path) -> list[Path]:
    return [path for path in (output / RUNS).glob("*") if path.is_dir() and not path.is_symlink()]


def dead_stages(output: Path) -> Iterator[Path]:
    """Find what scoring runs that were killed have written aside: nobody holds the lock of their date.

    The lock is not held any more when one is given out: no other run will ever have a stage of that name, and
    to remove a large one takes a while, in which its date may be scored.
    """
    for stage in sorted(output.glob(f"{STAGE}*")):
        try:
            as_of = datetime.strptime(stage.name.removeprefix(STAGE)[:8], "%Y%m%d").date()
            with date_lock(output, as_of):
                is_dead = stage.exists()  # it may have been published since it was seen
        except (ValueError, Locked):
            continue
        if is_dead:
            yield stage
