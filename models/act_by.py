"""Until when a customer should have been contacted."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.btyd import Btyd

KEPT = 0.8
"""Of a customer's chance to buy, so much must be left on the day that they are contacted."""
WEEK = 7


def days_of_chance(btyd: Btyd, history: pd.DataFrame, horizon: int) -> NDArray[np.int64]:
    """Return for how many days a customer can stay silent before a fifth of their chance to buy is gone.

    The chance is that of a purchase in the `horizon` days that follow, as silence goes on: it falls fast for
    those who bought often and are overdue, and slowly for those who are seldom here.

    Parameters
    ----------
    btyd : Btyd
        The champion's buy-till-you-die models.
    history : DataFrame
        With ``frequency, recency, T`` in days.
    horizon : int
        Days.

    Returns
    -------
    ndarray of int, shape (n,)
        Whole weeks, at most `horizon` and at least one.
    """
    now = btyd.p_purchase(horizon, history)
    days = np.full(len(history), horizon, dtype=np.int64)
    is_kept = np.ones(len(history), dtype=bool)
    for silent in range(WEEK, horizon, WEEK):
        left = btyd.p_purchase(horizon, history.assign(T=history["T"] + silent))
        is_gone = is_kept & (left < KEPT * now)
        days[is_gone] = max(silent - WEEK, WEEK)
        is_kept &= ~is_gone
        if not is_kept.any():
            break
    return np.minimum(days, horizon)


def act_by(
    as_of: date,
    days_of_chance: NDArray[np.int64],
    days_since_last_order: "pd.Series[int]",
    window_opens: "pd.Series[pd.Timestamp]",
    churned_days: int,
) -> "pd.Series[pd.Timestamp]":
    """Return the last day on which a contact comes in time.

    It is the first of three: the day before the customer's next order is due, which they would place by
    themselves; the day before they have been silent for as long as those who are lost; and the last day on
    which most of their chance to buy is left. It is never before the list's own date.

    Parameters
    ----------
    as_of : date
        Of the list.
    days_of_chance : ndarray of int, shape (n,)
        Of the function of this name.
    days_since_last_order : Series of int
        At that date.
    window_opens : Series of datetime
        By when the next order has come with a chance of 20 % (`models.next_order`); missing where that is
        never likely.
    churned_days : int
        Days of silence after which a customer counts as lost (`models.segments.Rules`).

    Examples
    --------
    >>> opens = pd.Series(pd.to_datetime(["2024-03-11", None, "2024-03-02", None]))
    >>> silent = pd.Series([20, 175, 40, 400])
    >>> days = np.array([28, 90, 90, 14])
    >>> [str(day.date()) for day in act_by(date(2024, 3, 1), days, silent, opens, churned_days=180)]
    ['2024-03-10', '2024-03-05', '2024-03-01', '2024-03-14']
    """
    start, day = np.datetime64(as_of, "D"), np.timedelta64(1, "D")
    ends = start + days_of_chance * day - day
    left = churned_days - days_since_last_order.to_numpy(np.int64)
    # Who is lost already has no such day any more.
    lost = np.where(left > 0, start + left * day - day, ends)
    opens = window_opens.to_numpy("datetime64[D]")
    due = np.where(np.isnat(opens), ends, opens - day)
    found = np.maximum(np.minimum(np.minimum(due, lost), ends), start)
    return pd.Series(found.astype("datetime64[s]"), index=days_since_last_order.index)
