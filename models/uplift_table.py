"""What campaigns brought, as a table: by campaign, risk tier, lifecycle and channel."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from models.uplift import LEVEL, Effect, effect_of

MEASURES = ("buyers", "orders", "revenue", "profit")
BY = ("campaign", "risk_tier", "lifecycle", "channel")
COLUMNS = [
    "campaign", "by", "group", "measure", "contacts", "controls", "alone", "each", "low", "high", "total",
    "total_low", "total_high", "needed", "verdict",
]  # fmt: skip


def incremental(rows: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Say what each campaign brought beyond what would have come anyway.

    Parameters
    ----------
    rows : DataFrame
        One row a customer and campaign: ``campaign``, ``is_contact`` (as drawn), ``stratum``, ``risk_tier``,
        ``lifecycle`` and ``channel`` (all known before the draw; an empty one is not known), ``expected``
        spend, and what came: ``buyers`` (1 or 0), ``orders``, ``revenue``, ``profit`` (NaN throughout where
        it is not known).
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, a row a campaign, group and measure: ``each`` is how much more a customer
        brought for being drawn to be contacted, between ``low`` and ``high``; ``total`` the same of all who
        were. ``alone``, ``needed`` and ``verdict`` as in `models.uplift.Effect`.

    Examples
    --------
    >>> rows = pd.DataFrame({"campaign": "list", "is_contact": [True, False] * 50, "stratum": "high",
    ...     "risk_tier": "high", "lifecycle": "", "channel": "", "expected": 1.0,
    ...     "buyers": [1.0, 0, 1, 1] * 25, "orders": [1.0, 0, 2, 1] * 25,
    ...     "revenue": [30.0, 0, 50, 25] * 25, "profit": float("nan")})
    >>> incremental(rows)[["by", "group", "measure", "each", "total", "verdict"]].head(3)
             by group  measure  each   total verdict
    0  campaign  list   buyers   0.5    25.0    more
    1  campaign  list   orders   1.0    50.0    more
    2  campaign  list  revenue  27.5  1375.0    more
    """
    found = [
        {"campaign": campaign, "by": by, "group": group, "measure": measure, **_figures(effect)}
        for campaign, part in rows.groupby("campaign", sort=True)
        for by in BY
        for group, some in part.groupby(by, sort=True)
        if group
        for measure, effect in _effects(some, level)
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def _effects(rows: pd.DataFrame, level: float) -> Iterator[tuple[str, Effect]]:
    is_contact = rows["is_contact"].to_numpy(bool)
    stratum, expected = rows["stratum"].to_numpy(object), rows["expected"].to_numpy(np.float64)
    for measure in MEASURES:
        outcome = rows[measure].to_numpy(np.float64)
        if not np.isnan(outcome).any():
            yield measure, effect_of(outcome, is_contact, stratum, expected, level)


def _figures(effect: Effect) -> dict[str, object]:
    totals = {
        "total": effect.each * effect.contacts,
        "total_low": effect.low * effect.contacts,
        "total_high": effect.high * effect.contacts,
    }
    return {**vars(effect), **totals, "verdict": effect.verdict}


def save_rate(found: pd.DataFrame, campaign: str) -> dict[str, float] | None:
    """Return the share of those who would not have bought whom the contact made buy.

    It is what ``[economics] save_rate`` assumes: how many more of those drawn to be contacted bought, over
    how many of those left alone did not.

    Parameters
    ----------
    found : DataFrame
        Of `incremental`.
    campaign : str
        Its id.

    Returns
    -------
    dict or None
        ``value, low, high``; None where nothing can be said, or everybody buys anyway.

    Examples
    --------
    >>> line = {"campaign": "list", "by": "campaign", "measure": "buyers", "alone": 0.6, "each": 0.04,
    ...     "low": -0.004, "high": 0.084}
    >>> {name: round(rate, 3) for name, rate in save_rate(pd.DataFrame([line]), "list").items()}
    {'value': 0.1, 'low': -0.01, 'high': 0.21}
    """
    rows = (found["campaign"] == campaign) & (found["by"] == "campaign") & (found["measure"] == "buyers")
    told = found[rows].to_dict("records")
    if not told or np.isnan(told[0]["low"]) or told[0]["alone"] >= 1:
        return None
    [line] = told
    lost = 1 - line["alone"]
    return {"value": line["each"] / lost, "low": line["low"] / lost, "high": line["high"] / lost}
