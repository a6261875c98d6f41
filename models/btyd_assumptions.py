"""What the buy-till-you-die models take for granted, checked on the customers at hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm, spearmanr

from models.bgnbd import BetaGeoModel
from models.findings import Finding
from models.mbgnbd import ModifiedBetaGeoModel

MANY_ONE_TIME = 0.6
"""Share of one-time buyers from which P(alive) = 1 for all of them misleads whoever reads it."""

SURE = 0.01
"""Two-sided chance below which a correlation or a trend is taken for real, if it is not small."""

STRONG = 0.15
"""Rank correlation of frequency and spend from which totals are off by more than they need be."""

REGULAR = 0.7
"""Median spread of the gaps, in mean gaps, below which purchases come by the clock and not by chance."""

SHORT = 2.0
"""Mean gaps that an observation must last, for most of its customers, to tell the slow from the gone."""


def check_assumptions(customers: pd.DataFrame, bg: BetaGeoModel, *, has_amounts: bool) -> list[Finding]:
    """Look at what the models assume.

    Parameters
    ----------
    customers : DataFrame
        One row a customer of one cutoff: ``frequency, recency, T, monetary_value`` and, where they are known,
        ``gap_irregularity`` and ``order_value_trend`` (`features.catalogue`).
    bg : BetaGeoModel
        Fitted to them.
    has_amounts : bool
        False for a log without money: then spend is not looked at.

    Returns
    -------
    list of Finding
        One for each assumption that could be looked at.
    """
    found = [judge_one_time(customers, bg), judge_identification(bg), judge_span(customers)]
    if has_amounts:
        found.append(judge_independence(customers))
    if has_amounts and "order_value_trend" in customers:
        found.append(judge_spend_trend(customers))
    if "gap_irregularity" in customers:
        found.append(judge_timing(customers))
    return found


def judge_one_time(customers: pd.DataFrame, bg: BetaGeoModel) -> Finding:
    """Judge how many count as alive for want of a second purchase, and whether MBG/NBD fits better."""
    share = float((customers["frequency"] == 0).mean())
    modified = ModifiedBetaGeoModel().fit(customers)
    gain = modified.loglik_ - bg.loglik_
    numbers = {"share": share, "mbg_loglik_gain": gain}
    said = f"{share:.0%} bought on one day only; under BG/NBD all of them count as alive"
    if gain > 2:
        return Finding(
            "warning",
            "btyd_one_time",
            f"{said}. MBG/NBD, where they may have left at once, fits better",
            numbers,
        )
    if share >= MANY_ONE_TIME:
        return Finding("note", "btyd_one_time", f"{said}: read p_purchase, not p_alive", numbers)
    return Finding("ok", "btyd_one_time", said, numbers)


def judge_identification(bg: BetaGeoModel) -> Finding:
    """Judge whether the data say what the parameters are."""
    if bg.converged_:
        return Finding("ok", "btyd_identified", "the customers identify all four parameters of BG/NBD")
    why = "; ".join(bg.diagnosis_)
    return Finding(
        "warning",
        "btyd_identified",
        f"the customers do not identify BG/NBD ({why}): its probabilities within the observed span still "
        "hold, its parameters and its far horizons do not",
        {"diagnosis": bg.diagnosis_},
    )


def judge_span(customers: pd.DataFrame) -> Finding:
    """Judge whether there was time enough to tell a slow buyer from one who has left."""
    repeat = customers[customers["frequency"] > 0]
    if repeat.empty:
        return Finding(
            "warning", "btyd_span", "nobody has come back yet: nothing tells the slow from the gone"
        )
    gaps = float((repeat["recency"] / repeat["frequency"]).median())
    spans = float(customers["T"].median()) / max(gaps, 1e-9)
    numbers = {"median_gap_days": gaps, "median_age_in_gaps": spans}
    said = f"half of the customers have been known for {spans:.1f} usual gaps ({gaps:.0f} days) or longer"
    if spans >= SHORT:
        return Finding("ok", "btyd_span", said, numbers)
    return Finding(
        "warning",
        "btyd_span",
        f"{said}: too short to tell the slow from the gone; look at churn again later",
        numbers,
    )


def judge_independence(customers: pd.DataFrame) -> Finding:
    """Judge whether spend per order is independent of how often one buys, as Gamma-Gamma says."""
    repeat = customers[customers["frequency"] > 0]
    if len(repeat) < 30:
        return Finding("note", "btyd_spend_independent", f"{len(repeat)} repeat buyers are too few to tell")
    if repeat["frequency"].nunique() == 1 or repeat["monetary_value"].nunique() == 1:
        return Finding("note", "btyd_spend_independent", "all repeat buyers are alike in frequency or spend")
    rank, chance = spearmanr(repeat["frequency"], repeat["monetary_value"])
    numbers = {"rank_correlation": float(rank), "p_value": float(chance), "repeat_buyers": len(repeat)}
    said = f"rank correlation of frequency and spend {rank:+.2f} over {len(repeat):,} repeat buyers"
    if abs(rank) < STRONG or chance > SURE:
        return Finding("ok", "btyd_spend_independent", said, numbers)
    more = "more" if rank > 0 else "less"
    return Finding(
        "warning",
        "btyd_spend_independent",
        f"{said}: frequent buyers spend {more} an order, which Gamma-Gamma rules out, so its totals for "
        f"heavy buyers are too {'low' if rank > 0 else 'high'}; prefer the spend learned from the panel",
        numbers,
    )


def judge_spend_trend(customers: pd.DataFrame) -> Finding:
    """Judge whether customers spend the same as ever, as Gamma-Gamma says."""
    trend = customers.loc[customers["frequency"] > 1, "order_value_trend"].dropna()
    trend = trend[trend > 0]
    if len(trend) < 30:
        return Finding("note", "btyd_spend_stationary", f"{len(trend)} customers are too few to tell")
    up = int((trend > 1).sum())
    chance = float(2 * norm.sf(abs(up - len(trend) / 2) / np.sqrt(len(trend) / 4)))
    median = float(trend.median())
    numbers = {"median_ratio": median, "p_value": chance, "customers": len(trend)}
    said = f"recent orders are worth {median:.2f} of the customer's usual one (median of {len(trend):,})"
    if chance > SURE or 0.95 < median < 1.05:
        return Finding("ok", "btyd_spend_stationary", said, numbers)
    return Finding(
        "warning",
        "btyd_spend_stationary",
        f"{said}: Gamma-Gamma looks back over all orders and lags behind; "
        "check totals against recent revenue",
        numbers,
    )


def judge_timing(customers: pd.DataFrame) -> Finding:
    """Judge whether purchases come by chance, as a Poisson process says, or by the clock."""
    spread = customers.loc[customers["frequency"] >= 3, "gap_irregularity"].dropna()
    if len(spread) < 30:
        return Finding("note", "btyd_timing", f"{len(spread)} customers with three gaps are too few to tell")
    median = float(spread.median())
    numbers = {"median_irregularity": median, "customers": len(spread)}
    said = f"gaps spread by {median:.2f} mean gaps (median of {len(spread):,} customers; 1 is chance)"
    if median >= REGULAR:
        return Finding("ok", "btyd_timing", said, numbers)
    return Finding(
        "warning",
        "btyd_timing",
        f"{said}: purchases come regularly, so silence says more than BG/NBD believes; "
        "prefer the models that see days overdue",
        numbers,
    )
