"""One line of progress: what is worked on, for how long already, and how long it took."""

import shutil
import threading
import time
from typing import TextIO

CLOCK = "progress"
"""Name of the thread that counts."""
_TIME = 12
"""Columns that the seconds need."""


class Line:
    """A line on stderr while a step runs; on a terminal its seconds count up.

    Parameters
    ----------
    stream : text file
        Where it is shown.
    text : str
        What is worked on.
    """

    def __init__(self, stream: TextIO, text: str) -> None:
        self._stream, self._text, self._started = stream, f"  {text} …", time.perf_counter()
        self._done = threading.Event()
        clock = threading.Thread(target=self._tick, name=CLOCK, daemon=True)
        self._clock = clock if stream.isatty() else None
        self._write(self._shown())
        if self._clock is not None:
            self._clock.start()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._started

    def stop(self) -> None:
        """Let the seconds stand still."""
        self._done.set()
        if self._clock is not None:
            self._clock.join()

    def end(self) -> None:
        """Say how long it took."""
        back = "" if self._clock is None else f"\r{self._shown()}"
        self._write(f"{back} {self.seconds:.1f} s\n")

    def _tick(self) -> None:
        while not self._done.wait(1):
            self._write(f"\r{self._shown()} {self.seconds:.0f} s")

    def _shown(self) -> str:
        """Cut the text to the width of a terminal: what goes over two lines cannot be written over."""
        if self._clock is None:
            return self._text
        room = shutil.get_terminal_size().columns - _TIME
        return self._text if len(self._text) <= room else f"{self._text[: room - 1]}…"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
