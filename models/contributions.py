"""How much each input of a recipe's parts adds to its log-odds: exact, input by input."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from models.baselines import BinnedRule
from models.classifier import Boosting, boosting_contributions
from models.logistic import BTYD_SAID, Logistic, btyd_log_odds, logistic_contributions
from models.pareto_nbd import ParetoNbd
from models.purchase import BtydPart, Part

Floats = NDArray[np.float64]
_TINY = 1e-9
RULE_INPUTS = {
    "recency_rule": "days_since_last_order",
    "last_period_rule": "orders_{horizon}d",
    "formula_rule": "formula",
}
"""The number by which a rule tells customers apart; the base rate tells none."""


def contributions(
    weights: Mapping[str, float], parts: Mapping[str, Part], rows: pd.DataFrame, horizon: int
) -> pd.DataFrame:
    """Split the log-odds of a blend over the inputs of its parts.

    Parameters
    ----------
    weights : Mapping[str, float]
        Part to its weight in logit space (`models.purchase.Recipe`).
    parts : Mapping[str, Part]
        Fitted for `horizon`.
    rows : DataFrame
        Feature rows with their ``btyd_`` columns.
    horizon : int
        Days.

    Returns
    -------
    DataFrame, shape (n, inputs)
        In log-odds. The columns of a row add up to the blend's log-odds but for a constant, which is the same
        for all customers and falls out of every comparison of two of them.
    """
    total: dict[str, Floats] = {}
    for name, weight in weights.items():
        for column, added in part_contributions(parts[name], rows, horizon).items():
            total[column] = total.get(column, 0.0) + weight * added
    return pd.DataFrame(total, index=rows.index)


def part_contributions(part: Part, rows: pd.DataFrame, horizon: int) -> dict[str, Floats]:
    """Split the log-odds of one part over its inputs, up to a constant; each array has shape (n,)."""
    if isinstance(part, Logistic):
        return logistic_contributions(part, rows, horizon)
    if isinstance(part, Boosting):
        found = boosting_contributions(part.trees, rows, part.features, horizon)
        if part.from_btyd:
            found[BTYD_SAID[0]] = found[BTYD_SAID[0]] + btyd_log_odds(rows, horizon)
        return found
    if isinstance(part, BtydPart | ParetoNbd):
        return {BTYD_SAID[0]: _log_odds(part, rows, horizon)}
    if isinstance(part, BinnedRule):
        said = RULE_INPUTS.get(part.name)
        return {said.format(horizon=horizon): _log_odds(part, rows, horizon)} if said else {}
    raise TypeError(f"unknown part {type(part).__name__}")


def _log_odds(part: Part, rows: pd.DataFrame, horizon: int) -> Floats:
    odds: Floats = logit(np.clip(part.predict(rows, horizon), _TINY, 1 - _TINY))
    return odds
