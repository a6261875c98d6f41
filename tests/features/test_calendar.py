"""Whole-number calendar against Python's."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from features.calendar import month_and_day, weekday

EPOCH = date(1970, 1, 1)
SPANS = [
    (date(1899, 12, 1), 800),
    (date(1969, 6, 1), 500),
    (date(1999, 12, 1), 900),
    (date(2096, 2, 1), 2000),
]
DAYS = [start + timedelta(days) for start, length in SPANS for days in range(length)]
DAYS += [date(year, month, day) for year in range(1600, 2800, 50) for month in (2, 3) for day in (1, 28)]


def test_month_day_and_weekday(con: Any) -> None:
    numbers = con.create_table(
        "numbers", pa.table({"n": [(day - EPOCH).days for day in DAYS]}), overwrite=True
    )
    month, day = month_and_day(numbers.n)
    told = numbers.select("n", month=month % 12 + 1, months=month, day=day, weekday=weekday(numbers.n))
    found = {row["n"]: row for row in told.to_pyarrow().to_pylist()}
    for wanted in DAYS:
        row = found[(wanted - EPOCH).days]
        assert (row["month"], row["day"], row["weekday"]) == (wanted.month, wanted.day, wanted.weekday()), (
            wanted
        )
    assert found[0]["months"] - found[-1]["months"] == 1
    newest, oldest = max(DAYS), min(DAYS)
    between = found[(newest - EPOCH).days]["months"] - found[(oldest - EPOCH).days]["months"]
    assert between == (newest.year - oldest.year) * 12 + newest.month - oldest.month
