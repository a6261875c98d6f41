"""Learned purchase probabilities: a logistic regression on RFM, and gradient boosting on everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

LOGISTIC_COLUMNS = (
    "frequency", "recency", "T", "days_since_last_order", "n_orders", "total_spend",
    "orders_28d", "orders_90d", "orders_180d",
)  # fmt: skip
BOOSTING = {"max_iter": 200, "learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 50,
            "l2_regularization": 1.0, "early_stopping": False}  # fmt: skip
"""Fixed, not tuned; early stopping would hold out random rows of the same customers."""


@dataclass(frozen=True)
class LogisticRfm:
    """A logistic regression on standardised logarithms of a few RFM columns, as plain numbers."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coef: tuple[float, ...]
    intercept: float

    def predict(self, frame: pd.DataFrame, _horizon: int) -> Floats:
        """Probability of a purchase, shape (n,)."""
        x = (_logs(frame) - np.asarray(self.mean)) / np.asarray(self.scale)
        # A product of columns, not a matrix product: BLAS sums in another order on another thread count.
        linear = np.full(len(frame), self.intercept)
        for column, weight in zip(x.T, self.coef, strict=True):
            linear = linear + column * weight
        p: Floats = expit(linear)
        return p

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "mean": list(self.mean),
            "scale": list(self.scale),
            "coef": list(self.coef),
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> "LogisticRfm":
        """Rebuild from `to_dict`."""
        mean, scale, coef = (tuple(state[k]) for k in ("mean", "scale", "coef"))
        return cls(mean, scale, coef, state["intercept"])


def _logs(frame: pd.DataFrame) -> Floats:
    logs: Floats = np.log1p(np.maximum(frame[list(LOGISTIC_COLUMNS)].to_numpy(), 0.0))
    return logs


def fit_logistic(train: pd.DataFrame, bought: Floats) -> LogisticRfm:
    """Fit on rows whose outcome (1 bought, 0 not) is known; both outcomes must occur."""
    x = _logs(train)
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(C=1.0, max_iter=1000).fit((x - mean) / scale, bought)
    return LogisticRfm(
        tuple(map(float, mean)),
        tuple(map(float, scale)),
        tuple(map(float, model.coef_[0])),
        float(model.intercept_[0]),
    )


def boosting_inputs(frame: pd.DataFrame, features: Sequence[str], horizon: int) -> Floats:
    """Lay out what the trees see: the features, then what BG/NBD and Gamma-Gamma say.

    Parameters
    ----------
    frame : DataFrame
        With the features and the ``btyd_`` columns of `models.btyd.with_btyd`.
    features : sequence of str
        Feature columns in the order of training.
    horizon : int
        Days.

    Returns
    -------
    ndarray, shape (n, len(features) + 4)
    """
    said = np.column_stack(
        [
            logit(np.clip(frame[f"btyd_p_purchase_{horizon}d"].to_numpy(), 1e-9, 1 - 1e-9)),
            np.log(frame[f"btyd_days_if_any_{horizon}d"].to_numpy()),
            frame["btyd_p_alive"].to_numpy(),
            np.log(np.maximum(frame["btyd_spend_per_day"].to_numpy(), 1e-9)),
        ]
    )
    return np.hstack([frame[list(features)].to_numpy(), said])


def without_empty_columns(inputs: Floats) -> Floats:
    """Fill columns that hold no value at all with 0: there is nothing to learn, but the trees refuse them.

    Spend in a log without amounts is such a column, and gaps where nobody came back yet.
    """
    return np.where(np.isnan(inputs).all(axis=0), 0.0, inputs)


@dataclass(frozen=True)
class Boosting:
    """Gradient-boosted trees on the panel, with the buy-till-you-die outputs among their inputs."""

    features: tuple[str, ...]
    trees: HistGradientBoostingClassifier

    def predict(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Probability of a purchase within the horizon the trees were trained for, shape (n,)."""
        p: Floats = self.trees.predict_proba(boosting_inputs(frame, self.features, horizon))[:, 1]
        return p


def fit_boosting(
    train: pd.DataFrame, bought: Floats, features: Sequence[str], horizon: int, seed: int
) -> Boosting:
    """Fit on rows whose outcome (1 bought, 0 not) is known; both outcomes must occur."""
    trees = HistGradientBoostingClassifier(**BOOSTING, random_state=seed)
    inputs = without_empty_columns(boosting_inputs(train, features, horizon))
    return Boosting(tuple(features), trees.fit(inputs, bought))
