"""When to look: the cutoffs of the training panel and the folds that judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MATURE = 8
"""Cutoffs whose judged label is known."""

YOUNG = 4
"""Later cutoffs at most, where only shorter labels are known: the freshest a short horizon can learn from."""

FIRST_LOOK = 28
"""Days of history before the first cutoff: a month, so that some customers have come back."""


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
    """Days of history below which a horizon cannot be judged: a first look, a label, and another one.

    Examples
    --------
    >>> days_needed(90)
    208
    """
    return FIRST_LOOK + 2 * horizon


def plan(
    first_day: date,
    until: date,
    horizons: Sequence[int],
    primary: int,
    cutoffs: int | Sequence[date] | None = None,
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

    Returns
    -------
    Schedule or None
        None where the history is too short for every horizon.

    Examples
    --------
    >>> s = plan(date(2010, 12, 1), date(2011, 9, 10), [28, 90], 90)
    >>> s.folds, len(s.cutoffs)
    ((datetime.date(2011, 5, 1), datetime.date(2011, 5, 22), datetime.date(2011, 6, 12)), 12)
    """
    for judged in sorted((h for h in horizons if h <= primary), reverse=True):
        if isinstance(cutoffs, int) or cutoffs is None:
            chosen = _auto(first_day, until, judged, min(horizons), cutoffs or MATURE)
        else:
            chosen = sorted(c for c in set(cutoffs) if first_day < c < until)
        folds = _folds(chosen, judged, until)
        if folds:
            return Schedule(tuple(chosen), tuple(folds), judged, until)
    return None


def _auto(first_day: date, until: date, judged: int, shortest: int, mature: int) -> list[date]:
    """Walk back in whole weeks from the newest mature cutoff, and from the newest that has any label."""
    newest, oldest = until - timedelta(judged), first_day + timedelta(FIRST_LOOK)
    step = max(7, (newest - oldest).days // max(mature - 1, 1) // 7 * 7)
    back = [c for c in (newest - timedelta(step * k) for k in range(mature)) if c >= oldest]
    enough = newest - timedelta(judged)
    if mature > 1 and oldest <= enough < min(back):  # whole weeks fall short of a label to learn from
        back = [*back[: mature - 1], enough]
    gap = max(7, (judged - shortest) // YOUNG // 7 * 7)
    young = (until - timedelta(shortest + gap * k) for k in range(YOUNG))
    return sorted([*back, *(c for c in young if c > newest)])


def _folds(cutoffs: Sequence[date], horizon: int, until: date) -> list[date]:
    """Keep the cutoffs whose label is known, and before which a training label is known."""
    if not cutoffs:
        return []
    earliest = min(cutoffs) + timedelta(horizon)
    return [c for c in cutoffs if c >= earliest and c + timedelta(horizon) <= until]
