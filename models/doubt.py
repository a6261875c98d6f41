"""How far to trust what a fitted model says: of its parameters, of an expectation, of what will happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from scipy.special import expit, logit, ndtri

from features.errors import ContractError
from models.beta_geo import BetaGeoBase, First
from models.fitted import LikelihoodModel
from models.inputs import Column, Floats, check_history

Model = TypeVar("Model", bound=LikelihoodModel)

_STEP = 1e-3
"""Step in a log-parameter for the slope of a prediction."""


def interval(
    model: Model, predict: Callable[[Model], Floats], level: float = 0.8, *, is_probability: bool = False
) -> tuple[Floats, Floats]:
    """Return an interval for what a model expects, from the covariance of its parameters (delta method).

    The slopes are taken on the scale of the logarithm, or of the log-odds for probabilities, so that no bound
    lies where the quantity cannot.

    Parameters
    ----------
    model : BetaGeoModel, ModifiedBetaGeoModel or GammaGammaModel
        Fitted.
    predict : callable
        From a model to the quantity, shape (n,); called once a parameter and side.
    level : float
        Of the interval, 0 to 1.
    is_probability : bool
        True for quantities between 0 and 1.

    Returns
    -------
    low, high : ndarray of shape (n,)

    Raises
    ------
    ContractError
        If the data do not identify the parameters, saying why.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> shop = dict(frequency=[2, 0, 1], recency=[200, 0, 30], T=[270, 270, 270])
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426}})
    >>> model.log_covariance_ = (0.01 * np.eye(4)).tolist()
    >>> low, high = interval(model, lambda m: m.p_purchase(90, **shop), is_probability=True)
    >>> bool((low < model.p_purchase(90, **shop)).all() and (model.p_purchase(90, **shop) < high).all())
    True
    """
    covariance = model.log_covariance()
    link, back = (logit, expit) if is_probability else (np.log, np.exp)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = link(predict(model))
        slopes = [link(up) - link(down) for up, down in _either_side(model, predict)]
    slope = np.nan_to_num(np.stack(slopes), nan=0.0, posinf=0.0, neginf=0.0) / (2 * _STEP)
    half = _half_width(level) * np.sqrt(np.einsum("i...,ij,j...->...", slope, covariance, slope))
    return back(centre - half), back(centre + half)


def _either_side(model: Model, predict: Callable[[Model], Floats]) -> list[tuple[Floats, Floats]]:
    values = np.array(list(model.params_.values()))
    steps = [np.exp(_STEP * side) for side in np.eye(len(values))]
    return [(predict(model.with_values(values * s)), predict(model.with_values(values / s))) for s in steps]


def _half_width(level: float) -> float:
    if not 0 < level < 1:
        raise ContractError("the level of an interval lies between 0 and 1", example=level)
    return float(ndtri((1 + level) / 2))


def purchases_range(
    model: BetaGeoBase,
    horizon: float,
    frequency: First,
    recency: Column = None,
    T: Column = None,
    level: float = 0.8,
) -> tuple[Floats, Floats]:
    """Return between which numbers each customer's purchases in ``(T, T + horizon]`` will lie.

    What will happen, not what is expected: the quantiles of the distribution of the count. The doubt about
    the parameters is small beside it for one customer, and left out.

    Parameters
    ----------
    model : BetaGeoModel or ModifiedBetaGeoModel
        Fitted.
    horizon : float
        In the unit of `T`.
    frequency, recency, T
        As in the model's ``fit``.
    level : float
        At least this much probability lies within.

    Returns
    -------
    low, high : ndarray of shape (n,)
        Whole numbers, both included.
    """
    history = check_history(frequency, recency, T)
    tail = (1 - level) / 2
    low, high = np.zeros(len(history[0])), np.zeros(len(history[0]))
    active, n = np.arange(len(low)), 1
    while len(active):
        more = model.p_at_least(n, horizon, *(column[active] for column in history))
        low[active[more >= 1 - tail]] = n  # fewer than n have less than the lower tail
        active = active[more > tail]
        high[active] = n
        n += 1
    return low, high


def total_range(
    model: BetaGeoBase,
    horizon: float,
    frequency: First,
    recency: Column = None,
    T: Column = None,
    level: float = 0.8,
) -> tuple[float, float]:
    """Return between which numbers the purchases of all these customers together will lie.

    Chance evens out over many customers, the doubt about the parameters does not: both count. By a normal
    distribution, so for groups of some hundred.

    Parameters
    ----------
    model, horizon, frequency, recency, T, level
        As in `purchases_range`.

    Raises
    ------
    ContractError
        If the data do not identify the parameters, saying why.
    """
    history = check_history(frequency, recency, T)

    def total(of: BetaGeoBase) -> Floats:
        return np.atleast_1d(of.expected_purchases(horizon, *history).sum())

    slope = np.array([(up[0] - down[0]) / (2 * _STEP) for up, down in _either_side(model, total)])
    variance = model.variance(horizon, *history).sum() + slope @ model.log_covariance() @ slope
    centre, half = float(total(model)[0]), _half_width(level) * float(np.sqrt(variance))
    return max(centre - half, 0.0), centre + half
