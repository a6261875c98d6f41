"""How much memory this process, and the processes it has started, have taken at most."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_TO_MB = 2**20 if sys.platform == "darwin" else 2**10


def peak_mb() -> int:
    """Most memory that this process has held at once, in MB.

    Examples
    --------
    >>> peak_mb() > 1
    True
    """
    return _peak_of(os.getpid()) or _finished(resource.RUSAGE_SELF)


def peak_with_children_mb() -> int:
    """Most memory of this process and of those it has started, in MB, as if all peaks had come at once.

    Of the processes that have ended the system remembers only the largest. Give a job so much, and it fits.

    Examples
    --------
    >>> peak_with_children_mb() >= peak_mb()
    True
    """
    alive = sum(map(_peak_of, _descendants(os.getpid())))
    return peak_mb() + alive + _finished(resource.RUSAGE_CHILDREN)


def _finished(whose: int) -> int:
    return int(resource.getrusage(whose).ru_maxrss // _TO_MB)


def _peak_of(process: int) -> int:
    """Read the high-water mark of a process; 0 where the system has none, or the process has gone."""
    try:
        status = (_PROC / str(process) / "status").read_text("utf-8")
    except OSError:
        return 0
    kilobytes = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
    return int(kilobytes) // 2**10


def _descendants(process: int) -> Iterator[int]:
    """Walk the living processes that descend from one."""
    parents: dict[int, int] = {}
    for stat in _PROC.glob("[0-9]*/stat"):
        try:  # the name in parentheses may hold anything
            parents[int(stat.parent.name)] = int(stat.read_text("utf-8").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    found = [process]
    for one in found:
        children = [child for child, parent in parents.items() if parent == one]
        found += children
        yield from children
