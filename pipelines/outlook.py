"""What a run expects of all customers together, beside what they brought lately."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from models.reference import Counts, added
from models.scorer import Scorer

Outlook = dict[str, float | int | None]


@dataclass(frozen=True)
class Sums:
    """What is added up over customers, a piece of them at a time.

    Parameters
    ----------
    oldest : int
        Days since the first purchase of the customer of whom that is longest ago.
    buyers, orders, spend : float
        Expected within the primary horizon.
    variance : float
        Of the spend, by chance alone; 0 where a model does not know it.
    recent_orders, recent_spend : float
        Placed, and spent, in as many days before.
    counts : dict of str to list of int
        Customers by bin of the champion's reference, if it has one.

    Examples
    --------
    >>> (Sums(oldest=30, buyers=1.5) + Sums(oldest=90, buyers=0.25)).buyers
    1.75
    """

    oldest: int = 0
    buyers: float = 0.0
    orders: float = 0.0
    spend: float = 0.0
    variance: float = 0.0
    recent_orders: float = 0.0
    recent_spend: float = 0.0
    counts: Counts = field(default_factory=dict)

    def __add__(self, other: Sums) -> Sums:
        """Take two pieces together."""
        numbers = [f.name for f in fields(self) if f.name != "counts"]
        both = {name: getattr(self, name) + getattr(other, name) for name in numbers}
        oldest, is_first = max(self.oldest, other.oldest), not self.counts
        counts = other.counts if is_first else added(self.counts, other.counts)
        return Sums(**both | {"oldest": oldest, "counts": counts})

    @classmethod
    def of(cls, scores: pd.DataFrame, frame: pd.DataFrame, scorer: Scorer) -> Sums:
        """Add up a piece.

        Parameters
        ----------
        scores : DataFrame
            Score columns, one row per customer.
        frame : DataFrame
            The features they were scored on.
        scorer : Scorer
            The champion.
        """
        h = scorer.primary_horizon
        p = scores[f"p_purchase_{h}d"].to_numpy()
        oldest = int(frame["T"].max())
        counts = scorer.reference.count(frame, scores) if scorer.reference else {}
        counted = {
            "buyers": float(p.sum()),
            "orders": float(scores[f"expected_orders_{h}d"].sum()),
            "recent_orders": float(frame[f"orders_{h}d"].sum()),
        }
        if not scorer.has_amounts:
            return cls(oldest, **counted, counts=counts)
        spend = scores[f"expected_spend_{h}d"].to_numpy()
        by_chance = (
            0.0
            if scorer.spend_range is None
            else float(scorer.spend_range.variance(p, spend / np.maximum(p, 1e-12)).sum())
        )
        recent = float(frame[f"spend_{h}d"].sum())
        spent = {"spend": float(spend.sum()), "variance": by_chance, "recent_spend": recent}
        return cls(oldest, **counted, **spent, counts=counts)


def outlook(sums: Sums, scorer: Scorer) -> Outlook:
    """Say what is expected within the primary horizon, and what came in as many days before.

    Parameters
    ----------
    sums : Sums
        Of all customers.
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
    found: Outlook = {
        "days": h,
        "buyers": sums.buyers,
        "orders": sums.orders,
        "recent_days": min(h, sums.oldest),
        "recent_orders": sums.recent_orders,
    }
    if not scorer.has_amounts:
        return found
    ends: tuple[float | None, float | None] = (None, None)
    if scorer.spend_range is not None:
        ends = scorer.spend_range.interval_of_sum(sums.spend, sums.variance)
    return found | {
        "spend": sums.spend,
        "spend_lo": ends[0],
        "spend_hi": ends[1],
        "recent_spend": sums.recent_spend,
    }


def outlook_lines(found: Outlook, currency: str | None) -> list[str]:
    """Say it in two lines: what is expected, and what came lately.

    Examples
    --------
    >>> outlook_lines({"days": 90, "orders": 7.0, "recent_days": 30, "recent_orders": 2.0}, None)
    ['these customers should place about 7 orders in the next 90 days', 'in the last 30 days they placed 2']
    """
    days, recent_days, unit = found["days"], found["recent_days"], f" {currency}" if currency else ""
    if found.get("spend") is None:
        return [
            f"these customers should place about {found['orders']:,.0f} orders in the next {days} days",
            f"in the last {recent_days} days they placed {found['recent_orders']:,.0f}",
        ]
    low, high = found["spend_lo"], found["spend_hi"]
    between = "" if low is None else f" ({low:,.0f} to {high:,.0f}, 4 times in 5)"
    return [
        f"these customers should spend about {found['spend']:,.0f}{unit}{between} in the next {days} days",
        f"in the last {recent_days} days they spent {found['recent_spend']:,.0f}{unit}",
    ]
