"""From when to when a log really goes: a few stray dates must not stretch it."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from features.calendar import day_from_number
from features.periods import Period
from pipelines.engine import Engine
from pipelines.failures import NotReady

STRAY_SHARE = 0.001
STRAY_ROWS = 5
STRAY_GAP = 365


@dataclass(frozen=True)
class LogSpan:
    """From when to when a log goes; stray dates do not count.

    Parameters
    ----------
    first_order_day : date
        Day of the first purchase, or the first day of its period.
    first_day, end : date
        First day on which a purchase is known; the day after the newest such day.
    stray : int
        Rows that became known far outside.
    """

    first_order_day: date
    first_day: date
    end: date
    stray: int

    def said(self) -> str:
        """Say for people what does not count."""
        return (
            f"{self.stray:,} rows lie more than a year outside {self.first_day} to {self.end}: broken dates? "
            "They do not set the span"
        )


def find_span(engine: Engine, lines: ir.Table, period: Period) -> LogSpan:
    """Count the purchases by day, and see from when to when they go.

    Raises
    ------
    NotReady
        If there is none.
    """
    bought = lines.filter(~lines.is_refund)
    first_order_day, _, _ = _span_of(engine, bought, "day")
    first_day, last_day, stray = _span_of(engine, bought, "known_day")
    return LogSpan(period.floor(first_order_day), first_day, last_day + timedelta(1), stray)


def _span_of(engine: Engine, bought: ir.Table, column: str) -> tuple[date, date, int]:
    days = engine.frame(bought.group_by(column).agg(n=bought.count()).order_by(column))
    if days.empty:
        raise NotReady("no purchase is left after the refunds and the rows set aside")
    return core_span(days[column].to_numpy(), days["n"].to_numpy())


def core_span(days: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[date, date, int]:
    """Find the first and the last day of the bulk of a log.

    Rows at either end are stray if more than a year lies between them and the rest and they are few: at most
    5, or one in a thousand. 1970-01-01 and 2099-12-31 are what broken exports write.

    Parameters
    ----------
    days : ndarray of int64
        Distinct day numbers, rising.
    rows : ndarray of int64
        Rows of each day.

    Returns
    -------
    first, last, stray
        Days of the bulk, and how many rows lie outside it.

    Examples
    --------
    >>> core_span(np.array([0, 15000, 15001]), np.array([1, 700, 800]))
    (datetime.date(2011, 1, 26), datetime.date(2011, 1, 27), 1)
    """
    few = max(STRAY_ROWS, int(STRAY_SHARE * rows.sum()))
    low, high = 0, len(days) - 1
    for place in np.flatnonzero(np.diff(days) > STRAY_GAP):
        if rows[: place + 1].sum() <= few:
            low = int(place) + 1
        if rows[place + 1 :].sum() <= few:
            high = min(high, int(place))
    stray = int(rows[:low].sum() + rows[high + 1 :].sum())
    return day_from_number(int(days[low])), day_from_number(int(days[high])), stray
