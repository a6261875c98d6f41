"""Why a command stops, other than bad input (`features.errors.ContractError`): one class an exit code."""

from pipelines.masked import masked

_AWAY = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "BAD_REQUEST", "ENDPOINT_NOT_FOUND")
"""What MLflow says of a server that is away, busy, or another one than ours."""


class Failure(Exception):
    """A reason to stop that is the user's business, not a bug; shown as one line."""

    exit_code = 1


class NotPromoted(Failure):
    """The gate keeps the champion."""

    exit_code = 3


class NotReady(Failure):
    """There is too little data, yet."""

    exit_code = 4


class Locked(Failure):
    """Another run is at work on the same date."""

    exit_code = 5


class Refused(Failure):
    """The model is absent, or is not the one it should be."""

    exit_code = 6


class NotReproduced(Failure):
    """The same model, settings and rows gave another run: something is wrong with the program."""

    exit_code = 1


class EnvironmentFailed(Failure):
    """The disk or the database failed; a retry is safe."""

    exit_code = 7


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; libraries add pages, and repeat passwords of addresses."""
    return masked(str(error).strip().split("\n")[0])


def is_store_failure(error: BaseException) -> bool:
    """Tell a tracking store that is broken, busy or away from a wrong call to it."""
    module = type(error).__module__
    code = getattr(error, "error_code", "")
    return module.startswith("sqlalchemy") or (module.startswith("mlflow") and code in _AWAY)
