"""The dumb rules: what a shop would do without a model, and what a model must beat.

Each rule puts customers into bins by one number; its probability is the buyer rate of the bin in training.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.metrics import log_loss

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BinnedRule:
    """A rule, fitted: bin edges over one number, and the buyer rate of each bin.

    Parameters
    ----------
    name : str
        A key of `RULES`.
    edges : tuple of float
        Rising; a value belongs to the bin after the last edge that is not above it.
    rates : tuple of float
        One more than the edges.
    """

    name: str
    edges: tuple[float, ...]
    rates: tuple[float, ...]

    def predict(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Probability of a purchase within `horizon` days, shape (n,)."""
        value = RULES[self.name].value(frame, horizon)
        return np.asarray(self.rates)[np.searchsorted(self.edges, value, side="right")]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"name": self.name, "edges": list(self.edges), "rates": list(self.rates)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> "BinnedRule":
        """Rebuild from `to_dict`."""
        return cls(state["name"], tuple(state["edges"]), tuple(state["rates"]))


@dataclass(frozen=True)
class Rule:
    """How a rule looks at a customer, and how it chooses its edges."""

    value: Callable[[pd.DataFrame, int], Floats]
    edges: Callable[[Floats, Floats], Floats]


def fit_rule(name: str, train: pd.DataFrame, bought: Floats, horizon: int) -> BinnedRule:
    """Fit a rule on rows whose outcome is known.

    Parameters
    ----------
    name : str
        A key of `RULES`.
    train : DataFrame
        Feature rows.
    bought : ndarray of float, shape (n,)
        1 where the customer bought within the horizon, else 0.
    horizon : int
        Days.
    """
    rule = RULES[name]
    value = rule.value(train, horizon)
    edges = rule.edges(value, bought)
    return BinnedRule(name, tuple(map(float, edges)), tuple(map(float, _rates(edges, value, bought))))


def _rates(edges: Floats, value: Floats, bought: Floats) -> Floats:
    """Buyer rate a bin; one row at the base rate is added, so that no bin is certain."""
    bins = np.searchsorted(edges, value, side="right")
    n = np.bincount(bins, minlength=len(edges) + 1)
    buyers = np.bincount(bins, weights=bought, minlength=len(edges) + 1)
    base = (bought.sum() + 0.5) / (len(bought) + 1)
    rates: Floats = (buyers + base) / (n + 1)
    return rates


def expected_orders_by_formula(frame: pd.DataFrame, horizon: int) -> Floats:
    """Orders in the horizon at the customer's past rate: ``n_orders / T * horizon``."""
    orders: Floats = frame["n_orders"].to_numpy() / np.maximum(frame["T"].to_numpy(), 1.0) * horizon
    return orders


def expected_spend_by_formula(frame: pd.DataFrame, horizon: int) -> Floats:
    """Average order value × frequency × lifespan, with the horizon as the lifespan."""
    spend: Floats = frame["average_order_value"].to_numpy() * expected_orders_by_formula(frame, horizon)
    return spend


def _best_threshold(value: Floats, bought: Floats) -> Floats:
    """Find the one edge, among 50 quantiles, that separates buyers best on the training rows."""
    candidates = np.unique(np.quantile(value, np.linspace(0.02, 0.98, 49), method="nearest")) + 1
    losses = [_loss(np.array([edge]), value, bought) for edge in candidates]
    return candidates[[int(np.argmin(losses))]]


def _loss(edges: Floats, value: Floats, bought: Floats) -> float:
    rates = _rates(edges, value, bought)
    return log_loss(bought, rates[np.searchsorted(edges, value, side="right")])


def _deciles(value: Floats, bought: Floats) -> Floats:  # noqa: ARG001
    return np.unique(np.quantile(value, np.linspace(0.1, 0.9, 9)))


RULES: dict[str, Rule] = {
    "base_rate": Rule(
        lambda frame, _h: np.zeros(len(frame)),
        lambda _value, _bought: np.empty(0),
    ),
    "recency_rule": Rule(
        lambda frame, _h: frame["days_since_last_order"].to_numpy(),
        _best_threshold,
    ),
    "last_period_rule": Rule(
        lambda frame, h: frame[f"orders_{h}d"].to_numpy(),
        lambda _value, _bought: np.array([1.0, 2.0, 3.0]),
    ),
    "formula_rule": Rule(expected_orders_by_formula, _deciles),
}
"""Base rate; best recency threshold; same as last period (0, 1, 2, 3+ orders); the rate in
average order value × frequency × lifespan, in deciles."""
