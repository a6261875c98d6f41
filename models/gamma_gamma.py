"""Gamma-Gamma: what a customer spends on an order, drawn towards the average where little is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammainc

from features.errors import ContractError
from models.distinct import SCOUTED, distinct_rows, thinned
from models.fitted import LikelihoodModel
from models.gamma_gamma_likelihood import Rows, curvature, objective
from models.inputs import Column, Floats, check_spend, check_weight
from models.likelihood import Surface, maximise

_STARTS = ((6.0, 4.0, 1.0), (1.0, 1.0, 1.0), (2.0, 10.0, 5.0), (20.0, 3.0, 0.1))
"""p, q, v (in units of the typical spend)."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)


class GammaGammaModel(LikelihoodModel):
    """Gamma-Gamma model of spend per order.

    The orders of one customer vary as Gamma(p, rate nu); nu differs between customers as Gamma(q, rate v).
    Spend is taken to be independent of how often a customer buys.

    Attributes
    ----------
    params_ : dict of str to float
        ``p``, ``q``, ``v`` (unit of money; the papers also call it gamma).
    loglik_ : float
        Total log-likelihood in the caller's unit of money, comparable with published values.
    converged_ : bool
        False where the data do not identify all three parameters. Predictions are finite either way.
    n_customers_ : float
        Total weight of the customers with a repeat purchase: only they teach it anything.
    prior_mean_ : float
        Expected spend of a customer about whom nothing is known. It is ``p v / (q - 1)``, unless that is
        infinite (q <= 1) or above the largest mean spend seen: then `limited_mean` of that largest one.
        NaN if nobody repeated at all: nothing is known of anyone's spend then.
    prior_weight_ : float
        What the prior weighs against ``p`` for every repeat purchase: ``q - 1``; ``q`` in the second case.
    prior_limit_ : float or None
        The largest mean spend seen in the second case, None in the first.

    Notes
    -----
    Where the model has no mean, neither has the sample: the mean of the observed means would settle nowhere,
    however many customers there are, and one of them can move it at will. What the model says of spends up to
    the largest one seen is finite, and rests on the likelihood, to which a spend counts by its logarithm.
    Against the mean spend of as many new customers it was nearer in simulations (q = 0.6 to 0.95, 50 to 3,000
    repeat buyers): the logarithm of their ratio had a root mean square of 0.57 to 2.25, where that of the
    sample's mean had 0.80 to 2.76. It is a little low on the whole, as the next whale may be a larger one.

    References
    ----------
    Fader, Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025, eq. 1a and 5;
    Fader, Hardie, Lee (2005), "RFM and CLV", Journal of Marketing Research 42, 415-430.

    Examples
    --------
    >>> model = GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}})
    >>> model.expected_spend(frequency=[0, 2, 20], monetary_value=[0, 22.35, 22.35]).round(2)
    array([35.22, 24.66, 22.63])
    """

    _kind = "gamma_gamma"
    _names = ("p", "q", "v")
    _runaways: ClassVar[Mapping[str, tuple[str, str]]] = {
        "p": ("one customer's orders have nothing in common", "one customer's orders are all alike"),
        "q": ("a few customers spend without bound", "all customers spend alike"),
        "v": ("all customers spend alike", "all customers spend alike"),
    }
    _extras = (*LikelihoodModel._extras, "prior_mean", "prior_weight", "prior_limit")

    prior_mean_: float
    prior_weight_: float
    prior_limit_: float | None

    def fit(
        self,
        frequency: ArrayLike | pd.DataFrame,
        monetary_value: Column = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Find the parameters under which the mean spends of the repeat buyers are most likely.

        Parameters
        ----------
        frequency : array_like of shape (n,)
            Repeat purchase days; rows with 0 are checked and left out. Or a frame that has both columns.
        monetary_value : array_like of shape (n,)
            Mean spend of the repeat purchase days, positive where there are any.
        sample_weight : array_like of shape (n,), optional
            How many customers each row stands for.

        Returns
        -------
        GammaGammaModel
            Itself.

        Raises
        ------
        ContractError
            If a value is impossible, or there is no customer at all.
        """
        x, m = check_spend(frequency, monetary_value)
        weight = np.where(x > 0, check_weight(sample_weight, len(x)), 0.0)
        if not weight.any():
            return self._know_nothing()
        (x, m), weight = distinct_rows((x, m), weight)
        unit = float(np.exp(np.log(m).mean()))
        total = float(weight.sum())
        (few_x, few_m), few_weight = thinned([x, m / unit], weight, SCOUTED)
        all_rows, few = Rows(x, m / unit, weight), Rows(few_x, few_m, few_weight)
        optimum = maximise(_surface(all_rows), _STARTS, total, _surface(few))
        self._keep(optimum, {"v": unit}, total * np.log(unit), total)
        p, q, v = self._values()
        largest = float(m.max())
        self.prior_limit_ = None if q > 1 and p * v / (q - 1) <= largest else largest
        mean, self.prior_weight_ = _prior(p, q, v, self.prior_limit_)
        # Of all spends the same, the limit would cut off what scatter the model is left with.
        self.prior_mean_ = max(mean, float(m.min()))
        return self

    def expected_spend(self, frequency: ArrayLike | pd.DataFrame, monetary_value: Column = None) -> Floats:
        """Return the customer's own mean spend per order, drawn towards the prior mean (note 025, eq. 5).

        Parameters
        ----------
        frequency, monetary_value : array_like of shape (n,)
            As in `fit`; the money of customers without a repeat purchase is ignored.

        Returns
        -------
        ndarray of shape (n,)
            In the unit of `monetary_value`; `prior_mean_` where the frequency is 0. NaN if nobody among those
            it was fitted to ever came back.

        Raises
        ------
        ContractError
            If a value is impossible.
        """
        x, m = check_spend(frequency, monetary_value)
        evidence = self._values()[0] * x
        own = np.where(x > 0, m, 0.0)
        share = evidence / (evidence + self.prior_weight_)
        return np.asarray(share * own + (1 - share) * self.prior_mean_)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return a fitted model from what `to_dict` gave; bare parameters are enough where q > 1."""
        model = super().from_dict(state)
        p, q, v = model._values()
        if not {"prior_mean", "prior_weight"} <= set(state):
            if q <= 1:
                raise ContractError(
                    "the prior mean is infinite", example={"q": q}, hint="give prior_mean, prior_weight"
                )
            model.prior_mean_, model.prior_weight_ = _prior(p, q, v, None)
        elif state["prior_mean"] is None:
            model.prior_mean_ = np.nan
        return model

    def to_dict(self) -> dict[str, Any]:
        """Return the fitted state as plain numbers, ready for JSON, which has no NaN: None stands for it."""
        state = super().to_dict()
        return state | ({"prior_mean": None} if np.isnan(self.prior_mean_) else {})

    def with_values(self, values: ArrayLike) -> Self:
        """Return a model with other parameters, in the order of ``params_``, its prior by this one's rule.

        A step in the parameters that went over to the other rule would make a slope of the gap between them.
        Where this one's rule is ``p v / (q - 1)`` and the new q is not above 1, the prior mean is infinite; a
        prior that came with bare parameters, by no rule, stays what it is.
        """
        limit = getattr(self, "prior_limit_", None)
        p, q, v = (float(value) for value in np.asarray(values))
        mean, weight = _prior(p, q, v, limit)
        if limit is None and self.prior_weight_ != self.params_["q"] - 1:
            mean, weight = self.prior_mean_, self.prior_weight_
        prior = {"prior_mean": mean, "prior_weight": weight, "prior_limit": limit}
        return type(self).from_dict({"params": {"p": p, "q": q, "v": v}} | prior)

    def _know_nothing(self) -> Self:
        self.params_ = dict.fromkeys(self._names, 1.0)
        self.loglik_, self.converged_, self.n_customers_ = 0.0, False, 0
        self.log_covariance_ = None
        self.diagnosis_ = ["nobody came back: nothing is known of what a repeat purchase brings"]
        self.prior_mean_, self.prior_weight_, self.prior_limit_ = np.nan, 1.0, None
        return self


def _surface(rows: Rows) -> Surface:
    return Surface(lambda theta: objective(theta, rows), lambda theta, slope: curvature(theta, slope, rows))


def _prior(p: float, q: float, v: float, limit: float | None) -> tuple[float, float]:
    """Return the mean and the weight of the prior, for spends of any size or up to a limit."""
    if limit is not None:
        return limited_mean(p, q, v, limit), float(q)
    return (float(p * v / (q - 1)) if q > 1 else np.inf), float(q - 1)


def limited_mean(p: float, q: float, v: float, limit: float) -> float:
    """Return the mean over all customers of their own mean spend, or of `limit` where it is more.

    A customer's own mean spend is p / nu, so that it is above m with probability ``gammainc(q, p v / m)``;
    the mean is the integral of that from 0 to the limit, which is finite for every q.

    Examples
    --------
    >>> round(limited_mean(6.25, 3.74, 15.44, 1e6), 2)
    35.22
    >>> round(limited_mean(6.25, 3.74, 15.44, 300), 2)
    35.14
    """
    certain = p * v / (q + 10 * np.sqrt(q) + 40)  # everybody is above it, to less than 1e-16
    if limit <= certain:
        return float(limit)
    half = np.log(limit / certain) / 2
    m = certain * np.exp(half * (_NODES + 1))
    return float(certain + half * _WEIGHTS @ (m * gammainc(q, p * v / m)))
