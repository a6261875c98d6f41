"""The likelihood that BG/NBD and MBG/NBD share, and its gradient.

Both let a customer leave with probability p after a purchase. Under BG/NBD the first chance to leave comes
with the first *repeat* purchase, under MBG/NBD already with the very first one: `first` is 0 or 1, and a
customer of x repeat purchases has had ``x + first`` chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln

from models.inputs import Floats


class Rows(NamedTuple):
    """Distinct histories with their weights, and the distinct frequencies with theirs."""

    x: Floats
    recency: Floats
    T: Floats
    weight: Floats
    level: Floats
    level_weight: Floats


def rows_of(history: Sequence[Floats], weight: Floats) -> Rows:
    """Lay out distinct histories; much of the likelihood depends on the frequency alone."""
    x, recency, T = history
    level, at = np.unique(x, return_inverse=True)
    return Rows(x, recency, T, weight, level, np.bincount(at, weights=weight).astype(np.float64))


def objective(log_params: Floats, rows: Rows, first: int) -> tuple[float, Floats]:
    """Return the negative mean log-likelihood and its gradient in the log-parameters."""
    counting, counting_slope = counting_part(log_params, rows.level, first)
    silence, silence_slope = silence_part(log_params, rows.x, rows.recency, rows.T, first)
    total = rows.weight.sum()
    value = rows.level_weight @ counting + rows.weight @ silence
    slope = counting_slope @ rows.level_weight + silence_slope @ rows.weight
    return -float(value) / total, -slope / total


def counting_part(log_params: Floats, x: Floats, first: int) -> tuple[Floats, Floats]:
    """Return the part of the log-likelihood that depends on the count alone, and its gradient (4, n)."""
    r, alpha, a, b = np.exp(log_params)
    chances = x + first
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + chances) - betaln(a, b)
    together = digamma(a + b) - digamma(a + b + chances)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha)
    by_b = together + digamma(b + chances) - digamma(b)
    return value, np.stack([r * by_r, np.broadcast_to(r, x.shape), a * together, b * by_b])


def silence_part(
    log_params: Floats, x: Floats, t_x: Floats, age: Floats, first: int
) -> tuple[Floats, Floats]:
    """Return the part that depends on when the customer fell silent, and its gradient (4, n)."""
    r, alpha, _, b = params = np.exp(log_params)
    alive, gone = fates(params, x, t_x, age, first)
    here = expit(alive - gone)
    left = 1 - here
    by_r = -here * np.log(alpha + age) - left * np.log(alpha + t_x)
    by_alpha = -(r + x) * (here / (alpha + age) + left / (alpha + t_x))
    by_b = -left / (b + np.maximum(x + first, 1) - 1)
    return np.logaddexp(alive, gone), np.stack([r * by_r, alpha * by_alpha, left, b * by_b])


def fates(params: Floats, x: Floats, t_x: Floats, age: Floats, first: int) -> tuple[Floats, Floats]:
    """Return the log-likelihood of silence since `t_x` if alive, and if gone at the last chance, if any."""
    r, alpha, a, b = params
    chances = x + first
    alive = -(r + x) * np.log(alpha + age)
    gone = np.log(a) - np.log(b + np.maximum(chances, 1) - 1) - (r + x) * np.log(alpha + t_x)
    return alive, np.where(chances > 0, gone, -np.inf)
