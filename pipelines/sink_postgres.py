"""Runs in a table of a PostgreSQL server."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from features.errors import ContractError
from pipelines.failures import EnvironmentFailed
from pipelines.postgres_address import Place, connect
from pipelines.published_runs import Run
from pipelines.sink_table import Kind, Session, score_batches
from pipelines.sql_names import quoted

WAIT = 60
"""Seconds for which another transaction may keep a lock before a delivery gives up."""

_COLUMNS = """
select a.attname::text, format_type(a.atttypid, null)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum
"""

# What a server says can quote rows, so that only its five-character codes are listened to.
_WRONG = {
    "42501": ("the user may not do that", "grant select, insert and delete on the table and its register, "
              "and create on the schema where they are new; their owner alone can add columns"),
    "3F000": ("there is no such schema", "create it, or name another one"),
    "42809": ("it is no table", "name a table, or one that is not there yet"),
    "22021": ("a text has a character that the database cannot hold", "most often a zero byte in an id"),
    "22P05": ("a text has a character that the database's encoding lacks", "a database with encoding UTF8"),
    "22001": ("a text is too long for its column", "make the columns of text `text`"),
    "23502": ("a column that runs do not fill may not be empty", "drop its NOT NULL, or name another table"),
    "54000": ("a text is too long for the table's key", "drop the primary key of the table"),
}  # fmt: skip
_AWAY = {
    "55P03": f"another transaction has kept it for {WAIT} s",
    "25006": "the server takes no changes now",
    "53100": "its disk is full",
}


class PostgresSession(Session):
    """A transaction of a server."""

    types: ClassVar[Mapping[Kind, str]] = {
        "text": "text",
        "whole number": "bigint",
        "number": "double precision",
        "date": "date",
        "moment": "timestamp with time zone",
        "truth value": "boolean",
    }
    known: ClassVar[Mapping[str, Kind]] = {
        **{name: kind for kind, name in types.items()},
        "character varying": "text",
    }
    has_keys = True  # the server, too, sees to it that nothing doubles

    def __init__(self, place: Place, connection: Any) -> None:
        super().__init__(f"[sinks] postgres, {place.source}", place.table)
        self._place, self._connection = place, connection

    def run(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        """Carry out a statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Fetch what a query finds."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def columns(self, table: str) -> dict[str, str]:
        """Name the columns of a table and their types."""
        return dict(self.rows(_COLUMNS, (self._place.schema, table)))

    def path(self, table: str) -> str:
        """Quote a table's name, with its schema."""
        return f"{quoted(self._place.schema)}.{quoted(table)}"

    def hold(self, what: str) -> None:
        """Keep out who holds the same part of the same table.

        The server frees the lock when the transaction ends, however it does.
        """
        named = f"repurchase {self._place.schema}.{self._place.table} {what}"
        number = int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], signed=True)
        self.rows("select pg_advisory_xact_lock($1)::text", (number,))

    def fill(self, run: Run) -> None:
        """Add the rows of a run by COPY, some at a time."""
        with self._connection.cursor() as cursor:
            schema = self._place.schema
            cursor.adbc_ingest(self.table, score_batches(run), mode="append", db_schema_name=schema)


@contextmanager
def postgres_session(place: Place) -> Iterator[PostgresSession]:
    """Open one transaction.

    Raises
    ------
    ContractError
        If the driver, the variable, the schema or a permission is missing, or a run does not fit the table.
    EnvironmentFailed
        If the server cannot be reached, or the connection or a lock is lost.
    """
    with connect(place) as connection:
        session = PostgresSession(place, connection)
        with _refusals(session.name):
            # What others have committed is to be seen as soon as they let go of the lock.
            session.run("set transaction isolation level read committed")
            session.run(f"set local lock_timeout = '{WAIT}s'")
            yield session
            connection.commit()


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn what the server refuses into a clear error without values of rows."""
    import adbc_driver_manager as adbc

    try:
        yield
    except adbc.Error as error:
        state = error.sqlstate or ""
        if state in _WRONG:
            what, hint = _WRONG[state]
            raise ContractError(f"{name}: {what}", hint=hint) from None
        if state[:2] in ("22", "23", "42"):
            raise ContractError(
                f"{name}: the server refuses the run (SQLSTATE {state})",
                hint="look for views, constraints and triggers of the table, or name another one",
            ) from None
        why = _AWAY.get(state) or (f"SQLSTATE {state}" if state else "the connection was lost")
        raise EnvironmentFailed(f"{name}: the delivery stopped midway: {why}; a retry is safe") from None
