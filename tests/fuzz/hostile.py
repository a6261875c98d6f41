"""Ids of customers and dates of orders as an attacker, a spreadsheet or a broken export writes them."""

import random
from datetime import datetime
from pathlib import Path

from tests.fuzz.cases import MAPPING, Made, kind, sound_rows, write_config
from tests.fuzz.files import arrow, csv_of, write_parquet, write_text

IDS = (
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '"', "'", '""', "a\"b", "a,b",
    "a\nb", "a\r\nb", "\x00", "a\x00b", "\x07\x1b[2J", "\u202eabc", "\u200f", "\u200b", "", " ", "\t",
    "\u00a0", "\u3000", "Anna", "anna", "ANNA", "é", "e\u0301", "ß", "SS", "İ", "i̇", "../../x",
    "/etc/passwd", "C:\\x", "a/b", ".", "..", "'; drop table lines; --",
    '"; copy lines to \'stolen.csv\'; --', "${HOME}", "{{7*7}}", "%n%s", "<script>", "null", "NULL", "None",
    "NaN", "nan", "0", "-0", "00", "1", "1.0", "1e3", "true", "🙂", "👨‍👩‍👧‍👦", "x" * 100_000, "é" * 40_000,
    "a" * 255, "a" * 1_024, "a" * 1_025, "\ufeff", "\ufffd", "\U0010ffff", "u1 ", " u1", "u1\n", "u1\t",
    "u1\u00a0",
)  # fmt: skip


@kind(500)
def ids(rng: random.Random, folder: Path) -> Made:
    """Hostile ids, few or many, in Parquet or as text."""
    rows = sound_rows(rng, rng.choice([40, 240]))
    share = rng.choice([0.05, 0.5, 1.0])
    drawn = rng.sample(IDS, rng.choice([3, len(IDS)]))
    for row in rows:
        if rng.random() < share:
            row["customer_id"] = rng.choice(drawn)
        if rng.random() < share / 4:
            row[rng.choice(["order_id", "product_id"])] = rng.choice(drawn)
    path = folder / rng.choice(["orders.parquet", "orders.csv"])
    if path.suffix == ".csv":
        write_text(path, csv_of(rows).encode())
    else:
        write_parquet(rng, arrow(rows), path)
    rest = '[policy]\ncancellation = { column = "order_id", prefix = "C" }' if rng.random() < 0.3 else ""
    # What an order that is cancelled is worth, the independent count does not follow.
    cancelled = bool(rest) and any(str(row["order_id"]).startswith("C") for row in rows)
    return Made(write_config(folder, path.name, rest=rest), None if cancelled else path)


DATES = (
    "0001-01-01", "0000-00-00", "0000-01-01", "1582-10-10", "1753-01-01", "1899-12-31", "1900-01-01",
    "1969-12-31", "1970-01-01", "2038-01-19 03:14:08", "2199-12-31 23:59:59", "2200-01-01",
    "2262-04-11 23:47:16.854775", "2262-04-12", "9999-12-31", "9999-12-31 23:59:59.999999", "10000-01-01",
    "294246-12-31", "294247-01-11", "999999999-01-01", "-2024-01-01", "2024-01-01 (BC)", "infinity",
    "-infinity", "epoch", "now", "today", "tomorrow", "2024-13-01", "2024-02-30", "2023-02-29", "2024-00-10",
    "2024-01-32", "2024-1-5", "24-01-05", "05/01/2024", "01/31/2024", "2024/01/05", "20240105", "1704412800",
    "45296", "45296.5", "2024-01-05T10:00:00Z", "2024-01-05T10:00:00+14:00", "2024-01-05T10:00:00-12:00",
    "2024-01-05 10:00:00+99:99", "2024-01-05 24:00:00", "2024-01-05 24:00:01", "2024-01-05 23:59:60",
    "2024-01-05 10:60", "2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-03-31T02:30:00 Europe/Berlin",
    "2024-01-05 10:00 PM", "Jan 5, 2024", "5. tháng 1 2024", "2024年1月5日", "2024-W01-5", "2024-005", "",
    " ", "null", "n/a", "0", "-", "٢٠٢٤-٠١-٠٥", "2024–01–05", "2024-01-05\x00",
    "2024-01-05 10:00:00.123456789",
    "2024-01-05 10:00:00.1234567890123", "  2024-01-05  ", "2024-01-05x", "2024-01-05 x" * 1_000, "1-1-1",
    "2024-01-05T10", "2024-01-05 10", "2024-01-05T10:00:00+0530", "=TODAY()",
)  # fmt: skip
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati")
PATTERNS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%Y%m%d",
    "%m/%d/%Y",
    "%s",
    "%j",
    "%Z",
    "%",
    "%Q",
    "",
    "%Y-%m-%d %H:%M:%S",
    "%f" * 40,
)


@kind(600)
def dates(rng: random.Random, folder: Path) -> Made:
    """Hostile dates as text, with and without a format, in several zones."""
    rows = sound_rows(rng, rng.choice([30, 240]))
    share = rng.choice([0.02, 0.3, 1.0])
    drawn = rng.sample(DATES, rng.choice([1, 4, len(DATES)]))
    for row in rows:
        row["ordered_at"] = rng.choice(drawn) if rng.random() < share else str(row["ordered_at"])
        row["recorded_at"] = rng.choice(drawn) if rng.random() < share / 3 else row["ordered_at"]
    mapping = dict(MAPPING)
    booked = rng.random() < 0.2
    if booked:
        mapping["recorded_at"] = "recorded_at"
    pattern = rng.choice(PATTERNS) if rng.random() < 0.25 else None
    path = folder / rng.choice(["orders.parquet", "orders.csv"])
    if path.suffix == ".csv":
        write_text(path, csv_of(rows).encode())
    else:
        write_parquet(rng, arrow(rows), path)
    config = write_config(
        folder,
        path.name,
        mapping,
        table="" if pattern is None else f'formats = {{ ordered_at = "{pattern}" }}',
        project=f'timezone = "{rng.choice(ZONES)}"',
        rest="[policy]\nmax_quarantined = 1.0" if rng.random() < 0.5 else "",
    )
    return Made(config, None if booked or pattern is not None else path, mapping=mapping)


@kind(120)
def far_dates(rng: random.Random, folder: Path) -> Made:
    """Logs of which all, most or a few rows lie in another age; weekly and monthly ones among them."""
    rows = sound_rows(rng, rng.choice([30, 240]))
    shift = rng.choice([1, 1899, 1900, 1969, 2100, 2198, 2199, 2200, 2261, 2262, 9990, 9998])
    whole = rng.random() < 0.6
    step = rng.choice([1, 7, 30])
    for row in rows:
        at: datetime = row["ordered_at"]
        if step > 1:
            at = datetime.fromordinal(at.toordinal() // step * step)
        row["ordered_at"] = (
            at.replace(year=max(1, shift + at.year - 2023), day=min(at.day, 28))
            if whole or rng.random() < 0.1
            else at
        )
    path = folder / "orders.csv"
    write_text(path, csv_of(rows).encode())
    return Made(write_config(folder, path.name), path)
