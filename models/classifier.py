"""Gradient-boosted trees on everything that is known, from scratch or from what BG/NBD says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from models.categories import as_numbers, is_category
from models.logistic import BTYD_SAID, btyd_log_odds, btyd_said

if TYPE_CHECKING:
    from lightgbm import Booster

Floats = NDArray[np.float64]

TREES = 100
BOOSTING = {
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 50,
    "lambda_l2": 1.0,
    "feature_fraction": 0.3,
    "min_data_per_group": 300,
    "cat_l2": 100.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Fixed, not tuned to a shop. Small trees on few columns each: a panel has many rows and few customers, and
the same customer's rows look alike (docs/decisions/0018). One thread: sums of floats in one order only."""


@dataclass(frozen=True)
class Boosting:
    """Trees on the panel, with what the buy-till-you-die models say among their inputs.

    Parameters
    ----------
    features : tuple of str
        What they see, in order.
    trees : lightgbm.Booster
        Fitted.
    from_btyd : bool
        Whether they add to the log-odds of BG/NBD, or say it all themselves.
    """

    features: tuple[str, ...]
    trees: Booster
    from_btyd: bool = False

    def predict(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Probability of a purchase within the horizon the trees were trained for, shape (n,)."""
        added = run_trees(self.trees, boosting_inputs(frame, self.features, horizon))
        base = btyd_log_odds(frame, horizon) if self.from_btyd else 0.0
        p: Floats = expit(added + base)
        return p


def fit_boosting(
    train: pd.DataFrame,
    bought: Floats,
    features: Sequence[str],
    horizon: int,
    seed: int,
    *,
    from_btyd: bool = False,
) -> Boosting:
    """Fit on rows whose outcome (1 bought, 0 not) is known; both outcomes must occur."""
    base = btyd_log_odds(train, horizon) if from_btyd else None
    inputs, kinds = boosting_inputs(train, features, horizon), category_places(train, features)
    trees = grow_trees(inputs, bought, "binary", seed, base, categories=kinds)
    return Boosting(tuple(features), trees, from_btyd)


def boosting_inputs(frame: pd.DataFrame, features: Sequence[str], horizon: int) -> Floats:
    """Lay out what the trees see: the features, then what BG/NBD and Gamma-Gamma say.

    Parameters
    ----------
    frame : DataFrame
        With the features, text as categories, and the ``btyd_`` columns of `models.btyd.with_btyd`.
    features : sequence of str
        Feature columns in the order of training.
    horizon : int
        Days.

    Returns
    -------
    ndarray, shape (n, len(features) + 4)
    """
    spend = np.log(np.maximum(frame["btyd_spend_per_day"].to_numpy(), 1e-9))
    columns = [*(as_numbers(frame[f]) for f in features), *btyd_said(frame, horizon), spend]
    return np.array(columns).T  # column by column in memory: laid out by rows, it takes seven times as long


def category_places(frame: pd.DataFrame, features: Sequence[str]) -> list[int]:
    """Return the places of the features that are categories (`models.categories.with_categories`)."""
    return [place for place, name in enumerate(features) if is_category(frame[name].dtype)]


def grow_trees(
    inputs: Floats,
    target: Floats,
    objective: str,
    seed: int,
    base: Floats | None = None,
    *,
    categories: Sequence[int] = (),
) -> Booster:
    """Grow trees; the same rows and seed give the same trees.

    Parameters
    ----------
    inputs : ndarray, shape (n, k)
        NaN is a value of its own.
    target : ndarray, shape (n,)
        What they learn.
    objective : str
        As LightGBM names it: ``binary``, ``gamma``.
    seed : int
        Which columns each tree sees.
    base : ndarray, shape (n,), optional
        What they start from, on the scale of the objective's link.
    categories : sequence of int
        Places of the inputs that number the values of a category: no order is read into them.
    """
    from lightgbm import Dataset, train

    data = Dataset(inputs, target, init_score=base, categorical_feature=[*categories], free_raw_data=True)
    return train(BOOSTING | {"objective": objective, "seed": seed}, data, TREES)


def run_trees(trees: Booster, inputs: Floats) -> Floats:
    """Return what the trees say, on the scale of their objective's link, shape (n,)."""
    said: Floats = np.asarray(trees.predict(inputs, raw_score=True, num_threads=1), dtype=np.float64)
    return said


def boosting_contributions(
    trees: Booster, frame: pd.DataFrame, features: Sequence[str], horizon: int
) -> dict[str, Floats]:
    """Split what the trees say over their inputs, exactly, by TreeSHAP (Lundberg et al. 2020).

    Arguments as those of `boosting_inputs`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        In log-odds, in the order of the inputs; with the trees' constant, they add up to `run_trees`.
    """
    names = [*features, *BTYD_SAID, "btyd_spend_per_day"]
    split = np.asarray(
        trees.predict(boosting_inputs(frame, features, horizon), pred_contrib=True), dtype=np.float64
    )
    return dict(zip(names, split[:, :-1].T, strict=True))  # the last column is the trees' constant


def trees_from_text(text: str) -> Booster:
    """Rebuild trees from LightGBM's own text, which holds numbers and no code."""
    from lightgbm import Booster

    return Booster(model_str=text)


def trees_to_text(trees: Any) -> str:
    """Write trees as text."""
    return str(trees.model_to_string())
