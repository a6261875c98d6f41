"""Where the MLflow store of a config lies, and one process at a time in a new one."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import ContractError
from pipelines.config import Config
from pipelines.locks import locked

RUNNING = ".mlflow-running"
"""Folder beside a SQLite store; a lock for each run that is alive."""
ARTIFACTS = "mlartifacts"
"""Folder beside a SQLite store."""
SQLITE = "sqlite:///"


def locate(config: Config) -> tuple[str, str | None]:
    """Resolve a relative SQLite path against the config's folder; artifacts go beside the database.

    Raises
    ------
    ContractError
        If the path cannot be written as an address.
    """
    uri = config.mlflow.tracking_uri
    if not uri.startswith(SQLITE):
        return uri, None
    database = (config.folder / uri.removeprefix(SQLITE)).resolve()
    if "?" in str(database) or re.search("%[0-9a-fA-F]{2}", str(database)):
        raise ContractError(
            f"[mlflow] tracking_uri: {database}: an address of SQLite reads '?', and '%' before two digits, "
            "as something else than a path",
            hint="rename the folder",
        )
    return f"{SQLITE}{database}", (database.parent / ARTIFACTS).as_uri()


def exists(uri: str) -> bool:
    """Whether the store is there; one on a server is taken to be."""
    return not uri.startswith(SQLITE) or Path(uri.removeprefix(SQLITE)).exists()


@contextmanager
def first_use(uri: str) -> Iterator[None]:
    """Let one process at a time open a SQLite store: creating it in parallel breaks it.

    In a folder that cannot be written nothing can be created, and no lock be held.
    """
    file = Path(uri.removeprefix(SQLITE))
    if not uri.startswith(SQLITE) or (file.exists() and not os.access(file.parent, os.W_OK)):
        yield
        return
    with locked(file.with_name(f"{file.name}.lock")):
        yield


def store_file(config: Config) -> Path | None:
    """Where a SQLite store lies; None for another kind."""
    uri, _ = locate(config)
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None
