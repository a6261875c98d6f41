"""How far to trust what a fitted model says: of its parameters, of an expectation, of what will happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from models.beta_geo import BetaGeoBase, First
from models.fitted import LikelihoodModel, half_width
from models.inputs import Column, Floats, check_history, check_level

Model = TypeVar("Model", bound=LikelihoodModel)

_STEP = 1e-3
"""Step in a log-parameter for the slope of a prediction."""

_MOST = 2.0**52
"""A count that is not searched past: half of it more is still a whole number of its own among floats."""


def interval(
    model: Model, predict: Callable[[Model], Floats], level: float = 0.8, *, is_probability: bool = False
) -> tuple[Floats, Floats]:
    """Return an interval for what a model expects, from the covariance of its parameters (delta method).

    The slopes are taken on the scale of the logarithm, or of the log-odds for probabilities, so that no bound
    lies where the quantity cannot. A quantity that a step in a parameter makes infinite has an interval from
    0 to infinity; one that cannot differ, as P(alive) of a newcomer, one without width.

    Parameters
    ----------
    model : BetaGeoModel, ModifiedBetaGeoModel or GammaGammaModel
        Fitted.
    predict : callable
        From a model to the quantity, shape (n,); called once a parameter and side.
    level : float
        Of the interval, between 0 and 1.
    is_probability : bool
        True for quantities between 0 and 1.

    Returns
    -------
    low, high : ndarray of shape (n,)

    Raises
    ------
    ContractError
        If the level is not between 0 and 1, or the data do not identify the parameters, saying why.

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
    reach, covariance = half_width(level), model.log_covariance()
    link, back = (logit, expit) if is_probability else (np.log, np.exp)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = link(predict(model))
        rises = np.stack([link(up) - link(down) for up, down in _either_side(model, predict)])
    known = np.isfinite(rises).all(axis=0)
    slope = np.where(known, rises, 0.0) / (2 * _STEP)
    half = reach * np.sqrt(np.einsum("i...,ij,j...->...", slope, covariance, slope))
    # On the edge of what it can be, as a probability of 1 is, a quantity stays there.
    half = np.where(known | np.isinf(centre), half, np.inf)
    with np.errstate(over="ignore"):
        return back(centre - half), back(centre + half)


def _either_side(model: Model, predict: Callable[[Model], Floats]) -> list[tuple[Floats, Floats]]:
    values = np.array(list(model.params_.values()))
    steps = [np.exp(_STEP * side) for side in np.eye(len(values))]
    return [(predict(model.with_values(values * s)), predict(model.with_values(values / s))) for s in steps]


def purchases_range(
    model: BetaGeoBase,
    horizon: float,
    frequency: First,
    recency: Column = None,
    T: Column = None,
    level: float = 0.8,
    p_any: Floats | None = None,
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
        Between 0 and 1; at least this much probability lies within.
    p_any : ndarray of shape (n,), optional
        The chance of any purchase at all, where another model knows it better; this one then says how many
        they are if there are some.

    Returns
    -------
    low, high : ndarray of shape (n,)
        Whole numbers, both included.

    Raises
    ------
    ContractError
        If the level is not between 0 and 1, or the histories are impossible.
    """
    tail = (1 - check_level(level)) / 2
    history = check_history(frequency, recency, T)

    share = np.ones(len(history[0]))
    if p_any is not None:
        share = p_any / np.maximum(model.p_at_least(1, horizon, *history), 1e-300)

    def at_least(n: Floats, rows: NDArray[np.intp]) -> Floats:
        return share[rows] * model.p_at_least(n, horizon, *(column[rows] for column in history))

    n_rows = len(history[0])
    low = _largest(lambda n, rows: at_least(n, rows) >= 1 - tail, n_rows)  # fewer have less than a tail
    return low, _largest(lambda n, rows: at_least(n, rows) > tail, n_rows)


def _largest(holds: Callable[[Floats, NDArray[np.intp]], NDArray[np.bool_]], n_rows: int) -> Floats:
    """Return the largest count for which something holds, given counts and rows: by doubling, then halving.

    It is taken to hold for 0, and for no count above one for which it does not.
    """
    top, active, power = np.zeros(n_rows), np.arange(n_rows), 1.0
    while len(active) and power <= _MOST:
        active = active[holds(np.full(len(active), power), active)]
        top[active] = power
        power *= 2
    found, power = top.copy(), top.max(initial=0.0) / 2
    while power >= 1:
        rows = np.flatnonzero(top > power)
        found[rows] += power * holds(found[rows] + power, rows)
        power /= 2
    return found


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
        If the level is not between 0 and 1, or the data do not identify the parameters, saying why.
    """
    reach = half_width(level)
    history = check_history(frequency, recency, T)

    def total(of: BetaGeoBase) -> Floats:
        return np.atleast_1d(of.expected_purchases(horizon, *history).sum())

    slope = np.array([(up[0] - down[0]) / (2 * _STEP) for up, down in _either_side(model, total)])
    variance = model.variance(horizon, *history).sum() + slope @ model.log_covariance() @ slope
    centre, half = float(total(model)[0]), reach * float(np.sqrt(variance))
    return max(centre - half, 0.0), centre + half
