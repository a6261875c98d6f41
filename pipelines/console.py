"""What a person sees while a command works: steps on stderr, the answer on stdout."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True)
class Console:
    """Where progress goes.

    Parameters
    ----------
    quiet : bool
        No progress; warnings are said all the same.
    """

    quiet: bool = False

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce a step and, when it is done, how long it took."""
        start = time.perf_counter()
        self._write(f"  {text} …")
        yield
        self._write(f" {time.perf_counter() - start:.1f} s\n")

    def say(self, text: str) -> None:
        """Tell something on the way."""
        self._write(f"{text}\n")

    def warn(self, text: str) -> None:
        """Tell, between two steps, what a person has to know however quiet it is to be."""
        sys.stderr.write(f"  warning: {text}\n")
        sys.stderr.flush()

    def _write(self, text: str) -> None:
        if not self.quiet:
            sys.stderr.write(text)
            sys.stderr.flush()


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer to stdout."""
    text = json.dumps(answer.data, ensure_ascii=False, indent=2) if as_json else "\n".join(answer.lines)
    sys.stdout.write(text + "\n")


def table(columns: list[str], rows: list[list[str]]) -> list[str]:
    """Lay out a table as text lines: the first column to the left, the others to the right.

    Examples
    --------
    >>> table(["model", "loss"], [["blend", "0.30"]])
    ['model  loss', '-----  ----', 'blend  0.30']
    """
    widths = [max(len(r[i]) for r in [columns, *rows]) for i in range(len(columns))]
    ruled = [columns, ["-" * w for w in widths], *rows]
    return [
        "  ".join(
            [r[0].ljust(widths[0]), *[c.rjust(w) for c, w in zip(r[1:], widths[1:], strict=True)]]
        ).rstrip()
        for r in ruled
    ]
