"""The likelihood that BG/NBD and MBG/NBD share, and its gradient.

Both let a customer leave with probability p after a purchase. Under BG/NBD the first chance to leave comes
with the first *repeat* purchase, under MBG/NBD already with the very first one: `first` is 0 or 1, and a
customer of x repeat purchases has had ``x + first`` chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln

from models.inputs import Floats

Places = NDArray[np.intp]


class Rows(NamedTuple):
    """Distinct histories with their weights.

    Each of their columns as its distinct values and, for every history, which of them it has: whole days
    repeat, and a logarithm costs ten times what it takes to look one up.
    """

    level: Floats
    at_level: Places
    recency: Floats
    at_recency: Places
    age: Floats
    at_age: Places
    weight: Floats
    level_weight: Floats


def rows_of(history: Sequence[Floats], weight: Floats) -> Rows:
    """Lay out distinct histories; much of the likelihood depends on the frequency alone."""
    (level, at_level), (recency, at_recency), (age, at_age) = (_coded(column) for column in history)
    level_weight = np.bincount(at_level, weights=weight).astype(np.float64)
    return Rows(level, at_level, recency, at_recency, age, at_age, weight, level_weight)


def _coded(column: Floats) -> tuple[Floats, Places]:
    values, at = np.unique(column, return_inverse=True)
    return values, at.astype(np.intp)


def objective(log_params: Floats, rows: Rows, first: int) -> tuple[float, Floats]:
    """Return the negative mean log-likelihood and its gradient in the log-parameters."""
    counting, counting_slope = counting_part(log_params, rows.level, first)
    silence, silence_slope = _silence_sum(log_params, rows, first)
    total = rows.weight.sum()
    value = float(rows.level_weight @ counting) + silence
    slope = counting_slope @ rows.level_weight + silence_slope
    return -value / total, -slope / total


def counting_part(log_params: Floats, x: Floats, first: int) -> tuple[Floats, Floats]:
    """Return the part of the log-likelihood that depends on the count alone, and its gradient (4, n)."""
    r, alpha, a, b = np.exp(log_params)
    chances = x + first
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + chances) - betaln(a, b)
    together = digamma(a + b) - digamma(a + b + chances)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha)
    by_b = together + digamma(b + chances) - digamma(b)
    return value, np.stack([r * by_r, np.broadcast_to(r, x.shape), a * together, b * by_b])


def _silence_sum(log_params: Floats, rows: Rows, first: int) -> tuple[float, Floats]:
    """Return the sum over all customers of the part that depends on when they fell silent, and its gradient.

    It is log(exp(alive) + exp(gone)) of the two `fates`. Both are sums of terms in one column alone, which
    are computed once for each of its values.
    """
    params = np.exp(log_params)
    r, alpha, _, b = params
    chances = np.maximum(rows.level + first, 1)
    rates, log_age, log_recency, odds = silence_terms(params, rows, first)
    shrunk = np.exp(-np.abs(odds))
    smaller = shrunk / (1 + shrunk)
    left = rows.weight * np.where(odds > 0, 1 - smaller, smaller)
    here = rows.weight - left
    value = rows.weight @ (np.maximum(odds, 0) + np.log(1 + shrunk) - rates * log_age)
    by_rate = -(here @ log_age + left @ log_recency)
    by_alpha = -((here * rates) @ (1 / (alpha + rows.age))[rows.at_age])
    by_alpha -= (left * rates) @ (1 / (alpha + rows.recency))[rows.at_recency]
    gone = np.bincount(rows.at_level, weights=left, minlength=len(chances))
    by_b = -(gone @ (1 / (b + chances - 1)))
    return float(value), np.array([r * by_rate, alpha * by_alpha, left.sum(), b * by_b])


def silence_terms(params: Floats, rows: Rows, first: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return for each history the rate's shape, two logarithms, and the log-odds of gone against alive.

    The logarithms are those of `alpha` with the age now, and with the age at the last purchase.
    """
    r, alpha, a, b = params
    chances = rows.level + first
    last = np.where(chances > 0, np.log(a) - np.log(b + np.maximum(chances, 1) - 1), -np.inf)
    rates = (r + rows.level)[rows.at_level]
    log_age = np.log(alpha + rows.age)[rows.at_age]
    log_recency = np.log(alpha + rows.recency)[rows.at_recency]
    return rates, log_age, log_recency, last[rows.at_level] + rates * (log_age - log_recency)


def fates(params: Floats, x: Floats, t_x: Floats, age: Floats, first: int) -> tuple[Floats, Floats]:
    """Return the log-likelihood of silence since `t_x` if alive, and if gone at the last chance, if any."""
    r, alpha, a, b = params
    chances = x + first
    alive = -(r + x) * np.log(alpha + age)
    gone = np.log(a) - np.log(b + np.maximum(chances, 1) - 1) - (r + x) * np.log(alpha + t_x)
    return alive, np.where(chances > 0, gone, -np.inf)
