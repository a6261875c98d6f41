"""All figures of one evaluation, as plain values."""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy_data import Evaluation
from benchmarks.accuracy_doubt import spend_doubt
from benchmarks.accuracy_figures import duels, gini_duels, rank_board
from benchmarks.accuracy_others import OTHERS
from benchmarks.accuracy_run import Judged
from models.folds import ORDERS_NAME, SPEND_MODELS, measure
from models.leaderboard import measure_orders, measure_spend
from models.purchase import RECIPES

Expected = dict[str, np.ndarray]
BASELINE = "bgnbd_gamma_gamma"


def facts_of(evaluation: Evaluation, judged: Judged, seed: int) -> dict[str, Any]:
    """Measure the test customers of an evaluation.

    Returns
    -------
    dict
        Boards as lists of rows, best first; intervals as ``(mean, lo, hi)``.
    """
    table, champion = judged.table, judged.champion.name
    board = measure(table, [c for c in table.columns if c.startswith("p_")]).sort_values("log_loss")
    board["is_rule"] = [n in RECIPES and RECIPES[n].is_rule for n in board.index]
    board["is_other"] = [n in OTHERS for n in board.index]
    if champion not in board.index:  # a rule has nothing to say of a horizon that has no label
        champion = "bgnbd"
    ranks = rank_board(table).sort_values("auc", ascending=False)
    rivals = {"best": f"p_{board.index[board.index != champion][0]}", "bgnbd": "p_bgnbd"}
    if board["is_rule"].any():
        rivals["dumb rule"] = f"p_{board.index[board['is_rule']][0]}"
    rivals["dumb rank"] = str(ranks.index[0])
    own_orders, orders = _orders(table, champion)
    own_spend, spend = _spend(table, champion, judged.spend_model)
    orders_board, spend_board = measure_orders(table, orders), measure_spend(table, spend)
    best_spend = str(spend_board.drop(own_spend)["gini"].idxmax())
    money = table["spend"].to_numpy()
    return {
        "name": evaluation.name,
        "customers": len(table),
        "base_rate": float(table["bought"].mean()),
        "champion": champion,
        "rule_of_folds": judged.rule.name,
        "folds": judged.folds,
        "judged_horizon": judged.judged_horizon,
        "spend_model": judged.spend_model,
        "probabilities": _rows(board),
        "ranks": _rows(ranks),
        "orders": _rows(orders_board),
        "spend": _rows(spend_board),
        "duels": duels(table, champion, rivals, seed),
        "gini": gini_duels(money, spend, own_spend, dict.fromkeys([best_spend, BASELINE]), seed),
        "champion_bias": {
            "orders": float(orders_board.loc[own_orders, "bias"]),
            "spend": float(spend_board.loc[own_spend, "bias"]),
        },
        "doubt": spend_doubt(table, f"p_{champion}", f"if_any_{judged.spend_model}", judged.spend_range),
    }


def _orders(table: pd.DataFrame, champion: str) -> tuple[str, Expected]:
    """Say whose expected orders are the champion's, and lay out everybody's."""
    expected = {
        name: table[f"{name}_orders"].to_numpy(np.float64) for name in ("formula", "last_period", "bgnbd")
    }
    if ORDERS_NAME in table:
        own = (table[f"p_{champion}"] * table[ORDERS_NAME]).to_numpy()
        return f"{champion}_orders", expected | {f"{champion}_orders": own}
    published = {f"{n}_orders": table[f"orders_{n}"].to_numpy() for n in RECIPES if f"orders_{n}" in table}
    return f"{champion}_orders", expected | published


def _spend(table: pd.DataFrame, champion: str, spend_model: str) -> tuple[str, Expected]:
    """Say whose expected spend is the champion's, and lay out everybody's."""
    expected = {name: table[f"{name}_spend"].to_numpy(np.float64) for name in ("formula", "last_period")}
    if "spend_bgnbd" in table:
        published = {n: table[f"spend_{n}"].to_numpy() for n in RECIPES if f"spend_{n}" in table}
        return champion, expected | {BASELINE: table[BASELINE].to_numpy()} | published
    expected[BASELINE] = (table["p_bgnbd"] * table["if_any_btyd_spend"]).to_numpy()
    for model in SPEND_MODELS:
        expected[f"{champion}_{model}"] = (table[f"p_{champion}"] * table[f"if_any_{model}"]).to_numpy()
    return f"{champion}_{spend_model}", expected


def _rows(board: pd.DataFrame) -> list[dict[str, Any]]:
    named = board.rename_axis("candidate").reset_index()
    return [dict(zip(named.columns, row, strict=True)) for row in named.astype(object).to_numpy().tolist()]
