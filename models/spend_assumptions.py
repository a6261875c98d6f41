"""What Gamma-Gamma takes for granted about spend, checked on the customers at hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betainc
from scipy.stats import spearmanr, ttest_1samp

from models.findings import Finding
from models.gamma_gamma import GammaGammaModel
from models.inputs import Floats

SURE = 0.001
"""Two-sided chance below which a correlation or a trend is taken for real, if it is not small."""

STRONG = 0.15
"""Rank correlation of frequency and spend from which totals are off by more than they need be."""

FEW = 30
"""Repeat buyers below whom nothing is said about spend and frequency."""

FEW_TRENDS = 100
"""As `FEW`, for the trend: the mean of fewer skewed ratios strays further than a t-test allows for."""

DRIFT = 0.05
"""Share by which recent orders must differ from the usual ones to be worth a warning."""


def judge_independence(customers: pd.DataFrame, gg: GammaGammaModel | None = None) -> Finding:
    """Judge whether spend per order is independent of how often one buys, as Gamma-Gamma says.

    The rank of a mean depends on how many orders it is the mean of, whatever the spend: where orders are
    skewed, the mean of a single one mostly lies below the mean of many. So it is not the mean spend that is
    held against the frequency, but its place among the means of as many orders (`spend_ranks`).

    Parameters
    ----------
    customers : DataFrame
        ``frequency, monetary_value``.
    gg : GammaGammaModel, optional
        Fitted to them; fitted here if there is none.
    """
    repeat = customers[customers["frequency"] > 0]
    if len(repeat) < FEW:
        return Finding("note", "btyd_spend_independent", f"{len(repeat)} repeat buyers are too few to tell")
    if repeat["frequency"].nunique() == 1 or repeat["monetary_value"].nunique() == 1:
        return Finding("note", "btyd_spend_independent", "all repeat buyers are alike in frequency or spend")
    ranks = spend_ranks(repeat, gg or GammaGammaModel().fit(repeat))
    if np.ptp(ranks) == 0:
        return Finding("note", "btyd_spend_independent", "Gamma-Gamma does not tell repeat buyers apart")
    rank, chance = spearmanr(repeat["frequency"], ranks)
    numbers = {"rank_correlation": float(rank), "p_value": float(chance), "repeat_buyers": len(repeat)}
    said = (
        f"rank correlation of frequency and spend {rank:+.2f} over {len(repeat):,} repeat buyers, "
        "each ranked among means of as many orders"
    )
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


def spend_ranks(repeat: pd.DataFrame, gg: GammaGammaModel) -> Floats:
    """Return the probability of a smaller mean spend over as many purchases, uniform under the model.

    The sum ``s = x m`` of x purchases is Gamma(p x, rate nu) and nu is Gamma(q, rate v), so ``s / (s + v)``
    is Beta(p x, q) (Fader, Hardie 2013, note 025, eq. 1a, with the mean replaced by that share).

    Parameters
    ----------
    repeat : DataFrame
        ``frequency, monetary_value``, both above 0.
    gg : GammaGammaModel
        Fitted.

    Returns
    -------
    ndarray of shape (n,)
    """
    p, q, v = (gg.params_[name] for name in ("p", "q", "v"))
    x = repeat["frequency"].to_numpy(dtype=float)
    spent = x * repeat["monetary_value"].to_numpy(dtype=float)
    return np.asarray(betainc(p * x, q, spent / (spent + v)))


def judge_spend_trend(customers: pd.DataFrame) -> Finding:
    """Judge whether customers spend the same as ever, as Gamma-Gamma says.

    Orders of one customer that come from one distribution can change places. So the mean of any few of them
    over the mean of all is 1 on average, whatever the distribution; its median is not, where orders are
    skewed. A ratio of exactly 1 belongs to a customer all of whose orders are recent, who says nothing.

    Parameters
    ----------
    customers : DataFrame
        ``frequency, order_value_trend``.
    """
    trend = customers.loc[customers["frequency"] > 0, "order_value_trend"].dropna()
    trend = trend[trend != 1]
    if len(trend) < FEW_TRENDS:
        text = f"{len(trend)} customers with both recent and earlier orders are too few to tell"
        return Finding("note", "btyd_spend_stationary", text)
    mean, alike = float(trend.mean()), trend.nunique() == 1
    chance = 0.0 if alike else float(ttest_1samp(trend, 1).pvalue)
    numbers = {"mean_ratio": mean, "p_value": chance, "customers": len(trend)}
    said = f"recent orders are worth {mean:.2f} of the customer's usual one (mean of {len(trend):,})"
    if chance > SURE or abs(mean - 1) < DRIFT:
        return Finding("ok", "btyd_spend_stationary", said, numbers)
    return Finding(
        "warning",
        "btyd_spend_stationary",
        f"{said}: Gamma-Gamma looks back over all orders and lags behind; "
        "check totals against recent revenue",
        numbers,
    )
