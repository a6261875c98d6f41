"""Who is ahead, by how much, and how sure that is: one row a customer, customers drawn with replacement."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from models.bootstrap import Interval
from models.folds import log_loss_difference
from models.metrics import auc, lift, normalised_gini

DRAWS = 300
ECE_LIMIT, BIAS_LIMIT = 0.03, 0.10
RANKERS = {
    "rank_recency": lambda test, _h: -test["days_since_last_order"],
    "rank_last_period": lambda test, h: test[f"orders_{h}d"],
    "rank_rate": lambda test, _h: test["n_orders"] / np.maximum(test["T"], 1),
}
"""What a spreadsheet sorts by. They give no probability, so that only the order can be judged."""


def statistic_difference(
    actual: np.ndarray, a: np.ndarray, b: np.ndarray, of: Callable[..., float], seed: int
) -> Interval:
    """Return ``of(actual, a) - of(actual, b)`` with a paired 95 % interval: above 0, a is ahead."""
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(len(actual), size=len(actual)) for _ in range(DRAWS))
    gaps = [of(actual[i], a[i]) - of(actual[i], b[i]) for i in drawn]
    low, high = np.quantile(gaps, [0.025, 0.975])
    return Interval(of(actual, a) - of(actual, b), float(low), float(high))


def rank_board(table: pd.DataFrame) -> pd.DataFrame:
    """Return the AUC of every ``rank_`` column."""
    bought = table["bought"].to_numpy()
    ranks = [str(c) for c in table.columns if str(c).startswith("rank_")]
    found = [auc(bought, table[c].to_numpy()) for c in ranks]
    return pd.DataFrame({"auc": found}, index=ranks)


def duels(table: pd.DataFrame, champion: str, rivals: dict[str, str], seed: int) -> dict[str, Any]:
    """Hold the champion against each rival: log-loss gained, AUC and lift ahead, with intervals.

    Parameters
    ----------
    table : DataFrame
        From `models.folds.fold_table`, of one cutoff.
    champion : str
        A candidate.
    rivals : dict of str to str
        Why a rival matters, to its column.
    seed : int
        For the draws.
    """
    bought, own = table["bought"].to_numpy(), table[f"p_{champion}"].to_numpy()
    found: dict[str, Any] = {}
    for role, column in rivals.items():
        other = table[column].to_numpy()
        duel: dict[str, Any] = {
            "rival": column.removeprefix("p_"),
            "auc": statistic_difference(bought, own, other, auc, seed),
            "lift_10": statistic_difference(bought, own, other, lift_of_scores, seed),
        }
        if column.startswith("p_"):
            duel["log_loss"] = log_loss_difference(table, column, f"p_{champion}", seed)
        found[role] = duel
    return found


def lift_of_scores(y: np.ndarray, score: np.ndarray) -> float:
    """Top-decile lift of any score: `models.metrics.lift` wants a probability."""
    low, high = score.min(), score.max()
    return lift(y, (score - low) / max(high - low, 1e-300))


def gini_duels(
    spend: np.ndarray, expected: dict[str, np.ndarray], own: str, rivals: Iterable[str], seed: int
) -> dict[str, Interval]:
    """Return how far ahead in normalised Gini the champion's expected spend is of each rival's."""
    return {
        rival: statistic_difference(spend, expected[own], expected[rival], normalised_gini, seed)
        for rival in rivals
        if rival != own
    }


def marked(value: float, limit: float, form: str) -> str:
    """Write a number, with a mark where it is farther from zero than its limit."""
    return f"{value:{form}}{'!' if abs(value) > limit else ' '}"
