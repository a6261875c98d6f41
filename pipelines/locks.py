"""Locks between processes, held by the kernel: a dead owner's lock is free."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.failures import Locked


@contextmanager
def locked(path: Path, *, wait: bool = True, remove: bool = False) -> Iterator[None]:
    """Hold an exclusive lock on `path`.

    Parameters
    ----------
    path : Path
        Of the lock file; its folder is made. While it is held, it says by whom.
    wait : bool
        Whether to wait for the lock.
    remove : bool
        Whether to remove the file in the end; where there is a lock a day they would pile up.

    Raises
    ------
    Locked
        If another process holds it and there is no waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _opened(path, wait=wait)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        if remove:
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _opened(path: Path, *, wait: bool) -> int:
    """Open and lock the file that the path names; an owner may have removed it between the two."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            owner = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            os.close(descriptor)
            said = f" ({owner})" if owner else ""
            raise Locked(f"{path}: another run is at work on this{said}") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
