"""Gamma-Gamma: what a customer spends on an order, drawn towards the average where little is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.errors import ContractError
from models.distinct import SCOUTED, distinct_rows, thinned
from models.fitted import LikelihoodModel
from models.gamma_gamma_likelihood import Rows, curvature, objective
from models.inputs import Column, Floats, check_spend, check_weight
from models.likelihood import Optimum, Surface, maximise

_STARTS = ((6.0, 4.0, 1.0), (1.0, 1.0, 1.0), (2.0, 10.0, 5.0), (20.0, 3.0, 0.1))
"""p, q, v (in units of the typical spend)."""


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
        infinite (q <= 1) or above the largest mean spend seen: then the mean of the observed means, and
        0 if nobody repeated at all.
    prior_weight_ : float
        What the prior weighs against ``p`` for every repeat purchase: ``q - 1``; ``q`` in the second case.

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
    _extras = (*LikelihoodModel._extras, "prior_mean", "prior_weight")

    prior_mean_: float
    prior_weight_: float

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
        self.prior_mean_, self.prior_weight_ = _prior(
            *self._values(), seen=float((weight * m).sum()) / total, largest=float(m.max())
        )
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
            In the unit of `monetary_value`; `prior_mean_` where the frequency is 0.

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
            model.prior_mean_, model.prior_weight_ = float(p * v / (q - 1)), float(q - 1)
        return model

    def _know_nothing(self) -> Self:
        self._keep(Optimum(np.zeros(3), 0.0, converged=False, information=np.zeros((3, 3))), {}, 0.0, 0.0)
        self.prior_mean_, self.prior_weight_ = 0.0, 1.0
        return self


def _surface(rows: Rows) -> Surface:
    return Surface(lambda theta: objective(theta, rows), lambda theta: curvature(theta, rows))


def _prior(p: float, q: float, v: float, *, seen: float, largest: float) -> tuple[float, float]:
    if q > 1 and p * v / (q - 1) <= largest:
        return float(p * v / (q - 1)), float(q - 1)
    return seen, float(q)
