"""Logistic regression on recency, frequency and money, alone or beside what buy-till-you-die models say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

COLUMNS = (
    "frequency", "recency", "T", "days_since_last_order", "n_orders", "total_spend",
    "orders_28d", "orders_90d", "orders_180d",
)  # fmt: skip
RIDGE = 0.003
"""Penalty on the squared weights, for each row of training. In a young log columns say the same (no window is
longer than the history) and part later; a weight on their difference, which a weak penalty lets grow, then
runs away (docs/decisions/0018)."""

LEAST_RIDGE = 10.0
"""Penalty on the squared weights however few rows there are."""

BTYD_SAID = ("btyd_log_odds", "btyd_days_if_any", "btyd_p_alive")
"""Names of what `btyd_said` returns, in its order."""

_TINY = 1e-6
"""What a model of a few parameters says is not taken for surer than this."""


@dataclass(frozen=True)
class Logistic:
    """A logistic regression on standardised logarithms of a few columns, as plain numbers.

    Parameters
    ----------
    least, most, mean, scale, coef : tuple of float
        One for each input: the range that was learned from, at whose ends it stays for values beyond, as a
        line goes on for ever and what it says there was never seen; and its weight.
    intercept : float
        In log-odds.
    has_btyd : bool
        Whether its inputs go on with what the buy-till-you-die models say.
    """

    least: tuple[float, ...]
    most: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coef: tuple[float, ...]
    intercept: float
    has_btyd: bool = False

    def predict(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Probability of a purchase, shape (n,)."""
        x = self.standardised(frame, horizon)
        # A product of columns, not a matrix product: BLAS sums in another order on another thread count.
        linear = np.full(len(frame), self.intercept)
        for column, weight in zip(x.T, self.coef, strict=True):
            linear = linear + column * weight
        p: Floats = expit(linear)
        return p

    def standardised(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Return what it weighs, within the range that was learned from, shape (n, inputs)."""
        seen = np.clip(_inputs(frame, horizon, has_btyd=self.has_btyd), self.least, self.most)
        x: Floats = (seen - np.asarray(self.mean)) / np.asarray(self.scale)
        return x

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> "Logistic":
        """Rebuild from `to_dict`."""
        columns: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in state.items()}
        return cls(**columns)


def fit_logistic(train: pd.DataFrame, bought: Floats, horizon: int, *, has_btyd: bool) -> Logistic:
    """Fit on rows whose outcome (1 bought, 0 not) is known; both outcomes must occur.

    Parameters
    ----------
    train : DataFrame
        Feature rows and, with `has_btyd`, the ``btyd_`` columns of `models.btyd.with_btyd`.
    bought : ndarray of float, shape (n,)
        The outcome within the horizon.
    horizon : int
        Days.
    has_btyd : bool
        Whether to see what the buy-till-you-die models say.
    """
    x = _inputs(train, horizon, has_btyd=has_btyd)
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(C=1 / (LEAST_RIDGE + RIDGE * len(x)), max_iter=2000).fit(
        (x - mean) / scale, bought
    )
    columns = (x.min(axis=0), x.max(axis=0), mean, scale, model.coef_[0])
    least, most, middle, spread, coef = (tuple(map(float, column)) for column in columns)
    return Logistic(least, most, middle, spread, coef, float(model.intercept_[0]), has_btyd)


def logistic_contributions(model: Logistic, frame: pd.DataFrame, horizon: int) -> dict[str, Floats]:
    """Split the log-odds over the inputs: coefficient times standardised input, each of shape (n,).

    With the intercept, they add up to the log-odds.
    """
    x = model.standardised(frame, horizon)
    names = [*COLUMNS, *(BTYD_SAID if model.has_btyd else ())]
    return dict(zip(names, (x * np.asarray(model.coef)).T, strict=True))


def _inputs(frame: pd.DataFrame, horizon: int, *, has_btyd: bool) -> Floats:
    logs: Floats = np.log1p(np.maximum(frame[list(COLUMNS)].to_numpy(), 0.0))
    return np.column_stack([logs, *btyd_said(frame, horizon)]) if has_btyd else logs


def btyd_said(frame: pd.DataFrame, horizon: int) -> Sequence[Floats]:
    """Return what the models say of each customer, on scales on which it adds up.

    Returns
    -------
    sequence of ndarray, shape (n,)
        Log-odds of a purchase, logarithm of the purchase days if there is any, P(alive).
    """
    return (
        btyd_log_odds(frame, horizon),
        np.log(frame[f"btyd_days_if_any_{horizon}d"].to_numpy()),
        frame["btyd_p_alive"].to_numpy(),
    )


def btyd_log_odds(frame: pd.DataFrame, horizon: int) -> Floats:
    """Return the log-odds of a purchase within the horizon, as the models say, shape (n,)."""
    p = frame[f"btyd_p_purchase_{horizon}d"].to_numpy()
    odds: Floats = logit(np.clip(p, _TINY, 1 - _TINY))
    return odds
