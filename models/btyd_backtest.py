"""What BG/NBD said in the past against what happened: by cutoff, and by how often a customer had bought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom, norm

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
    return [judge_level(rows, horizon), judge_season(rows, horizon), judge_classes(newest, horizon)]


def judge_level(rows: pd.DataFrame, horizon: int) -> Finding:
    """Judge whether as many bought as expected, all cutoffs together.

    Cutoffs share their customers and their errors, so they are taken to err together: the standard error of
    the sum is the sum of the standard errors, of which none counts for less than one customer.

    Parameters
    ----------
    rows : DataFrame
        ``cutoff, bought, expected``.
    horizon : int
        Days.
    """
    groups = _groups(rows, rows["cutoff"])
    bought, expected = (sum(g[name] for g in groups) for name in ("bought", "expected"))
    error = sum(np.sqrt(max(g["variance"], 1.0)) for g in groups)
    ratio = bought / max(expected, 1e-9)
    numbers = {"bought": bought, "expected": expected, "ratio": ratio}
    over = f"the {len(groups)} past cutoffs" if len(groups) > 1 else "the one past cutoff"
    said = f"within {horizon} days of {over}, {bought:,.0f} bought, where BG/NBD expected {expected:,.0f}"
    if abs(ratio - 1) < OFF or abs(bought - expected) < CHANCE * error:
        return Finding("ok", "btyd_level", said, numbers)
    many = "many" if ratio < 1 else "few"
    share = f": {abs(expected / bought - 1):.0%} too {many}" if bought else ""
    text = f"{said}{share}; prefer the models that learn from past cutoffs"
    return Finding("warning", "btyd_level", text, numbers)


def judge_season(rows: pd.DataFrame, horizon: int) -> Finding:
    """Judge whether one pace holds the whole year, as a model without a calendar says.

    What is expected too high or too low at all cutoffs alike is no season (`judge_level` looks at it): a
    cutoff is held against its share of all that bought. Given their number, theirs at one cutoff is about
    Binomial(all that bought, its share of what was expected); customers whom cutoffs have in common make the
    differences between cutoffs smaller than that, not larger. Half of `OFF` to either side is `OFF` from the
    best time of the year to the worst.

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
    ordered = sorted(groups, key=lambda g: g["ratio"])
    said = "; ".join(
        f"within {horizon} days of {g['group'].date()} {g['bought']:,.0f} bought, where BG/NBD expected "
        f"{g['expected']:,.0f}"
        for g in (ordered[0], ordered[-1])[: len(groups)]
    )
    if len(groups) < 2:
        text = f"only one past cutoff can be looked at: {said}"
        return Finding("note", "btyd_season", text, numbers)
    bought = sum(g["bought"] for g in groups)
    expected = max(sum(g["expected"] for g in groups), 1e-9)
    off = [
        g
        for g in groups
        if abs(g["ratio"] * expected - bought) >= OFF / 2 * max(bought, 1.0)
        and _errors(g["bought"], bought, g["expected"] / expected) >= CHANCE
    ]
    if not off:
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
    off = [
        g
        for g in groups
        if abs(g["ratio"] - 1) >= OFF
        and _errors(g["bought"], g["customers"], g["expected"] / g["customers"]) >= CHANCE
    ]
    if not off:
        text = f"who bought within {horizon} days fits what BG/NBD expected, however often they had bought"
        return Finding("ok", "btyd_by_frequency", text, numbers)
    listed = "; ".join(
        f"{_class(g['group'])}: {g['bought']:,.0f} bought, {g['expected']:,.0f} expected" for g in off
    )
    text = f"within {horizon} days, {listed}; prefer the models that learn from past cutoffs for these"
    return Finding("warning", "btyd_by_frequency", text, numbers)


def _groups(rows: pd.DataFrame, by: pd.Series[Any]) -> list[dict[str, Any]]:
    """Sums of `bought`, `expected` and its variance by group, how many rows, and bought over expected."""
    variance = rows["expected"] * (1 - rows["expected"])
    table = rows.assign(variance=variance, customers=1.0, group=by).groupby("group")
    sums = table[["bought", "expected", "variance", "customers"]].sum().reset_index()
    sums["ratio"] = sums["bought"] / sums["expected"].clip(lower=1e-9)
    return [{str(k): v for k, v in row.items()} for row in sums.to_dict("records")]


def _errors(bought: float, of: float, share: float) -> float:
    """Return how unlikely so many, or so few, are for a binomial number, as a normal one's standard errors.

    Those of a class differ in their chance to buy. Their number then varies less than a binomial number with
    the mean chance, whose tails are the heavier ones (Hoeffding 1956, "On the Distribution of the Number of
    Successes in Independent Trials", Annals of Mathematical Statistics 27(3), 713-721).
    """
    share = min(share, 1.0)  # the quotient of two sums may round to more
    tail = min(binom.cdf(bought, of, share), binom.sf(bought - 1, of, share))
    return float(norm.isf(tail))


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
