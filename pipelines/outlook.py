"""What a run expects of all customers together, beside what they brought lately."""

import numpy as np
import pandas as pd

from models.scorer import Scorer

Outlook = dict[str, float | int | None]


def outlook(scores: pd.DataFrame, frame: pd.DataFrame, scorer: Scorer) -> Outlook:
    """Add up what is expected within the primary horizon, and what came in as many days before.

    Parameters
    ----------
    scores : DataFrame
        Score columns, one row per customer.
    frame : DataFrame
        The features they were scored on, in any order.
    scorer : Scorer
        The champion.

    Returns
    -------
    dict
        ``days``; ``buyers`` and ``orders`` expected; ``recent_orders`` within ``recent_days``, fewer where
        the log is not as old; and, where the log has amounts,
        ``spend`` expected with the ends of its 80 % interval (None where a model does not know them) and
        ``recent_spend``. Customers who are yet to come are in none of what is expected, and those who came
        lately are in what came.
    """
    h = scorer.primary_horizon
    p = scores[f"p_purchase_{h}d"].to_numpy()
    found: Outlook = {
        "days": h,
        "buyers": float(p.sum()),
        "orders": float(scores[f"expected_orders_{h}d"].sum()),
        "recent_days": min(h, int(frame["T"].max())),
        "recent_orders": float(frame[f"orders_{h}d"].sum()),
    }
    if not scorer.has_amounts:
        return found
    spend = scores[f"expected_spend_{h}d"].to_numpy()
    ends: tuple[float | None, float | None] = (None, None)
    if scorer.spend_range is not None:
        ends = scorer.spend_range.total_interval(p, spend / np.maximum(p, 1e-12))
    recent = float(frame[f"spend_{h}d"].sum())
    return found | {
        "spend": float(spend.sum()),
        "spend_lo": ends[0],
        "spend_hi": ends[1],
        "recent_spend": recent,
    }


def outlook_line(found: Outlook, currency: str | None) -> str:
    """Say it in one sentence."""
    days, unit = found["days"], f" {currency}" if currency else ""
    if found.get("spend") is None:
        return (
            f"these customers should place about {found['orders']:,.0f} orders in the next {days} days; "
            f"in the last {found['recent_days']} days they placed {found['recent_orders']:,.0f}"
        )
    low, high = found["spend_lo"], found["spend_hi"]
    between = "" if low is None else f" ({low:,.0f} to {high:,.0f}, 4 times in 5)"
    return (
        f"these customers should spend about {found['spend']:,.0f}{unit}{between} in the next {days} days; "
        f"in the last {found['recent_days']} days they spent {found['recent_spend']:,.0f}{unit}"
    )
