"""How long the parts of a piece of work took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """A stop watch: ``with stages("name"): …`` adds to ``stages.seconds["name"]``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = 0.0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a part, less the parts within it."""
        start, before = time.perf_counter(), self._inner
        yield
        took = time.perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + took - (self._inner - before)
        self._inner = before + took
