"""How sharply the likelihood of BG/NBD and MBG/NBD is curved: its second derivatives, in closed form."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, polygamma

from models.beta_geo_likelihood import Rows, silence_terms
from models.inputs import Floats


def curvature(log_params: Floats, slope: Floats, rows: Rows, first: int) -> Floats:
    """Return the second derivatives of the negative mean log-likelihood in the log-parameters, (4, 4).

    In closed form, as differences of slopes are too noisy to tell a ridge from a peak once millions of
    customers multiply them. In a parameter's logarithm the second derivative is ``t_i t_j L_ij``, and
    ``t_i L_i`` more on the diagonal, which is the `slope` that `objective` has given.
    """
    params = np.exp(log_params)
    bent = _counting(params, rows, first) + _silence(params, rows, first)
    return np.asarray(np.diag(slope) - np.outer(params, params) * bent / rows.weight.sum())


def _counting(params: Floats, rows: Rows, first: int) -> Floats:
    """Sum over all customers of what depends on the count alone."""
    r, alpha, a, b = params
    chances = rows.level + first
    n, total = rows.level_weight, rows.level_weight.sum()
    bent = np.zeros((4, 4))
    bent[0, 0] = n @ (_trigamma(r + rows.level) - _trigamma(r))
    bent[0, 1] = bent[1, 0] = total / alpha
    bent[1, 1] = -total * r / alpha**2
    bent[2:, 2:] = n @ (_trigamma(a + b) - _trigamma(a + b + chances))
    bent[3, 3] += n @ (_trigamma(b + chances) - _trigamma(b))
    return bent


def _silence(params: Floats, rows: Rows, first: int) -> Floats:
    """Sum over all customers of what depends on when they fell silent.

    For log(exp(alive) + exp(gone)) with a share s of gone that is ``(1 - s) alive'' + s gone''``, and
    ``s (1 - s)`` times the square of the difference of their slopes.
    """
    _, alpha, a, b = params
    rate, log_age, log_recency, odds = silence_terms(params, rows, first)
    now, then = (1 / (alpha + rows.age))[rows.at_age], (1 / (alpha + rows.recency))[rows.at_recency]
    by_b = (1 / (b + np.maximum(rows.level + first, 1) - 1))[rows.at_level]
    gone, here = rows.weight * expit(odds), rows.weight * expit(-odds)
    between = gone * expit(-odds)
    by = np.stack([log_age - log_recency, rate * (now - then), np.full(len(rate), 1 / a), -by_b])
    bent = np.asarray((by * between) @ by.T)
    bent[0, 1] -= here @ now + gone @ then
    bent[1, 0] = bent[0, 1]
    bent[1, 1] += (here * rate) @ now**2 + (gone * rate) @ then**2
    bent[2, 2] -= gone.sum() / a**2
    bent[3, 3] += gone @ by_b**2
    return bent


def _trigamma(x: Floats | float) -> Floats:
    return np.asarray(polygamma(1, x))
