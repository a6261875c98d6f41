"""Holes in a log: days on which the shop's own rhythm would have brought many buyers, and no row is there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.periods import DAY, Period
from models.findings import Finding

MANY = 12.0
"""Expected buyers below which an empty stretch can be chance. Of 1,800 simulated shops without a hole, of
.1 to 12 buyers a day for two years, 4 have a stretch that exceeds it."""

WEEK = 7
LATELY = 6
"""Periods before the newest that say what is usual; half of them must be there."""

LONG = WEEK
"""Days from which on a hole is a warning: no shop loses a week by a bank holiday."""

_AROUND = 56
_OPEN = 0.75
_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_SHOWN = 3

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Hole:
    """Days without a row.

    Parameters
    ----------
    first, last : date
        Both included; closing days at either end are cut off.
    days : int
        From first to last.
    expected : float
        Buyers that the same weekdays of the eight weeks before and after would make likely, taken at the
        level of the quieter side.
    """

    first: date
    last: date
    days: int
    expected: float


def find_holes(daily: pd.DataFrame, period: Period = DAY) -> list[Hole]:
    """Find the holes.

    An empty day counts if its weekday is a regular one: open in three of four of the weeks around, or as
    often as so few buyers would make likely. So neither weekly closing days nor the quiet days of a small
    shop are holes; a fortnight of its silence is.

    Parameters
    ----------
    daily : DataFrame
        One row a day from the first to the last, without gaps, with ``rows`` and ``buyers``.
    period : Period
        The grain of the log; one of weeks, months or quarters has a hole where a whole one is missing.

    Returns
    -------
    list of Hole
        In order of time.
    """
    if period.kind != "day":
        return list(_missing_periods(daily, period))
    buyers, is_empty = daily["buyers"].to_numpy(float), daily["rows"].to_numpy() == 0
    weekday = pd.DatetimeIndex(daily.index).day_of_week.to_numpy()
    holes = []
    for start, end in _runs(is_empty):
        expected = _expected(buyers, is_empty, weekday, start, end)
        if expected.sum() >= MANY:
            busy = start + np.flatnonzero(expected)
            first, last = daily.index[busy[0]].date(), daily.index[busy[-1]].date()
            holes.append(Hole(first, last, (last - first).days + 1, float(expected.sum())))
    return holes


def _runs(flags: Bools) -> list[tuple[int, int]]:
    """Return stretches of true as half-open places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _expected(buyers: Floats, is_empty: Bools, weekday: NDArray[Any], start: int, end: int) -> Floats:
    """Expect of each day of a stretch what its weekday brought around it; nothing of irregular weekdays."""
    sides = [slice(max(start - _AROUND, 0), start), slice(end, end + _AROUND)]
    near = np.r_[sides[0], slice(end, min(end + _AROUND, buyers.size))]
    n = np.maximum(np.bincount(weekday[near], minlength=7), 1)
    mean = np.bincount(weekday[near], buyers[near], 7) / n
    is_open = np.bincount(weekday[near], ~is_empty[near], 7) / n
    regular = (is_open >= _OPEN) | (is_open >= 0.8 * -np.expm1(-mean))
    # The quieter side counts: a hole is where it was busy before as well as after.
    level = [buyers[side].mean() for side in sides if buyers[side].size >= WEEK]
    quieter = min(level, default=0.0) / max(buyers[near].mean(), 1e-9)
    expected: Floats = np.where(regular, mean * min(quieter, 1.0), 0.0)[weekday[start:end]]
    return expected


def _missing_periods(daily: pd.DataFrame, period: Period) -> Iterator[Hole]:
    filled = daily[daily["rows"] > 0]
    numbers = [period.number(day.date()) for day in filled.index]
    usual = float(filled["buyers"].median())
    for number, following in pairwise(numbers):
        if following > number + 1 and usual * (following - number - 1) >= MANY:
            first, end = period.start(number + 1), period.start(following)
            days = (end - first).days
            last = date.fromordinal(end.toordinal() - 1)
            yield Hole(first, last, days, usual * (following - number - 1))


def closing_days(daily: pd.DataFrame) -> list[str]:
    """Name the weekdays on which the shop hardly ever sells, of a shop that sells on most others.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=70)
    >>> closing_days(pd.DataFrame({"rows": (days.day_of_week != 6) * 5}, index=days))
    ['Sundays']
    """
    is_open = (daily["rows"] > 0).groupby(pd.DatetimeIndex(daily.index).day_of_week).mean()
    closed = is_open < 0.05
    if not closed.any() or is_open[~closed].min() < 0.5:
        return []
    return [_NAMES[day] for day in is_open.index[closed]]


def judge_holes(daily: pd.DataFrame, period: Period = DAY) -> Finding:
    """Say where rows are missing."""
    holes, closed = find_holes(daily, period), closing_days(daily) if period.kind == "day" else []
    numbers = {
        "holes": [
            {
                "first": str(h.first),
                "last": str(h.last),
                "days": h.days,
                "expected_buyers": round(h.expected, 1),
            }
            for h in holes
        ],
        "closing_days": closed,
    }
    closing = f"; closed on {' and '.join(closed)}" if closed else ""
    if not holes:
        return Finding("ok", "holes", f"no stretch of days lacks the rows it should have{closing}", numbers)
    biggest = sorted(holes, key=lambda h: -h.expected)[:_SHOWN]
    said = ", ".join(_said(h) for h in sorted(biggest, key=lambda h: h.first))
    more = f" and {len(holes) - len(biggest)} more" if len(holes) > len(biggest) else ""
    text = (
        f"no rows on {said}{more}{closing}. Was the shop closed, or did the export lose them? "
        "Customers who bought there look as if they had gone"
    )
    return Finding("warning" if any(h.days >= LONG for h in holes) else "note", "holes", text, numbers)


def _said(hole: Hole) -> str:
    when = str(hole.first) if hole.days == 1 else f"{hole.first} to {hole.last} ({hole.days} days)"
    return f"{when}, about {hole.expected:,.0f} buyers"


def judge_newest(daily: pd.DataFrame, period: Period) -> Finding | None:
    """Say whether the newest week, month or quarter looks cut short; its dates cannot tell.

    Parameters
    ----------
    daily : DataFrame
        As `find_holes` takes it; the last day ends the log's newest period.
    period : Period
        The grain of the log.

    Returns
    -------
    Finding or None
        None for a log to the day, whose dates tell where it ends, and where too little is there to compare.
    """
    if period.kind == "day":
        return None
    rows = daily["rows"].groupby([period.number(day.date()) for day in daily.index]).sum()
    before, newest, first = rows.iloc[-1 - LATELY : -1], int(rows.iloc[-1]), period.start(int(rows.index[-1]))
    if len(before) < LATELY // 2 or before.median() < MANY:
        return None
    usual = float(before.median())
    numbers = {"first": str(first), "rows": newest, "usual_rows": usual}
    text = f"the newest {period.kind}, from {first} on, has {newest:,} rows; {usual:,.0f} are usual"
    if newest >= usual / 2:
        return Finding("ok", "newest_period", text, numbers)
    text += (
        f". Was it exported before the {period.kind} was over? Training would take that for a lull; if so, "
        f"train with --as-of {first}"
    )
    return Finding("warning", "newest_period", text, numbers)
