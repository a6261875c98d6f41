"""The one way in which likelihoods are maximised: in log-parameters, from several starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from models.inputs import Floats

Objective = Callable[[Floats], tuple[float, Floats]]

LARGEST_LOG = 12.0
"""A parameter stays within exp(±12) of one (time or money scaled): past that, data say nothing about it."""

LEAST_INFORMATION = 0.1
"""Curvature of the log-likelihood (per squared log-parameter) below which a direction is a ridge.

There the log-parameters have a standard error above 3: they are not even known to a factor of 20.
"""


class Optimum(NamedTuple):
    """Where the mean log-likelihood is largest.

    Parameters
    ----------
    log_params : ndarray of shape (k,)
        There.
    mean_loglik : float
        That large.
    converged : bool
        Whether it is an inner, curved peak: the data identify every parameter.
    information : ndarray of shape (k, k)
        Curvature of the negative log-likelihood of all customers in the log-parameters.
    """

    log_params: Floats
    mean_loglik: float
    converged: bool
    information: Floats


def maximise(
    objective: Objective, starts: ArrayLike, total: float, scout: Objective | None = None
) -> Optimum:
    """Minimise the negative mean log-likelihood over log-parameters, from several starts; keep the best.

    L-BFGS-B finds the peak; a few Newton steps then remove what is left of the path, so that a change of
    units or of the order of rows does not show in the parameters.

    Parameters
    ----------
    objective : callable
        Maps log-parameters of shape (k,) to the negative mean log-likelihood and its gradient.
    starts : array_like of shape (s, k)
        Starting parameters, before the logarithm.
    total : float
        How many customers the mean is over: what many know, few may not.
    scout : callable, optional
        A quicker one of nearly the same shape, on a sample of the rows, to choose among the starts with.

    Returns
    -------
    Optimum
        ``converged`` is False on a bound or on a ridge: the data do not identify every parameter.
    """
    with threadpool_limits(1, user_api="blas"):  # threads cost 10 times what 4 x 4 matrices do
        return _best_peak(objective, np.log(np.asarray(starts, dtype=np.float64)), total, scout or objective)


def _best_peak(objective: Objective, starts: Floats, total: float, scout: Objective) -> Optimum:
    scouts = [_descend(scout, start, ftol=1e-7) for start in starts]
    peak = _climb(objective, min(scouts, key=lambda point: scout(point)[0]))
    information = total * _hessian(objective, peak)
    if _lowest(information) < LEAST_INFORMATION:
        # A ridge rises so slowly that a path along it stops anywhere: follow them all, and to the end.
        ends = [peak, *(_descend(objective, point, ftol=1e-15) for point in scouts)]
        peak = min(ends, key=lambda point: objective(point)[0])
        information = total * _hessian(objective, peak)
    identified = _lowest(information) >= LEAST_INFORMATION
    if identified:
        peak = _newton(objective, peak, information / total)
    value, gradient = objective(peak)
    inner = bool(np.all(np.abs(peak) < LARGEST_LOG - 1e-3))
    return Optimum(peak, -value, inner and identified and bool(np.abs(gradient).max() < 1e-6), information)


def _climb(objective: Objective, near: Floats) -> Floats:
    """Go to the peak: by Newton where that is close by and curved, else the longer way."""
    curvature = _hessian(objective, near)
    if _lowest(curvature) > 0:
        peak = _newton(objective, near, curvature)
        if np.abs(objective(peak)[1]).max() < 1e-7:
            return peak
    return _descend(objective, near, ftol=1e-13)


def _lowest(curvature: Floats) -> float:
    return float(np.linalg.eigvalsh(curvature)[0])


def _descend(objective: Objective, start: Floats, ftol: float) -> Floats:
    bounds = [(-LARGEST_LOG, LARGEST_LOG)] * len(start)
    found = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": ftol, "gtol": 1e-8},
    )
    return np.asarray(found.x, dtype=np.float64)


def _hessian(objective: Objective, point: Floats, step: float = 1e-4) -> Floats:
    steps = step * np.eye(len(point))
    rows = [(objective(point + h)[1] - objective(point - h)[1]) / (2 * step) for h in steps]
    return np.asarray(rows + np.transpose(rows)) / 2


def _newton(objective: Objective, point: Floats, curvature: Floats) -> Floats:
    best, slope = point, objective(point)[1]
    for _ in range(8):
        trial = np.clip(best - np.linalg.solve(curvature, slope), -LARGEST_LOG, LARGEST_LOG)
        trial_slope = objective(trial)[1]
        if np.abs(trial_slope).max() >= np.abs(slope).max():
            break
        best, slope = trial, trial_slope
    return best
