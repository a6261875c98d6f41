"""The likely date of the next order, from the curve of P(at least one purchase within t days)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.crossing import first_reached

Floats = NDArray[np.float64]


def time_grid(horizons: Sequence[int], limit: int) -> list[int]:
    """Days at which to follow the curve: every horizon, and steps that grow with time up to `limit`.

    Examples
    --------
    >>> time_grid([7, 28], 30)[-4:]
    [25, 27, 28, 30]
    """
    steps = np.unique(np.geomspace(1, limit, 40).round().astype(int))
    return sorted({*map(int, steps), *(h for h in horizons if h <= limit)})


def next_order_dates(
    curve: Floats, times: Sequence[int], cutoff: "pd.Series[pd.Timestamp]", quantile: float
) -> "pd.Series[pd.Timestamp]":
    """Return the first day by whose end the next order has come with probability `quantile`.

    Parameters
    ----------
    curve : ndarray, shape (n, len(times))
        P(at least one purchase within t days), never falling with t.
    times : sequence of int
        Rising, days.
    cutoff : Series of Timestamp, shape (n,)
        First day of the future; no date lies before it.
    quantile : float
        Between 0 and 1.

    Returns
    -------
    Series of Timestamp, shape (n,)
        NaT where the curve does not reach the quantile: probably never.
    """
    days = first_reached(curve, times, quantile)
    whole = pd.Series(np.maximum(np.ceil(days - 1e-9), 1) - 1, index=cutoff.index)
    return (cutoff + pd.to_timedelta(whole, unit="D")).astype("datetime64[s]")
