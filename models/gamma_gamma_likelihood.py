"""The likelihood of Gamma-Gamma, its gradient, and its curvature."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betaln, digamma, polygamma

from models.inputs import Floats


class Rows(NamedTuple):
    """Distinct repeat buyers: how often, how much on average, and how many of them."""

    x: Floats
    m: Floats
    weight: Floats


def log_density(p: float, q: float, v: float, x: Floats, m: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the logarithm of the density of a mean spend `m` over `x` repeat purchases (note 025, eq. 1a).

    Parameters
    ----------
    p, q, v : float
        Of the model.
    x, m : ndarray
        Above 0; they broadcast against each other.

    Returns
    -------
    density, own, prior : ndarray of the broadcast shape
        The density, and the two logarithms that it and its slopes rest on: ``log(1 + v / (x m))`` and
        ``log(1 + x m / v)``.
    """
    spent = x * m
    own, prior = np.log1p(v / spent), np.log1p(spent / v)
    return -betaln(p * x, q) - p * x * own - q * prior - np.log(m), own, prior


def objective(log_params: Floats, rows: Rows) -> tuple[float, Floats]:
    """Return the negative mean log-likelihood and its gradient in the log-parameters."""
    p, q, v = np.exp(log_params)
    value, own, prior = log_density(p, q, v, rows.x, rows.m)
    spent, evidence = rows.x * rows.m, p * rows.x
    both = digamma(evidence + q)
    slope = np.stack(
        [
            evidence * (both - digamma(evidence) - own),
            q * (both - digamma(q) - prior),
            (q * spent - evidence * v) / (spent + v),
        ]
    )
    total = rows.weight.sum()
    return -float(rows.weight @ value) / total, -(slope @ rows.weight) / total


def curvature(log_params: Floats, slope: Floats, rows: Rows) -> Floats:
    """Return the second derivatives of the negative mean log-likelihood in the log-parameters, (3, 3).

    In closed form, from the slope that `objective` has given, as those of `models.beta_geo_curvature`.
    """
    p, q, v = np.exp(log_params)
    spent, evidence, n = rows.x * rows.m, p * rows.x, rows.weight
    both = polygamma(1, evidence + q)
    shared = spent + v
    bent = np.zeros((3, 3))
    bent[0, 0] = n @ (evidence**2 * (both - polygamma(1, evidence)))
    bent[0, 1] = bent[1, 0] = n @ (evidence * q * both)
    bent[1, 1] = n @ (q**2 * (both - polygamma(1, q)))
    bent[0, 2] = bent[2, 0] = -(n @ (evidence * v / shared))
    bent[1, 2] = bent[2, 1] = n @ (q * spent / shared)
    bent[2, 2] = -(n @ (v * spent * (evidence + q) / shared**2))
    return np.asarray(np.diag([slope[0], slope[1], 0.0]) - bent / n.sum())
