"""What BG/NBD and MBG/NBD have in common: one class, told apart by when the first chance to leave comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from features.errors import ContractError
from models.beta_geo_counts import at_least, moments
from models.beta_geo_curvature import curvature
from models.beta_geo_likelihood import Rows, counting_part, fates, objective, rows_of
from models.beta_geo_orders import orders_if_alive
from models.distinct import SCOUTED, distinct_rows, once_each, thinned
from models.fitted import LikelihoodModel
from models.inputs import Column, Floats, check_history, check_horizon, check_probability, check_weight
from models.likelihood import Surface, maximise

_STARTS = ((0.25, 0.1, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (0.5, 0.2, 0.1, 1.0), (3.0, 1.0, 0.5, 8.0))
"""r, alpha (as a share of the longest T), a, b: irregular shops, none, loyal customers, regular buyers."""

First = ArrayLike | pd.DataFrame


class BetaGeoBase(LikelihoodModel):
    """Purchases at a Poisson rate that differs as Gamma(r, alpha), and a chance to leave after each of them.

    The chance differs as Beta(a, b). ``_first`` is 1 where the very first purchase offers it, too.
    """

    _names = ("r", "alpha", "a", "b")
    _first: ClassVar[int]
    _runaways: ClassVar[Mapping[str, tuple[str, str]]] = {
        "r": ("hardly anyone buys again", "all customers buy at the same rate"),
        "alpha": ("customers buy without a pause", "hardly anyone buys again"),
        "a": ("nobody seems to leave", "customers leave at once"),
        "b": ("customers leave at once", "nobody seems to leave, or all leave with the same chance"),
    }

    def fit(
        self,
        frequency: First,
        recency: Column = None,
        T: Column = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Find the parameters under which the histories are most likely.

        Parameters
        ----------
        frequency, recency, T : array_like of shape (n,)
            Repeat purchase days; age at the last purchase; age now. ``0 <= recency <= T``. Or one frame that
            has all three, as the first argument.
        sample_weight : array_like of shape (n,), optional
            How many customers each row stands for.

        Returns
        -------
        Self
            Fitted.

        Raises
        ------
        ContractError
            If the histories are impossible, or there are none.
        """
        history = check_history(frequency, recency, T)
        (x, t_x, age), weight = distinct_rows(history, check_weight(sample_weight, len(history[0])))
        unit = float(age.max()) or 1.0
        columns = [x, t_x / unit, age / unit]
        all_rows, few = rows_of(columns, weight), rows_of(*thinned(columns, weight, SCOUTED))
        optimum = maximise(self._surface(all_rows), _STARTS, float(weight.sum()), self._surface(few))
        jacobian = float((weight * x).sum()) * np.log(unit)
        self._keep(optimum, {"alpha": unit}, jacobian, float(weight.sum()))
        return self

    def _surface(self, rows: Rows) -> Surface:
        return Surface(
            lambda theta: objective(theta, rows, self._first),
            lambda theta, slope: curvature(theta, slope, rows, self._first),
        )

    def loglik(self, frequency: First, recency: Column = None, T: Column = None) -> Floats:
        """Log-likelihood of each history, shape (n,) (paper eq. 6, in the form of Hardie's note 027)."""
        x, t_x, age = check_history(frequency, recency, T)
        params = self._values()
        counting = counting_part(np.log(params), x, self._first)[0]
        return counting + np.logaddexp(*fates(params, x, t_x, age, self._first))

    def p_alive(self, frequency: First, recency: Column = None, T: Column = None) -> Floats:
        """Probability of not having left yet, shape (n,) (Hardie's note 021).

        It is no churn score: rank churn by `p_purchase`.
        """
        return self._alive(*check_history(frequency, recency, T))

    def p_purchase(
        self, horizon: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Probability of at least one purchase in ``(T, T + horizon]``.

        Equal to one minus the likelihood ratio of a silent horizon, ``L(x, t_x, T + t) / L(x, t_x, T)``,
        which for these models is ``p_alive * (1 - ((alpha + T) / (alpha + T + t)) ** (r + x))``.

        Parameters
        ----------
        horizon : float or array_like that broadcasts against (n,)
            Length of the future, in the unit of `T`; shape (h, 1) gives one row a horizon.
        frequency, recency, T
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,), or the broadcast shape
            Between 0 and `p_alive`, and never falling with the horizon.

        Raises
        ------
        ContractError
            If the histories are impossible or the horizon is negative.
        """
        x, t_x, age = check_history(frequency, recency, T)
        return self._alive(x, t_x, age) * self._p_if_alive(check_horizon(horizon, len(x)), x, age)

    def expected_purchases(
        self, horizon: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Return the expected number of purchases in ``(T, T + horizon]``, given the history.

        Paper eq. 10, as `models.beta_geo_orders` computes it.

        Parameters
        ----------
        horizon, frequency, recency, T
            As in `p_purchase`.

        Returns
        -------
        ndarray of shape (n,), or the broadcast shape
            Never below `p_purchase`.

        Raises
        ------
        ContractError
            If the histories are impossible or the horizon is negative.
        """
        x, t_x, age = check_history(frequency, recency, T)
        length = check_horizon(horizon, len(x))
        if length.ndim and length.shape[-1] > 1:
            return self._alive(x, t_x, age) * self._orders(length, x, age)
        orders, which = self.expected_if_alive(length, x, age)
        return self._alive(x, t_x, age) * orders[..., which]

    def expected_if_alive(self, horizon: Floats, x: Floats, age: Floats) -> tuple[Floats, NDArray[np.intp]]:
        """Return the expected purchases of those who are alive, once for each frequency and age there is.

        When one fell silent is nothing to those who are alive, so that few are to be computed.

        Parameters
        ----------
        horizon : ndarray of shape () or (h, 1)
            In the unit of `age`.
        x, age : ndarray of shape (n,)
            Frequency and `T`, checked.

        Returns
        -------
        orders : ndarray of shape (m,) or (h, m)
        which : ndarray of shape (n,)
            Column of `orders` that is each customer's.
        """
        (x_once, age_once), which = once_each((x, age))
        return self._orders(horizon, x_once, age_once), which

    def purchases_if_any(
        self, horizon: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Return the expected number of purchases in the horizon, given that there is at least one.

        The ratio of `expected_purchases` and `p_purchase`, from which the chance of being alive falls out.

        Parameters
        ----------
        horizon : float or array_like of shape (h, 1)
            Above 0, in the unit of `T`.
        frequency, recency, T
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,) or (h, n)
            Never below 1.
        """
        x, _, age = check_history(frequency, recency, T)
        (x_once, age_once), which = once_each((x, age))
        length = check_horizon(horizon, len(x))
        ratio = self._orders(length, x_once, age_once) / self._p_if_alive(length, x_once, age_once)
        return np.asarray(np.maximum(ratio, 1.0)[..., which])

    def expected_purchases_of_a_newcomer(self, horizon: ArrayLike) -> Floats:
        """Return the expected repeat purchases within `horizon` of a first purchase (paper eq. 9).

        Parameters
        ----------
        horizon : float or array_like of shape (h,)
            Time since the first purchase.

        Returns
        -------
        ndarray of shape (h,)
        """
        horizon = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
        new = np.zeros(len(horizon))
        return self.expected_purchases(horizon, new, new, new)

    def p_at_least(
        self, n: ArrayLike, horizon: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Probability of at least `n` purchases in ``(T, T + horizon]`` (`models.beta_geo_counts`).

        Parameters
        ----------
        n : int or array_like that broadcasts against (n,)
            Whole, not negative; shape (k, 1) gives one row a count.
        horizon, frequency, recency, T
            As in `p_purchase`.

        Returns
        -------
        ndarray of shape (n,), or the broadcast shape

        Raises
        ------
        ContractError
            If the histories are impossible, the horizon is negative, or `n` is no count.
        """
        x, t_x, age = check_history(frequency, recency, T)
        count = np.asarray(n, dtype=np.float64)
        if not ((count >= 0) & (count == np.floor(count))).all():
            raise ContractError("the number of purchases must be whole and not negative", example=n)
        if_alive = at_least(count, *self._if_alive(check_horizon(horizon, len(x)), x, age))
        return np.where(count > 0, self._alive(x, t_x, age) * if_alive, 1.0)

    def pmf(
        self, n: ArrayLike, horizon: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Probability of exactly `n` purchases in ``(T, T + horizon]``; arguments as in `p_at_least`.

        With a history of zeros it is the pmf of a newcomer (paper eq. 8).
        """
        more = np.asarray(n, dtype=np.float64) + 1
        history = check_history(frequency, recency, T)
        return self.p_at_least(n, horizon, *history) - self.p_at_least(more, horizon, *history)

    def next_purchase_time(
        self, probability: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Return the time from now by which the next purchase has come with the given probability.

        The distribution of the silence, ``1 - p_purchase``, turned around. It does not fall to 0: with
        probability ``1 - p_alive`` there is no next purchase.

        Parameters
        ----------
        probability : float or array_like that broadcasts against (n,)
            Between 0 and 1; shape (k, 1) gives one row a probability.
        frequency, recency, T
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,), or the broadcast shape
            In the unit of `T`; infinite where it never comes with so much probability.

        Raises
        ------
        ContractError
            If the histories are impossible, or `probability` is none or does not fit beside them.
        """
        x, t_x, age = check_history(frequency, recency, T)
        r, alpha = self._values()[:2]
        share = check_probability(probability, len(x)) / self._alive(x, t_x, age)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            time = (alpha + age) * np.expm1(-np.log1p(-share) / (r + x))
        return np.where(share < 1, time, np.inf)

    def variance(
        self, horizon: ArrayLike, frequency: First, recency: Column = None, T: Column = None
    ) -> Floats:
        """Return the variance of the number of purchases in ``(T, T + horizon]``, parameters taken as known.

        Arguments as in `p_purchase`.
        """
        x, t_x, age = check_history(frequency, recency, T)
        a, *columns = self._if_alive(check_horizon(horizon, len(x)), x, age)
        b, rate, z = np.broadcast_arrays(*columns)
        flat = moments(a, b.ravel(), rate.ravel(), z.ravel())
        mean, square = (each.reshape(z.shape) for each in flat)
        alive = self._alive(x, t_x, age)
        return alive * square - (alive * mean) ** 2

    def _alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        return np.asarray(expit(np.subtract(*fates(self._values(), x, t_x, age, self._first))))

    def _p_if_alive(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        r, alpha = self._values()[:2]
        return np.asarray(-np.expm1(-(r + x) * np.log1p(horizon / (alpha + age))))

    def _orders(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        r, alpha, a, b = self._values()
        share, rate, chances = np.broadcast_arrays(horizon / (alpha + age), r + x, x + self._first)
        orders = orders_if_alive(a, b + chances.ravel(), rate.ravel(), share.ravel())
        return orders.reshape(share.shape)

    def _if_alive(self, horizon: Floats, x: Floats, age: Floats) -> tuple[float, Floats, Floats, Floats]:
        """What `models.beta_geo_counts` asks: a, b, the rate's shape, and z."""
        r, alpha, a, b = self._values()
        return float(a), b + x + self._first, r + x, horizon / (alpha + age + horizon)
