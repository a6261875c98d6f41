"""Customer lifetime value as a path: what each period ahead is expected to bring, discounted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from features.errors import ContractError
from models.beta_geo import BetaGeoBase
from models.gamma_gamma import GammaGammaModel
from models.inputs import Floats, check_history, check_times

Unit = Literal["week", "month", "quarter", "year"]

DAYS_OF_A_YEAR = 365.25

_OFFSETS = {
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
    "quarter": pd.DateOffset(months=3),
    "year": pd.DateOffset(years=1),
}


def period_ends(start: date, periods: int, unit: Unit = "month") -> list[int]:
    """Days from `start` to the end of each period, by the calendar: a month is not thirty days.

    Examples
    --------
    >>> period_ends(date(2026, 1, 1), 3)
    [31, 59, 90]
    """
    day = pd.Timestamp(start)
    return [int((day + n * _OFFSETS[unit] - day).days) for n in range(1, periods + 1)]


def discounts(rate: float, days: Floats) -> Floats:
    """Return what one that comes after so many days is worth now, at a rate a year.

    Examples
    --------
    >>> discounts(0.1, np.array([0.0, 365.25])).round(4).tolist()
    [1.0, 0.9091]
    """
    worth: Floats = (1 + rate) ** (-days / DAYS_OF_A_YEAR)
    return worth


def clv_path(
    purchases: BetaGeoBase,
    spend: GammaGammaModel,
    customers: pd.DataFrame,
    ends: Sequence[float],
    *,
    discount_rate: float = 0.0,
    margin: float = 1.0,
) -> Floats:
    """Return the expected, discounted profit of each customer in each period.

    Fader, Hardie and Lee (2005, "RFM and CLV"), in periods: expected purchases between the ends of two
    periods × expected spend of a purchase × margin, discounted from the period's end. The sum over all
    periods is the customer lifetime value within the last end.

    Parameters
    ----------
    purchases : BetaGeoModel or ModifiedBetaGeoModel
        Fitted, time in days.
    spend : GammaGammaModel
        Fitted.
    customers : DataFrame
        ``frequency, recency, T`` (days) and ``monetary_value``.
    ends : sequence of float, shape (k,)
        Rising: days from now to the end of each period (`period_ends`).
    discount_rate : float
        A year; 0.1 is ten per cent.
    margin : float
        Share of the spend that is profit.

    Returns
    -------
    ndarray of shape (n, k)
        In the unit of ``monetary_value``.

    Raises
    ------
    ContractError
        If the histories are impossible, `ends` are not finite or do not rise from above 0, the rate is not
        above -1, or the margin is negative; and if one of them is no number.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> bg = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426}})
    >>> gg = GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}})
    >>> shop = pd.DataFrame({"frequency": [2], "recency": [213], "T": [272], "monetary_value": [22.35]})
    >>> clv_path(bg, gg, shop, period_ends(date(1997, 10, 1), 3), discount_rate=0.1).round(2)
    array([[3.98, 3.65, 3.58]])
    """
    bounds = np.concatenate([[0.0], check_times("ends", ends)])
    if not (np.diff(bounds) > 0).all():
        raise ContractError("ends of periods must rise from above 0", example=list(ends))
    if not -1 < discount_rate < np.inf:
        raise ContractError("discount_rate must be a number above -1", example=discount_rate)
    if not 0 <= margin < np.inf:
        raise ContractError("margin must be a number, and not negative", example=margin)
    x, t_x, age = check_history(customers)
    bought, which = purchases.expected_if_alive(bounds[1:, None], x, age)
    by_period = np.diff(bought, axis=0, prepend=0.0) * discounts(discount_rate, bounds[1:])[:, None]
    worth = purchases.p_alive(x, t_x, age) * spend.expected_spend(customers) * margin
    path = np.ascontiguousarray(by_period.T)[which]
    path *= worth[:, None]
    return path
