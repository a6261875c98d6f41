"""How a command ends that fails: its exit code, what the screen says, and what the log keeps."""

import os
import re
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from features.errors import ContractError
from pipelines.failures import EnvironmentFailed, Failure, first_line, is_store_failure
from pipelines.plain_words import words_of

BUG = 1
INPUT_WRONG = 2
INTERRUPTED = 130

FULL = "REPURCHASE_FULL_ERRORS"
"""Set to 1 by a developer, it keeps what libraries say in a traceback, values of the data included."""

_OURS = ("features", "models", "pipelines")
_PLACE = re.compile(r'\s*File ".*", line \d+, in \S+')


@dataclass(frozen=True)
class Ending:
    """A failure.

    Parameters
    ----------
    exit_code : int
        Of the process.
    said : str
        On the screen.
    logged : str
        In the log; without an example of what stands in the data.
    """

    exit_code: int
    said: str
    logged: str


def ending_of(error: BaseException) -> Ending:
    """Say how a command ends that raised; of a bug, the traceback is kept in a file.

    Examples
    --------
    >>> ending_of(ContractError("orders.csv: 7 dates cannot be read", example="13/25/2024"))
    Ending(exit_code=2, said="orders.csv: 7 dates cannot be read; for example '13/25/2024'",
           logged='orders.csv: 7 dates cannot be read')
    """
    if isinstance(error, ContractError):
        return Ending(INPUT_WRONG, str(error), error.what)
    if isinstance(error, Failure):
        return _alike(error.exit_code, str(error))
    if isinstance(error, KeyboardInterrupt):
        return _alike(INTERRUPTED, "interrupted")
    if isinstance(error, OSError):
        said = str(error) if error.errno else words_of(error)
        return _alike(EnvironmentFailed.exit_code, f"the environment failed, a retry is safe: {said}")
    if is_store_failure(error):
        said = f"the model store failed, a retry is safe: {first_line(error)}"
        return _alike(EnvironmentFailed.exit_code, said)
    said = f"a bug: {_told(error)}"
    return Ending(BUG, f"{said}; traceback in {_keep_traceback(error)}", said)


def _alike(exit_code: int, said: str) -> Ending:
    return Ending(exit_code, said, said)


def _told(error: BaseException) -> str:
    """Name an error, with its words; those of our own errors name nobody."""
    kind = type(error)
    is_ours = kind.__module__.partition(".")[0] in _OURS
    words = str(error) if is_ours or os.environ.get(FULL) == "1" else words_of(error)
    return f"{kind.__name__}: {words}" if words else kind.__name__


def _keep_traceback(error: BaseException) -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="repurchase-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write("\n\n".join(_parts(error)) + "\n")
    return log.name


def _parts(error: BaseException) -> Iterator[str]:
    """Tell where an error came from, and those before it, without the values that their messages show."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _parts(before)
        yield "which led to"
    if type(error).__name__ == "_RemoteTraceback":  # joblib's, from a process of its own
        lines = str(error) if os.environ.get(FULL) == "1" else "\n".join(_places(str(error)))
        yield f"in another process:\n{lines}"
        return
    yield "Traceback:\n" + "".join(traceback.format_tb(error.__traceback__)) + _told(error)


def _places(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if _PLACE.fullmatch(line))
