"""SIGTERM, which schedulers and shutdowns send, ends a job like Ctrl-C: with its clean-up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Raise KeyboardInterrupt where SIGTERM comes in the block; by itself it would kill without clean-up.

    A second one is passed over, for the clean-up is under way. Outside the main thread, where Python lets
    nobody choose, and where somebody has chosen otherwise, nothing changes.
    """
    chosen = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or chosen is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
