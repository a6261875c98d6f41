"""Open what the config names as a table on the engine."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.common.exceptions import TableNotFound

from features.contracts import PARSED, WRITTEN, did_you_mean, require_free_names
from features.door import text_id
from features.errors import ContractError
from pipelines.config import Config, OtherTable, Transactions
from pipelines.engine import DuckdbEngine, Engine
from pipelines.postgres import stage_postgres
from pipelines.postgres_address import FORM
from pipelines.source_files import CSV, PARQUET, clear_of_csv, find_files, refuse_twins
from pipelines.text_faults import text_fault

MOST_ROWS, MOST_ROWS_A_BYTE = 1_000_000, 100
"""More rows than the first, and than the second for each byte of its files, no log has: it is a bomb."""

MOST_LEVELS = 10
"""So deep may lists lie in lists in a column, which no feature reads anyway."""

FILE_COLUMN = f"{PARSED}file"
"""Which file a row came from, where a source is several files; the door leaves it out of the quarantine."""


def open_transactions(engine: Engine, config: Config) -> tuple[ir.Table, dict[str, str]]:
    """Open the purchase log (see `open_table`)."""
    status = config.policy.leave_out
    asked = [status.column] if status else []
    return open_table(engine, config.tables.transactions, config, asked)


def open_other(engine: Engine, config: Config, name: str) -> tuple[ir.Table, dict[str, str]]:
    """Open the customers, events or contacts (see `open_table`).

    Raises
    ------
    ContractError
        Also if the config names no such table.
    """
    table: OtherTable | None = getattr(config.tables, name)
    if table is None:
        raise ContractError(f"the config has no table {name!r}", hint=f"add [tables.{name}]")
    return open_table(engine, table, config)


def open_table(
    engine: Engine, table: Transactions | OtherTable, config: Config, asked: Sequence[str] = ()
) -> tuple[ir.Table, dict[str, str]]:
    """Open one of the user's tables.

    Parameters
    ----------
    engine : Engine
        Where it is opened; what has to be fetched for it goes when the engine does.
    table : Transactions or OtherTable
        Its source, columns and formats.
    config : Config
        For its folder, where relative paths start, and the one that runs are published into.
    asked : sequence of str
        Columns that are needed beside those of the section.

    Returns
    -------
    table, columns
        The raw table, and the column mapping to use with it: text dates with a configured format are
        parsed into columns of their own, so that the raw ones stay as they are. Files give all their
        columns and, if they are several, `FILE_COLUMN`; a server gives the columns that the config names.

    Raises
    ------
    ContractError
        If the source is absent or unreadable, has no rows or absurdly many, or has an unknown form.
    EnvironmentFailed
        If a server cannot be reached.
    """
    raw = _open(engine, table, config, _named(table, asked))
    require_free_names([name for name in raw.columns if name != FILE_COLUMN], table.source)
    if engine.number(raw.limit(1).count()) == 0:
        raise ContractError(
            f"{table.source}: 0 rows in {len(raw.columns)} columns", hint="did the export stop early?"
        )
    return _parse_formats(engine, raw, table)


def _named(table: Transactions | OtherTable, asked: Sequence[str]) -> list[str]:
    """List the columns that the config names."""
    of_customers = [*table.attributes, *table.static] if isinstance(table, OtherTable) else []
    return [*table.columns.values(), *asked, *of_customers]


def _open(engine: Engine, table: Transactions | OtherTable, config: Config, named: list[str]) -> ir.Table:
    scheme, separator, _ = table.source.partition("://")
    if not separator:
        return _open_files(engine, table.source, config, named)
    if scheme == "duckdb":
        return _open_duckdb(engine, table.source, config.folder)
    if scheme in ("postgres", "postgresql"):
        return _open_postgres(engine, table.source, named)
    raise ContractError(  # without the address, which may hold a password
        f"source {scheme + '://…'!r} has a form that this version does not read",
        hint=f"parquet, csv, csv.gz, globs of them, duckdb:///file.duckdb#table, or {FORM}",
    )


def _open_files(engine: Engine, source: str, config: Config, named: list[str]) -> ir.Table:
    files = find_files(source, config.folder, (config.output / "runs").resolve())
    file_column = FILE_COLUMN if len(files) > 1 else None
    n_bytes = sum(Path(file).stat().st_size for file in files)
    if not n_bytes and all(file.lower().endswith((PARQUET, *CSV)) for file in files):
        what = "the file is" if len(files) == 1 else f"all {len(files)} files are"
        raise ContractError(f"{source}: {what} empty (0 bytes)", hint="did the export stop early?")
    engine.expect(source, n_bytes)
    with engine.reading(source):
        if all(f.lower().endswith(PARQUET) for f in files):
            opened = engine.read_parquet(files, file_column)
            _refuse_nests(source, opened)
            _refuse_bomb(source, engine.number(opened.count()), n_bytes)
        elif all(f.lower().endswith(CSV) for f in files):
            # As text: the contract types the columns, and a bad value becomes a counted row, not an error.
            with clear_of_csv(files):
                opened = engine.read_csv(files, file_column)
            if not set(named) & set(opened.columns) and (fault := text_fault(files)):
                raise fault  # one line of another form, and DuckDB finds a single column
        else:
            raise ContractError(
                f"source {source!r}: {len(files)} files of mixed or unknown kind",
                example=files[0],
                hint="parquet, or " + ", ".join(CSV),
            )
    refuse_twins(files, named, opened.columns)
    if file_column is None:
        return opened
    return opened.mutate(**{FILE_COLUMN: opened[FILE_COLUMN].replace(f"{config.folder}/", "")})


def _refuse_nests(source: str, opened: ir.Table) -> None:
    """Refuse columns of lists in lists in lists: DuckDB takes twice the time for each level more."""
    deep = [name for name, kind in opened.schema().items() if _levels(kind) > MOST_LEVELS]
    if deep:
        raise ContractError(
            f"{source}: {len(deep)} of {len(opened.columns)} columns lie more than {MOST_LEVELS} levels deep",
            example=deep[0],
            hint="leave them out of the export",
        )


def _levels(kind: dt.DataType) -> int:
    """Count the lists, maps and records that lie in each other."""
    if kind.is_array():
        inner = [kind.value_type]
    elif kind.is_map():
        inner = [kind.key_type, kind.value_type]
    else:
        inner = list(kind.types) if kind.is_struct() else []
    return 1 + max(map(_levels, inner)) if inner else 0


def _refuse_bomb(source: str, n_rows: int, n_bytes: int) -> None:
    """Refuse more rows than a log can have; the file says how many, so that none of them has to be read."""
    if n_rows > MOST_ROWS + MOST_ROWS_A_BYTE * n_bytes:
        raise ContractError(
            f"{source}: {n_rows:,} rows in {n_bytes:,} bytes: no log can be packed like that",
            hint="was the file made to fill the memory?",
        )


def _open_duckdb(engine: Engine, source: str, folder: Path) -> ir.Table:
    path, _, name = source.removeprefix("duckdb://").removeprefix("/").partition("#")
    file = folder / path
    if not name or not file.is_file():
        raise ContractError(
            f"source {source!r}: no such database file or no table named",
            hint="duckdb:///file.duckdb#table, relative to the config's folder",
        )
    if not isinstance(engine, DuckdbEngine):
        raise ContractError(
            f"source {source!r}: only [engine] kind = 'duckdb' reads a DuckDB file",
            hint=f"in DuckDB: COPY {name} TO '{name}.parquet', and name that file",
        )
    n_bytes = file.stat().st_size
    engine.expect(source, n_bytes)
    with engine.reading(source):
        database = _attach(engine, file)
        if name in _names(engine, "view_name from duckdb_views()", database):
            raise ContractError(
                f"source {source!r}: {name!r} is a view, which may read other files and never end",
                hint=f"in DuckDB: CREATE TABLE … AS FROM {name}, and name that table",
            )
        try:
            opened: ir.Table = engine.connection.table(name, database=f"{database}.main")
        except TableNotFound:
            tables = _names(engine, "table_name from duckdb_tables()", database)
            raise ContractError(
                f"source {source!r}: the database has no table {name!r}", hint=did_you_mean(name, tables)
            ) from None
        _refuse_bomb(source, engine.number(opened.count()), n_bytes)
    return opened


def _attach(engine: Engine, file: Path) -> str:
    """Attach a database file once, whatever number of tables are read from it."""
    database = "source_" + hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]
    if not _names(engine, "database_name from duckdb_databases()", database):
        engine.connection.attach(file, name=database, read_only=True)
    return database


def _names(engine: Engine, what: str, database: str) -> list[str]:
    query = f"select {what} where database_name = ?"
    return [row[0] for row in engine.connection.con.execute(query, [database]).fetchall()]


def _open_postgres(engine: Engine, source: str, columns: list[str]) -> ir.Table:
    name = hashlib.sha256(repr((source, columns)).encode()).hexdigest()[:16]
    file = engine.folder / f"postgres-{name}.parquet"
    if not file.exists():  # once a command, so that all of it sees the same rows
        stage_postgres(source, columns, file)
    engine.expect(source, file.stat().st_size)
    with engine.reading(source):
        return engine.read_fetched(file)


def _parse_formats(
    engine: Engine, raw: ir.Table, table: Transactions | OtherTable
) -> tuple[ir.Table, dict[str, str]]:
    columns = dict(table.columns)
    for standard, pattern in table.formats.items():
        source = columns.get(standard)
        if source is None:
            raise ContractError(
                f"{table.source}: formats names {standard!r}, which is not mapped",
                hint="formats are for mapped dates that are kept as text or as whole numbers like 20190131",
            )
        if source not in raw.columns or raw[source].type().is_temporal():
            continue  # absent columns are the contract's to refuse; typed dates need no format
        parsed, text = f"{PARSED}{standard}", _date_text(raw[source])
        raw = raw.mutate(**{parsed: engine.parsed(text, pattern), f"{WRITTEN}{standard}": text})
        columns[standard] = parsed
    return raw, columns


def _date_text(column: ir.Value) -> ir.Value:
    """Dates as text; 20190131.0, which is how pandas writes whole numbers with gaps, becomes 20190131."""
    return text_id(column) if column.type().is_floating() else column.cast("string")
