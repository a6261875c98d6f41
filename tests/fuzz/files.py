"""Write logs as files: Parquet of all sorts, and delimited text."""

import gzip
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.by_hand import Row

CODECS = ("none", "snappy", "gzip", "zstd", "lz4", "brotli")
TEXTS = ("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "PLAIN")
NUMBERS = ("BYTE_STREAM_SPLIT", "PLAIN")


def columns_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Turn rows into columns."""
    return {name: [row.get(name) for row in rows] for name in rows[0]}


def arrow(rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table of the types they have."""
    return pa.table(columns_of(rows))


def write_parquet(rng: random.Random, table: pa.Table, path: Path) -> None:
    """Write a table with drawn settings: compression, encodings, versions, pages, row groups."""
    encodings = None
    if rng.random() < 0.4:
        encodings = {
            field.name: rng.choice(TEXTS if pa.types.is_string(field.type) else NUMBERS)
            for field in table.schema
            if pa.types.is_string(field.type) or pa.types.is_floating(field.type)
        }
        encodings |= {f.name: "DELTA_BINARY_PACKED" for f in table.schema if pa.types.is_timestamp(f.type)}
    pq.write_table(
        table,
        path,
        compression=rng.choice(CODECS),
        use_dictionary=False if encodings else rng.random() < 0.7,
        column_encoding=encodings,
        version=rng.choice(["1.0", "2.4", "2.6"]),
        data_page_version=rng.choice(["1.0", "2.0"]),
        row_group_size=rng.choice([37, 100, 1_000]),
        data_page_size=rng.choice([256, 4_096, 1 << 20]),
        write_statistics=rng.random() < 0.8,
        write_page_index=rng.random() < 0.3,
        write_page_checksum=rng.random() < 0.2,
    )


def cell(value: Any) -> str:
    """Write a value as an export does."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def csv_text(names: Sequence[str], rows: Sequence[Sequence[Any]], *, sep: str = ",", end: str = "\n") -> str:
    """Write delimited text, quoting what needs it."""

    def shown(text: str) -> str:
        odd = any(sign in text for sign in (sep, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if odd else text

    lines = [sep.join(shown(cell(v)) for v in row) for row in [names, *rows]]
    return end.join(lines) + end


def csv_of(rows: Sequence[Row], *, sep: str = ",", end: str = "\n") -> str:
    """Rows as delimited text."""
    return csv_text(list(rows[0]), [list(row.values()) for row in rows], sep=sep, end=end)


def write_text(path: Path, data: bytes) -> None:
    """Write bytes, packed if the name says so."""
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
