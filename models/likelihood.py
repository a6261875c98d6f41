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
Curvature = Callable[[Floats, Floats], Floats]


class Surface(NamedTuple):
    """A likelihood over log-parameters of shape (k,).

    Parameters
    ----------
    objective : callable
        The negative mean log-likelihood, and its gradient.
    curvature : callable
        Its second derivatives at a point, given the gradient there, shape (k, k).
    """

    objective: Objective
    curvature: Curvature


LARGEST_LOG = 12.0
"""A parameter stays within exp(±12) of one (time or money scaled): past that, data say nothing about it."""

RUN_AWAY = LARGEST_LOG - 1
"""From here on a parameter is on its way to the bound, and would go on without it."""

LEAST_INFORMATION = 0.1
"""Curvature of the log-likelihood (per squared log-parameter) below which a direction is a ridge.

There the log-parameters have a standard error above 3: they are not even known to a factor of 20.
"""

LEFT_TO_GAIN = 1e-6
"""Log-likelihood of all customers that the parabola at a peak may still promise: nothing that tells."""


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


def maximise(surface: Surface, starts: ArrayLike, total: float, scout: Surface | None = None) -> Optimum:
    """Find the peak of a likelihood from several starts; keep the best.

    L-BFGS-B finds the peak; a few Newton steps then remove what is left of the path, so that a change of
    units or of the order of rows does not show in the parameters.

    Parameters
    ----------
    surface : Surface
        Of the negative mean log-likelihood.
    starts : array_like of shape (s, k)
        Starting parameters, before the logarithm.
    total : float
        How many customers the mean is over: what many know, few may not.
    scout : Surface, optional
        A quicker one of nearly the same shape, on a sample of the rows, to choose among the starts with.

    Returns
    -------
    Optimum
        ``converged`` is False on a bound or on a ridge: the data do not identify every parameter.
    """
    with threadpool_limits(1, user_api="blas"):  # threads cost 10 times what 4 x 4 matrices do
        return _best_peak(surface, np.log(np.asarray(starts, dtype=np.float64)), total, scout or surface)


def _best_peak(surface: Surface, starts: Floats, total: float, scout: Surface) -> Optimum:
    scouts = [_descend(scout.objective, start, ftol=1e-7) for start in starts]
    peak = _climb(surface, min(scouts, key=lambda point: scout.objective(point)[0]))
    found = _judged(surface, peak, total)
    if found.converged:
        return found
    # A ridge rises so slowly that a path along it stops anywhere: follow them all, and to the end.
    ends = [peak, *(_descend(surface.objective, point, ftol=1e-15) for point in scouts)]
    peak = _newton(surface, min(ends, key=lambda point: surface.objective(point)[0]))
    return _judged(surface, peak, total)


def _judged(surface: Surface, point: Floats, total: float) -> Optimum:
    """Say whether all customers together see an inner peak here, curved in every direction.

    What is left to gain is by Newton's parabola: a slope that looks flat for one customer is not for
    millions, and a runaway's never is, as its slope shrinks no faster than its curvature.
    """
    value, slope = surface.objective(point)
    information = total * surface.curvature(point, slope)
    is_peak = np.abs(point).max() < RUN_AWAY and _lowest(information) >= LEAST_INFORMATION
    if is_peak:
        is_peak = total * slope @ np.linalg.solve(information, total * slope) / 2 < LEFT_TO_GAIN
    return Optimum(point, -value, bool(is_peak), information)


def _climb(surface: Surface, near: Floats) -> Floats:
    """Go to the peak: by Newton where that is close by and curved, else the longer way."""
    peak = _newton(surface, near)
    if np.abs(surface.objective(peak)[1]).max() < 1e-7:
        return peak
    return _newton(surface, _descend(surface.objective, near, ftol=1e-13))


def _newton(surface: Surface, point: Floats) -> Floats:
    """Step to the top of the parabola at hand for as long as that lessens the slope."""
    best, slope = point, surface.objective(point)[1]
    for _ in range(8):
        bent = surface.curvature(best, slope)
        if _lowest(bent) <= 0:
            break
        trial = np.clip(best - np.linalg.solve(bent, slope), -LARGEST_LOG, LARGEST_LOG)
        trial_slope = surface.objective(trial)[1]
        if np.abs(trial_slope).max() >= np.abs(slope).max():
            break
        best, slope = trial, trial_slope
    return best


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
