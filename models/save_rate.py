"""What share of those who would have left the contacts of a campaign have kept."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

LEAST = 20
"""Customers of each group who did not buy, from which on the share is told."""


def save_rate(rows: pd.DataFrame, level: float = 0.95) -> dict[str, float] | None:
    """Return the share of those who would not have bought within the horizon whom contacts made buy.

    It is what ``[economics] save_rate`` assumes: one less the ratio of those who did not buy, contacted
    against left alone. A window that is still open would tell too much, as contacts bring purchases forward.

    Parameters
    ----------
    rows : DataFrame
        Customers of one campaign: ``is_contact`` (as drawn), ``stratum``, ``buyers`` (1 or 0), and whether
        their whole window ``is_over``; others are not looked at.
    level : float
        Of the interval.

    Returns
    -------
    dict or None
        ``value, low, high, customers``; None where fewer than `LEAST` of a group did not buy.

    Notes
    -----
    The ratio of Mantel and Haenszel over strata, with the variance of its logarithm by Greenland and Robins
    (1985, "Estimation of a common effect parameter from sparse follow-up data", Biometrics 41).

    Examples
    --------
    >>> rows = pd.DataFrame({"is_contact": [True] * 500 + [False] * 500, "stratum": "high", "is_over": True,
    ...     "buyers": [1] * 140 + [0] * 360 + [1] * 100 + [0] * 400})
    >>> {name: round(value, 2) for name, value in save_rate(rows).items()}
    {'value': 0.1, 'low': 0.03, 'high': 0.16, 'customers': 1000}
    """
    told = rows[rows["is_over"]]
    lost = 1 - told["buyers"].astype(float)
    is_contact = told["is_contact"].astype(bool)
    if min(lost[is_contact].sum(), lost[~is_contact].sum()) < LEAST:
        return None
    sums = pd.DataFrame(
        {
            "n1": is_contact, "n0": ~is_contact,
            "lost1": lost.where(is_contact, 0.0), "lost0": lost.where(~is_contact, 0.0),
        }
    ).astype(float).groupby(told["stratum"]).sum()  # fmt: skip
    n1, n0, lost1, lost0 = (sums[name].to_numpy() for name in ("n1", "n0", "lost1", "lost0"))
    n = n1 + n0
    contacted, alone = float((lost1 * n0 / n).sum()), float((lost0 * n1 / n).sum())
    if contacted == 0 or alone == 0:  # no stratum has both
        return None
    variance = ((n1 * n0 * (lost1 + lost0) - lost1 * lost0 * n) / n**2).sum() / (contacted * alone)
    ratio, half = contacted / alone, float(-ndtri((1 - level) / 2) * np.sqrt(variance))
    return {
        "value": 1 - ratio,
        "low": 1 - ratio * float(np.exp(half)),
        "high": 1 - ratio * float(np.exp(-half)),
        "customers": len(told),
    }
