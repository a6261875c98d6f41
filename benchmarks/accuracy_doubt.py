"""Whether the 80 % intervals of spend held what came: of groups of customers, and of those sure to buy."""

from typing import Any

import numpy as np
import pandas as pd

from models.spend_range import SpendRange

SURE = 0.9
"""From this probability of a purchase on, nearly all of an interval is about what is spent."""
FEW = 200
"""Smaller groups are not looked at."""


def spend_doubt(table: pd.DataFrame, p: str, if_any: str, known: SpendRange | None) -> dict[str, Any]:
    """Hold the intervals against the spend of the test customers.

    Parameters
    ----------
    table : DataFrame
        Test rows with ``spend``.
    p, if_any : str
        Columns: the chance of a purchase, and the spend it would bring.
    known : SpendRange or None
        Learned on the folds before.

    Returns
    -------
    dict
        ``groups``: of each third by expected spend its ``customers, spend, lo, hi, held``; ``sure``: how many
        are sure to buy, and the share of them whose spend was held. Empty where there are no intervals.
    """
    if known is None or if_any not in table:
        return {}
    rows = table.assign(p=table[p], if_any=table[if_any])
    third = np.argsort(np.argsort((rows["p"] * rows["if_any"]).to_numpy(), kind="stable")) * 3 // len(rows)
    groups = [_group(part, known) for _, part in rows.groupby(third) if len(part) >= FEW]
    sure = rows[rows["p"] >= SURE]
    low, high = known.interval(sure["p"].to_numpy(), sure["if_any"].to_numpy())
    held = sure["spend"].between(pd.Series(low, sure.index), pd.Series(high, sure.index))
    return {
        "groups": groups,
        "sure": {"customers": len(sure), "held": float(held.mean()) if len(sure) else None},
    }


def _group(rows: pd.DataFrame, known: SpendRange) -> dict[str, Any]:
    low, high = known.total_interval(rows["p"].to_numpy(), rows["if_any"].to_numpy())
    spend = float(rows["spend"].sum())
    return {"customers": len(rows), "spend": spend, "lo": low, "hi": high, "held": low <= spend <= high}


def doubt_line(found: dict[str, Any]) -> str:
    """Say it in one line; empty where nothing is known."""
    if not found:
        return ""
    groups, sure = found["groups"], found["sure"]
    said = f"80 % intervals of spend held {sum(g['held'] for g in groups)} of {len(groups)} sums of thirds"
    if sure["customers"]:
        said += f", and {sure['held']:.3f} of the {sure['customers']:,} customers with P(purchase) >= {SURE}"
    return said
