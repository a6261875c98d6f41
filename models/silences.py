"""How long customers stay silent between purchases, and how likely the next one is after so much silence.

Every purchase opens a silence; the next one closes it, or the log ends first. At any moment each customer
stands in exactly one silence, and each silence passes its s-th day once. So the share of the silences that
reach day s and are closed on it is the share of the customers, on their s-th day of silence at a random
moment, who buy on it. Silences still going on count for as long as they were watched (Kaplan and Meier 1958,
Journal of the American Statistical Association 53, 457-481), with ties by whole days.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ENOUGH = 100
"""Silences that must have been watched for so long; the share of those that end is then known to ±10 %."""


@dataclass(frozen=True)
class Silences:
    """How long customers stay silent between purchases, as counts by length.

    Parameters
    ----------
    closed : ndarray of int64
        Place t: silences that ended with a purchase t days after the one before. Place 0 is empty.
    ongoing : ndarray of int64
        Place t: silences without a purchase on days 1 to t, after which the log ends. Of the same length.
    """

    closed: Integers
    ongoing: Integers

    @cached_property
    def at_risk(self) -> Integers:
        """Silences watched on day t and not ended before it."""
        seen: Integers = (self.closed + self.ongoing)[::-1].cumsum()[::-1]
        return seen

    @cached_property
    def hazard(self) -> Floats:
        """Share of them that end with a purchase on day t; 0 where none is watched."""
        return np.asarray(self.closed / np.maximum(self.at_risk, 1), dtype=np.float64)

    @cached_property
    def survival(self) -> Floats:
        """Kaplan-Meier: the share of silences longer than t days."""
        return np.asarray(np.cumprod(1 - self.hazard), dtype=np.float64)

    @cached_property
    def log_variance(self) -> Floats:
        """Greenwood's variance of the logarithm of `survival`, cumulated over days; silences independent."""
        left = np.maximum(self.at_risk - self.closed, 0.5)
        return np.cumsum(self.closed / (np.maximum(self.at_risk, 1) * left))

    def chance(self, window: int, last: int) -> Floats:
        """Return the chance of a purchase within `window` days after s days of silence, s = 0 to `last`."""
        survival = self.survival
        after, before = survival[window : window + last + 1], survival[: last + 1]
        return 1 - after / np.maximum(before, 1e-300)

    def chance_error(self, window: int, last: int) -> Floats:
        """Return the standard error of `chance`."""
        spread = self.log_variance[window : window + last + 1] - self.log_variance[: last + 1]
        return (1 - self.chance(window, last)) * np.sqrt(np.maximum(spread, 0))


@dataclass(frozen=True)
class SilenceBand:
    """Returns among customers silent for `after` to `until` days.

    Parameters
    ----------
    after, until : int
        They have been silent for `after` days; days ``after + 1`` to `until` are looked at.
    at_risk, returns : int
        Silences of `after` days that were watched on, and how many ended with a purchase in the band.
    daily : float
        Purchases a day watched: the hazard.
    chance : float or None
        Of a purchase within the band, for a customer silent for `after` days; None where too few silences
        were watched to its end.
    """

    after: int
    until: int
    at_risk: int
    returns: int
    daily: float
    chance: float | None


def silence_bands(
    silences: Silences, edges: tuple[int, ...] = (0, 7, 14, 28, 90, 180, 365)
) -> list[SilenceBand]:
    """Tabulate the hazard of a purchase by days of silence: a life table.

    Examples
    --------
    >>> closed, still = np.array([0, 40, 0, 10]), np.array([0, 0, 0, 150])
    >>> (band,) = silence_bands(Silences(closed, still), edges=(0, 3))
    >>> band.at_risk, band.returns, band.chance
    (200, 50, 0.25)
    """
    watched = (silences.at_risk > 0).sum()
    return [_band(silences, after, until) for after, until in pairwise(edges) if after + 1 < watched]


def _band(silences: Silences, after: int, until: int) -> SilenceBand:
    days = slice(after + 1, until + 1)
    is_whole = until < silences.at_risk.size and silences.at_risk[until] >= ENOUGH
    returns = int(silences.closed[days].sum())
    return SilenceBand(
        after=after,
        until=until,
        at_risk=int(silences.at_risk[after + 1]),
        returns=returns,
        daily=returns / int(silences.at_risk[days].sum()),
        chance=1 - float(np.prod(1 - silences.hazard[days])) if is_whole else None,
    )
