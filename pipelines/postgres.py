"""A PostgreSQL table, streamed through its driver into a Parquet file that any engine reads."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from features.contracts import did_you_mean
from features.errors import ContractError
from pipelines.failures import EnvironmentFailed
from pipelines.plain_words import words_of
from pipelines.postgres_address import Place, connect, parse_place
from pipelines.sql_names import quoted

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
    place = parse_place(source)
    with connect(place) as connection, connection.cursor() as cursor, _refusals(place):
        cursor.execute("set transaction read only")
        cursor.execute(_select(place, columns, _types(cursor, place)))
        reader = cursor.fetch_record_batch()
        _write(reader, file, place)


@contextmanager
def _refusals(place: Place) -> Iterator[None]:
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


def _types(cursor: Any, place: Place) -> dict[str, str]:
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


def _select(place: Place, columns: Sequence[str], types: Mapping[str, str]) -> str:
    for column in columns:
        if column not in types:
            raise ContractError(
                f"{place.source}: column {column!r} is missing among {len(types)} columns",
                example=next(iter(types)),
                hint=did_you_mean(column, list(types)),
            )
    picked = [f"{_plain(quoted(c), types[c])} as {quoted(c)}" for c in dict.fromkeys(columns)]
    return f"select {', '.join(picked)} from {quoted(place.schema)}.{quoted(place.table)}"  # noqa: S608


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


def _write(reader: Any, file: Path, place: Place) -> None:
    try:
        with pq.ParquetWriter(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    except OSError as error:  # pyarrow's name for a lost connection, and for a full disk
        file.unlink(missing_ok=True)
        raise EnvironmentFailed(
            f"{place.source}: the copy stopped midway: {_server_line(error)}; a retry is safe"
        ) from None
