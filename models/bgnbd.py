"""BG/NBD: how often a customer buys while alive, and after which purchase they leave for good."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, betaln, digamma, expit, gammaln, hyp2f1

from models.inputs import Floats, check_history, check_horizon, check_weight
from models.likelihood import LikelihoodModel, distinct_rows, maximise

_STARTS = ((0.25, 0.1, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (0.5, 0.2, 0.1, 1.0), (3.0, 1.0, 0.5, 8.0))
"""r, alpha (as a share of the longest T), a, b: irregular shops, none, loyal customers, regular buyers."""

_GAP = 1e-5
"""How far from a removable singularity the conditional expectation is still evaluated directly."""


class _Rows(NamedTuple):
    """Distinct histories with their weights, and the distinct frequencies with theirs."""

    x: Floats
    recency: Floats
    T: Floats
    weight: Floats
    level: Floats
    level_weight: Floats


class BetaGeoModel(LikelihoodModel):
    """Beta-geometric / NBD model of repeat purchases.

    While alive, a customer buys at a Poisson rate that differs between customers as Gamma(r, rate alpha).
    After each *repeat* purchase they leave with a probability that differs as Beta(a, b). A customer who
    never came back is therefore alive by construction: rank churn by `p_purchase`, not by `p_alive`.

    Time is in whatever unit ``recency``, ``T`` and ``horizon`` share; only ``alpha`` has a unit.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (unit of time), ``a``, ``b``.
    loglik_ : float
        Total log-likelihood in the caller's unit of time, comparable with published values.
    converged_ : bool
        False where the data do not identify all four parameters: the optimum lies on a bound or a ridge.
        Predictions are finite either way.
    n_customers_ : float
        Total weight of the sample.

    References
    ----------
    Fader, Hardie, Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}})
    >>> model.p_purchase(39, frequency=[2, 0], recency=[30.43, 0], T=[38.86, 38.86]).round(3)
    array([0.555, 0.145])
    >>> model.expected_purchases(39, frequency=[2], recency=[30.43], T=[38.86]).round(3)
    array([1.226])
    """

    _kind = "bg_nbd"
    _names = ("r", "alpha", "a", "b")

    def fit(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Find the parameters under which the histories are most likely.

        Parameters
        ----------
        frequency, recency, T : array_like of shape (n,)
            Repeat purchase days; age at the last purchase; age now. ``0 <= recency <= T``.
        sample_weight : array_like of shape (n,), optional
            How many customers each row stands for.

        Returns
        -------
        BetaGeoModel
            Itself.

        Raises
        ------
        ContractError
            If the histories are impossible, or there are none.
        """
        history = check_history(frequency, recency, T)
        (x, t_x, age), weight = distinct_rows(history, check_weight(sample_weight, len(history[0])))
        unit = float(age.max()) or 1.0
        rows = _rows(x, t_x / unit, age / unit, weight)
        optimum = maximise(lambda theta: _objective(theta, rows), _STARTS)
        jacobian = float((weight * x).sum()) * np.log(unit)
        self._keep(optimum, {"alpha": unit}, jacobian, float(weight.sum()))
        return self

    def loglik(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Log-likelihood of each history, shape (n,) (paper eq. 6, in the form of Hardie's note 027)."""
        x, t_x, age = check_history(frequency, recency, T)
        log_params = np.log(self._values())
        return _counting(log_params, x)[0] + _silence(log_params, x, t_x, age)[0]

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of not having left yet, shape (n,); 1 for one-time buyers (Hardie's note 021)."""
        x, t_x, age = check_history(frequency, recency, T)
        return self._alive(x, t_x, age)

    def p_purchase(
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> Floats:
        """Probability of at least one purchase in ``(T, T + horizon]``.

        Equal to one minus the likelihood ratio of a silent horizon, ``L(x, t_x, T + t) / L(x, t_x, T)``,
        which for BG/NBD is ``p_alive * (1 - ((alpha + T) / (alpha + T + t)) ** (r + x))``.

        Parameters
        ----------
        horizon : float or array_like that broadcasts against (n,)
            Length of the future, in the unit of `T`; shape (h, 1) gives one row a horizon.
        frequency, recency, T : array_like of shape (n,)
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
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> Floats:
        """Return the expected number of purchases in ``(T, T + horizon]``, given the history.

        Paper eq. 10 after Euler's transformation of its 2F1, which then has no parameter that grows with
        the frequency, so it neither overflows nor cancels for heavy buyers.

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
        horizon = check_horizon(horizon, len(x))
        r, alpha, a, b = self._values()
        share, rate, x = np.broadcast_arrays(horizon / (alpha + age), r + x, x)
        orders = _orders_if_alive(a, b + x, rate, share)
        least, most = self._p_if_alive(horizon, x, age), rate * share
        wrong = ~((orders >= least * (1 - 1e-6)) & (orders <= most * (1 + 1e-6)))
        if wrong.any():
            orders[wrong] = _orders_by_quadrature(a, b + x[wrong], rate[wrong], share[wrong])
        return self._alive(x, t_x, age) * np.clip(orders, least, most)

    def _alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        return np.asarray(expit(np.subtract(*_fates(self._values(), x, t_x, age))))

    def _p_if_alive(self, horizon: Floats, x: Floats, age: Floats) -> Floats:
        r, alpha = self._values()[:2]
        return np.asarray(-np.expm1(-(r + x) * np.log1p(horizon / (alpha + age))))


# ---- likelihood ------------------------------------------------------------------------------------------


def _rows(x: Floats, recency: Floats, T: Floats, weight: Floats) -> _Rows:
    level, at = np.unique(x, return_inverse=True)
    return _Rows(x, recency, T, weight, level, np.bincount(at, weights=weight).astype(np.float64))


def _objective(log_params: Floats, rows: _Rows) -> tuple[float, Floats]:
    """Return the negative mean log-likelihood and its gradient in the log-parameters."""
    counting, counting_slope = _counting(log_params, rows.level)
    silence, silence_slope = _silence(log_params, rows.x, rows.recency, rows.T)
    total = rows.weight.sum()
    value = (rows.level_weight * counting).sum() + (rows.weight * silence).sum()
    slope = (rows.level_weight * counting_slope).sum(axis=1) + (rows.weight * silence_slope).sum(axis=1)
    return -float(value) / total, -slope / total


def _counting(log_params: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Return the part of the log-likelihood that depends on the count alone, and its gradient (4, n)."""
    r, alpha, a, b = np.exp(log_params)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    together = digamma(a + b) - digamma(a + b + x)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha)
    by_b = together + digamma(b + x) - digamma(b)
    return value, np.stack([r * by_r, np.broadcast_to(r, x.shape), a * together, b * by_b])


def _silence(log_params: Floats, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Return the part that depends on when the customer fell silent, and its gradient (4, n)."""
    r, alpha, _, b = params = np.exp(log_params)
    alive, gone = _fates(params, x, t_x, age)
    here = expit(alive - gone)
    left = 1 - here
    by_r = -here * np.log(alpha + age) - left * np.log(alpha + t_x)
    by_alpha = -(r + x) * (here / (alpha + age) + left / (alpha + t_x))
    by_b = -left / (b + np.maximum(x, 1) - 1)
    return np.logaddexp(alive, gone), np.stack([r * by_r, alpha * by_alpha, left, b * by_b])


def _fates(params: Floats, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Return the log-likelihood of silence since `t_x` if alive, and if gone; nobody leaves before x = 1."""
    r, alpha, a, b = params
    alive = -(r + x) * np.log(alpha + age)
    gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    return alive, np.where(x > 0, gone, -np.inf)


# ---- conditional expectation -----------------------------------------------------------------------------


def _orders_if_alive(a: float, b: Floats, rate: Floats, share: Floats) -> Floats:
    """Return expected purchases of customers known to be alive: rates Gamma(rate), dropout Beta(a, b).

    `share` is horizon / (alpha + T). The formula has removable singularities where a = 1 and where
    a + b = 1; close to them it is interpolated between its values on either side.
    """
    e, c = a - 1, a + b - 1
    if abs(e) < _GAP:
        right = (e + _GAP) / (2 * _GAP)
        return (1 - right) * _euler(-_GAP, c, rate, share) + right * _euler(_GAP, c, rate, share)
    return _euler(e, c, rate, share)


def _euler(e: float, c: Floats, rate: Floats, share: Floats) -> Floats:
    near = np.abs(c) < _GAP
    orders = _euler_direct(e, np.where(near, -_GAP, c), rate, share)
    if near.any():
        right = (c[near] + _GAP) / (2 * _GAP)
        other = _euler_direct(e, np.full(right.shape, _GAP), rate[near], share[near])
        orders[near] = (1 - right) * orders[near] + right * other
    return orders


def _euler_direct(e: float, c: Floats, rate: Floats, share: Floats) -> Floats:
    with np.errstate(all="ignore"):  # whatever overflows here is found by its bounds, and done again
        power = np.exp(-e * np.log1p(share))
        return np.asarray(c / e * (1 - power * hyp2f1(c - rate, e, c, share / (1 + share))))


def _orders_by_quadrature(a: float, b: Floats, rate: Floats, share: Floats) -> Floats:
    """Return the same as a mean of (1 - (1 + p * share) ** -rate) / p over p ~ Beta(a, b): always finite."""
    level, at = np.unique(b, return_inverse=True)
    nodes, weights = np.polynomial.legendre.leggauss(48)
    orders = np.zeros_like(share)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        p = np.maximum(betaincinv(a, level, node), 1e-300)[at]
        orders -= weight * np.expm1(-rate * np.log1p(p * share)) / p
    return orders
