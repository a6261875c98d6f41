"""Small files that unpack to large ones, and files whose sizes lie."""

import gzip
import random
import struct
import zlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.by_hand import Counted
from tests.fuzz.cases import MAPPING, Made, kind, sound_rows, write_config
from tests.fuzz.files import arrow, csv_of
from tests.fuzz.parquet_by_hand import (
    BYTE_ARRAY,
    DOUBLE,
    INT64,
    Column,
    Struct,
    constant,
    dictionary,
    page,
    text_of,
    write,
)

_AT = int(datetime(2023, 5, 5).timestamp()) * 10**6
MIB = 1 << 20


def _ordinary(n: int) -> dict[str, Column]:
    """Columns of n rows that are all the same: one customer, one day, one amount."""
    return {
        "customer_id": constant("customer_id", BYTE_ARRAY, text_of(2), n),
        "order_id": constant("order_id", BYTE_ARRAY, text_of(3), n),
        "ordered_at": constant("ordered_at", INT64, [struct.pack("<q", _AT)], n),
        "product_id": constant("product_id", BYTE_ARRAY, text_of(1), n),
        "quantity": constant("quantity", DOUBLE, [struct.pack("<d", 1.0)], n),
        "unit_price": constant("unit_price", DOUBLE, [struct.pack("<d", 2.5)], n),
    }


def _made(folder: Path, columns: dict[str, Column], n: int, counted: Counted | None = None) -> Made:
    path = folder / "orders.parquet"
    write(path, list(columns.values()), n)
    return Made(write_config(folder, path.name), None, counted=counted)


@kind(25)
def bomb_one_value(rng: random.Random, folder: Path) -> Made:
    """A kilobyte in which one text of a megabyte or more stands thousands of times."""
    size, n = rng.choice(
        [(MIB, 1_900), (4 * MIB, 2_000), (64 * MIB, 300), (100_000, 100_000), (1_000, 3_000_000)]
    )
    columns = _ordinary(n)
    name = rng.choice(["customer_id", "customer_id", "order_id", "product_id", "note"])
    columns[name] = constant(name, BYTE_ARRAY, text_of(size, rng.choice([b"x", b" "])), n)
    return _made(folder, columns, n)


@kind(15)
def bomb_pages(rng: random.Random, folder: Path) -> Made:
    """Pages that unpack to hundreds of megabytes."""
    size, n = rng.choice([(MIB, 300), (MIB, 1_500), (1_000, 400_000), (200 * MIB, 2), (MIB, 2_047)])

    def values() -> Iterable[bytes]:
        for _ in range(n):
            yield from text_of(size)

    columns = _ordinary(n)
    name = rng.choice(["customer_id", "order_id", "product_id", "note"])
    columns[name] = Column(name.encode(), BYTE_ARRAY, page(values(), n), n)
    return _made(folder, columns, n)


@kind(20)
def bomb_rows(rng: random.Random, folder: Path) -> Made:
    """A kilobyte that says one row a million to a hundred billion times."""
    n = rng.choice([900_000, 30_000_000, 1_000_000_000, 100_000_000_000])
    return _made(folder, _ordinary(n), n, Counted(n, n, 0, 1, 25_000 * n))


@kind(60)
def lying_pages(rng: random.Random, folder: Path) -> Made:
    """Sizes and counts that are not those of what follows."""
    n = 500
    columns = _ordinary(n)
    name = rng.choice(list(columns))
    true = columns[name]
    lie = rng.choice([0, 1, -1, 2**31 - 1, -(2**31), 10**9, n + 1, n - 1])
    run = b"\1" + rng.choice([b"\xff\xff\xff\xff\x0f", b"\xfe\xff\xff\xff\x7f", b"\0"]) + b"\0"
    way = rng.randrange(7)
    value = [b"\2\0\0\0xx"] if true.type == BYTE_ARRAY else [struct.pack("<q", _AT)]
    rle = [b"\1" + bytes([0xE8, 0x07]) + b"\0"]
    pages = {
        0: dictionary(value, claimed=lie) + page(rle, n, 8),
        1: dictionary(value, claimed_n=lie) + page(rle, n, 8),
        2: dictionary(value) + page(rle, n, 8, claimed=lie),
        3: dictionary(value) + page(rle, n, 8, claimed_n=lie),
        4: dictionary(value) + page([run], n, 8),
        5: dictionary([b"\xff\xff\xff\x7f" + b"x" * 9]) + page(rle, n, 8),
    }.get(way, true.pages)
    claimed = rng.choice([n, 2**62, -1, 0, n - 1]) if way == 6 else n
    columns[name] = Column(true.name, true.type, pages, claimed, True, rng.choice([0, 2**62, -1, MIB]))
    rows = rng.choice([2**62, -1, 0, n + 1, n - 1]) if rng.random() < 0.1 else n
    return _made(folder, columns, rows)


@kind(20)
def deep_schemas(rng: random.Random, folder: Path) -> Made:
    """A footer that nests a hundred thousand levels, or claims children that are not there."""
    columns = _ordinary(10)
    depth = rng.choice([10, 200, 5_000, 100_000, 1_000_000])
    elements = [Struct([(3, 0), (4, b"a"), (5, 1)])] * depth + [columns["quantity"].schema()]
    claimed = rng.choice([1, len(columns) + 1, 2**31 - 1, -1])
    root = Struct([(4, b"schema"), (5, claimed)])
    path = folder / "orders.parquet"
    ordinary = [c.schema() for c in columns.values()]
    write(
        path, list(columns.values()), 10, schema=[root, *(ordinary if rng.random() < 0.3 else []), *elements]
    )
    return Made(write_config(folder, path.name))


@kind(20)
def nested_values(rng: random.Random, folder: Path) -> Made:
    """A column beside the log's own that nests fifty lists, or holds very many small values."""
    rows = sound_rows(rng, 60)
    depth = rng.choice([5, 50, 200])
    kind_, value = pa.int8(), 1
    for _ in range(depth):
        kind_, value = pa.list_(kind_), [value]
    table = arrow(rows).append_column("deep", pa.array([value] * len(rows), kind_))
    if rng.random() < 0.5:
        table = table.set_column(0, "customer_id", table.column("deep"))
    path = folder / "orders.parquet"
    pq.write_table(table, path)
    return Made(write_config(folder, path.name), None)


@kind(25)
def bomb_gzip(rng: random.Random, folder: Path) -> Made:
    """Kilobytes of gzip that unpack to gigabytes: of nothing, of one line, of rows."""
    path = folder / "orders.csv.gz"
    text = csv_of(sound_rows(rng, 50)).encode()
    head, first, *_ = text.split(b"\n")
    way = rng.randrange(6)
    mib = rng.choice([50, 700, 2_500])
    counted = None
    if way == 0:
        parts, times = [bytes(MIB)], mib
    elif way == 1:
        parts, times = [text, b"x" * MIB], mib
    elif way == 2:
        line = first + b"\n"
        parts, times = [head + b"\n", line * (MIB // len(line))], mib
    elif way == 3:
        parts, times = [head + b"\n", b"\n" * MIB], mib
    elif way == 4:
        parts, times = [head + b"\n", (b"," * 5 + b"\n") * (MIB // 6)], mib
    else:
        parts, times = [text, gzip.compress(bytes(mib * MIB), 1)], 1
    packer = zlib.compressobj(6, wbits=31)
    with path.open("wb") as file:
        for part in parts[:-1]:
            file.write(packer.compress(part))
        for _ in range(times):
            file.write(packer.compress(parts[-1]))
        file.write(packer.flush())
    return Made(write_config(folder, path.name), None, counted=counted)


@kind(12)
def large_cells(rng: random.Random, folder: Path) -> Made:
    """Cells of ten megabytes, honest ones, in Parquet or as text."""
    rows = sound_rows(rng, 60)
    for row in rng.sample(rows, rng.choice([1, 8])):
        row[rng.choice(["customer_id", "order_id", "product_id", "note"])] = "x" * (10 * MIB)
    path = folder / rng.choice(["orders.csv", "orders.parquet", "orders.csv.gz"])
    for row in rows:
        row.setdefault("note", "")
    if path.suffix == ".parquet":
        pq.write_table(arrow(rows), path)
    else:
        data = csv_of([{name: row[name] for name in [*MAPPING, "note"]} for row in rows]).encode()
        path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return Made(write_config(folder, path.name), None)
