"""Every candidate side by side, with the intervals that decide."""

from collections.abc import Callable, Mapping, Sequence
from math import nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.amount_metrics import decile_mape, rmsle, spearman
from models.folds import ORDERS_NAME, best_rule, log_loss_differences, measure
from models.metrics import aggregate_bias, mae, normalised_gini, rmse
from models.purchase import RECIPES, Recipe

Floats = NDArray[np.float64]

REFERENCE = "bgnbd"
RELATIVE = ("gini", "spearman", "decile_mape", "bias")
"""Measures of a ranking of what came, or relative to its sum."""


def leaderboard(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure every probability column of a fold table.

    Parameters
    ----------
    table : DataFrame
        From `models.folds.fold_table`; further ``p_<name>`` columns, such as stored versions, take part.
    seed : int
        For the bootstrap.

    Returns
    -------
    DataFrame
        Best first, one row per candidate: the measures, ``is_rule``, and how much lower its log-loss is than
        that of the best dumb rule and of BG/NBD alone (``over_rule``, ``over_bgnbd``, with ``_lo`` and
        ``_hi``, paired 95 % intervals).
    """
    names = [c.removeprefix("p_") for c in table.columns if c.startswith("p_")]
    board = measure(table, [f"p_{n}" for n in names])
    board["is_rule"] = [n in RECIPES and RECIPES[n].is_rule for n in names]
    for label, reference in (("over_rule", best_rule(table).name), ("over_bgnbd", REFERENCE)):
        board = board.assign(**gains_over(table, label, reference, names, seed))
    return board.sort_values(["log_loss", "candidate"])


def gains_over(
    table: pd.DataFrame, label: str, reference: str, names: Sequence[str], seed: int
) -> dict[str, tuple[float, ...]]:
    """Columns that say how much lower each candidate's log-loss is than the reference's.

    Returns
    -------
    dict of str to tuple of float
        ``label``, and the ends of the paired 95 % interval, ``<label>_lo`` and ``<label>_hi``, in the order
        of `names`.
    """
    found = log_loss_differences(table, f"p_{reference}", [f"p_{name}" for name in names], seed)
    return dict(zip((label, f"{label}_lo", f"{label}_hi"), zip(*found.values(), strict=True), strict=True))


def orders_board(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Measure expected orders: the dumb rules, BG/NBD's purchase days, and the winner.

    Returns
    -------
    DataFrame
        One row per candidate, as `models.folds.measure_orders`; never to be judged by ``mae`` alone, which
        rewards promising too little.
    """
    expected = {
        "formula": table["formula_orders"].to_numpy(),
        "last_period": table["last_period_orders"].to_numpy(),
        "bgnbd": table["bgnbd_orders"].to_numpy(),
        f"{recipe.name}_orders": (table[f"p_{recipe.name}"] * table[ORDERS_NAME]).to_numpy(),
    }
    return measure_orders(table, expected)


def spend_board(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Measure expected spend: the dumb rules, BG/NBD × Gamma-Gamma, and the winner with each spend model.

    Returns
    -------
    DataFrame
        One row per candidate, as `models.folds.measure_spend`; empty where the log has no amounts.
    """
    if "if_any_btyd_spend" not in table or table["if_any_btyd_spend"].isna().any():
        return pd.DataFrame(columns=["gini", "spearman", "decile_mape", "bias"])
    p = table[f"p_{recipe.name}"].to_numpy()
    return measure_spend(
        table,
        {
            "formula": table["formula_spend"].to_numpy(),
            "last_period": table["last_period_spend"].to_numpy(),
            "bgnbd_gamma_gamma": (table["p_bgnbd"] * table["if_any_btyd_spend"]).to_numpy(),
            f"{recipe.name}_gamma_gamma": p * table["if_any_btyd_spend"].to_numpy(),
            f"{recipe.name}_both": p * table["if_any_both_spend"].to_numpy(),
            f"{recipe.name}_boosting": p * table["if_any_boosting_spend"].to_numpy(),
        },
    )


def measure_spend(table: pd.DataFrame, expected: Mapping[str, Floats]) -> pd.DataFrame:
    """Measure expected spend on test rows.

    Returns
    -------
    DataFrame
        One row per candidate: ``gini`` (normalised), ``spearman``, ``decile_mape`` and ``bias`` (relative, of
        the sum). NaN where nobody spent anything.
    """
    measures = {
        "gini": normalised_gini, "spearman": spearman, "decile_mape": decile_mape, "bias": aggregate_bias,
    }  # fmt: skip
    return _measured(table["spend"].to_numpy(), expected, measures)


def measure_orders(table: pd.DataFrame, expected: Mapping[str, Floats]) -> pd.DataFrame:
    """Measure expected orders on test rows.

    Returns
    -------
    DataFrame
        One row per candidate: ``mae``, ``rmse``, ``rmsle`` and ``bias`` (relative, of the sum; NaN where
        nobody bought).
    """
    measures = {"mae": mae, "rmse": rmse, "rmsle": rmsle, "bias": aggregate_bias}
    return _measured(table["orders"].to_numpy(), expected, measures)


def _measured(
    actual: Floats, expected: Mapping[str, Floats], measures: Mapping[str, Callable[[Floats, Floats], float]]
) -> pd.DataFrame:
    def value(label: str, said: Floats) -> float:
        return nan if label in RELATIVE and not actual.any() else measures[label](actual, said)

    rows = [
        {"candidate": name} | {label: value(label, e) for label in measures} for name, e in expected.items()
    ]
    return pd.DataFrame(rows).set_index("candidate")
