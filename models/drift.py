"""Drift: whether customers are spread over a column as at any of the looks of the training.

A distance is the population stability index, ``PSI = sum((p - q) * log(p / q))`` over the bins of a column,
which is Jeffreys' divergence. For two samples of n and m customers from one distribution it is about
``(1/n + 1/m)`` times a chi-square variable with one degree of freedom fewer than there are bins (Yurdakul and
Naranjo 2020, "Statistical properties of the population stability index", Journal of Risk Model Validation
14(4)).

A healthy shop moves, too: it grows, its customers grow older, it has seasons and campaigns. So a column has
drifted only if it is far from *every* look of the training, and farther than the training's own looks were
from all that lay as long before them as the training lies before the scoring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from scipy.stats import chi2

from features.wording import windows
from models.bins import shares
from models.reference import Reference

Verdict = Literal["steady", "moved", "drifted", "not judged"]

CHANCE = 0.01
"""Probability that a scoring in which nothing has changed calls a column, were there no other limit."""
MARGIN = 2.0
"""How many times the shop's own largest movement is still its own."""
MOVED = 0.1
"""PSI from which on it is shown that a column has moved."""

BY_CALENDAR = (
    "T", "cohort_month", "cohort_age_months", "season_share", "days_since_signup", "days_since_first_touch",
)  # fmt: skip
"""Features that every day moves, whatever customers do: they tell of the date, not of the shop."""
HIDDEN_WINDOWS = {"order_value_trend": 180}
"""Days of windows that are not in a feature's name."""


@dataclass(frozen=True)
class Distance:
    """How far a column is from what the training saw.

    Parameters
    ----------
    column : str
        A feature or a score.
    psi : float
        Distance from the nearest look: the one of which the limit is passed least.
    limit : float or None
        Of the PSI: the largest of what never matters, what chance makes of so many customers, and `MARGIN`
        times the shop's own movement. None where that is not known.
    verdict : {"steady", "moved", "drifted", "not judged"}
        ``moved``: above `MOVED` and beyond chance, within the limit.
    cutoff : str
        ISO date of the nearest look.
    """

    column: str
    psi: float
    limit: float | None
    verdict: Verdict
    cutoff: str


def distances(
    reference: Reference, counts: Mapping[str, Sequence[int]], as_of: date, max_psi: float
) -> list[Distance]:
    """Hold the customers of a scoring against the training, the farthest beyond its limit first.

    Parameters
    ----------
    reference : Reference
        Of the training.
    counts : Mapping[str, sequence of int]
        Of `Reference.count`, for all customers.
    as_of : date
        Of the scoring.
    max_psi : float
        Distance that never matters.
    """
    days = abs((as_of - date.fromisoformat(reference.cutoffs[-1])).days)
    chance = CHANCE / max(len(counts), 1)
    found = [_distance(reference, name, counts[name], days, max_psi, chance) for name in counts]
    return sorted(found, key=lambda d: -d.psi / d.limit if d.limit else 0.0)


def _distance(
    reference: Reference, column: str, now: Sequence[int], days: int, max_psi: float, chance: float
) -> Distance:
    usual = movement(reference, column, days)
    tried = []
    for cutoff, then in zip(reference.cutoffs, reference.counts[column], strict=True):
        far, by_chance = psi(then, now), chance_limit(then, now, chance)
        limit = max(max_psi, by_chance, MARGIN * (usual or 0.0))
        tried.append((far / limit, far, limit, by_chance, cutoff))
    _, far, limit, by_chance, cutoff = min(tried)
    if usual is None:
        return Distance(column, far, None, "not judged", cutoff)
    within: Verdict = "moved" if far > max(MOVED, by_chance) else "steady"
    return Distance(column, far, limit, "drifted" if far > limit else within, cutoff)


def movement(reference: Reference, column: str, days: int) -> float | None:
    """Return how far the training's own looks were from all that lay so many days or more before them.

    Looks in the later half of the time that was looked at count. Where the training looked less far back,
    movement is carried on with the square of the time, as is that of a column in which all customers move
    alike.

    Returns
    -------
    float or None
        The largest PSI. None for what moves with the calendar alone, for a window that the training's history
        has not filled for so long, and where there is but one look.
    """
    if column not in reference.scores and (
        column in BY_CALENDAR or _days_to_fill(column) + days > reference.history
    ):
        return None
    looks, ages = reference.counts[column], _ages(reference)
    reach = min(days, ages[0])
    if reach == 0:
        return 0.0 if days == 0 else None
    nearest = []
    for k, look in enumerate(looks):
        if 2 * ages[k] > ages[0]:  # an early look has few before it, and a young shop moves faster
            continue
        before = [psi(looks[i], look) for i in range(k) if ages[i] - ages[k] >= reach]
        nearest += [min(before)] if before else []
    return max(nearest) * (days / reach) ** 2


def _ages(reference: Reference) -> list[int]:
    """Days from each look to the last."""
    last = date.fromisoformat(reference.cutoffs[-1])
    return [(last - date.fromisoformat(cutoff)).days for cutoff in reference.cutoffs]


def _days_to_fill(feature: str) -> int:
    """Days of history that the feature's windows need."""
    return max([*windows(feature), HIDDEN_WINDOWS.get(feature, 0)])


def psi(then: Sequence[int], now: Sequence[int]) -> float:
    """Return the population stability index of two counts.

    Examples
    --------
    >>> psi([50, 50], [50, 50]), round(psi([500, 500], [300, 700]), 3)
    (0.0, 0.169)
    """
    p, q = shares(then), shares(now)
    return float(((p - q) * np.log(p / q)).sum())


def chance_limit(then: Sequence[int], now: Sequence[int], probability: float) -> float:
    """Return the PSI that two samples of these sizes from one distribution pass with a probability.

    Examples
    --------
    >>> round(chance_limit([50] * 10, [50] * 10, 0.05), 3), round(chance_limit([9] * 10, [9] * 10, 0.05), 3)
    (0.068, 0.376)
    """
    return float(chi2.isf(probability, max(len(then) - 1, 1))) * (1 / sum(then) + 1 / max(sum(now), 1))
