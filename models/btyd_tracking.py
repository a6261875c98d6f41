"""Repeat purchases of a cohort, period by period: what came against what a model expects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from features.errors import ContractError
from models.beta_geo import BetaGeoBase
from models.inputs import OF_VALUES, Floats, check_length, check_times, refuse

SLACK = 1e-6
"""Share of a period by which a time may miss its edge: a day as a seventh of a week is not exact."""


def tracking(
    model: BetaGeoBase,
    first_purchase_times: ArrayLike,
    purchases: ArrayLike,
    until: float,
    period: float = 1.0,
) -> pd.DataFrame:
    """Count the repeat purchases of each period, and say how many the model expects.

    Expected by time t is the sum over the customers who have come by then of what a newcomer buys in
    ``t - first`` (`BetaGeoBase.expected_purchases_of_a_newcomer`): the model is told when each of them first
    bought and nothing else. Period k is ``[(k - 1) * period, k * period)``, so that with days counted from 0,
    week 20 ends before day 140.

    Parameters
    ----------
    model : BetaGeoModel or ModifiedBetaGeoModel
        Fitted.
    first_purchase_times : array_like of shape (n,)
        When each customer first bought: time since one origin, in the model's unit, not negative.
    purchases : array_like of shape (m,)
        When they bought, all of them together and the first purchases included: one entry for each customer
        and purchase day.
    until : float
        End of the table; a period that is not over by then is left out, and what was bought later, too.
    period : float
        Length of a period.

    Returns
    -------
    DataFrame
        Indexed by ``period`` from 1: its ``end``; repeat purchases ``actual`` and ``expected``;
        ``actual_cumulative`` and ``expected_cumulative`` since the origin.

    Raises
    ------
    ContractError
        If a time is no number or negative, a first purchase is not among the purchases, or no period is over.

    References
    ----------
    Fader, Hardie, Lee (2005), "A Note on Implementing the Pareto/NBD Model in MATLAB", note 008, page 8.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}})
    >>> tracking(model, [0, 0.5], [0, 0.5, 1.2, 2.5], until=3).round(3)
            end  actual  expected  actual_cumulative  expected_cumulative
    period
    1       1.0       0     0.080                  0                0.080
    2       2.0       1     0.102                  1                0.182
    3       3.0       1     0.096                  2                0.278
    """
    first, bought = (
        _from_zero("first_purchase_times", first_purchase_times),
        _from_zero("purchases", purchases),
    )
    _check_firsts(first, bought)
    length = check_length("period", period)
    periods = int(check_length("until", until) / length + SLACK)
    if not periods:
        raise ContractError("no period is over yet", example={"until": until, "period": period})
    ends = np.arange(1, periods + 1) * np.float64(length)
    actual = _counts(bought, length, periods) - _counts(first, length, periods)
    expected = _expected(model, first, ends)
    return pd.DataFrame(
        {
            "end": ends,
            "actual": actual,
            "expected": np.diff(expected, prepend=0.0),
            "actual_cumulative": actual.cumsum(),
            "expected_cumulative": expected,
        },
        index=pd.RangeIndex(1, periods + 1, name="period"),
    )


def tracking_figure(table: pd.DataFrame, calibration_end: float, *, unit: str = "days") -> Figure:
    """Draw what `tracking` found: by period on the left, added up on the right.

    Parameters
    ----------
    table : DataFrame
        From `tracking`.
    calibration_end : float
        Until when the model saw purchases; a dotted line marks it.
    unit : str
        Of time, in the plural.

    Returns
    -------
    Figure

    Raises
    ------
    ContractError
        If the calibration does not end within the table.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}})
    >>> table = tracking(model, [0, 0.5], [0, 0.5, 1.2, 2.5], until=3)
    >>> [axes.get_title() for axes in tracking_figure(table, 2, unit="weeks").axes]
    ['By period', 'Cumulative']
    """
    last = float(table["end"].iloc[-1])
    if check_length("calibration_end", calibration_end) > last:
        raise ContractError(
            f"calibration_end lies after the table, which ends at {last:g}", example=calibration_end
        )
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, suffix, title in ((left, "", "By period"), (right, "_cumulative", "Cumulative")):
        axes.plot(table["end"], table[f"actual{suffix}"], color="black", label="actual")
        axes.plot(table["end"], table[f"expected{suffix}"], linestyle="--", label="expected")
        axes.axvline(calibration_end, color="grey", linestyle=":", label="end of calibration")
        axes.set(xlabel=f"end of the period ({unit} since the start)", ylabel="repeat purchases", title=title)
        axes.set(xlim=(0, None), ylim=(0, None))
        axes.legend()
    return figure


def _from_zero(name: str, values: ArrayLike) -> Floats:
    times = check_times(name, values)
    hint = "count time from the start of the picture"
    refuse(times < 0, f"{name} negative", {"value": times}, hint, OF_VALUES)
    return times


def _check_firsts(first: Floats, bought: Floats) -> None:
    """Refuse first purchases that are not among the purchases: then the repeats were given alone."""
    times, needed = np.unique(first, return_counts=True)
    ordered = np.sort(bought)
    there = np.searchsorted(ordered, times, "right") - np.searchsorted(ordered, times, "left")
    lost = np.maximum(needed - there, 0)
    if lost.any():
        raise ContractError(
            f"{int(lost.sum())} of {len(first)} first purchases are not among the purchases",
            example=float(times[lost > 0][0]),
            hint="purchases takes all of them, the first ones, too",
        )


def _counts(times: Floats, period: float, periods: int) -> NDArray[np.int64]:
    which = np.floor(times / period + SLACK).astype(np.int64)
    return np.bincount(which[which < periods], minlength=periods)


def _expected(model: BetaGeoBase, first: Floats, ends: Floats) -> Floats:
    """Expected repeat purchases of all customers by each end, shape (k,); each age is computed once."""
    born, customers = np.unique(first, return_counts=True)
    since = np.maximum(ends[:, None] - born, 0.0)
    ages, which = np.unique(since, return_inverse=True)
    return np.asarray(model.expected_purchases_of_a_newcomer(ages)[which].reshape(since.shape) @ customers)
