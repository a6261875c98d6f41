"""What campaigns brought, as a table: by campaign, risk tier, lifecycle and channel."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from models.uplift import LEVEL, Effect, effect_of

MEASURES = ("buyers", "orders", "revenue", "profit")
BY = ("campaign", "risk_tier", "lifecycle", "channel")
LEAST_BUYERS = 5
"""Customers of each group who must have bought for an interval to be told."""
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
    is_contact, bought = rows["is_contact"].to_numpy(bool), rows["buyers"].to_numpy(np.float64) > 0
    buyers = [int(bought[some].sum()) for some in (is_contact, ~is_contact)]
    stratum, expected = rows["stratum"].to_numpy(object), rows["expected"].to_numpy(np.float64)
    for measure in MEASURES:
        outcome = rows[measure].to_numpy(np.float64)
        if not np.isnan(outcome).any():
            effect = effect_of(outcome, is_contact, stratum, expected, level)
            # Of a group of which hardly anybody bought, the spread is not known: it may look like none.
            if min(buyers) < LEAST_BUYERS:
                effect = replace(effect, low=np.nan, high=np.nan, needed=np.nan)
            yield measure, effect


def _figures(effect: Effect) -> dict[str, object]:
    totals = {
        "total": effect.each * effect.contacts,
        "total_low": effect.low * effect.contacts,
        "total_high": effect.high * effect.contacts,
    }
    return {**vars(effect), **totals, "verdict": effect.verdict}
