"""Between which totals luck alone puts what customers do, if what was expected of each of them is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearson3

from features.errors import ContractError

Floats = NDArray[np.float64]

FEW = 20
"""Buyers below which nothing is said of how far amounts spread."""
STEADY = 25.0
"""Variance of a number of buyers from which three moments tell its ends, give or take one."""
PLAIN_SKEWNESS = 0.3
"""Up to which three moments tell the ends of a sum; beyond, a few large purchases make the tail."""
_BINS = 100
_LATTICE = 2**13
_CHUNK = 20_000


@dataclass(frozen=True)
class Moments:
    """Mean, variance and third central moment of a sum over customers who do not watch one another."""

    mean: float
    variance: float
    third: float

    def ends(self, tail: float) -> tuple[float, float]:
        """Quantiles at `tail` and ``1 - tail`` of the shifted gamma distribution (Pearson's type III)."""
        if self.variance <= 0:
            return self.mean, self.mean
        shape = (self.skewness, self.mean, self.variance**0.5)
        return float(pearson3.ppf(tail, *shape)), float(pearson3.ppf(1 - tail, *shape))

    @property
    def skewness(self) -> float:
        """Third moment of the standardised sum; 0 for one that does not vary."""
        return self.third / self.variance**1.5 if self.variance > 0 else 0.0

    def wider(self, overlap: float) -> Moments:
        """Return them with `overlap` times the variance, as of a sum in which so many rows are copies."""
        return Moments(self.mean, self.variance * overlap, self.third * overlap**2)


def buyers_between(p: Floats, level: float = 0.95, overlap: float = 1.0) -> tuple[float, float]:
    """Return the least and the most buyers that come by chance, `level` of the time or a little more.

    The number of buyers is a sum of unequal coin tosses (Poisson-binomial). Where it varies little, its
    distribution is inverted from its characteristic function (Hong 2013, "On computing the distribution
    function for the Poisson binomial distribution"); else three moments give it to a whole number.

    Parameters
    ----------
    p : ndarray, shape (n,)
        Each customer's probability of a purchase.
    level : float
        Between 0 and 1.
    overlap : float
        By how much rows of the same customer widen the variance (`overlap_of`); 1 where each has one row.

    Examples
    --------
    >>> buyers_between(np.full(100, 0.5)), buyers_between(np.full(10, 0.001))
    ((40.0, 60.0), (0.0, 0.0))
    """
    tail = _tail(level)
    moments = _tosses(p).wider(overlap)
    if overlap > 1 or moments.variance > STEADY:
        low, high = (np.ceil(end - 0.5) for end in moments.ends(tail))
    else:
        low, high = _exact_ends(p, moments, tail)
    return float(np.clip(low, 0, len(p))), float(np.clip(high, 0, len(p)))


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ContractError("the level of an interval lies between 0 and 1", example=level)
    return (1 - level) / 2


def _tosses(p: Floats) -> Moments:
    variance = p * (1 - p)
    return Moments(float(p.sum()), float(variance.sum()), float((variance * (1 - 2 * p)).sum()))


def _exact_ends(p: Floats, moments: Moments, tail: float) -> tuple[float, float]:
    """Quantiles of the Poisson-binomial distribution, from as many of its values as ever come."""
    size = 2 * int(10 * moments.variance**0.5 + 20)
    turns = np.exp(2j * np.pi * np.arange(size) / size)
    transform = np.ones(size, dtype=complex)
    for start in range(0, len(p), _CHUNK):
        some = p[start : start + _CHUNK, None]
        transform *= np.prod(1 - some + some * turns, axis=0)
    numbers = int(moments.mean) - size // 2 + np.arange(size)
    chances = np.cumsum((np.fft.fft(transform).real / size)[numbers % size])
    rounding = 1e-12
    low, high = np.searchsorted(chances, [tail + rounding, 1 - tail - rounding])
    return float(numbers[low]), float(numbers[high])


@dataclass(frozen=True)
class Spread:
    """How what buyers brought spreads around what was expected of a buyer.

    Parameters
    ----------
    ratios : ndarray
        Actual over expected, with mean 1: whether the mean is right is another question.
    weights : ndarray
        Share of the buyers with each.
    """

    ratios: Floats
    weights: Floats

    @classmethod
    def of(cls, p: Floats, expected: Floats, bought: NDArray[np.bool_], actual: Floats) -> Spread | None:
        """Learn it from those who bought; None where there are fewer than `FEW` of them.

        Parameters
        ----------
        p, expected : ndarray, shape (n,)
            Probability of a purchase; expected amount, that of no purchase included.
        bought : ndarray of bool, shape (n,)
            Who did.
        actual : ndarray, shape (n,)
            What they brought.
        """
        if_any = _if_any(p, expected)
        usable = bought & (if_any > 0)
        if usable.sum() < FEW or actual[usable].sum() <= 0:
            return None
        ratios = actual[usable] / if_any[usable]
        values, weights = _binned(ratios / ratios.mean(), np.ones(len(ratios)))
        return cls(values, weights / weights.sum())

    def between(
        self, p: Floats, expected: Floats, level: float = 0.95, overlap: float = 1.0
    ) -> tuple[float, float]:
        """Return the least and the most that these customers bring by chance, `level` of the time.

        A customer buys with probability `p`, and then brings what is expected of a buyer times one of the
        ratios. Sums over many purchases follow from three moments (the translated gamma approximation of
        actuaries: Bowers et al. 1997, "Actuarial Mathematics", chapter 12); where few purchases, or a few
        large ones, decide, the sum is that of as many purchases at random, found by fast Fourier transform
        (Klugman, Panjer & Willmot 2012, "Loss Models", chapter 9), brought to the variance it must have.

        Parameters
        ----------
        p, expected : ndarray, shape (n,)
            As in `of`.
        level, overlap : float
            As in `buyers_between`.
        """
        tail = _tail(level)
        if_any = _if_any(p, expected)
        moments = self.moments(p, expected).wider(overlap)
        if moments.skewness <= PLAIN_SKEWNESS:
            low, high = moments.ends(tail)
        else:
            low, high = self._ends_of_few(p, if_any, moments, tail)
        with np.errstate(divide="ignore"):
            nobody = float(np.exp(np.log1p(-p).sum()))
        return 0.0 if nobody >= tail else max(low, 0.0), max(high, 0.0)

    def moments(self, p: Floats, expected: Floats) -> Moments:
        """Moments of the sum of what these customers bring."""
        if_any = _if_any(p, expected)
        second = p * if_any**2 * float(self.weights @ self.ratios**2)
        third = p * if_any**3 * float(self.weights @ self.ratios**3)
        return Moments(
            float(expected.sum()),
            float((second - expected**2).sum()),
            float((third - 3 * expected * second + 2 * expected**3).sum()),
        )

    def _ends_of_few(self, p: Floats, if_any: Floats, moments: Moments, tail: float) -> tuple[float, float]:
        """Quantiles of a Poisson number of purchases, of these customers and ratios."""
        typical, buyers = _binned(if_any, p)
        sizes = np.outer(typical, self.ratios).ravel()
        rates = np.outer(buyers, self.weights).ravel()
        mean, spread = float(rates @ sizes), float(rates @ sizes**2) ** 0.5
        step = (mean + 20 * spread + sizes.max()) / _LATTICE
        place = sizes / step
        below = np.floor(place).astype(np.int64)
        counts = np.bincount(below, rates * (below + 1 - place), _LATTICE)
        counts += np.bincount(below + 1, rates * (place - below), _LATTICE)[:_LATTICE]
        transform = np.exp(np.fft.rfft(counts) - counts.sum())
        chances = np.cumsum(np.fft.irfft(transform, _LATTICE))
        found = np.searchsorted(chances, [tail, 1 - tail]) * step
        low, high = moments.mean + (found - mean) * (moments.variance**0.5 / spread)
        return float(low), float(high)


def _if_any(p: Floats, expected: Floats) -> Floats:
    return expected / np.maximum(p, 1e-12)


def _binned(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Gather values that are alike, keeping the sum of ``weights * values``; those without weight go."""
    kept = (weights > 0) & (values > 0)
    values, weights = values[kept], weights[kept]
    if len(values) <= _BINS:
        return values, weights
    logs = np.log(values)
    width = max(float(np.ptp(logs)), 1e-12) / _BINS
    place = np.minimum(((logs - logs.min()) / width).astype(np.int64), _BINS - 1)
    weight = np.bincount(place, weights, _BINS).astype(np.float64)
    total = np.bincount(place, weights * values, _BINS)
    return total[weight > 0] / weight[weight > 0], weight[weight > 0]


def overlap_of(customers: NDArray[np.int64], deviations: Floats, variance: float) -> float:
    """Say by how much the rows of the same customer move together, as a multiple of a sum's variance.

    Windows of several runs overlap, and then the same purchase counts in each of them: rows of one customer
    are no separate pieces of evidence. Never below 1.

    Parameters
    ----------
    customers : ndarray of int, shape (n,)
        Whose row it is, from 0 on.
    deviations : ndarray, shape (n,)
        Actual less expected.
    variance : float
        Of the sum, if all rows were of different customers.

    Examples
    --------
    >>> overlap_of(np.array([0, 0, 1, 1]), np.array([0.5, 0.5, -0.5, -0.5]), 1.0)
    2.0
    """
    if variance <= 0 or np.bincount(customers).max() <= 1:
        return 1.0
    sums = np.bincount(customers, deviations)
    shared = float((sums**2).sum() - (deviations**2).sum())
    return max(1.0, 1 + shared / variance)
