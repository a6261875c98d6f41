"""A PostgreSQL table, streamed through its driver into a Parquet file that any engine reads.

The config names an environment variable, never an address: what the address holds (a password) stays out of
configs, logs, messages and everything that is published.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from features.contracts import did_you_mean
from features.errors import ContractError
from pipelines.failures import EnvironmentFailed
from pipelines.plain_words import words_of

FORM = "postgres://ENV_NAME#schema.table, where the variable ENV_NAME holds the server's address"
_SOURCE = re.compile(r"postgres://([A-Za-z_]\w*)#(?:([^.]+)\.)?(.+)", re.ASCII)

# Appended to the address where it does not say otherwise: an unreachable or silent server is noticed.
_DEFAULTS = {
    "connect_timeout": "15",
    "keepalives_idle": "60",
    "keepalives_interval": "15",
    "keepalives_count": "4",
}

# Why a connection fails, of all that a driver may say: its own sentences can quote the address.
_REFUSED = (
    "password authentication failed", "no password supplied", "no pg_hba.conf entry", "certificate",
    "does not exist", "is not permitted to log in", "permission denied", "does not support SSL",
)  # fmt: skip
_UNREACHABLE = (
    "Connection refused", "timeout expired", "could not translate host name", "No such file or directory",
    "server closed the connection unexpectedly", "too many clients", "remaining connection slots",
    "the database system is", "connection to server",
)  # fmt: skip

_TYPED = {"smallint", "integer", "bigint", "real", "double precision", "boolean"}
# Times beyond these (infinity, too) are no times to Arrow; the engines end at these years.
_BOUNDS = {
    "date": ("date '0001-01-01'", "date '9999-12-31'"),
    "timestamp without time zone": ("timestamp '0001-01-01'", "timestamp '9999-12-31'"),
    "timestamp with time zone": ("timestamptz '0001-01-01 00:00Z'", "timestamptz '9999-12-31 00:00Z'"),
}

_COLUMNS = """
select a.attname::text, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), null)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
_TABLES = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema$)' order by 1
"""


@dataclass(frozen=True)
class _Place:
    source: str
    variable: str
    schema: str
    table: str


def stage_postgres(source: str, columns: Sequence[str], file: Path) -> None:
    """Copy some columns of a PostgreSQL table into a Parquet file, never holding more than a batch.

    Whole numbers, floating-point numbers, booleans, dates and timestamps keep their types (with a time zone:
    UTC; beyond the years 1 to 9999: the nearest moment in them). All else comes as text, NUMERIC digit by
    digit, as it would from a CSV file.

    Parameters
    ----------
    source : str
        ``postgres://ENV_NAME#schema.table``; the schema is ``public`` if left out. Names are taken
        literally, capitals and spaces too.
    columns : sequence of str
        The columns to fetch; no others leave the server.
    file : pathlib.Path
        The file to write; absent again if the copy stops midway.

    Raises
    ------
    ContractError
        If the form, the variable, the address, the table, a column or a permission is wrong.
    EnvironmentFailed
        If the server cannot be reached or the connection is lost.
    """
    place = _parse(source)
    with _connection(place) as connection, connection.cursor() as cursor, _refusals(place):
        cursor.execute("set transaction read only")
        cursor.execute(_select(place, columns, _types(cursor, place)))
        reader = cursor.fetch_record_batch()
        _write(reader, file, place)


def _parse(source: str) -> _Place:
    found = _SOURCE.fullmatch(source)
    if found is None:  # not shown: it may be an address with its password
        raise ContractError("a postgres source has the wrong form", hint=FORM)
    variable, schema, table = found.groups()
    return _Place(source, variable, (schema or "public").strip('"'), table.strip('"'))


@contextmanager
def _connection(place: _Place) -> Iterator[Any]:
    try:
        import adbc_driver_postgresql.dbapi as driver
    except ImportError:
        raise ContractError(
            f"{place.source}: the PostgreSQL driver is not installed",
            hint="install the project with its extra `postgres`",
        ) from None
    address = _address(place)
    try:
        connection = driver.connect(address)
    except driver.Error as error:
        raise _no_connection(place, str(error)) from None
    with connection:
        yield connection


def _address(place: _Place) -> str:
    address = os.environ.get(place.variable, "").strip()
    if not address:
        raise ContractError(
            f"{place.source}: the environment variable {place.variable} is not set",
            hint=f"{place.variable}=postgresql://user:password@host:5432/database, where the command runs",
        )
    extra = {name: value for name, value in _DEFAULTS.items() if name not in address}
    settings = [f"{name}={value}" for name, value in (extra | {"client_encoding": "UTF8"}).items()]
    if "://" not in address:
        return " ".join([address, *settings])
    return address + ("&" if "?" in address else "?") + "&".join(settings)


def _no_connection(place: _Place, said: str) -> Exception:
    server = f"{place.source}: the server that {place.variable} names"
    for reason in _REFUSED:
        if reason in said:
            return ContractError(
                f"{server} refuses the connection ({reason})",
                hint=f"look at the user, password, database and certificate in {place.variable}",
            )
    for reason in _UNREACHABLE:
        if reason in said:
            return EnvironmentFailed(f"{server} cannot be reached ({reason}); a retry is safe")
    return ContractError(
        f"{place.source}: {place.variable} does not hold an address that the driver understands",
        hint="postgresql://user:password@host:5432/database, special characters as %XX",
    )


@contextmanager
def _refusals(place: _Place) -> Iterator[None]:
    """Turn what the server refuses into a clear error."""
    import adbc_driver_manager as adbc

    try:
        yield
    except adbc.Error as error:
        state = error.sqlstate or ""
        if state == "42501":
            raise ContractError(
                f"{place.source}: no permission to read the table",
                hint=f"grant select on the mapped columns to the user that {place.variable} names",
            ) from None
        if state[:2] in ("22", "42"):  # a view that fails on its own data, or a table that has just changed
            raise ContractError(f"{place.source}: {_server_line(error)}") from None
        raise EnvironmentFailed(f"{place.source}: {_server_line(error)}; a retry is safe") from None


def _server_line(error: Exception) -> str:
    return words_of(str(error).strip().split("\n")[0].split("ERROR:")[-1])


def _types(cursor: Any, place: _Place) -> dict[str, str]:
    cursor.execute(_COLUMNS, (place.schema, place.table))
    types = dict(cursor.fetchall())
    if types:
        return types
    cursor.execute(_TABLES)
    tables = [row[0] for row in cursor.fetchall()]
    wanted = f"{place.schema}.{place.table}"
    close = get_close_matches(wanted, tables, n=3, cutoff=0.5)
    raise ContractError(
        f"{place.source}: the database has no table {wanted!r} among {len(tables)}",
        hint=f"did you mean {' or '.join(map(repr, close))}?" if close else did_you_mean(wanted, tables),
    )


def _select(place: _Place, columns: Sequence[str], types: Mapping[str, str]) -> str:
    for column in columns:
        if column not in types:
            raise ContractError(
                f"{place.source}: column {column!r} is missing among {len(types)} columns",
                example=next(iter(types)),
                hint=did_you_mean(column, list(types)),
            )
    picked = [f"{_plain(_quoted(c), types[c])} as {_quoted(c)}" for c in dict.fromkeys(columns)]
    return f"select {', '.join(picked)} from {_quoted(place.schema)}.{_quoted(place.table)}"  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(column: str, kind: str) -> str:
    """Say a column so that what arrives means the same to every engine."""
    if kind in _TYPED:
        return column
    if kind in _BOUNDS:
        first, last = _BOUNDS[kind]
        # least and greatest skip nulls
        return f"case when {column} is not null then least(greatest({column}, {first}), {last}) end"
    if kind == "money":  # its text carries the currency sign of the server's locale
        return f"{column}::numeric::text"
    return f"{column}::text"


def _write(reader: Any, file: Path, place: _Place) -> None:
    try:
        with pq.ParquetWriter(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    except OSError as error:  # pyarrow's name for a lost connection, and for a full disk
        file.unlink(missing_ok=True)
        raise EnvironmentFailed(
            f"{place.source}: the copy stopped midway: {_server_line(error)}; a retry is safe"
        ) from None
