"""Columns that hold what they should not: other types, other units, numbers at the edge of what there is."""

import random
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.fuzz.by_hand import Row
from tests.fuzz.cases import MAPPING, Made, kind, sound_rows, write_config
from tests.fuzz.files import arrow, csv_of, write_parquet, write_text

EDGES = (
    0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-10, 0.00005, 0.00004999, 1e9, 9_999_999_999.99, 1e10,
    1.0000001e10, -1e10, 1e13, 9.2e14, 9.3e14, 1e15, 1e18, 1e30, -1e30, 1e154, 1.4e154, 1e308, -1e308,
    1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 922_337_203_685_477.5807,
    -922_337_203_685_477.5808, 9_007_199_254_740_993.0, 4_294_967_296.0, 2_147_483_648.0, 0.1 + 0.2,
    123_456_789.98765,
)  # fmt: skip
WRITTEN = (
    "", " ", "n/a", "NULL", "null", "None", "nan", "NaN", "inf", "-Infinity", "1e400", "1e-400", "1E5",
    "1_000", "1,5", "1.234,56", "1'000.50", "$12.50", "12.50 EUR", "(12.50)", "12-", "٣٤", "１２", "½",
    "0x1F", "1e", "--1", "+7", ".5", "5.", " 12 ", "12\u00a0", "1 000", "true", "=1+1", "1" + "0" * 400,
    "0." + "0" * 400 + "1", "1;2", "9" * 19, "-" + "9" * 25, "1e10", "1e30", "NaN%", "#DIV/0!", "1.2.3",
    "12\x00", "∞", "1e308", "-1e309",
)  # fmt: skip


def _texts(rng: random.Random, n: int) -> pa.Array:
    return pa.array([rng.choice(WRITTEN) for _ in range(n)])


def _times(unit: str, zone: str | None = None) -> Callable[[random.Random, int], pa.Array]:
    def made(rng: random.Random, n: int) -> pa.Array:
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
        start = 1_680_000_000 * per_second
        values = [
            start + rng.randrange(500 * 86_400) * per_second + rng.randrange(per_second) for _ in range(n)
        ]
        if rng.random() < 0.4:
            odd = [
                2**63 - 1,
                -(2**63),
                -(2**63) + 1,
                0,
                -1,
                2**62,
                -62_135_596_801 * per_second,
                253_402_300_800 * per_second,
            ]
            for at in rng.sample(range(n), min(n, rng.choice([1, 3, n // 3]))):
                values[at] = min(max(rng.choice(odd), -(2**63)), 2**63 - 1)
        return pa.array(values, pa.int64()).cast(pa.timestamp(unit, zone))

    return made


def _integers(kind_: pa.DataType, low: int, high: int) -> Callable[[random.Random, int], pa.Array]:
    def made(rng: random.Random, n: int) -> pa.Array:
        edges = [low, high, low + 1, high - 1, 0, 1]
        return pa.array(
            [
                rng.choice(edges) if rng.random() < 0.3 else rng.randint(max(low, -99), min(high, 99))
                for _ in range(n)
            ],
            kind_,
        )

    return made


def _decimals(precision: int, scale: int) -> Callable[[random.Random, int], pa.Array]:
    def made(rng: random.Random, n: int) -> pa.Array:
        most = 10**precision - 1
        kind_ = pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)
        values = [
            rng.choice([most, -most, 0, 1, rng.randint(-most, most), rng.randint(-9_999, 9_999)])
            for _ in range(n)
        ]
        return pa.array(
            [Decimal(v).scaleb(-scale) for v in values]
            if precision < 28
            else [_scaled(v, scale) for v in values],
            kind_,
        )

    return made


def _scaled(value: int, scale: int) -> Decimal:
    digits = tuple(int(d) for d in str(abs(value)))
    return Decimal((int(value < 0), digits, -scale))


def _floats(kind_: pa.DataType) -> Callable[[random.Random, int], pa.Array]:
    def made(rng: random.Random, n: int) -> pa.Array:
        values = [rng.choice(EDGES) if rng.random() < 0.5 else rng.uniform(-5, 99) for _ in range(n)]
        if kind_ == pa.float16():
            with np.errstate(over="ignore"):
                return pa.array(np.array(values, np.float16))
        with np.errstate(over="ignore"):
            return pa.array(np.array(values, np.float32 if kind_ == pa.float32() else np.float64))

    return made


def _of(
    values: Callable[[random.Random], Any], kind_: pa.DataType
) -> Callable[[random.Random, int], pa.Array]:
    return lambda rng, n: pa.array([values(rng) if rng.random() < 0.9 else None for _ in range(n)], kind_)


TYPES: dict[str, Callable[[random.Random, int], pa.Array]] = {
    "text": _texts,
    "large text": lambda rng, n: _texts(rng, n).cast(pa.large_string()),
    "words": _of(lambda rng: rng.choice(["a", "b", "c"]), pa.string()),
    "dictionary": lambda rng, n: _texts(rng, n).dictionary_encode(),
    "nothing": lambda _rng, n: pa.nulls(n),
    "no text": lambda _rng, n: pa.nulls(n, pa.string()),
    "no number": lambda _rng, n: pa.nulls(n, pa.float64()),
    "no time": lambda _rng, n: pa.nulls(n, pa.timestamp("us")),
    "flag": _of(lambda rng: rng.random() < 0.5, pa.bool_()),
    "bytes": _of(lambda rng: rng.randbytes(rng.randrange(9)), pa.binary()),
    "fixed bytes": _of(lambda rng: rng.randbytes(16), pa.binary(16)),
    "list": _of(lambda rng: [1] * rng.randrange(3), pa.list_(pa.int64())),
    "list of texts": _of(lambda rng: ["a"] * rng.randrange(3), pa.list_(pa.string())),
    "record": _of(lambda _rng: {"a": 1, "b": "x"}, pa.struct([("a", pa.int8()), ("b", pa.string())])),
    "map": _of(lambda _rng: [("k", 1)], pa.map_(pa.string(), pa.int64())),
    "nested": _of(lambda _rng: [[{"a": [1]}]], pa.list_(pa.list_(pa.struct([("a", pa.list_(pa.int8()))])))),
    "day": _of(lambda rng: date(2023, 1, 1) + timedelta(rng.randrange(500)), pa.date32()),
    "any day": _of(lambda rng: rng.choice([-(2**31), 2**31 - 1, -719_163, 2_932_897, 0, 19_500]), pa.int32()),
    "time of day": _of(lambda rng: time(rng.randrange(24), 5), pa.time64("us")),
    "span": lambda rng, n: pa.array([rng.randrange(10**9) for _ in range(n)], pa.duration("us")),
    **{f"{unit} times": _times(unit) for unit in ("s", "ms", "us", "ns")},
    **{f"{unit} times, {zone}": _times(unit, zone)
       for unit in ("s", "ms", "us", "ns") for zone in ("UTC", "Asia/Tokyo")},
    **{f"{k}": _integers(t, -(2 ** (b - 1)), 2 ** (b - 1) - 1) for k, t, b in (
        ("int8", pa.int8(), 8), ("int16", pa.int16(), 16), ("int32", pa.int32(), 32),
        ("int64", pa.int64(), 64))},
    **{f"{k}": _integers(t, 0, 2**b - 1) for k, t, b in (
        ("uint8", pa.uint8(), 8), ("uint16", pa.uint16(), 16), ("uint32", pa.uint32(), 32),
        ("uint64", pa.uint64(), 64))},
    **{f"decimal({p}, {s})": _decimals(p, s)
       for p, s in ((4, 2), (18, 4), (38, 0), (38, 10), (38, 37), (76, 10))},
    **{str(t): _floats(t) for t in (pa.float16(), pa.float32(), pa.float64())},
}  # fmt: skip


@kind(1_000)
def column_types(rng: random.Random, folder: Path) -> Made:
    """Give one or two of a log's columns another type; a day of any number may stand where a time should."""
    rows = sound_rows(rng, rng.choice([30, 240]))
    table = arrow(rows)
    for name in rng.sample(list(MAPPING), rng.choice([1, 1, 2])):
        which = rng.choice(list(TYPES))
        values = TYPES[which](rng, len(rows))
        if which == "any day":
            values = values.view(pa.date32())
        table = table.set_column(table.column_names.index(name), name, values)
    path = folder / "orders.parquet"
    flat = all(not pa.types.is_nested(f.type) and not pa.types.is_null(f.type) for f in table.schema)
    try:
        write_parquet(rng, table, path) if flat else pq.write_table(table, path)
    except (pa.ArrowException, OSError):  # an encoding that the type has not, a time beyond the file's unit
        pq.write_table(_in_range(table), path)
    return Made(write_config(folder, path.name, table=_formats(rng)), path)


def _in_range(table: pa.Table) -> pa.Table:
    """Bring seconds into the range that milliseconds have, as Parquet knows no seconds."""
    most = 2**63 // 1_000 - 1
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "s":
            values = pc.min_element_wise(
                pc.max_element_wise(table.column(place).cast(pa.int64()), -most), most
            )
            table = table.set_column(place, field.name, values.cast(field.type))
    return table


def _formats(rng: random.Random) -> str:
    """Ask for a format of dates now and then; it does not change what typed dates say."""
    if rng.random() < 0.85:
        return ""
    return f'formats = {{ ordered_at = "{rng.choice(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"])}" }}'


def _mixed(rng: random.Random, rows: list[Row], name: str, values: Callable[[], Any]) -> None:
    share = rng.choice([0.02, 0.3, 1.0])
    for row in rows:
        if rng.random() < share:
            row[name] = values()


@kind(450)
def numbers(rng: random.Random, folder: Path) -> Made:
    """Put numbers at the edges among sound ones, in Parquet or as text."""
    rows = sound_rows(rng, rng.choice([20, 240]))
    mapping = dict(MAPPING)
    for name in rng.sample(["quantity", "unit_price"], rng.choice([1, 2])):
        _mixed(rng, rows, name, lambda: rng.choice(EDGES) * rng.choice([1, 1, -1, 0.5]))
    if rng.random() < 0.3:
        mapping = {k: v for k, v in mapping.items() if k not in ("quantity", "unit_price")} | {
            "amount": "unit_price"
        }
    path = folder / rng.choice(["orders.parquet", "orders.csv"])
    if path.suffix == ".csv":
        write_text(path, csv_of(rows).encode())
    else:
        write_parquet(rng, arrow(rows), path)
    return Made(write_config(folder, path.name, mapping, rest=_policy(rng)), path, mapping=mapping)


def _policy(rng: random.Random) -> str:
    return "[policy]\nmax_quarantined = 1.0" if rng.random() < 0.5 else ""


@kind(450)
def written_values(rng: random.Random, folder: Path) -> Made:
    """Write numbers, dates and ids as texts of all sorts."""
    rows = sound_rows(rng, rng.choice([20, 240]))
    for name in rng.sample(list(MAPPING), rng.choice([1, 2])):
        _mixed(rng, rows, name, lambda: rng.choice(WRITTEN))
    path = folder / rng.choice(["orders.parquet", "orders.csv", "orders.csv.gz"])
    if path.suffix == ".parquet":
        texts = [{k: None if v is None else str(v) for k, v in row.items()} for row in rows]
        write_parquet(rng, arrow(texts), path)
    else:
        write_text(path, csv_of(rows).encode())
    return Made(write_config(folder, path.name, rest=_policy(rng)), path)


@kind(12)
def huge_sums(rng: random.Random, folder: Path) -> Made:
    """Amounts at the most that a row may have, so many that their sum leaves 64 bits."""
    n = rng.choice([93_000, 200_000])
    rng_ = np.random.default_rng(rng.randrange(2**32))
    at = np.datetime64("2023-01-01", "us") + rng_.integers(0, 500 * 86_400, n) * np.timedelta64(
        1_000_000, "us"
    )
    price = rng.choice([1e10, 9_999_999_999.9999, -1e10])
    whose = rng_.integers(0, rng.choice([1, 3, 500]), n)
    table = pa.table(
        {
            "customer_id": pa.array([f"u{k}" for k in whose]),
            "order_id": pa.array(np.arange(n)),
            "ordered_at": pa.array(at),
            "product_id": pa.array(whose),
            "quantity": pa.array(np.where(rng_.random(n) < 0.05, 0.5, 1.0)),
            "unit_price": pa.array(np.full(n, price)),
        }
    )
    path = folder / "orders.parquet"
    pq.write_table(table, path)
    return Made(write_config(folder, path.name), path)


@kind(80)
def no_amounts(rng: random.Random, folder: Path) -> Made:
    """Logs of quantities alone, or of neither, with odd numbers; and optional numbers of odd types."""
    rows = sound_rows(rng, 120)
    keep = rng.choice([("quantity",), ()])
    mapping = {k: v for k, v in MAPPING.items() if k not in ("quantity", "unit_price") or k in keep}
    _mixed(rng, rows, "quantity", lambda: rng.choice(EDGES))
    table = arrow(rows)
    which = rng.choice(list(TYPES))
    discount = TYPES[which](rng, len(rows))
    table = table.append_column("discount", discount)
    if rng.random() < 0.5:
        mapping["discount"] = "discount"
    path = folder / "orders.parquet"
    pq.write_table(table, path)
    # With no money a line counts one or minus one, which the independent count does not follow.
    return Made(write_config(folder, path.name, mapping), None, mapping=mapping)
