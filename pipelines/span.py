"""From when to when a log really goes: a few stray dates must not stretch it."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.snapshot import day_from_number

STRAY_SHARE = 0.001
STRAY_ROWS = 5
STRAY_GAP = 365


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
