"""What contacting customers brought: those drawn to be contacted against those drawn to be left alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVEL = 0.95
POWER = 0.8
WORTH_FINDING = 0.2
"""The effect that a measurement must be able to find: a fifth of what those left alone bring."""
LEAST = 5
"""Customers of each group in a stratum; smaller strata are judged together."""
LEAST_ADJUSTED = 20
"""Customers of each group from which on their expected spend is made use of."""
MORE, LESS, NONE, EARLY = "more", "less", "no effect", "too early"


@dataclass(frozen=True)
class Effect:
    """What one contact brought, as far as chance lets us see.

    Parameters
    ----------
    contacts, controls : int
        Customers drawn to be contacted and to be left alone.
    alone : float
        What a customer left alone brought, with strata weighted as in the whole.
    each, low, high : float
        How much more a customer brought for being drawn to be contacted, and the 95 % interval; NaN where
        there are too few customers.
    needed : float
        About how many more customers it takes until an effect of `WORTH_FINDING` times `alone` would be found
        with a chance of `POWER`; 0 if there are enough, NaN if that is not known.
    """

    contacts: int
    controls: int
    alone: float
    each: float
    low: float
    high: float
    needed: float

    @property
    def verdict(self) -> str:
        """``more`` or ``less`` beyond chance; ``no effect`` where one would be seen; ``too early``."""
        if self.low > 0:
            return MORE
        if self.high < 0:
            return LESS
        return NONE if self.needed == 0 else EARLY


def effect_of(
    outcome: Floats,
    is_contact: Bools,
    stratum: NDArray[np.object_],
    expected: Floats | None = None,
    level: float = LEVEL,
) -> Effect:
    """Estimate the effect of being drawn to be contacted, whoever was reached (intention to treat).

    Within each stratum the groups' means are compared, each moved along its own line of the outcome on the
    expected spend to the stratum's mean of it. That takes out what was known beforehand; it cannot mislead,
    whether or not the line is right, and in large lists never widens the interval. Strata count by their
    customers.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
        Orders, revenue or profit of each customer in the window.
    is_contact : ndarray of bool, shape (n,)
        True if drawn to be contacted, false if to be left alone.
    stratum : ndarray of object, shape (n,)
        Known before the draw: the risk tier, and whatever decided how likely the draw was.
    expected : ndarray, shape (n,), optional
        Known before the draw as well: the expected spend.
    level : float
        Of the interval.

    Notes
    -----
    Lin (2013, "Agnostic notes on regression adjustments to experimental data"), in strata as in Miratrix,
    Sekhon and Yu (2013). Variances are HC3, so that the groups may differ in them, with Welch and
    Satterthwaite's degrees of freedom. Strata are named beforehand: chosen afterwards, they would find
    effects.

    Examples
    --------
    >>> outcome, is_contact = np.array([3.0, 4, 3, 4, 3, 1, 2, 1, 2, 1]), np.arange(10) < 5
    >>> found = effect_of(outcome, is_contact, np.array(["high"] * 10, dtype=object))
    >>> round(found.each, 2), round(found.low, 2), round(found.high, 2), found.verdict
    (2.0, 1.2, 2.8, 'more')
    """
    contacts = int(is_contact.sum())
    n, controls = len(outcome), len(outcome) - contacts
    if min(contacts, controls) < LEAST:
        alone = float(outcome[~is_contact].mean()) if controls else np.nan
        return Effect(contacts, controls, alone, np.nan, np.nan, np.nan, np.nan)
    means, variances, freedom = np.zeros(2), [], []
    for rows in _strata(is_contact, stratum):
        weight = rows.sum() / n
        for arm in (False, True):
            mean, variance, free = _mean(outcome, rows, rows & (is_contact == arm), expected, is_contact)
            means[int(arm)] += weight * mean
            variances.append(weight**2 * variance)
            freedom.append(free)
    each, spread = float(means[1] - means[0]), np.array(variances)
    error = float(np.sqrt(spread.sum()))
    reach = error * _t(spread, np.array(freedom), level)
    return Effect(
        contacts,
        controls,
        float(means[0]),
        each,
        each - reach,
        each + reach,
        _needed(n, error, means[0], level),
    )


def _strata(is_contact: Bools, stratum: NDArray[np.object_]) -> list[Bools]:
    """Split the rows by stratum; those too small in a group go together or, if need be, into the largest."""
    found = [stratum == name for name in pd.unique(stratum)]
    large = [rows for rows in found if _smaller_group(rows, is_contact) >= LEAST]
    if not large:
        return [np.ones(len(stratum), dtype=bool)]
    rest = ~np.logical_or.reduce(large)
    if _smaller_group(rest, is_contact) >= LEAST:
        return [*large, rest]
    largest = int(np.argmax([rows.sum() for rows in large]))
    return [rows | rest if place == largest else rows for place, rows in enumerate(large)]


def _smaller_group(rows: Bools, is_contact: Bools) -> int:
    return int(min((rows & is_contact).sum(), (rows & ~is_contact).sum()))


def _mean(
    outcome: Floats, rows: Bools, group: Bools, expected: Floats | None, is_contact: Bools
) -> tuple[float, float, float]:
    """Mean of a group as if its expected spend were the stratum's, its variance, and degrees of freedom."""
    y = outcome[group]
    n = len(y)
    plain = float(y.mean()), float(y.var(ddof=1)) / n, n - 1.0
    if expected is None or _smaller_group(rows, is_contact) < LEAST_ADJUSTED:
        return plain
    x = expected[group] - expected[group].mean()
    squares = float(x @ x)
    largest = float(np.abs(expected[group]).max())
    if not np.isfinite(expected[rows]).all() or squares <= 1e-12 * n * largest**2:
        return plain
    slope = float(x @ y) / squares
    off = float(expected[rows].mean() - expected[group].mean())
    leverage = np.minimum(1 / n + x**2 / squares, 0.99)
    residual = (y - y.mean() - slope * x) / (1 - leverage)  # HC3
    weight = 1 / n + off * x / squares
    return float(y.mean() + slope * off), float((weight * residual) @ (weight * residual)), n - 2.0


def _t(variances: Floats, freedom: Floats, level: float) -> float:
    """How many standard errors the interval reaches to either side (Welch and Satterthwaite)."""
    doubt = float((variances**2 / freedom).sum())
    free = float(variances.sum()) ** 2 / doubt if doubt > 0 else 1e9
    return float(stats.t.ppf((1 + level) / 2, free))


def _needed(n: int, error: float, alone: float, level: float) -> float:
    """Customers still missing: the error falls with the root of their number."""
    if alone <= 0:
        return np.nan
    errors = float(stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(POWER))
    wanted = n * (errors * error / (WORTH_FINDING * alone)) ** 2
    return float(max(np.ceil(wanted - n), 0.0))
