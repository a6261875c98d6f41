"""Folders for what a job writes on its way: locked while it lives, and swept once it is dead."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.failures import Locked
from pipelines.locks import locked

PREFIX = "repurchase-"
ALIVE = ".repurchase-job"
"""Lock file in each of them; a folder without one is none of ours, whatever it is called."""
GRACE = 300.0
"""Seconds that a folder is left alone: a new lock file is not locked at once."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a new folder of this machine, and remove it in the end.

    Customers' rows lie in it. What a job has left that was killed is swept here, by the next job.
    """
    sweep()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, locked(Path(name) / ALIVE):
        yield Path(name)


def sweep() -> None:
    """Remove the folders of dead jobs: the kernel has taken their locks back, however they died."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(Locked, OSError):  # it lives, or another job is sweeping it
            if _is_old_and_ours(folder):
                with locked(folder / ALIVE, wait=False):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_old_and_ours(folder: Path) -> bool:
    file = folder / ALIVE
    if folder.is_symlink() or not file.is_file() or file.is_symlink():
        return False
    return folder.stat().st_uid == os.getuid() and time.time() - file.stat().st_mtime > GRACE
