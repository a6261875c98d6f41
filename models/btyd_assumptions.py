"""What the buy-till-you-die models take for granted, checked on the customers at hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm, poisson

from models.beta_geo import BetaGeoBase
from models.bgnbd import BetaGeoModel
from models.findings import Finding
from models.gamma_gamma import GammaGammaModel
from models.inputs import check_history, check_spend
from models.mbgnbd import ModifiedBetaGeoModel
from models.spend_assumptions import judge_independence, judge_spend_trend

MANY_ONE_TIME = 0.6
"""Share of one-time buyers from which P(alive) = 1 for all of them misleads whoever reads it."""

SURE = 0.01
"""Chance below which what is seen is not put down to it."""

LIKELIER = float(np.log(1000))
"""Log-likelihood that another model must gain. Were the parameters known, the mean of the likelihood ratio
would be 1 where the model at hand holds, and one above 1,000 have a chance of 1 in 1,000 at most (Markov's
inequality); the search for the best parameters takes some of that."""

REGULAR = 0.7
"""Variance of the gaps, as a share of what chance would give, below which purchases come by the clock."""

SHORT = 2.0
"""Mean gaps that an observation must last, for most of its customers, to tell the slow from the gone."""

FEW = 30
"""Customers below whom nothing is said about the timing."""


def check_assumptions(
    customers: pd.DataFrame,
    bg: BetaGeoBase,
    *,
    has_amounts: bool,
    gg: GammaGammaModel | None = None,
    period_days: float = 1.0,
) -> list[Finding]:
    """Look at what the models assume.

    Parameters
    ----------
    customers : DataFrame
        One row a customer of one cutoff, time in days: ``frequency, recency, T, monetary_value`` and, where
        they are known, ``gap_irregularity`` and ``order_value_trend`` (`features.catalogue`).
    bg : BetaGeoModel or ModifiedBetaGeoModel
        Fitted to them.
    has_amounts : bool
        False for a log without money: then spend is not looked at.
    gg : GammaGammaModel, optional
        Fitted to them; fitted here if there is none, and amounts are known.
    period_days : float
        How far apart two dates of the log are at least: 7 in a log that is dated by the week.

    Returns
    -------
    list of Finding
        One for each assumption that could be looked at.

    Raises
    ------
    ContractError
        If a column is missing, or a history is impossible.
    """
    check_history(customers)
    found = [judge_one_time(customers, bg), judge_identification(bg), judge_span(customers)]
    if has_amounts:
        check_spend(customers)
        found.append(judge_independence(customers, gg))
    if has_amounts and "order_value_trend" in customers:
        found.append(judge_spend_trend(customers))
    if "gap_irregularity" in customers:
        found.append(judge_timing(customers, family(bg), period_days))
    return found


def family(bg: BetaGeoBase) -> str:
    """Name the model at hand."""
    return "MBG/NBD" if isinstance(bg, ModifiedBetaGeoModel) else "BG/NBD"


def judge_one_time(customers: pd.DataFrame, bg: BetaGeoBase) -> Finding:
    """Judge how many bought but once, what the model makes of them, and whether its sibling fits better."""
    share = float((customers["frequency"] == 0).mean())
    said = f"{share:.0%} bought on one day only; under {family(bg)} "
    if isinstance(bg, ModifiedBetaGeoModel):
        gain = BetaGeoModel().fit(customers).loglik_ - bg.loglik_
        said += "they may have left at once"
        numbers = {"share": share, "bg_loglik_gain": gain}
        if gain > LIKELIER:
            better = f"{said}. BG/NBD, where nobody leaves before the second purchase, fits better"
            return Finding("note", "btyd_one_time", better, numbers)
        return Finding("ok", "btyd_one_time", said, numbers)
    gain = ModifiedBetaGeoModel().fit(customers).loglik_ - bg.loglik_
    said += "all of them count as alive"
    numbers = {"share": share, "mbg_loglik_gain": gain}
    if gain > LIKELIER:
        better = f"{said}. MBG/NBD, where they may have left at once, fits better"
        return Finding("warning", "btyd_one_time", better, numbers)
    if share >= MANY_ONE_TIME:
        return Finding("note", "btyd_one_time", f"{said}: read p_purchase, not p_alive", numbers)
    return Finding("ok", "btyd_one_time", said, numbers)


def judge_identification(bg: BetaGeoBase) -> Finding:
    """Judge whether the data say what the parameters are."""
    if bg.converged_:
        text = f"the customers identify all four parameters of {family(bg)}"
        return Finding("ok", "btyd_identified", text)
    why = "; ".join(bg.diagnosis_)
    return Finding(
        "warning",
        "btyd_identified",
        f"the customers do not identify {family(bg)} ({why}): its probabilities within the observed span "
        "still hold, its parameters and its far horizons do not",
        {"diagnosis": bg.diagnosis_},
    )


def judge_span(customers: pd.DataFrame) -> Finding:
    """Judge whether there was time enough to tell a slow buyer from one who has left.

    The usual gap is ``sum(recency) / sum(frequency - 1)`` over those who came back. Their own mean gap,
    ``recency / frequency``, will not do: those whose gap is longer than the observation are not among them,
    so it comes out at about half the observation however slowly a shop's customers buy. But seen backwards
    from the end, the last purchase of one who stays is a first arrival, and the earlier repeat purchases, at
    the customer's rate in the time from the first purchase to the last, are not chosen by the end of the
    observation: with rate λ and age T, ``E[x - 1; x > 0] = λT - 1 + exp(-λT) = λ E[recency]``. Those who
    differ in pace count by the time between their purchases; the silence of those who left does not count.

    Parameters
    ----------
    customers : DataFrame
        ``frequency, recency, T``.
    """
    repeat = customers[customers["frequency"] > 0]
    if repeat.empty:
        text = "nobody has come back yet: nothing tells the slow from the gone"
        return Finding("warning", "btyd_span", text)
    age = max(float(customers["T"].median()), 1e-9)
    time = float(repeat["recency"].sum())
    between = float((repeat["frequency"] - 1).sum())
    spans = age * between / time
    numbers = {"usual_gap_days": time / between if between else None, "median_age_in_gaps": spans}
    known = f"half of the customers have been known for {age:,.0f} days or longer"
    said = f"{known}, which is {spans:.1f} usual gaps ({time / max(between, 1):,.0f} days)"
    if not between:
        said = f"{known}, and nobody has come back twice"
    if spans >= SHORT:
        return Finding("ok", "btyd_span", said, numbers)
    if poisson.cdf(between, SHORT * time / age) > SURE:
        return Finding("note", "btyd_span", f"{said}: too few purchases to say more", numbers)
    return Finding(
        "warning",
        "btyd_span",
        f"{said}: too short to tell the slow from the gone; look at churn again later",
        numbers,
    )


def judge_timing(customers: pd.DataFrame, model: str = "BG/NBD", period_days: float = 1.0) -> Finding:
    """Judge whether purchases come by chance, as a Poisson process says, or by the clock.

    Given the number n of gaps and their sum L, chance spreads the purchases between the first and the last
    evenly over the L - 1 days between (L in periods of the log), whatever the customer's rate and whenever
    they leave. The gaps are then one of all the ways of writing L as n whole numbers above 0, all of them
    equally likely, and the mean of their squared coefficient of variation is
    ``(n - 1) / (n + 1) * (1 - n / L)``: the variance of a beta-binomial (L - n, 1, n - 1) number, over the
    squared mean gap L / n.

    Parameters
    ----------
    customers : DataFrame
        ``frequency, recency, gap_irregularity``.
    model : str
        What the text calls the model.
    period_days : float
        As in `check_assumptions`.
    """
    several = customers[(customers["frequency"] >= 2) & customers["gap_irregularity"].notna()]
    if len(several) < FEW:
        text = f"{len(several)} customers with two gaps or more are too few to tell"
        return Finding("note", "btyd_timing", text)
    n, squared = several["frequency"], several["gap_irregularity"] ** 2
    chance = (n - 1) / (n + 1) * (1 - n * period_days / several["recency"]).clip(lower=0)
    share = float(squared.sum() / max(chance.sum(), 1e-9))
    off = float((squared - chance).sum() / np.sqrt(max(((squared - chance) ** 2).sum(), 1e-9)))
    numbers = {"variance_ratio": share, "standard_errors": off, "customers": len(several)}
    said = f"the gaps of {len(several):,} customers vary {share:.2f} times as much as by chance"
    if abs(off) > norm.isf(SURE / 2) and share < REGULAR:
        return Finding(
            "warning",
            "btyd_timing",
            f"{said}: purchases come regularly, so silence says more than {model} believes; "
            "prefer the models that see days overdue",
            numbers,
        )
    if abs(off) > norm.isf(SURE / 2) and share > 1 / REGULAR:
        text = f"{said}: purchases come in bursts, so silence says less than {model} believes"
        return Finding("note", "btyd_timing", text, numbers)
    return Finding("ok", "btyd_timing", said, numbers)
