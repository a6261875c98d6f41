"""Expected orders and spend: what a customer brings if they buy, times the chance that they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from models.btyd import Btyd
from models.classifier import BOOSTING, boosting_inputs, without_empty_columns

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ValueModel:
    """Orders and spend given at least one purchase in the horizon.

    Both start from BG/NBD or MBG/NBD and Gamma-Gamma (purchase days if any × spend per day) and are scaled
    so that their sums over the training buyers are right; the trees, where they earned their place, replace
    the spend at the horizon they were trained for, and those models carry it to other horizons.

    Parameters
    ----------
    btyd : Btyd
        Newest buy-till-you-die models.
    horizon : int
        Days; where the ratios and the trees were fitted.
    orders_ratio : float
        Orders per expected purchase day.
    spend_ratio : float
        Spend per expected spend; NaN where the log has no amounts.
    features : tuple of str
        What the trees see.
    trees : HistGradientBoostingRegressor or None
        Spend given a purchase, gamma loss.
    """

    btyd: Btyd
    horizon: int
    orders_ratio: float
    spend_ratio: float
    features: tuple[str, ...] = ()
    trees: HistGradientBoostingRegressor | None = None

    def orders_if_any(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Expected orders within `horizon` days given at least one; never below 1. Shape (n,)."""
        orders = self.btyd.days_if_any(horizon, frame) * self.orders_ratio
        return np.maximum(orders, 1.0)

    def spend_if_any(self, frame: pd.DataFrame, horizons: Sequence[int]) -> dict[int, Floats]:
        """Expected spend within each horizon (days) given at least one purchase, in currency.

        Returns
        -------
        dict of int to ndarray of shape (n,)
            Horizon to spend.
        """
        if self.trees is None:
            return {h: _btyd_spend(self.btyd, frame, h) * self.spend_ratio for h in horizons}
        here: Floats = self.trees.predict(boosting_inputs(frame, self.features, self.horizon))
        per_day = here / self.btyd.days_if_any(self.horizon, frame)
        return {h: here if h == self.horizon else per_day * self.btyd.days_if_any(h, frame) for h in horizons}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the trees and the buy-till-you-die models are kept apart."""
        spend_ratio = None if np.isnan(self.spend_ratio) else self.spend_ratio
        return {
            "horizon": self.horizon,
            "orders_ratio": self.orders_ratio,
            "spend_ratio": spend_ratio,
            "features": list(self.features),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any], btyd: Btyd, trees: Any) -> "ValueModel":
        """Rebuild from `to_dict`."""
        spend_ratio = float("nan") if state["spend_ratio"] is None else state["spend_ratio"]
        features = tuple(state["features"])
        return cls(btyd, state["horizon"], state["orders_ratio"], spend_ratio, features, trees)


def _btyd_spend(btyd: Btyd, frame: pd.DataFrame, horizon: int) -> Floats:
    return btyd.days_if_any(horizon, frame) * btyd.spend_per_day(frame)


def fit_value(
    train: pd.DataFrame, btyd: Btyd, horizon: int, features: Sequence[str], *, has_trees: bool, seed: int
) -> ValueModel:
    """Fit on the buyers among panel rows whose label for `horizon` is mature.

    Parameters
    ----------
    train : DataFrame
        Panel rows with their ``btyd_`` columns, whose parameters were fitted at each row's own cutoff.
    btyd : Btyd
        Newest models; the ones that will score.
    horizon : int
        Days.
    features : sequence of str
        What the trees see.
    has_trees : bool
        Whether to train trees for the spend.
    seed : int
        For the trees' binning.
    """
    buyers = train[train[f"y_purchased_{horizon}d"] == 1]
    days = buyers[f"btyd_days_if_any_{horizon}d"]
    orders_ratio = _ratio(buyers[f"y_orders_{horizon}d"], days)
    has_spend = btyd.gg is not None and len(buyers) > 0
    spend = days * buyers["btyd_spend_per_day"]
    known = spend.notna()
    spend_ratio = _ratio(buyers[f"y_spend_{horizon}d"][known], spend[known]) if has_spend else float("nan")
    base = ValueModel(btyd, horizon, orders_ratio, spend_ratio)
    if not (has_spend and has_trees):
        return base
    trees = HistGradientBoostingRegressor(loss="gamma", **BOOSTING, random_state=seed)
    inputs = without_empty_columns(boosting_inputs(buyers, features, horizon))
    trees.fit(inputs, buyers[f"y_spend_{horizon}d"].to_numpy())
    return ValueModel(btyd, horizon, orders_ratio, spend_ratio, tuple(features), trees)


def _ratio(actual: "pd.Series[float]", expected: "pd.Series[float]") -> float:
    total = float(expected.sum())
    return float(actual.sum()) / total if total > 0 else 1.0


def gamma_deviance_rows(actual: Floats, expected: Floats) -> Floats:
    """Unit gamma deviance of each buyer's spend, ``2 (a/e - 1 - ln(a/e))``.

    Relative, so that one whale does not decide which spend model is better.

    Examples
    --------
    >>> gamma_deviance_rows(np.array([10.0, 20.0]), np.array([10.0, 10.0])).round(3)
    array([0.   , 0.614])
    """
    ratio = actual / np.maximum(expected, 1e-9)
    deviance: Floats = 2 * (ratio - 1 - np.log(ratio))
    return deviance
