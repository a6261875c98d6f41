"""The engine that runs the feature expressions: DuckDB, in process and out of core."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd

from features.errors import ContractError
from pipelines.config import Config
from pipelines.failures import EnvironmentFailed

_NO_ROOM = ("no space left", "out of memory", "could not allocate", "failed to offload")


class Engine:
    """A DuckDB connection, and what it keeps while a command runs.

    Parameters
    ----------
    config : Config
        For the engine's options.
    spill : Path
        Where work that does not fit into memory goes.
    """

    def __init__(self, config: Config, spill: Path) -> None:
        if config.engine.kind != "duckdb":
            raise ContractError(
                f"[engine] kind = {config.engine.kind!r} is not available in this version",
                hint='kind = "duckdb" runs on one machine, out of core',
            )
        options = {"temp_directory": str(spill), **config.engine.options}
        try:
            self.connection: Any = ibis.duckdb.connect(**options)
        except duckdb.Error as error:
            raise ContractError(f"[engine] options: {_first_line(error)}") from None

    def keep(self, expression: ir.Table, name: str) -> ir.Table:
        """Compute a table once and keep it for the rest of the command."""
        with reading(name):
            kept: ir.Table = self.connection.create_table(name, expression, overwrite=True)
        return kept

    def number(self, expression: ir.IntegerScalar) -> int:
        """Compute one whole number."""
        with reading("the log"):
            return int(expression.execute())

    def frame(self, expression: ir.Table) -> pd.DataFrame:
        """Compute a table and hand it over to pandas."""
        with reading("the log"):
            frame: pd.DataFrame = expression.to_pandas()
        return frame

    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Compute a table into a file."""
        with reading(str(path)):
            self.connection.to_parquet(expression, path)


@contextmanager
def open_engine(config: Config) -> Iterator[Engine]:
    """Open an engine, and close it and remove what it spilled when done."""
    with tempfile.TemporaryDirectory(prefix="repurchase-") as spill:
        engine = Engine(config, Path(spill))
        try:
            yield engine
        finally:
            engine.connection.disconnect()


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn the engine's errors into a clear one: bad input, or a machine at its limits."""
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise EnvironmentFailed(f"{what}: out of memory: {_first_line(error)}") from None
    except duckdb.Error as error:
        message = _first_line(error)
        if any(sign in message.lower() for sign in _NO_ROOM):
            raise EnvironmentFailed(f"{what}: {message}") from None
        raise ContractError(
            f"{what}: cannot be read: {message}", hint="is the file complete, and of the kind its name says?"
        ) from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:300]
