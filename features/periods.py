"""The grain of a log's dates: a day, or a week, month or quarter of which only one day is told.

A row dated by the month stands for the whole month. At a cutoff inside the month, such a log would show
purchases that are still to come (dated by the first day) or hide some that were made (by the last). So
cutoffs lie where a period starts, and label windows cover whole periods.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.errors import ContractError

Dated = Literal["first", "last"]
Integers = NDArray[np.int64]

STRAY_SHARE = 0.001
"""Share of rows that may lie off the grid: a few broken or hand-made entries say nothing about the rest."""

ENOUGH = {"week": 6, "month": 3, "quarter": 3}
"""Distinct dates below which a log is taken to be daily: it is too short to train on. That so many of a daily
log all fall on one weekday, or on the first or the last of a month, has a chance below 1 in 10,000."""

_MONTH = 146_097 / 4_800  # days and months of the 400 years after which the calendar repeats itself
_DAYS = {"day": 1.0, "week": 7.0, "month": _MONTH, "quarter": 3 * _MONTH}
_ANCHORS = {"day": 1, "week": 7, "month": 1, "quarter": 3}
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class Period:
    """What a date of the log stands for; one that does not exist raises `ContractError`.

    Parameters
    ----------
    kind : {"day", "week", "month", "quarter"}
        How long a period is.
    anchor : int
        Week: the weekday on which it starts, 0 is Monday. Quarter: months after January in which one starts
        (1: February, May, August, November). Otherwise 0.
    dated : {"first", "last"}
        Which day of the period its rows carry.

    Examples
    --------
    >>> Period("month").floor(date(2024, 2, 29)), Period("month").next_start(date(2024, 2, 29))
    (datetime.date(2024, 2, 1), datetime.date(2024, 3, 1))
    """

    kind: Literal["day", "week", "month", "quarter"] = "day"
    anchor: int = 0
    dated: Dated = "first"

    def __post_init__(self) -> None:
        if self.anchor not in range(_ANCHORS.get(self.kind, 0)) or self.dated not in ("first", "last"):
            raise ContractError("there is no such period", example=(self.kind, self.anchor, self.dated))

    @property
    def mean_days(self) -> float:
        """How long one is, on average over the calendar."""
        return _DAYS[self.kind]

    def number(self, day: date) -> int:
        """Count the periods up to the one that holds `day`; the next period's number is one more."""
        if self.kind == "day":
            return day.toordinal()
        if self.kind == "week":
            return (day.toordinal() - 1 - self.anchor) // 7  # 0001-01-01 is a Monday
        month = day.year * 12 + day.month - 1
        return month if self.kind == "month" else (month - self.anchor) // 3

    def start(self, number: int) -> date:
        """Return the first day of a period, by its number."""
        if self.kind == "day":
            return date.fromordinal(number)
        if self.kind == "week":
            return date.fromordinal(number * 7 + 1 + self.anchor)
        month = number if self.kind == "month" else number * 3 + self.anchor
        return date(month // 12, month % 12 + 1, 1)

    def floor(self, day: date) -> date:
        """Return the first day of the period that holds `day`."""
        return self.start(self.number(day))

    def next_start(self, day: date) -> date:
        """Return the first day after the period that holds `day`: from then on it is known whole."""
        return self.start(self.number(day) + 1)

    def place(self, days: Integers) -> tuple[Integers, Integers]:
        """Return, for day numbers, the middle of the period that holds each, and its last day.

        A row told by its period happened, as far as anyone knows, in the middle, and was known at the end.
        """
        first = self._floored(days)
        last = self._floored(first + int(_DAYS[self.kind] + 2)) - 1 if self.kind != "day" else first
        return first + (last - first) // 2, last

    def check_start(self, day: date, name: str = "cutoff") -> None:
        """Raise `ContractError` for a date on which no period starts, naming two that will do."""
        if self.floor(day) != day:
            raise ContractError(
                f"{name} {day} lies inside a {self.kind}, and the log is dated by the {self.kind}",
                hint=f"use {self.floor(day)} or {self.next_start(day)}",
            )

    def n_periods(self, horizon: int) -> int:
        """Return the number of whole periods nearest to `horizon` days, at least one.

        The same at every cutoff, so that a horizon's labels mean the same thing in February and in July.
        """
        return horizon if self.kind == "day" else max(1, int(horizon / self.mean_days + 0.5))

    def end_of(self, cutoff: date, horizon: int) -> date:
        """Return the day before which a label window of `horizon` days ends: `n_periods` on.

        A cutoff that lies inside a period raises `ContractError`.

        Examples
        --------
        >>> Period("month").end_of(date(2024, 1, 1), 90), DAY.end_of(date(2024, 1, 1), 90)
        (datetime.date(2024, 4, 1), datetime.date(2024, 3, 31))
        """
        self.check_start(cutoff)
        return self.start(self.number(cutoff) + self.n_periods(horizon))

    def check_horizons(self, horizons: Sequence[int]) -> None:
        """Raise `ContractError` for horizons shorter than half a period, naming them and those that fit."""
        short = [h for h in horizons if h < _DAYS[self.kind] / 2]
        if short:
            fit = [h for h in horizons if h not in short] or [round(n * _DAYS[self.kind]) for n in (1, 2, 3)]
            raise ContractError(
                f"the log is dated by the {self.kind}, so it cannot tell what happens within "
                f"{_listed(short)} days: less than half a {self.kind}",
                hint=f"[target] horizons = {fit} would fit: {self._windows(fit)}",
            )

    def said(self, horizons: Sequence[int] = ()) -> str:
        """Say it for people: what the dates stand for and, for given horizons, what answers them.

        Examples
        --------
        >>> print(Period("week", anchor=6).said([28]))
        the log is dated by the week: rows lie on Sundays, each for the week that begins there; cutoffs lie on
        Sundays; 28 days are answered as 4 weeks
        """
        if self.kind == "day":
            return "the log is dated by the day"
        stands = f"each for the {self.kind} that {'begins' if self.dated == 'first' else 'ends'} there"
        places = f"rows lie on {self._dates(self.dated)}, {stands}; cutoffs lie on {self._dates('first')}"
        windows = f"; {self._windows(horizons)}" if horizons else ""
        return f"the log is dated by the {self.kind}: {places}{windows}"

    def _windows(self, horizons: Sequence[int]) -> str:
        counts = [(h, self.n_periods(h)) for h in horizons]
        return ", ".join(f"{h} days are answered as {n} {self.kind}{'s' * (n > 1)}" for h, n in counts)

    def _dates(self, dated: Dated) -> str:
        anchor = self.anchor - (dated == "last")
        if self.kind == "week":
            return _WEEKDAYS[anchor % 7]
        if self.kind == "month":
            return f"the {dated} of a month"
        months = [m for m in range(1, 13) if (m - 1 - anchor) % 3 == 0]
        return f"the {dated} of months {_listed(months)}"

    def _floored(self, days: Integers) -> Integers:
        """Return `floor` of many days, as day numbers."""
        if self.kind == "day":
            return days
        if self.kind == "week":
            return days - (days + 3 - self.anchor) % 7  # 1970-01-01 is a Thursday
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        if self.kind == "quarter":
            months = months - (months - self.anchor) % 3
        return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)

    def _holds(self, days: Integers) -> NDArray[np.bool_]:
        """Say of each day number whether a row of this grain carries it."""
        starts = days + (self.dated == "last")
        return np.asarray(self._floored(starts) == starts)


DAY = Period()
"""The grain of most logs: a date is the day of the purchase."""


def detect_period(days: Integers, rows: Integers) -> Period:
    """Find the grain of a log: the coarsest on whose dates at least 99.9 % of its rows lie.

    A week is taken to be dated by its first day: a date does not tell a week that begins on a Sunday from one
    that ends there. Were it the last, each week would be shown later than it could be; the other way round it
    would be shown too early. A shop that opens on Saturdays only, or bills on the first of the month only,
    cannot be told from such a log: it is read as one, which costs it some freshness.

    Parameters
    ----------
    days, rows : ndarray of int64
        Distinct day numbers of the purchases (days since 1970-01-01), in any order; rows of each.

    Returns
    -------
    Period
        `DAY` where there are too few dates to tell (`ENOUGH`).

    Raises
    ------
    ContractError
        If the dates are those of half-years or years: no horizon can be answered from them.

    Examples
    --------
    >>> detect_period(19_723 + 7 * np.arange(20), np.full(20, 50))  # from Monday, 2024-01-01
    Period(kind='week', anchor=0, dated='first')
    """
    for period in _candidates():
        on = period._holds(days)
        if on.sum() >= ENOUGH[period.kind] and rows[~on].sum() <= STRAY_SHARE * rows.sum():
            _refuse_half_years(period, days[on])
            return period
    return DAY


def _candidates() -> Iterator[Period]:
    """Yield the coarsest first: the start of a quarter is that of a month."""
    datings: tuple[Dated, ...] = ("first", "last")
    yield from (Period("quarter", anchor, dated) for dated in datings for anchor in range(3))
    yield from (Period("month", dated=dated) for dated in datings)
    yield from (Period("week", anchor) for anchor in range(7))


def _refuse_half_years(period: Period, days: Integers) -> None:
    if period.kind == "quarter" and np.diff(np.sort(days)).min() > 100:  # no two quarters in a row
        raise ContractError(
            f"the log is dated by the half-year or year: of its {len(days)} dates no two are a quarter apart",
            hint="export it by the quarter, month, week or day",
        )


def label_ends(
    cutoffs: Sequence[date], horizons: Sequence[int], period: Period = DAY
) -> dict[date, dict[int, date]]:
    """Return, for each cutoff and horizon (days), the day before which the label window ends."""
    return {cutoff: {h: period.end_of(cutoff, h) for h in horizons} for cutoff in cutoffs}


def _listed(items: Sequence[object]) -> str:
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last
