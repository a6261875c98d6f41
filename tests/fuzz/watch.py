"""Watch a process from outside: how long it works, whether it waits for ever, how much memory it holds."""

import os
import time
from pathlib import Path

MAX_BYTES = 2 << 30
MAX_SECONDS = 90.0
"""Of work, in all threads; on a machine that is busy with other things, waiting does not count."""

IDLE_SECONDS = 60.0
"""A process that has done next to nothing for so long waits for what will never come."""


class Watch:
    """What a process has done since the watch began.

    Parameters
    ----------
    pid : int
        The process; what it starts itself is not counted.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.peak = pid, 0
        self._seen, self._waited, self._worked = time.perf_counter(), 0.0, worked(pid)

    def broken(self) -> str | None:
        """Say which limit is broken, if one is. Twice the memory is left, so that the peak can be told."""
        self.peak = max(self.peak, resident(self.pid))
        if self.peak > 2 * MAX_BYTES:
            return f"more than {2 * MAX_BYTES >> 20} MiB"
        # Whoever stops the process for a while stops the watch, too: a long step is no waiting.
        now = time.perf_counter()
        self._waited, self._seen = self._waited + min(now - self._seen, 1.0), now
        seconds = worked(self.pid) - self._worked
        if seconds > MAX_SECONDS or (self._waited > IDLE_SECONDS and seconds < self._waited / 200):
            return f"no end after {seconds:.0f} s of work in {self._waited:.0f} s"
        return None


def worked(pid: int) -> float:
    """Return the seconds that a process has worked; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Return the bytes that a process holds; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
