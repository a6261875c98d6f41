"""How long the parts of a piece of work took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """A stop watch: ``with stages("name"): …`` adds to ``stages.seconds["name"]``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
