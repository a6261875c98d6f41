"""Locks between processes, held by the kernel: a dead owner's lock is free."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.failures import Locked


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on `path`.

    Parameters
    ----------
    path : Path
        Of the lock file; its folder is made.
    wait : bool
        Whether to wait for the lock.

    Raises
    ------
    Locked
        If another process holds it and there is no waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Locked(f"{path}: another run is at work on this") from None
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
