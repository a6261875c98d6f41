"""Out-of-time folds: every candidate is refitted before each, and judged on customers as they went on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.baselines import expected_orders_by_formula, expected_spend_by_formula
from models.bootstrap import Interval, paired_interval, paired_intervals
from models.btyd import fit_btyd
from models.categories import learn_categories, with_categories
from models.metrics import auc, brier, ece, lift, log_loss, log_loss_rows, pr_auc
from models.purchase import RECIPES, Recipe, fit_part
from models.value import fit_value, fit_values, gamma_deviance_rows

Floats = NDArray[np.float64]

PART_NAMES = tuple(dict.fromkeys(name for recipe in RECIPES.values() for name in recipe.weights))
VALUE_NAME = "value"
ORDERS_NAME = "orders_if_any"
SPEND_MODELS = {"btyd_spend": 0.0, "both_spend": 0.5, "boosting_spend": 1.0}
"""Name to the weight of the trees in what a buyer spends (`models.value.ValueModel`)."""
MEASURES: Mapping[str, Callable[[Floats, Floats], float]] = {
    "log_loss": log_loss, "brier": brier, "auc": auc, "pr_auc": pr_auc, "ece": ece, "lift_10": lift,
}  # fmt: skip
RANKING = ("auc", "pr_auc", "lift_10")
"""Measures of the order that a candidate puts customers in."""
TIE = 0.001
"""Difference in log-loss below which two recipes are as good."""


@dataclass(frozen=True)
class Fold:
    """One test cutoff, with all that may be learned before it.

    Parameters
    ----------
    train : DataFrame
        Panel rows whose label for `horizon` ends at or before the test cutoff.
    test : DataFrame
        Panel rows at the test cutoff.
    horizon : int
        Days.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    horizon: int


def make_fold(panel: pd.DataFrame, cutoff: pd.Timestamp, horizon: int) -> Fold:
    """Split a panel so that no training label reaches past the test cutoff, and no category does."""
    train, test = labelled_by(panel, cutoff, horizon), panel[panel["cutoff"] == cutoff]
    known = learn_categories(train)
    return Fold(with_categories(train, known), with_categories(test, known), horizon)


def labelled_by(panel: pd.DataFrame, cutoff: pd.Timestamp, horizon: int) -> pd.DataFrame:
    """Keep the rows whose label was known at a cutoff.

    It ends `horizon` days after the row's own cutoff, or where the panel's column `label_end` says.
    """
    named = label_end(horizon)
    ends = panel[named] if named in panel else panel["cutoff"] + pd.Timedelta(days=horizon)
    known: pd.DataFrame = panel[ends <= cutoff]
    return known


def label_end(horizon: int) -> str:
    """Name the column that says where labels of `horizon` days end, in a log not dated by the day."""
    return f"label_end_{horizon}d"


def run_part(name: str, fold: Fold, features: Sequence[str], seed: int) -> dict[str, Floats]:
    """Fit one part on a fold and predict its test rows.

    Returns
    -------
    dict
        ``{part: probability}``; for the value part, each spend candidate's spend given a purchase; for the
        orders part, the orders given a purchase.
    """
    if name == ORDERS_NAME:
        btyd = fit_btyd(fold.test, has_amounts=False)
        model = fit_value(fold.train, btyd, fold.horizon, features, trees_weight=0.0, seed=seed)
        return {name: model.orders_if_any(fold.test, fold.horizon)}
    if name == VALUE_NAME:
        return _run_value(fold, features, seed)
    part = fit_part(name, fold.train, fold.test, fold.horizon, features, seed)
    return {name: part.predict(fold.test, fold.horizon)}


def _run_value(fold: Fold, features: Sequence[str], seed: int) -> dict[str, Floats]:
    btyd, weights = fit_btyd(fold.test, has_amounts=True), [*SPEND_MODELS.values()]
    models = fit_values(fold.train, btyd, fold.horizon, features, trees_weights=weights, seed=seed)
    said = (model.spend_if_any(fold.test, [fold.horizon])[fold.horizon] for model in models)
    return dict(zip(SPEND_MODELS, said, strict=True))


def fold_table(fold: Fold, parts: Mapping[str, Floats]) -> pd.DataFrame:
    """Lay the test rows of a fold beside every candidate's prediction.

    Returns
    -------
    DataFrame
        ``cutoff, customer_id, bought, orders, spend``, ``p_<recipe>`` for each recipe, ``orders_if_any``, and
        ``if_any_<spend model>`` for each spend model; ``formula_`` and ``last_period_`` orders and spend are
        the dumb rules, ``bgnbd_orders`` the purchase days that BG/NBD expects.
    """
    h, test = fold.horizon, fold.test
    table = what_came(test, h)
    table["bgnbd_orders"] = (test[f"btyd_p_purchase_{h}d"] * test[f"btyd_days_if_any_{h}d"]).to_numpy()
    table |= {f"p_{r.name}": r.blend(parts) for r in RECIPES.values()}
    table |= {ORDERS_NAME: parts[ORDERS_NAME]} if ORDERS_NAME in parts else {}
    table |= {f"if_any_{n}": parts[n] for n in SPEND_MODELS if n in parts}
    return pd.DataFrame(table)


def what_came(test: pd.DataFrame, horizon: int) -> dict[str, Any]:
    """Columns of what happened to test rows within the horizon, and of what dumb rules expected of them."""
    h = horizon
    return {
        "cutoff": test["cutoff"].to_numpy(),
        "customer_id": test["customer_id"].to_numpy(),
        "bought": test[f"y_purchased_{h}d"].to_numpy(),
        "orders": test[f"y_orders_{h}d"].to_numpy(),
        "spend": test[f"y_spend_{h}d"].to_numpy(),
        "formula_orders": expected_orders_by_formula(test, h),
        "last_period_orders": test[f"orders_{h}d"].to_numpy(),
        "formula_spend": expected_spend_by_formula(test, h),
        "last_period_spend": test[f"spend_{h}d"].to_numpy(),
    }


def measure(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Measure probability columns on test rows.

    Parameters
    ----------
    table : DataFrame
        From `fold_table`, one or more folds.
    columns : sequence of str
        Probability columns.

    Returns
    -------
    DataFrame
        One row per column: ``log_loss, brier, auc, pr_auc, ece, lift_10``. Measures of the ranking are NaN
        where everyone bought or nobody did: there is nothing to rank.
    """
    bought = table["bought"].to_numpy()
    both = has_both(bought)

    def value(name: str, p: Floats) -> float:
        return MEASURES[name](bought, p) if both or name not in RANKING else float("nan")

    rows = [
        {"candidate": column.removeprefix("p_")}
        | {name: value(name, table[column].to_numpy()) for name in MEASURES}
        for column in columns
    ]
    return pd.DataFrame(rows).set_index("candidate")


def has_both(bought: Floats) -> bool:
    """Whether some bought and some did not."""
    return bool(bought.min() < bought.max())


def log_loss_differences(
    table: pd.DataFrame, reference: str, columns: Sequence[str], seed: int
) -> dict[str, Interval]:
    """Paired differences of log-loss, `reference` minus each column: above 0 means the column is better."""
    bought = table["bought"].to_numpy()
    losses = {c: log_loss_rows(bought, table[c].to_numpy()) for c in {reference, *columns}}
    theirs = np.column_stack([losses[c] for c in columns])
    found = paired_intervals(table["customer_id"].to_numpy(), losses[reference][:, None], theirs, seed=seed)
    return dict(zip(columns, found, strict=True))


def log_loss_difference(table: pd.DataFrame, a: str, b: str, seed: int) -> Interval:
    """Paired difference of log-loss, column `a` minus column `b`: above 0 means that `b` is better."""
    return log_loss_differences(table, a, [b], seed)[b]


def choose_recipe(table: pd.DataFrame, rule: Recipe, seed: int) -> Recipe:
    """Choose a learned recipe that clearly beats the best dumb rule; where none does, that rule.

    Where everyone bought or nobody did, the rule: there is no telling them apart.

    Clearly: the paired 95 % interval of the difference in log-loss excludes zero. The choice falls on the
    blend, unless the best of the others is clearly ahead of it: a mean of models is seldom far off, and which
    single one will be best after the folds, the folds hardly know (docs/decisions/0018). Where the blend is
    out, the best is chosen, or the simplest within `TIE` of it. The newer half of the folds is asked: the
    first have one or two cutoffs to learn from, and understate what learns from many.
    """
    if not has_both(table["bought"].to_numpy()):
        return rule
    learned = [r for r in RECIPES.values() if not r.is_rule]
    over = log_loss_differences(table, f"p_{rule.name}", [f"p_{r.name}" for r in learned], seed)
    able = [r for r in learned if over[f"p_{r.name}"].lo > 0]
    if not able:
        return rule
    newer, blend = newer_half(table), RECIPES["blend"]
    loss = measure(newer, [f"p_{r.name}" for r in able])["log_loss"]
    tied = [r for r in able if loss[r.name] <= loss.min() + TIE]
    if blend in tied:
        return blend
    if blend in able and log_loss_difference(newer, "p_blend", f"p_{loss.idxmin()}", seed).lo <= 0:
        return blend
    return min(tied, key=lambda r: r.complexity)


def newer_half(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the newer half of the folds; the middle one counts as new."""
    cutoffs = np.unique(table["cutoff"].to_numpy())
    newer: pd.DataFrame = table[table["cutoff"] >= cutoffs[len(cutoffs) // 2]]
    return newer


def best_rule(table: pd.DataFrame) -> Recipe:
    """Return the dumb rule with the lowest log-loss; where everyone bought or nobody did, the base rate."""
    if not has_both(table["bought"].to_numpy()):
        return RECIPES["base_rate"]  # nothing tells one customer from another
    rules = [f"p_{r.name}" for r in RECIPES.values() if r.is_rule]
    return RECIPES[str(measure(table, rules)["log_loss"].idxmin())]


def spend_model(trees_weight: float) -> str:
    """Name the spend model in which trees have this weight."""
    return next(name for name, weight in SPEND_MODELS.items() if weight == trees_weight)


def choose_trees_weight(table: pd.DataFrame, seed: int) -> float:
    """Choose how much trees say of what buyers spend: nothing, unless they are clearly better at it.

    Clearly: the paired 95 % interval of the difference in gamma deviance excludes zero. Of those weights, the
    one with the least deviance is chosen.
    """
    if "if_any_boosting_spend" not in table:
        return 0.0
    buyers = table[(table["bought"] == 1) & table["if_any_btyd_spend"].notna()]
    if buyers["customer_id"].nunique() < 2:  # an interval over customers needs two
        return 0.0
    spent = buyers["spend"].to_numpy()
    deviance = {
        w: gamma_deviance_rows(spent, buyers[f"if_any_{n}"].to_numpy()) for n, w in SPEND_MODELS.items()
    }
    able = [0.0]
    for weight in (w for w in deviance if w):
        gain = paired_interval(buyers["customer_id"].to_numpy(), deviance[0.0], deviance[weight], seed=seed)
        able += [weight] * (gain.lo > 0)
    return min(able, key=lambda weight: float(deviance[weight].mean()))
