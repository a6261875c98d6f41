"""What BG/NBD said in the past against what happened: by cutoff, and by how often a customer had bought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models.findings import Finding
from models.inputs import Floats

OFF = 0.2
"""Share by which what happened must differ from what was expected to be worth a warning."""

CHANCE = 4.0
"""Standard errors beyond which a difference is not put down to chance: a class in fifteen thousand."""

CLASSES = 7
"""Frequencies from this one on are one class, as in Fader, Hardie and Lee (2005)."""


def check_predictions(panel: pd.DataFrame, horizon: int) -> list[Finding]:
    """Hold what BG/NBD said at past cutoffs against who bought.

    Parameters
    ----------
    panel : DataFrame
        ``cutoff, frequency, btyd_p_purchase_<h>d`` and ``y_purchased_<h>d``; rows whose label is not known
        yet are left out.
    horizon : int
        Days.

    Returns
    -------
    list of Finding
        Empty where no label is known.
    """
    known = panel[panel[f"y_purchased_{horizon}d"].notna()]
    rows = pd.DataFrame(
        {
            "cutoff": known["cutoff"],
            "frequency": known["frequency"],
            "bought": known[f"y_purchased_{horizon}d"].astype(float),
            "expected": known[f"btyd_p_purchase_{horizon}d"],
        }
    )
    if rows.empty:
        return []
    newest = rows[rows["cutoff"] == rows["cutoff"].max()]
    return [judge_season(rows, horizon), judge_classes(newest, horizon)]


def judge_season(rows: pd.DataFrame, horizon: int) -> Finding:
    """Judge whether one pace holds the whole year, as a model without a calendar says.

    Parameters
    ----------
    rows : DataFrame
        ``cutoff, bought, expected``.
    horizon : int
        Days.
    """
    groups = _groups(rows, rows["cutoff"])
    numbers = {
        "by_cutoff": [
            {"cutoff": str(g["group"].date()), "bought": g["bought"], "expected": g["expected"]}
            for g in groups
        ]
    }
    least, most = (choose(groups, key=lambda g: g["ratio"]) for choose in (min, max))
    said = "; ".join(
        f"within {horizon} days of {g['group'].date()} {g['bought']:,.0f} bought, where BG/NBD expected "
        f"{g['expected']:,.0f}"
        for g in ((least, most) if len(groups) > 1 else (least,))
    )
    if len(groups) < 2:
        text = f"only one past cutoff can be looked at: {said}"
        return Finding("note", "btyd_season", text, numbers)
    apart = most["ratio"] / max(least["ratio"], 1e-9)
    if apart < 1 + OFF or max(abs(g["errors"]) for g in groups) < CHANCE:
        return Finding("ok", "btyd_season", said, numbers)
    text = (
        f"{said}: the pace changes with the season, or with the shop's growth, and BG/NBD knows neither; "
        "prefer the models that learn from past cutoffs"
    )
    return Finding("warning", "btyd_season", text, numbers)


def judge_classes(rows: pd.DataFrame, horizon: int) -> Finding:
    """Judge whether those who bought seldom and those who bought often return as often as expected.

    Parameters
    ----------
    rows : DataFrame
        ``frequency, bought, expected`` of one cutoff.
    horizon : int
        Days.
    """
    groups = _groups(rows, rows["frequency"].clip(upper=CLASSES).astype(int))
    numbers = {
        "by_frequency": [
            {"frequency": g["group"], "bought": g["bought"], "expected": g["expected"]} for g in groups
        ]
    }
    off = [g for g in groups if abs(g["errors"]) >= CHANCE and abs(g["ratio"] - 1) >= OFF]
    if not off:
        text = f"who bought within {horizon} days fits what BG/NBD expected, however often they had bought"
        return Finding("ok", "btyd_by_frequency", text, numbers)
    listed = "; ".join(
        f"{_class(g['group'])}: {g['bought']:,.0f} bought, {g['expected']:,.0f} expected" for g in off
    )
    text = f"within {horizon} days, {listed}; prefer the models that learn from past cutoffs for these"
    return Finding("warning", "btyd_by_frequency", text, numbers)


def _groups(rows: pd.DataFrame, by: pd.Series[Any]) -> list[dict[str, Any]]:
    """Sums of `bought` and `expected` by group, their ratio, and their difference in standard errors."""
    table = rows.assign(variance=rows["expected"] * (1 - rows["expected"]), group=by).groupby("group")
    sums = table[["bought", "expected", "variance"]].sum().reset_index()
    sums["ratio"] = sums["bought"] / sums["expected"].clip(lower=1e-9)
    sums["errors"] = (sums["bought"] - sums["expected"]) / np.sqrt(sums["variance"].clip(lower=1e-9))
    return [{str(k): v for k, v in row.items()} for row in sums.to_dict("records")]


def _class(frequency: int) -> str:
    if frequency == 0:
        return "one-time buyers"
    more = " or more" if frequency == CLASSES else ""
    return f"with {frequency}{more} repeat purchase day{'s' if frequency > 1 else ''}"


def calibration_by_frequency(
    frequency: Sequence[float] | Floats, actual: Sequence[float] | Floats, expected: Sequence[float] | Floats
) -> pd.DataFrame:
    """Compare expected with actual purchases of a holdout, by how often customers had bought before.

    Returns
    -------
    DataFrame
        Indexed by ``frequency`` (the last class is that and above): ``customers, actual, expected`` (means)
        and ``error`` (standard error of the actual mean).
    """
    frame = pd.DataFrame({"frequency": frequency, "actual": actual, "expected": expected})
    groups = frame.groupby(frame["frequency"].clip(upper=CLASSES).astype(int))
    table = groups.agg(customers=("actual", "size"), actual=("actual", "mean"), expected=("expected", "mean"))
    return table.assign(error=groups["actual"].sem().fillna(np.inf))
