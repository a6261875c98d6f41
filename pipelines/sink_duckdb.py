"""Runs in a table of a DuckDB file."""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from features.errors import ContractError
from pipelines.failures import EnvironmentFailed, first_line
from pipelines.published_runs import Run
from pipelines.sink_places import DuckdbPlace
from pipelines.sink_table import RUN_ID, SCORES, Kind, Session
from pipelines.sql_names import quoted

WAIT = 60.0
"""Seconds for which somebody else may keep the file before a delivery gives up."""
_EACH = 0.1
_IN_USE = ("Could not set lock on file", "with a different configuration", "is already attached")


class DuckdbSession(Session):
    """A transaction in a DuckDB file; as the file has one writer at a time, it keeps others out by itself."""

    types: ClassVar[Mapping[Kind, str]] = {
        "text": "VARCHAR",
        "whole number": "BIGINT",
        "number": "DOUBLE",
        "date": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "truth value": "BOOLEAN",
    }
    known: ClassVar[Mapping[str, Kind]] = {name: kind for kind, name in types.items()}
    has_keys = False  # an index of all customers would have to fit into memory

    def __init__(self, name: str, table: str, connection: Any) -> None:
        super().__init__(name, table)
        self._connection = connection

    def run(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        """Carry out a statement."""
        self._connection.execute(sql, list(values))

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Fetch what a query finds."""
        return list(self._connection.execute(sql, list(values)).fetchall())

    def columns(self, table: str) -> dict[str, str]:
        """Name the columns of a table and their types."""
        query = "select column_name, data_type from duckdb_columns() where database_name = current_database()"
        query += " and schema_name = 'main' and table_name = $1 order by column_index"
        return {str(name): str(kind) for name, kind in self.rows(query, (table,))}

    def path(self, table: str) -> str:
        """Quote a table's name."""
        return quoted(table)

    def hold(self, what: str) -> None:
        """Do nothing: the open file does it."""

    def fill(self, run: Run) -> None:
        """Add the rows of a run."""
        insert = f"insert into {self.path(self.table)} by name select *, $1 as {RUN_ID} from read_parquet($2)"  # noqa: S608
        self.run(insert, (run.run_id, str(run.folder / SCORES)))


@contextmanager
def duckdb_session(place: DuckdbPlace, folder: Path) -> Iterator[DuckdbSession]:
    """Open the file, made where it is not there yet, for one transaction.

    Raises
    ------
    ContractError
        If the file is none of DuckDB's, or what is in it does not fit; or there is no folder for it.
    EnvironmentFailed
        If the file is in use for longer than `WAIT`, or the disk fails.
    """
    name = f"[sinks] duckdb, {place.file}"
    file = folder / place.file
    require_folder(place)
    with _refusals(name):
        if not file.exists():
            _make(file)
        connection = _connection(file, name)
        try:
            connection.execute("set enable_progress_bar = false")  # it would go to stdout, between the JSON
            connection.execute("begin")
            yield DuckdbSession(name, place.table, connection)
            connection.execute("commit")
        finally:
            connection.close()  # which undoes what was not committed


def require_folder(place: DuckdbPlace) -> None:
    """Refuse an absolute path into a folder that is not there: a slip, or a disk that is not mounted.

    Raises
    ------
    ContractError
        If there is none. Folders below the config's are made.
    """
    folder = Path(place.file).parent
    if folder.is_absolute() and not folder.is_dir():
        raise ContractError(
            f"[sinks] duckdb, {place.file}: there is no folder {folder}",
            hint="make it, or mount its disk; a path beside the config begins without a /",
        )


def _make(file: Path) -> None:
    """Make an empty database in one step: DuckDB cannot open one that it was killed in the making of."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}-{secrets.token_hex(3)}")
    duckdb.connect(str(fresh)).close()
    try:
        file.hardlink_to(fresh)
    except FileExistsError:
        pass  # another delivery was first
    finally:
        fresh.unlink()


def _connection(file: Path, name: str) -> Any:
    end = time.monotonic() + WAIT
    while True:
        try:
            return duckdb.connect(str(file))
        except duckdb.Error as error:
            if not any(sign in str(error) for sign in _IN_USE):
                raise
            if time.monotonic() > end:
                raise EnvironmentFailed(
                    f"{name}: the file has been in use for {WAIT:.0f} s; a retry is safe"
                ) from None
        time.sleep(_EACH)


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn what DuckDB says into a clear error without values of rows."""
    try:
        yield
    except duckdb.IOException as error:
        if "not a valid DuckDB database" in str(error):
            raise ContractError(f"{name}: the file is no DuckDB database", hint="name another file") from None
        raise EnvironmentFailed(f"{name}: {first_line(error)}; a retry is safe") from None
    except (duckdb.OperationalError, duckdb.InternalError) as error:  # no memory, interrupted, a broken file
        raise EnvironmentFailed(f"{name}: DuckDB failed ({type(error).__name__}); a retry is safe") from None
    except duckdb.Error as error:
        raise ContractError(
            f"{name}: DuckDB refuses the run ({type(error).__name__})",
            hint="look for views, constraints and columns of the same name in the table; or name another one",
        ) from None
