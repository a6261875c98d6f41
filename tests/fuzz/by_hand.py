"""A log read and counted by hand: by pyarrow or the csv module, row by row, in exact decimals.

Where it takes knowledge of the engine to say how a cell reads, the row is doubtful: nothing is claimed of it.
"""

import csv
import gzip
import io
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

BLANKS = " \t\n\r\v\f"
UNITS = 10_000
LONGEST_ID = 1_000
MAX_AMOUNT = Decimal(10) ** 10
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
_EPOCH = date(1970, 1, 1).toordinal()

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?)?")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NO_NUMBER = re.compile(r"[^0-9.eE+_\-]")
_ZONE = re.compile(r":\d.* [A-Z][a-z]+/[A-Z][a-z]+$")
_NO_DATE = re.compile(r"[^0-9:.\-\s/TZztUGMCutcgmeapnifyAPBDo()+\\]")


class Unreadable(Exception):
    """The independent reader cannot say what is in the file either."""


class Doubt(Exception):
    """How this cell reads is the engine's to say."""


@dataclass(frozen=True)
class Counted:
    """What is in a log: rows, those used for sure, those that may be; customers and money of the sure."""

    rows: int
    used: int
    doubtful: int
    customers: int
    units: int


def read_rows(path: Path, mapping: Mapping[str, str]) -> list[Row]:
    """Read the mapped columns of a file.

    Raises
    ------
    Unreadable
        If the file is broken for this reader, or could be read in two ways.
    """
    wanted = list(dict.fromkeys(mapping.values()))
    return _parquet(path, wanted) if path.suffix == ".parquet" else _text(path, wanted)


def _parquet(path: Path, wanted: list[str]) -> list[Row]:
    try:
        table = pq.ParquetFile(path, page_checksum_verification=False).read()
        table.validate(full=True)
        columns = {name: _values(table.column(name)) for name in wanted}
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
        raise Unreadable(f"pyarrow: {str(error)[:120]}") from None
    return [dict(zip(wanted, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Values as Python's; times as their day, which fits whatever the year."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    per_day = 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    return [None if v is None else Day(v // per_day, v) for v in column.cast(pa.int64()).to_pylist()]


@dataclass(frozen=True)
class Day:
    """A day by its number from 1970-01-01, of any year."""

    number: int
    exactly: int


def _text(path: Path, wanted: list[str]) -> list[Row]:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        found = [r for sep in ",;\t|" if (r := _split(text, sep, wanted)) is not None]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise Unreadable(str(error)[:120]) from None
    if len(found) != 1:
        raise Unreadable(f"{len(found)} separators fit")
    return found[0]


def _split(text: str, sep: str, wanted: list[str]) -> list[Row] | None:
    csv.field_size_limit(1 << 27)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=sep, strict=True)
    head = next(lines, None)
    if head is None or any(head.count(name) != 1 for name in wanted):
        return None
    rows = [line for line in lines if line]
    if any(len(line) != len(head) for line in rows):
        raise Unreadable("rows of different lengths")
    places = {name: head.index(name) for name in wanted}
    return [{name: line[at] for name, at in places.items()} for line in rows]


def count(rows: Iterable[Row], mapping: Mapping[str, str]) -> Counted:
    """Count a log's rows: which are used, by whom, and for how much."""
    n, used, doubtful, units, customers = 0, 0, 0, 0, set()
    for row in rows:
        n += 1
        try:
            customer = id_of(row[mapping["customer_id"]])
            day = day_of(row[mapping["ordered_at"]])
            amount = _units(row, mapping)
        except Doubt:
            doubtful += 1
            continue
        if customer is not None and day is not None and amount is not None:
            used += 1
            units += amount
            customers.add(customer)
    return Counted(n, used, doubtful, len(customers), units)


@dataclass(frozen=True)
class Spent:
    """Who bought before a day, and for how many small units; `has_refunds` if any line takes money back."""

    buyers: dict[str, int]
    rows: int
    has_refunds: bool


def spent(rows: Iterable[Row], mapping: Mapping[str, str], before: date) -> Spent | None:
    """Add up what each customer spent before a day; None where a row's reading is doubtful."""
    buyers: dict[str, int] = {}
    n, has_refunds = 0, False
    for row in rows:
        try:
            customer, amount = id_of(row[mapping["customer_id"]]), _units(row, mapping)
            day = day_of(row[mapping["ordered_at"]])
        except Doubt:
            return None
        if customer is None or amount is None or day is None:
            continue
        n, has_refunds = n + 1, has_refunds or amount < 0
        if day < before:
            buyers[customer] = buyers.get(customer, 0) + amount
    return Spent(buyers, n, has_refunds)


def id_of(value: Any) -> str | None:
    """A customer's id, without blanks around it."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, bytes):
        return repr(value) if value.strip(b" ") else None  # an engine writes other bytes with their numbers
    text = "" if value is None else str(value)
    return None if len(text) > LONGEST_ID else text.strip(BLANKS) or None


def day_of(value: Any) -> date | None:
    """The day of a value that is a date in living memory."""
    if value is None:
        return None
    if isinstance(value, str):
        return _written_day(value.strip(BLANKS))
    if isinstance(value, Day):
        is_near = FIRST_DAY.toordinal() <= value.number + _EPOCH <= LAST_DAY.toordinal()
        return date.fromordinal(value.number + _EPOCH) if is_near else None
    if isinstance(value, datetime | date):
        day = value.date() if isinstance(value, datetime) else value
        return day if FIRST_DAY <= day <= LAST_DAY else None
    raise Doubt


def _written_day(text: str) -> date | None:
    if _ZONE.search(text):
        raise Doubt
    if not text or _NO_DATE.search(text):
        return None
    parts = _ISO.fullmatch(text)
    if parts is None:
        raise Doubt
    try:
        numbers = [int(part) for part in parts.groups() if part is not None]
        return day_of(datetime(*numbers))  # type: ignore[arg-type]
    except ValueError:
        if parts[4] == "24" or parts[6] == "60":
            raise Doubt from None
        return None


def _units(row: Row, mapping: Mapping[str, str]) -> int | None:
    """The amount of a row in small units; None for what is no amount."""
    if "amount" in mapping:
        factors = [number(row[mapping["amount"]])]
    else:
        factors = [number(row[mapping[name]]) for name in ("quantity", "unit_price")]
    product = Decimal(1)
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 400, 10**6, -(10**6)
        for factor in factors:
            if factor is None:
                return None
            product *= factor
        if abs(abs(product) - MAX_AMOUNT) < Decimal("0.001"):
            raise Doubt  # a float may lie on either side
        if abs(product) > MAX_AMOUNT:
            return None
        return int((product * UNITS).to_integral_value(ROUND_HALF_UP))


def number(value: Any) -> Decimal | None:
    """A number, exactly; None for what is none."""
    if value is None or isinstance(value, bool):
        return None if value is None else Decimal(int(value))
    if isinstance(value, str):
        value = value.strip(BLANKS)
        if not value or _NO_NUMBER.search(value):
            return None
        if not _PLAIN.fullmatch(value):
            raise Doubt
        value = float(value)  # as any engine does, whatever the number of digits
    try:
        exact = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise Doubt from None
    return exact if exact.is_finite() else None
