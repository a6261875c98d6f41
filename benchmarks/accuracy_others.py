"""Other libraries' classifiers with their own defaults, on the very inputs that our trees see."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.classifier import boosting_inputs, category_places
from models.folds import Fold

Floats = NDArray[np.float64]
Learn = Callable[[Floats, Floats, Floats, list[int], int], Floats]


def _catboost(train: Floats, bought: Floats, test: Floats, categories: list[int], seed: int) -> Floats:
    from catboost import CatBoostClassifier

    def numbered(rows: Floats) -> pd.DataFrame:
        """Categories as whole numbers, which is what it takes for one."""
        table = pd.DataFrame(rows)
        for place in categories:
            table[place] = table[place].fillna(-1).astype(int)
        return table

    model = CatBoostClassifier(random_seed=seed, verbose=False, allow_writing_files=False)
    model.fit(numbered(train), bought, cat_features=categories)
    return np.asarray(model.predict_proba(numbered(test))[:, 1])


def _histogram(train: Floats, bought: Floats, test: Floats, categories: list[int], seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=seed, categorical_features=categories or None)
    return np.asarray(model.fit(train, bought).predict_proba(test)[:, 1])


def _lightgbm(train: Floats, bought: Floats, test: Floats, categories: list[int], seed: int) -> Floats:
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(random_state=seed, verbosity=-1)
    return np.asarray(model.fit(train, bought, categorical_feature=categories).predict_proba(test)[:, 1])


OTHERS: dict[str, tuple[str, Learn]] = {
    "catboost": ("catboost", _catboost),
    "sklearn_hist": ("sklearn", _histogram),
    "lightgbm_defaults": ("lightgbm", _lightgbm),
}
"""Name to the module that it needs, and what makes it. Nothing is tuned, on either side."""


def other_libraries(fold: Fold, features: Sequence[str], seed: int) -> pd.DataFrame:
    """Fit those that are installed on the fold's panel; one ``p_<name>`` column each for its test rows."""
    train, test = (boosting_inputs(rows, features, fold.horizon) for rows in (fold.train, fold.test))
    some = np.isfinite(train).any(axis=0)  # scikit-learn refuses a column without a value
    kept = np.flatnonzero(some)
    categories = [int(np.searchsorted(kept, c)) for c in category_places(fold.train, features) if some[c]]
    bought = fold.train[f"y_purchased_{fold.horizon}d"].to_numpy()
    found: dict[str, Floats] = {}
    for name, (module, learn) in OTHERS.items():
        if find_spec(module) is not None:
            found[f"p_{name}"] = learn(train[:, some], bought, test[:, some], categories, seed)
    return pd.DataFrame(found)
