"""Every candidate side by side, with the intervals that decide."""

import pandas as pd

from models.folds import best_rule, log_loss_differences, measure, measure_spend
from models.purchase import RECIPES, Recipe

REFERENCE = "bgnbd"


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
        gains = log_loss_differences(table, f"p_{reference}", [f"p_{n}" for n in names], seed)
        board[label], board[f"{label}_lo"], board[f"{label}_hi"] = zip(*gains.values(), strict=True)
    return board.sort_values(["log_loss", "candidate"])


def spend_board(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Measure expected spend: the dumb rules, BG/NBD × Gamma-Gamma, and the winner with each spend model.

    Returns
    -------
    DataFrame
        One row per candidate, as `models.folds.measure_spend`; empty where the log has no amounts.
    """
    if "if_any_btyd_spend" not in table or table["if_any_btyd_spend"].isna().any():
        return pd.DataFrame(columns=["gini", "bias"])
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
