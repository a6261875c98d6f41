"""Open what the config names as a table on the engine."""

import glob
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.common.exceptions import TableNotFound

from features.errors import ContractError
from pipelines.config import Config, Transactions
from pipelines.engine import Engine, reading

PARQUET = ".parquet"
CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt")


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def try_strptime(text: str, format: str) -> dt.timestamp:
    """Parse a text date; null where it does not fit."""


def open_transactions(engine: Engine, config: Config) -> tuple[ir.Table, dict[str, str]]:
    """Open the purchase log.

    Returns
    -------
    table, columns
        The raw table, and the column mapping to use with it: text dates with a configured format are
        parsed into columns of their own, so that the raw ones stay as they are.

    Raises
    ------
    ContractError
        If the source is absent or unreadable, has no rows, or has an unknown form.
    """
    table = config.tables.transactions
    raw = _open(engine, table.source, config.folder)
    if engine.number(raw.count()) == 0:
        raise ContractError(
            f"{table.source}: 0 rows in {len(raw.columns)} columns", hint="did the export stop early?"
        )
    return _parse_formats(raw, table)


def _open(engine: Engine, source: str, folder: Path) -> ir.Table:
    if source.startswith("duckdb://"):
        return _open_duckdb(engine, source, folder)
    if "://" in source:
        raise ContractError(
            f"source {source!r} has a form that this version does not read",
            hint="parquet, csv, csv.gz, globs of them, or duckdb:///file.duckdb#table",
        )
    files = _files(source, folder)
    with reading(source):
        if all(f.lower().endswith(PARQUET) for f in files):
            opened: ir.Table = engine.connection.read_parquet(files, union_by_name=len(files) > 1)
        elif all(f.lower().endswith(CSV) for f in files):
            # As text: the contract types the columns, and a bad value becomes a counted row, not an error.
            opened = engine.connection.read_csv(files, all_varchar=True, header=True)
        else:
            raise ContractError(
                f"source {source!r}: {len(files)} files of mixed or unknown kind",
                example=files[0],
                hint="parquet, or " + ", ".join(CSV),
            )
    return opened


def _files(source: str, folder: Path) -> list[str]:
    if (folder / source).is_file():
        return [str(folder / source)]
    found = sorted(glob.glob(str(Path(glob.escape(str(folder))) / source)))
    if not found:
        raise ContractError(
            f"source {source!r}: no such file", hint=f"relative paths start at the config's folder, {folder}"
        )
    return found


def _open_duckdb(engine: Engine, source: str, folder: Path) -> ir.Table:
    path, _, name = source.removeprefix("duckdb://").removeprefix("/").partition("#")
    file = folder / path
    if not name or not file.is_file():
        raise ContractError(
            f"source {source!r}: no such database file or no table named",
            hint="duckdb:///file.duckdb#table, relative to the config's folder",
        )
    with reading(source):
        engine.connection.attach(file, name="source_db", read_only=True)
        try:
            opened: ir.Table = engine.connection.table(name, database="source_db.main")
        except TableNotFound:
            raise ContractError(f"source {source!r}: the database has no table {name!r}") from None
    return opened


def _parse_formats(raw: ir.Table, table: Transactions) -> tuple[ir.Table, dict[str, str]]:
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
        parsed = f"door_parsed_{standard}"
        raw = raw.mutate(**{parsed: try_strptime(raw[source].cast("string"), pattern)})
        columns[standard] = parsed
    return raw, columns
