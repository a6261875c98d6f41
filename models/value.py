"""Expected orders and spend: what a customer brings if they buy, times the chance that they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.btyd import Btyd
from models.classifier import boosting_inputs, category_places, grow_trees, run_trees

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ValueModel:
    """Orders and spend given at least one purchase in the horizon.

    Both start from BG/NBD or MBG/NBD and Gamma-Gamma (purchase days if any × spend per day) and are scaled
    so that their sums over the training buyers are right. Where trees earned their place, the spend is
    theirs, or the geometric mean of theirs and that one, at the horizon they were trained for: they see more,
    and those models keep their heads over a whale. Those models carry it to other horizons.

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
    trees : lightgbm.Booster or None
        Spend given a purchase, gamma loss.
    trees_weight : float
        Of the trees in the geometric mean, 0 to 1.
    both_ratio : float
        Spend per geometric mean of the two; 1 without trees.
    """

    btyd: Btyd
    horizon: int
    orders_ratio: float
    spend_ratio: float
    features: tuple[str, ...] = ()
    trees: Any = None
    trees_weight: float = 0.0
    both_ratio: float = 1.0

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
        asked = [*dict.fromkeys([*horizons, self.horizon])]
        lengths = np.array(asked, dtype=float)[:, None]
        days = dict(zip(asked, self.btyd.days_if_any(lengths, frame), strict=True))
        per_day = self.btyd.spend_per_day(frame) * self.spend_ratio
        if self.trees is None:
            return {h: days[h] * per_day for h in horizons}
        seen = np.exp(run_trees(self.trees, boosting_inputs(frame, self.features, self.horizon)))
        here = _mean(seen, days[self.horizon] * per_day, self.trees_weight) * self.both_ratio
        per_day = here / days[self.horizon]
        return {h: here if h == self.horizon else per_day * days[h] for h in horizons}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the trees and the buy-till-you-die models are kept apart."""
        spend_ratio = None if np.isnan(self.spend_ratio) else self.spend_ratio
        return {
            "horizon": self.horizon,
            "orders_ratio": self.orders_ratio,
            "spend_ratio": spend_ratio,
            "features": list(self.features),
            "trees_weight": self.trees_weight,
            "both_ratio": self.both_ratio,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any], btyd: Btyd, trees: Any) -> "ValueModel":
        """Rebuild from `to_dict`."""
        spend_ratio = float("nan") if state["spend_ratio"] is None else state["spend_ratio"]
        features = tuple(state["features"])
        weights = (state["trees_weight"], state["both_ratio"])
        return cls(btyd, state["horizon"], state["orders_ratio"], spend_ratio, features, trees, *weights)


def _mean(trees: Floats, plain: Floats, weight: float) -> Floats:
    """Geometric mean of what the trees and the buy-till-you-die models say."""
    mean: Floats = trees**weight * plain ** (1 - weight)
    return mean


def fit_value(
    train: pd.DataFrame, btyd: Btyd, horizon: int, features: Sequence[str], *, trees_weight: float, seed: int
) -> ValueModel:
    """Fit the spend with one weight of the trees; arguments as those of `fit_values`."""
    return fit_values(train, btyd, horizon, features, trees_weights=[trees_weight], seed=seed)[0]


def fit_values(
    train: pd.DataFrame,
    btyd: Btyd,
    horizon: int,
    features: Sequence[str],
    *,
    trees_weights: Sequence[float],
    seed: int,
) -> list[ValueModel]:
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
    trees_weights : sequence of float
        Of the trees in the spend, 0 (none are needed) to 1; one model each, all with the same trees.
    seed : int
        For the trees' choice of columns.
    """
    buyers = train[train[f"y_purchased_{horizon}d"] == 1]
    days = buyers[f"btyd_days_if_any_{horizon}d"]
    orders_ratio = _ratio(buyers[f"y_orders_{horizon}d"], days)
    has_spend = btyd.gg is not None and len(buyers) > 0
    spend = days * buyers["btyd_spend_per_day"]
    known = spend.notna()
    spend_ratio = _ratio(buyers[f"y_spend_{horizon}d"][known], spend[known]) if has_spend else float("nan")
    base = ValueModel(btyd, horizon, orders_ratio, spend_ratio)
    if not (has_spend and any(trees_weights)):
        return [base for _ in trees_weights]
    spent = buyers[f"y_spend_{horizon}d"].to_numpy()
    inputs = boosting_inputs(buyers, features, horizon)
    trees = grow_trees(inputs, spent, "gamma", seed, categories=category_places(buyers, features))
    plain = (spend * spend_ratio).to_numpy()
    seen = np.exp(run_trees(trees, inputs))

    def blended(weight: float) -> ValueModel:
        both = pd.Series(_mean(seen, plain, weight)[known])
        both_ratio = _ratio(pd.Series(spent[known]), both)
        return ValueModel(
            btyd, horizon, orders_ratio, spend_ratio, tuple(features), trees, weight, both_ratio
        )

    return [blended(weight) if weight else base for weight in trees_weights]


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
