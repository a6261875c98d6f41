"""What spend is worth to the shop: its margin, discounted, beside what it cost to win the customer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.clv import discounts
from models.crossing import first_reached

Floats = NDArray[np.float64]

STEPS = 12
"""Into how many parts the time up to the CLV horizon is cut for discounting: months, for a year."""


@dataclass(frozen=True)
class Economics:
    """A shop's terms of trade; without any, customer lifetime value is expected spend.

    Parameters
    ----------
    margin : float, optional
        Share of the spend that is profit, 0 to 1. Without it lifetime value is spend, and nothing is held
        against the cost of winning a customer: revenue is no profit.
    discount_rate : float
        A year; 0.1 is ten per cent.
    acquisition_cost : float, optional
        What it cost to win a customer, in currency, where their own cost is not known.
    """

    margin: float | None = None
    discount_rate: float = 0.0
    acquisition_cost: float | None = None

    @property
    def share(self) -> float:
        """Of the spend, what counts."""
        return 1.0 if self.margin is None else self.margin

    def costs(self, frame: pd.DataFrame) -> Floats:
        """Return what it cost to win each customer; NaN where that or the margin is not known. Shape (n,)."""
        if self.margin is None:
            return np.full(len(frame), np.nan)
        common = np.nan if self.acquisition_cost is None else self.acquisition_cost
        if "acquisition_cost" not in frame.columns:
            return np.full(len(frame), common)
        own = frame["acquisition_cost"].to_numpy(dtype=float)
        return np.where(np.isnan(own), common, own)


def path_days(horizon: int) -> list[int]:
    """Ends of the steps up to `horizon`, in whole days, rising.

    Examples
    --------
    >>> path_days(365)[:3], path_days(365)[-1], path_days(5)
    ([30, 61, 91], 365, [1, 2, 3, 4, 5])
    """
    steps = np.linspace(0, horizon, STEPS + 1)[1:].round().astype(int)
    return sorted({int(day) for day in steps if day > 0})


def profit_path(spend: Floats, days: Sequence[int], economics: Economics) -> Floats:
    """Return the discounted profit up to the end of each step.

    What comes in a step is discounted from the step's end, as in Fader, Hardie and Lee (2005, "RFM and CLV").

    Parameters
    ----------
    spend : ndarray, shape (n, k)
        Expected spend from now to the end of each step, not discounted.
    days : sequence of int, shape (k,)
        From now to those ends.
    economics : Economics
        Margin and rate.

    Examples
    --------
    >>> profit_path(np.array([[10.0, 30.0]]), [365, 730], Economics(0.5, 0.1)).round(2)
    array([[ 4.55, 12.81]])
    """
    added = np.diff(np.maximum.accumulate(spend, axis=1), axis=1, prepend=0.0)
    path: Floats = np.cumsum(
        added * discounts(economics.discount_rate, np.asarray(days)) * economics.share, axis=1
    )
    return path


def payback_days(path: Floats, days: Sequence[int], unpaid: Floats) -> Floats:
    """Return in how many days the expected profit covers what is still unpaid of the cost.

    Parameters
    ----------
    path : ndarray, shape (n, k)
        Of `profit_path`.
    days : sequence of int, shape (k,)
        Where it is known; straight in between.
    unpaid : ndarray, shape (n,)
        Cost of winning the customer less the profit they brought so far.

    Returns
    -------
    ndarray, shape (n,)
        Whole days; 0 where nothing is unpaid; NaN where the path does not reach it, or the cost is not known.

    Examples
    --------
    >>> payback_days(np.array([[4.0, 8.0]] * 3), [10, 20], np.array([6.0, -1.0, 9.0]))
    array([15.,  0., nan])
    """
    waited = first_reached(path, days, np.maximum(unpaid, 0.0))
    return np.ceil(waited - 1e-9) + 0.0  # no minus before a 0


def against_cost(
    path: Floats, days: Sequence[int], so_far: Floats, costs: Floats, clv_horizon: int
) -> dict[str, Floats]:
    """Hold what customers brought and will bring against what it cost to win them.

    Parameters
    ----------
    path : ndarray, shape (n, k)
        Of `profit_path`, up to the CLV horizon.
    days : sequence of int, shape (k,)
        Where it is known.
    so_far : ndarray, shape (n,)
        Profit from all orders so far.
    costs : ndarray, shape (n,)
        What it cost to win each; NaN where it is not known.
    clv_horizon : int
        Days, for the names.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``clv_net_<h>d``: profit so far and up to the horizon, less the cost. ``clv_to_cac``: the same profit
        as a multiple of the cost (NaN where that is 0). ``payback_days``: of `payback_days`.
    """
    whole = so_far + path[:, -1]
    paid = np.where(costs > 0, costs, np.nan)
    return {
        f"clv_net_{clv_horizon}d": whole - costs,
        "clv_to_cac": whole / paid,
        "payback_days": payback_days(path, days, costs - so_far),
    }
