"""Run one case in this process, through the command line's own front, and judge how it ended."""

import contextlib
import io
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.fuzz.cases import Case, Made, lay_out
from tests.fuzz.oracle import Facts, Outcome, problem_with, score_facts

CHECKED_EVERY = 10
"""Of so many cases one goes through all of `check`; others go to the door, which all commands share."""


@dataclass(frozen=True)
class Ending:
    """How a case ended.

    Parameters
    ----------
    code : int or None
        Exit code; None where the process did not live to give one.
    said : str
        The last line on stderr.
    judged : str
        What the result was held against.
    problem : str, optional
        What is wrong with the ending.
    seconds : float
        How long it took.
    peak : int
        Most bytes of memory at any one time.
    """

    code: int | None
    said: str
    judged: str
    problem: str | None
    seconds: float
    peak: int


def run_case(case: Case, folder: Path) -> Ending:
    """Lay a case out in an empty folder, run it and judge it."""
    made = lay_out(case, folder)
    _forget_peak()
    start = time.perf_counter()
    outcome = command(made, folder, whole=made.whole or case.seed % CHECKED_EVERY == 0)
    seconds, peak = time.perf_counter() - start, _peak()
    problem, judged = problem_with(outcome, made)
    lines = [line for line in outcome.screen.splitlines() if line.strip()]
    return Ending(outcome.code, lines[-1] if lines else "", judged, problem, seconds, peak)


def command(made: Made, folder: Path, *, whole: bool) -> Outcome:
    """Run a command, all of it or, of `check`, until the door is behind it."""
    import pipelines.check
    import pipelines.score
    from pipelines.cli import main

    seen: list[Facts] = []
    open_log = pipelines.check.open_log

    def watched(engine: Any, *rest: Any) -> Any:
        log = open_log(engine, *rest)
        seen.append(Facts.of(engine, log))
        return log

    def to_the_door(config: Any, console: Any, **_options: Any) -> Any:
        from pipelines.console import Answer
        from pipelines.engine import open_engine

        with open_engine(config) as engine:
            watched(engine, config, console)
        return Answer({})

    with (
        mock.patch.object(pipelines.check, "open_log", watched),
        mock.patch.object(pipelines.score, "open_log", watched),
        _captured(folder) as screen,
    ):
        arguments = ["--config", str(made.config), "--quiet", *made.command]
        if whole or made.command[0] != "check":
            code = main(arguments)
        else:
            with mock.patch.object(pipelines.check, "check", to_the_door):
                code = main(arguments)
    outcome = Outcome(code, _with_trace(screen.getvalue(), code), seen[0] if seen else None)
    if made.command[0] == "score" and code == 0:
        outcome.scores = score_facts((made.config.parent / "out" / "latest").resolve())
    return outcome


@contextlib.contextmanager
def _captured(folder: Path) -> Iterator[io.StringIO]:
    """Catch what goes to the screen, and give temporary files a place that is looked at afterwards."""
    place = folder / ".tmp"
    place.mkdir(exist_ok=True)
    screen, before = io.StringIO(), tempfile.tempdir
    tempfile.tempdir = str(place)
    try:
        with contextlib.redirect_stderr(screen), contextlib.redirect_stdout(io.StringIO()):
            yield screen
    finally:
        tempfile.tempdir = before
        left = [p.name for p in place.iterdir() if not p.name.endswith(".log")]
        if left:
            screen.write(f"\nTraceback: temporary files are left: {left}\n")


def _with_trace(screen: str, code: int) -> str:
    """Add where a bug was, for the report; only a bug keeps a file of it."""
    kept = re.search(r"traceback in (\S+)", screen) if code == 1 else None
    return f"{screen}\n{Path(kept[1]).read_text()[-900:]}" if kept else screen


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Return the most memory held since `_forget_peak`, in bytes."""
    [kib] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) * 1024


def emptied(folder: Path) -> Path:
    """Make a folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)  # noqa: PTH103 - names of any kind lay in it
    return folder
