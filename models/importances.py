"""Which inputs move a scorer's probabilities, and how much, over all customers."""

import pandas as pd

from models.contributions import contributions
from models.scorer import Scorer

SAMPLE = 2000
"""Customers that are looked at: more would move a mean by little, and cost seconds."""


def importances(scorer: Scorer, customers: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure every input of a scorer's purchase probability at its primary horizon.

    Parameters
    ----------
    scorer : Scorer
        Fitted.
    customers : DataFrame
        Feature rows; `SAMPLE` of them are drawn.
    seed : int
        Of the draw.

    Returns
    -------
    DataFrame
        ``feature``, ``importance`` (mean absolute distance from the average customer's contribution, in
        log-odds), ``share`` of the sum; the largest first. Empty for a scorer that tells nobody apart.
    """
    parts = scorer.purchase.parts
    horizon = scorer.primary_horizon if scorer.primary_horizon in parts else max(parts)
    drawn = customers.sample(min(SAMPLE, len(customers)), random_state=seed)
    rows = scorer.rows(drawn, sorted(parts))
    added = contributions(scorer.purchase.recipe.weights, parts[horizon], rows, horizon)
    found = (added - added.mean()).abs().mean()
    table = pd.DataFrame({"feature": found.index.astype(str), "importance": found.to_numpy(float)})
    table = table.sort_values(["importance", "feature"], ascending=[False, True], ignore_index=True)
    return table.assign(share=table["importance"] / max(float(table["importance"].sum()), 1e-12))
