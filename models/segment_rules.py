"""Where the groups of a shop begin, learned from its own customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.churn_clock import learn_clock
from models.silences import Silences, silence_bands

LEAST_LOYAL = 3
"""Two orders are a second try."""
LOYAL_SHARE = 0.2
"""Of those who have come back, about so many are loyal."""


def learn_loyal(orders: Mapping[int, int]) -> int:
    """Return from how many orders on a customer is loyal: the fifth of those who came back that ordered most.

    Parameters
    ----------
    orders : mapping of int to int
        Number of orders to how many customers have placed so many.

    Examples
    --------
    >>> learn_loyal({1: 600, 2: 200, 3: 100, 4: 60, 7: 40})
    4
    >>> learn_loyal({1: 100, 2: 5})
    3
    """
    came_back = {n: count for n, count in orders.items() if n >= 2}
    total, seen = sum(came_back.values()), 0
    for n in sorted(came_back, reverse=True):
        seen += came_back[n]
        if seen >= LOYAL_SHARE * total:
            return max(n, LEAST_LOYAL)
    return LEAST_LOYAL


@dataclass(frozen=True)
class Pace:
    """How fast customers come back.

    Parameters
    ----------
    new_days : int
        By then four in five of those who place a second order have done so.
    churned_days : int
        Silence after which a return has become half as likely; or twice the days by which nine in ten returns
        have come, where silence says nothing.
    """

    new_days: int
    churned_days: int


def learn_pace(silences: Mapping[str, Silences], span: int, horizon: int) -> Pace:
    """Learn the pace of a shop; where too little was watched, the horizon stands for it.

    Parameters
    ----------
    silences : mapping of str to Silences
        Of ``"all"`` and after the ``"first_purchase"``.
    span : int
        Length of the log in days.
    horizon : int
        The primary horizon in days.
    """
    first, every = (learn_clock(silences[name], span) for name in ("first_purchase", "all"))
    new_days = horizon if first is None else max(first.return_days[0.8], 1)
    if every is None:
        return Pace(new_days, 2 * horizon)
    churned = every.days if every.days is not None else 2 * every.return_days[0.9]
    return Pace(new_days, max(churned, new_days + 1))


@dataclass(frozen=True)
class Fit:
    """Whether cut-offs in days since the last order suit a shop.

    Parameters
    ----------
    shares : list of float
        Of the returns that come at all within what can be judged: how many come in each group of days.
    rates : list of float or None
        Chance a day of a return, for customers in the group.
    best : int
        Which group has the highest chance a day.
    suggested : list of int
        Days by which a fifth, half and four fifths of the returns have come.
    fits : bool
        Whether each group holds at least a tenth of the returns.
    """

    shares: list[float]
    rates: list[float | None]
    best: int
    suggested: list[int]
    fits: bool


def judge_recency(silences: Silences, days: Sequence[int], span: int) -> Fit | None:
    """Hold cut-offs against the shop's own hazard of a repurchase; None where too few returns were watched.

    Examples
    --------
    >>> closed, still = np.zeros(400, dtype=np.int64), np.zeros(400, dtype=np.int64)
    >>> closed[30:61], still[360] = 30, 300
    >>> fit = judge_recency(Silences(closed, still), [7, 14, 28], span=400)
    >>> fit.shares, fit.fits, fit.suggested
    ([0.0, 0.0, 0.0, 1.0], False, [36, 45, 54])
    """
    clock = learn_clock(silences, span)
    if clock is None:
        return None
    support = clock.support
    returned: NDArray[np.float64] = 1 - silences.survival[: support + 1]
    total = float(returned[support])
    edges = [0, *(min(day, support) for day in days), support]
    shares = [float(returned[b] - returned[a]) / total for a, b in pairwise(edges)]
    bands = silence_bands(silences, (0, *days, max(support, days[-1] + 1)))
    rates = [band.daily for band in bands]
    suggested = [int(np.searchsorted(returned, q * total)) for q in (0.2, 0.5, 0.8)]
    return Fit(shares, [*rates], int(np.argmax(rates)), suggested, all(share >= 0.1 for share in shares))
