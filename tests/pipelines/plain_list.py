"""The list of those to act on, made by pandas in memory: what ours is held against."""

import pandas as pd

from pipelines.risk_list import LISTED_TIERS, list_columns
from pipelines.score_file import HISTORY


def risk_list(scores: pd.DataFrame, horizon: int, clv_horizon: int) -> pd.DataFrame:
    """Rank those to act on by value at risk.

    Listed are scored customers of the upper two risk tiers: not those too new to judge, nor those so long
    gone that a purchase within the CLV horizon is unlikely.

    Parameters
    ----------
    scores : DataFrame
        Score columns, one row per customer.
    horizon, clv_horizon : int
        Days.
    """
    listed = scores[(scores["status"] == "scored") & scores["risk_tier"].isin(LISTED_TIERS)]
    ranked = listed.sort_values(["value_at_risk", "customer_id"], ascending=[False, True], kind="stable")
    ranked = ranked[[*list_columns(horizon, clv_horizon), *HISTORY]].reset_index(drop=True)
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return ranked
