"""What a person sees while a command works: steps on stderr, the answer on stdout."""

import json
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipelines.job_log import NO_LOG, JobLog
from pipelines.progress import Line


@dataclass(frozen=True)
class Answer:
    """What a command found.

    Parameters
    ----------
    data : dict
        For programs (``--json``).
    lines : list of str
        For people.
    exit_code : int
        0 unless the command's answer is a refusal.
    """

    data: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    exit_code: int = 0


@dataclass
class Step:
    """A step at work; set `rows` to how many it is about, where that is known, for the log."""

    rows: int | None = None


@dataclass(frozen=True)
class Console:
    """Where progress goes.

    Parameters
    ----------
    quiet : bool
        No progress; warnings are said all the same.
    log : JobLog
        Which steps and warnings are written to, however quiet it is to be.
    """

    quiet: bool = False
    log: JobLog = NO_LOG

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Announce a step and, when it is done, how long it took.

        Examples
        --------
        >>> with Console(quiet=True).step("reading") as step:
        ...     step.rows = 17
        """
        step, start, failed = Step(), time.perf_counter(), True
        line = None if self.quiet else Line(sys.stderr, text)
        try:
            yield step
            failed = False
        finally:
            if line is not None:
                line.stop()
            self.log.step(text, time.perf_counter() - start, step.rows, failed=failed)
        if line is not None:
            line.end()

    def say(self, text: str) -> None:
        """Tell something on the way."""
        if not self.quiet:
            _tell(f"{text}\n")

    def warn(self, text: str) -> None:
        """Tell, between two steps, what a person has to know however quiet it is to be."""
        self.log.warn(text)
        _tell(f"  warning: {text}\n")


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer to stdout."""
    text = json.dumps(answer.data, ensure_ascii=False, indent=2) if as_json else "\n".join(answer.lines)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()  # a disk that is full is to be known before the job says that it is done


def table(columns: list[str], rows: list[list[str]], texts: Collection[int] = (0,)) -> list[str]:
    """Lay out a table as text lines: the columns of text to the left, the others to the right.

    The first column is text, unless told otherwise.

    Examples
    --------
    >>> table(["model", "loss"], [["blend", "0.30"]])
    ['model  loss', '-----  ----', 'blend  0.30']
    """
    widths = [max(len(r[i]) for r in [columns, *rows]) for i in range(len(columns))]
    ruled = [columns, ["-" * w for w in widths], *rows]
    laid = [
        [c.ljust(w) if n in texts else c.rjust(w) for n, (c, w) in enumerate(zip(r, widths, strict=True))]
        for r in ruled
    ]
    return ["  ".join(line).rstrip() for line in laid]
