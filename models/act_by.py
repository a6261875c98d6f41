"""Until when a customer should have been contacted."""

from datetime import date

import pandas as pd


def act_by(
    as_of: date,
    horizon: int,
    days_since_last_order: "pd.Series[int]",
    window_opens: "pd.Series[pd.Timestamp]",
    churned_days: int,
) -> "pd.Series[pd.Timestamp]":
    """Return the last day on which a contact comes in time.

    It is the first of three: the day before the customer's next order is due, which they would place by
    themselves; the day before they have been silent for as long as those who are lost; and the last day of
    the window that the list's chances and amounts speak of. It is never before the list's own date.

    Parameters
    ----------
    as_of : date
        Of the list; the first day of the window.
    horizon : int
        Days of the window.
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
    >>> [str(day.date()) for day in act_by(date(2024, 3, 1), 90, silent, opens, churned_days=180)]
    ['2024-03-10', '2024-03-05', '2024-03-01', '2024-05-29']
    """
    start, day = pd.Timestamp(as_of), pd.Timedelta(days=1)
    ends = start + horizon * day - day
    left = churned_days - days_since_last_order  # who is lost already has no such day any more
    lost = (start + pd.to_timedelta(left, unit="D") - day).where(left > 0)
    due = pd.concat([pd.to_datetime(window_opens) - day, lost], axis=1).min(axis=1)
    return due.fillna(ends).clip(start, ends).astype("datetime64[us]")
