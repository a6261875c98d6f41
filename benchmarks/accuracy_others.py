"""Other libraries' classifiers with their own defaults, on the very inputs that our trees see."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from models.classifier import boosting_inputs
from models.folds import Fold


def _catboost(seed: int) -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier(random_seed=seed, verbose=False, allow_writing_files=False)


def _histogram(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed)


def _lightgbm(seed: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=seed, verbosity=-1)


OTHERS: dict[str, tuple[str, Callable[[int], Any]]] = {
    "catboost": ("catboost", _catboost),
    "sklearn_hist": ("sklearn", _histogram),
    "lightgbm_defaults": ("lightgbm", _lightgbm),
}
"""Name to the module that it needs, and what makes it. Nothing is tuned, on either side."""


def other_libraries(fold: Fold, features: Sequence[str], seed: int) -> pd.DataFrame:
    """Fit those that are installed on the fold's panel; one ``p_<name>`` column each for its test rows."""
    train, test = (boosting_inputs(rows, features, fold.horizon) for rows in (fold.train, fold.test))
    some = np.isfinite(train).any(axis=0)  # scikit-learn refuses a column without a value
    train, test = train[:, some], test[:, some]
    bought = fold.train[f"y_purchased_{fold.horizon}d"].to_numpy()
    found: dict[str, np.ndarray] = {}
    for name, (module, make) in OTHERS.items():
        if find_spec(module) is not None:
            found[f"p_{name}"] = make(seed).fit(train, bought).predict_proba(test)[:, 1]
    return pd.DataFrame(found)
