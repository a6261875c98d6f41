"""Run a job under strace, and let one of its system calls fail, or be its last."""

import multiprocessing
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from tests.faults.publisher import job

CALLS = (
    "openat", "write", "pwrite64", "fsync", "ftruncate", "mkdir", "rename", "symlink", "readlink", "unlink",
    "unlinkat", "rmdir", "getdents64", "flock",
)  # fmt: skip
CAN_FAIL = (
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "ftruncate",
    "mkdir",
    "rename",
    "symlink",
    "getdents64",
    "unlinkat",
)
CAN_BE_FULL = ("openat", "write", "pwrite64", "fsync", "mkdir", "symlink", "rename")
Point = tuple[str, str, int]
"""A system call, what happens at it, and at the how many-th."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.publisher"])


def available() -> bool:
    """Whether this machine has strace, and lets it look into another process."""
    return shutil.which("strace") is not None


def traced(output: Path, as_of: str, tag: str, options: list[str], *, naive: bool = False) -> int | None:
    """Run one job under strace; return its exit code, negative for a signal."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=job, args=(output, as_of, tag, theirs), kwargs={"naive": naive})
    process.start()
    pid = ours.recv()
    command = ["strace", "-p", str(pid), "-e", f"trace={','.join(CALLS)}", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert "attached" in said, said
        ours.send("go")
        process.join(60)
        strace.wait(60)
    return process.exitcode


def points(output: Path, as_of: str, tag: str, log: Path, *, naive: bool = False) -> list[Point]:
    """Run a job unharmed and list every point at which it can be harmed."""
    assert traced(output, as_of, tag, ["-o", str(log)], naive=naive) == 0
    made = Counter(re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE))
    found = [(call, "signal=SIGKILL", n) for call in CALLS for n in range(1, made[call] + 1)]
    found += [(call, "error=EIO", n) for call in CAN_FAIL for n in range(1, made[call] + 1)]
    return found + [(call, "error=ENOSPC", n) for call in CAN_BE_FULL for n in range(1, made[call] + 1)]


def harmed(output: Path, as_of: str, tag: str, point: Point, *, naive: bool = False) -> int | None:
    """Run a job that is harmed at one point."""
    call, what, place = point
    options = ["-o", "/dev/null", "-e", f"inject={call}:{what}:when={place}"]
    return traced(output, as_of, tag, options, naive=naive)
