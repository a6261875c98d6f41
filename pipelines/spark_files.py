"""Open the user's files with Spark the way DuckDB opens them: the same rows, columns and types."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import LongType, StringType, StructField, StructType, TimestampNTZType, TimestampType

from features.errors import ContractError

_DIALECT = (
    "select Delimiter, Quote, Escape, SkipRows, Columns from sniff_csv(?, all_varchar = true, header = true)"
)
Look = tuple[Any, ...]
"""What files must agree in to be read in one go."""


def parquet_frame(session: SparkSession, files: Sequence[str], file_column: str | None) -> DataFrame:
    """Open Parquet files; times are instants only where the file says that they have a zone."""

    def look(file: str) -> Look:
        return tuple((field.name, field.type) for field in pq.read_schema(file))

    def read(found: list[str], seen: Look) -> DataFrame:
        frame = session.read.parquet(*map(_literally, found))
        return with_times(_with_file(frame, file_column), pa.schema(seen))

    return _together(files, look, read)


def csv_frame(session: SparkSession, files: Sequence[str], file_column: str | None) -> DataFrame:
    """Open delimited text files, all columns as text; DuckDB tells the dialect, so both read the same."""

    def look(file: str) -> Look:
        with duckdb.connect() as connection:
            *dialect, columns = connection.execute(_DIALECT, [file]).fetchall()[0]
        return (*dialect, *(column["name"] for column in columns))

    def read(found: list[str], seen: Look) -> DataFrame:
        delimiter, quote, escape, skipped, *names = seen
        if skipped:
            raise ContractError(
                f"{found[0]}: {skipped} lines before the header", hint="remove them: Spark cannot skip lines"
            )
        frame = session.read.csv(
            [_literally(file) for file in found],
            schema=StructType([StructField(name, StringType()) for name in names]),
            sep=delimiter,
            quote=_mark(quote),
            escape=_mark(escape),
            header=True,
            multiLine=True,  # a quoted text may go over lines, as it may for DuckDB
            mode="FAILFAST",
        )
        return _with_file(frame, file_column)

    return _together(files, look, read)


def _together(
    files: Sequence[str], look: Callable[[str], Look], read: Callable[[list[str], Look], DataFrame]
) -> DataFrame:
    """Read files that look the same in one go, and put the rest beside them by the names of their columns."""
    alike: defaultdict[Look, list[str]] = defaultdict(list)
    for file in files:
        alike[look(file)].append(file)
    frames = [read(found, seen) for seen, found in alike.items()]
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)


def _with_file(frame: DataFrame, file_column: str | None) -> DataFrame:
    if file_column is None:
        return frame
    address = f.replace(f.col("_metadata.file_path"), f.lit("+"), f.lit("%2B"))
    path = f.regexp_replace(f.url_decode(address), "^file:/+", "/")
    return frame.select("*", path.alias(file_column))


def with_times(frame: DataFrame, written: pa.Schema) -> DataFrame:
    """Make wall clocks of times without a zone, and times of what Spark reads as a count of nanoseconds.

    Parameters
    ----------
    frame : DataFrame
        As Spark opened it.
    written : pyarrow Schema
        As the file has it.
    """
    times = {field.name: field.type for field in written if pa.types.is_timestamp(field.type)}
    typed = (
        _time(field.name, field.dataType, times[field.name]) if field.name in times else _column(field.name)
        for field in frame.schema
    )
    return frame.select(*typed)


def _time(name: str, read: Any, kind: pa.TimestampType) -> Column:
    column = _column(name)
    if isinstance(read, LongType):
        column = f.timestamp_micros(f.call_function("div", column, f.lit(1000)))
    return column.cast(TimestampNTZType() if kind.tz is None else TimestampType()).alias(name)


def _column(name: str) -> Column:
    return f.col("`" + name.replace("`", "``") + "`")


def _literally(path: str) -> str:
    """Protect a path's brackets and stars, which Spark would take for a pattern."""
    return re.sub(r"([\\{}\[\]*?^])", r"\\\1", path)


def _mark(character: str) -> str:
    return character if character not in ("", "(empty)") else "\0"
