"""A command as a whole process: its time, that of the processors, and the memory of all that it starts."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNWANTED = ("PYTHONDONTWRITEBYTECODE",)
"""What a scheduler does not set: without compiled libraries, Python compiles them anew in each process."""
_STEP = re.compile(r"^ {2}(.+?) ….* ([\d.]+) s$", re.MULTILINE)


@dataclass(frozen=True)
class Watched:
    """What a command took.

    Parameters
    ----------
    seconds, cpu_seconds : float
        Of the wall, and of the processors for it and its children.
    peak_bytes, own_peak_bytes : int
        The most memory that all processes had at once, shared pages counted once, and that the first alone
        ever had.
    steps : dict of str to float
        What it said of its steps, in seconds.
    said : str
        On stdout.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    own_peak_bytes: int
    steps: dict[str, float]
    said: str


def watch(command: Sequence[str], folder: Path, log: Path) -> Watched:
    """Run a command in a folder, and keep what it says on stderr in `log`; a failure ends the benchmark."""
    start = time.perf_counter()
    answer = log.with_suffix(".answer")
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    with log.open("w", encoding="utf-8") as errors, answer.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=errors)
        memory = _Memory(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        memory.stop()
    told = log.read_text("utf-8")
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{told[-3000:]}")
    steps: dict[str, float] = {}
    for text, took in _STEP.findall(told):
        steps[text] = steps.get(text, 0.0) + float(took)
    cpu = usage.ru_utime + usage.ru_stime
    return Watched(seconds, cpu, max(memory.all, memory.own), memory.own, steps, answer.read_text("utf-8"))


class _Memory:
    """Watches a process and its descendants from a thread."""

    def __init__(self, pid: int, every: float = 0.25) -> None:
        self.all = self.own = 0
        self._pid, self._every, self._over = pid, every, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.own = max(self.own, _kilobytes(self._pid, "status", "VmHWM"))
            self.all = max(self.all, sum(_kilobytes(p, "smaps_rollup", "Pss") for p in _tree(self._pid)))


def _kilobytes(pid: int, file: str, key: str) -> int:
    """Read one of the kernel's figures of a process, in bytes; 0 once it has ended."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _tree(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _tree(child))]
