"""Whether the newest rows of a source are older than they usually are."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.calendar import day_from_number
from models.findings import Finding

YEAR = 365
MOST = 0.99
"""Share of a table's pauses that are no longer than what is usual: a Christmas closure is not."""
MARGIN = 1.5
SURE = 30
"""Purchases that a channel must have been expected to bring while it brought none."""
SILENT = 7
"""Days of silence below which a channel is given time."""
MAJOR = 0.05
"""Share of the purchases that a channel must have had: small ones come and go."""


def usual_pause(days: NDArray[np.int64], period_days: float = 1.0) -> int | None:
    """Return for how many days the table may have no row without being late.

    It is one and a half times the gap between neighbouring days with rows that 99 in 100 of the last year do
    not exceed, or the longest where there are fewer than 100.

    Parameters
    ----------
    days : ndarray of int64
        Distinct day numbers of its rows, rising.
    period_days : float
        Length of the period that a row stands for.

    Returns
    -------
    int or None
        None where there is no gap to tell.

    Examples
    --------
    >>> usual_pause(np.arange(40)), usual_pause(np.arange(0, 400, 30)), usual_pause(np.array([5]))
    (0, 44, None)
    """
    gaps = np.diff(days[days >= days[-1] - YEAR])
    if not gaps.size:
        return None
    return max(int(MARGIN * np.quantile(gaps, MOST, method="higher") - period_days), 0)


def judge_log_end(source: str, end: date, as_of: date, usual: int | None, max_age: int) -> Finding | None:
    """Say if a log of purchases ends too long before the date of a scoring; None if it does not.

    Parameters
    ----------
    source : str
        The log in messages.
    end : date
        The day after its newest purchase.
    as_of : date
        Of the scoring.
    usual : int or None
        Of `usual_pause`.
    max_age : int
        Days that never matter.
    """
    late, allowed = (as_of - end).days, max(max_age, usual or 0)
    if late <= allowed:
        return None
    text = (
        f"{source}: the log ends before {end}; {late} days up to {as_of} are missing"
        f"{_beyond(usual, max_age)}, so everyone looks more silent than they are"
    )
    numbers = {"days": late, "allowed": allowed, "end": str(end), "as_of": str(as_of)}
    return Finding("warning", "log_end", text, numbers)


def judge_table_end(
    table: str, source: str, days: NDArray[np.int64], as_of: date, trained_until: date, max_age: int
) -> Finding | None:
    """Say if a table beside the purchases has ended since the training; None if it has not.

    Parameters
    ----------
    table, source : str
        Its name in the config, and its source.
    days : ndarray of int64
        Distinct day numbers of its rows before `as_of`, rising.
    as_of : date
        Of the scoring.
    trained_until : date
        A table that had ended before is what the model knows.
    max_age : int
        Days that never matter.
    """
    usual = usual_pause(days) if days.size else None
    if usual is None:
        return None
    allowed, end = max(max_age, usual), day_from_number(int(days[-1]) + 1)
    late = (as_of - end).days
    if late <= allowed or (trained_until - end).days > allowed:
        return None
    text = (
        f"{source}: the newest row is of {day_from_number(int(days[-1]))}; {late} days up to {as_of} are "
        f"missing{_beyond(usual, max_age)}, so everyone looks as if nothing had happened since"
    )
    return Finding(
        "warning",
        f"{table}_end",
        text,
        {"days": late, "allowed": allowed, "end": str(end), "as_of": str(as_of)},
    )


def _beyond(usual: int | None, max_age: int) -> str:
    if usual is None or usual <= max_age:
        return f" ([limits] max_log_age is {max_age})"
    return f" (it is hardly ever without a row for more than {usual})"


def judge_channel(
    source: str, channel: str, bought: int, of_all: int, over: int, newest: date, end: date
) -> Finding | None:
    """Say if a channel that the training knew has brought no purchase since; None if that can be chance.

    Parameters
    ----------
    source, channel : str
        The log, and a value of its column.
    bought, of_all, over : int
        Purchases by the channel, and by any, in so many days before the end of the training.
    newest : date
        Of its last purchase.
    end : date
        The day after the log's newest purchase.
    """
    silent = (end - newest).days - 1
    expected = bought / over * silent
    if bought < MAJOR * of_all or silent < SILENT or expected < SURE:
        return None
    text = (
        f"{source}: no purchase by channel {channel!r} since {newest}, {silent} days before the log ends; it "
        f"had {bought:,} of {of_all:,} in the {over} days before the training ended: closed, or missing from "
        "the export?"
    )
    numbers = {"channel": channel, "days": silent, "expected": round(expected, 1)}
    return Finding("warning", "silent_channel", text, numbers)
