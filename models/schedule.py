"""When to look: the cutoffs of the training panel and the folds that judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from features.periods import DAY, Period

MATURE = 8
"""Cutoffs whose judged label is known."""

YOUNG = 4
"""Later cutoffs at most, where only shorter labels are known: the freshest a short horizon can learn from."""

FIRST_LOOK = 28
"""Days of history before the first cutoff: a month, so that some customers have come back. In a log of months
or quarters that takes two of them."""


@dataclass(frozen=True)
class Schedule:
    """Where the panel looks, and how it is judged.

    Parameters
    ----------
    cutoffs : tuple of date
        Rising. Labels that reach past `until` are masked, cell by cell.
    folds : tuple of date
        The cutoffs that serve as out-of-time tests.
    judged_horizon : int
        Days; the horizon the folds judge: the primary one, or the longest that the history can judge.
    until : date
        First day that training does not see.
    """

    cutoffs: tuple[date, ...]
    folds: tuple[date, ...]
    judged_horizon: int
    until: date


def days_needed(horizon: int) -> int:
    """Days of a daily log below which a horizon cannot be judged: a first look, a label, and another one.

    Examples
    --------
    >>> days_needed(90)
    208
    """
    return FIRST_LOOK + 2 * horizon


def ready_on(first_day: date, horizon: int, period: Period = DAY) -> date:
    """Return the earliest `until` at which a horizon can be judged: `days_needed`, in whole periods.

    Examples
    --------
    >>> ready_on(date(2024, 1, 31), 90), ready_on(date(2024, 1, 31), 90, Period("month", dated="last"))
    (datetime.date(2024, 8, 26), datetime.date(2024, 9, 1))
    """
    return period.end_of(period.end_of(_first_cutoff(first_day, period), horizon), horizon)


def plan(
    first_day: date,
    until: date,
    horizons: Sequence[int],
    primary: int,
    cutoffs: int | Sequence[date] | None = None,
    period: Period = DAY,
) -> Schedule | None:
    """Choose cutoffs and folds.

    Parameters
    ----------
    first_day : date
        Of the oldest purchase.
    until : date
        First day that training does not see.
    horizons : sequence of int
        Days, rising.
    primary : int
        The horizon that matters; a shorter one is judged where the history cannot judge this one.
    cutoffs : int, sequence of date, or None
        How many mature cutoffs, or which ones; None chooses.
    period : Period
        The log's grain: cutoffs lie where a period starts, and labels cover whole periods.

    Returns
    -------
    Schedule or None
        None where the history is too short for every horizon.

    Raises
    ------
    ContractError
        If `until` or a given cutoff lies inside a period, or a horizon is shorter than half of one.

    Examples
    --------
    >>> s = plan(date(2010, 12, 1), date(2011, 9, 10), [28, 90], 90)
    >>> s.folds, len(s.cutoffs)
    ((datetime.date(2011, 5, 1), datetime.date(2011, 5, 22), datetime.date(2011, 6, 12)), 12)
    """
    period.check_start(until, "as-of date")
    period.check_horizons(horizons)
    for judged in sorted((h for h in horizons if h <= primary), reverse=True):
        if isinstance(cutoffs, int) or cutoffs is None:
            chosen = _auto(first_day, until, (judged, min(horizons)), cutoffs or MATURE, period)
        else:
            chosen = _given(cutoffs, first_day, until, period)
        folds = _folds(chosen, judged, until, period)
        if folds:
            return Schedule(tuple(chosen), tuple(folds), judged, until)
    return None


def _first_cutoff(first_day: date, period: Period) -> date:
    """Return the first start of a period at which two of them, and at least a month, are known."""
    begin = period.floor(first_day)
    two = period.start(period.number(begin) + 2)
    return max(two, period.next_start(begin + timedelta(FIRST_LOOK - 1)))


def _given(cutoffs: Sequence[date], first_day: date, until: date, period: Period) -> list[date]:
    """Take the configured cutoffs that lie inside the history."""
    chosen = sorted(c for c in set(cutoffs) if first_day < c < until)
    for cutoff in chosen:
        period.check_start(cutoff)
    return chosen


def _auto(first_day: date, until: date, horizons: tuple[int, int], mature: int, period: Period) -> list[date]:
    """Walk back from the newest mature cutoff, and from the newest that has any label.

    Counted in periods; those of a daily log go by whole weeks, so that all cutoffs fall on one weekday.
    """
    judged, shortest = map(period.n_periods, horizons)
    stride = 7 if period.kind == "day" else 1
    end, oldest = period.number(until), period.number(_first_cutoff(first_day, period))
    newest = end - judged
    step = max(stride, (newest - oldest) // max(mature - 1, 1) // stride * stride)
    back = [c for c in (newest - step * k for k in range(mature)) if c >= oldest]
    enough = newest - judged
    if mature > 1 and oldest <= enough < min(back):  # whole steps fall short of a label to learn from
        back = [*back[: mature - 1], enough]
    gap = max(stride, (judged - shortest) // YOUNG // stride * stride)
    young = (end - (shortest + gap * k) for k in range(YOUNG))
    return [period.start(c) for c in sorted([*back, *(c for c in young if c > newest)])]


def _folds(cutoffs: Sequence[date], horizon: int, until: date, period: Period) -> list[date]:
    """Keep the cutoffs whose label is known, and before which a training label is known."""
    if not cutoffs:
        return []
    earliest = period.end_of(min(cutoffs), horizon)
    return [c for c in cutoffs if c >= earliest and period.end_of(c, horizon) <= until]
