"""Pictures of a fitted buy-till-you-die model, as matplotlib figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from features.errors import ContractError
from models.beta_geo import BetaGeoBase
from models.btyd_backtest import CLASSES, calibration_by_frequency
from models.btyd_tracking import SLACK
from models.inputs import Floats, check_length, check_times

_STEPS = 100
"""Steps from recency 0 to the largest one of a heat map."""


def frequency_recency_heatmap(
    model: BetaGeoBase,
    T: float,
    horizon: float | None = None,
    *,
    max_frequency: int = 20,
    max_recency: float | None = None,
    unit: str = "days",
) -> Figure:
    """Draw P(alive), or the chance of a purchase, for customers of one age by frequency and recency.

    Parameters
    ----------
    model : BetaGeoModel or ModifiedBetaGeoModel
        Fitted.
    T : float
        Age of the customers.
    horizon : float, optional
        Given: the chance of at least one purchase in ``(T, T + horizon]`` is drawn instead of P(alive).
    max_frequency : int
        Last column.
    max_recency : float, optional
        Last row; `T` by default. The same for several ages puts their pictures on one scale.
    unit : str
        Of time, in the plural.

    Returns
    -------
    Figure
        Its first axes hold one image of shape (recency, frequency). Grey cells are masked, as there are no
        such customers: recency above `T`, recency without a repeat purchase, a repeat purchase at recency 0.

    Raises
    ------
    ContractError
        If a length of time or `max_frequency` is not above 0.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}})
    >>> figure = frequency_recency_heatmap(model, T=38.86, horizon=39, unit="weeks")
    >>> figure.axes[0].get_title()
    'P(at least one purchase in 39 weeks) at the age of 38.86 weeks'
    """
    age, top = check_length("T", T), check_length("max_recency", T if max_recency is None else max_recency)
    x = np.arange(int(check_length("max_frequency", max_frequency)) + 1, dtype=np.float64)
    t_x = np.linspace(0.0, top, _STEPS + 1)
    columns, rows = np.meshgrid(x, t_x)
    possible = (rows <= age) & ((columns > 0) == (rows > 0))
    said = np.full(possible.shape, np.nan)
    history = columns[possible], rows[possible], np.full(int(possible.sum()), age)
    said[possible] = _chance(model, horizon, *history)
    half = t_x[1] / 2
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("lightgrey")
    extent = (-0.5, x[-1] + 0.5, -half, top + half)
    image = axes.imshow(said, origin="lower", aspect="auto", extent=extent, vmin=0, vmax=1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    named = _named(horizon, unit)
    figure.colorbar(image, ax=axes, label=named)
    axes.set(xlabel="frequency (repeat purchases)", ylabel=f"recency ({unit} from first to last purchase)")
    axes.set_title(f"{named} at the age of {age:g} {unit}")
    return figure


def alive_history_figure(
    model: BetaGeoBase,
    purchase_times: ArrayLike,
    until: float,
    horizon: float | None = None,
    *,
    step: float = 1.0,
    unit: str = "days",
) -> Figure:
    """Draw how P(alive) of one customer went from their first purchase on, with the purchases marked.

    Each point knows the purchases up to and including it, and nothing later.

    Parameters
    ----------
    model : BetaGeoModel or ModifiedBetaGeoModel
        Fitted.
    purchase_times : array_like of shape (k,)
        Purchases since any origin, in the model's unit and any order; equal ones are one purchase, and those
        after `until` are left out.
    until : float
        End of the picture, since the same origin.
    horizon : float, optional
        Given: the chance of at least one purchase within it is drawn, too.
    step : float
        Time from point to point; 1/7 goes day by day where the unit is the week.
    unit : str
        Of time, in the plural.

    Returns
    -------
    Figure

    Raises
    ------
    ContractError
        If a time is no number, or there is no purchase before `until`.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426}})
    >>> line = alive_history_figure(model, [0, 20, 90], until=270).axes[0].lines[0]
    >>> line.get_ydata()[[0, 90, 270]].round(3)
    array([1.   , 0.812, 0.359])
    """
    end, times = check_times("until", [until])[0], np.unique(check_times("purchase_times", purchase_times))
    if times[0] >= end:
        raise ContractError(f"no purchase lies before until = {end:g}", example=float(times[0]))
    bought = times[times <= end] - times[0]
    width = check_length("step", step)
    age = np.arange(int((end - times[0]) / width + SLACK) + 1) * np.float64(width)
    x = np.searchsorted(bought, age + SLACK * width, side="right") - 1
    history = x.astype(np.float64), bought[x], np.maximum(age, bought[x])
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for length in (None,) if horizon is None else (None, horizon):
        axes.plot(age, _chance(model, length, *history), label=_named(length, unit))
    axes.vlines(bought, 0, 1, color="grey", linestyle=":", label="purchase")
    axes.set(xlabel=f"{unit} since the first purchase", ylabel="probability", ylim=(0, 1.02))
    axes.set_title(f"Purchases of one customer: {len(bought)}")
    axes.legend()
    return figure


def calibration_figure(
    model: BetaGeoBase, customers: pd.DataFrame, holdout: ArrayLike, horizon: float, *, unit: str = "days"
) -> Figure:
    """Draw expected against actual mean purchases of a holdout, by frequency before it (7 and more together).

    Parameters
    ----------
    model : BetaGeoModel or ModifiedBetaGeoModel
        Fitted on the calibration period.
    customers : DataFrame of n rows
        ``frequency, recency, T`` of the calibration period.
    holdout : array_like of shape (n,)
        How often each of them bought in the `horizon` after it.
    horizon : float
        Length of the holdout.
    unit : str
        Of time, in the plural.

    Returns
    -------
    Figure
        Bars through the actual means reach two standard errors up and down; a class of one customer has none.

    Raises
    ------
    ContractError
        If the histories are impossible, or `holdout` is not one count a customer.

    Examples
    --------
    >>> from models.bgnbd import BetaGeoModel
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}})
    >>> shop = pd.DataFrame({"frequency": [0, 0, 9], "recency": [0, 0, 30.43], "T": [38.86] * 3})
    >>> axes = calibration_figure(model, shop, [0, 1, 6], 39, unit="weeks").axes[0]
    >>> [label.get_text().split() for label in axes.get_xticklabels()]
    [['0', 'n=2'], ['7+', 'n=1']]
    """
    length = check_length("horizon", horizon)
    actual = check_times("holdout", holdout)
    bad = (actual < 0) | (actual != np.floor(actual))
    if len(actual) != len(customers) or bad.any():
        raise ContractError(
            f"holdout must be one count for each of {len(customers)} customers; "
            f"it has {len(actual)} values, {int(bad.sum())} of them no counts",
            example=float(actual[bad][0]) if bad.any() else None,
        )
    expected = model.expected_purchases(length, customers)
    table = calibration_by_frequency(customers["frequency"].to_numpy(), actual, expected)
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    error = 2 * table["error"].replace(np.inf, np.nan)
    axes.errorbar(table.index, table["actual"], error, color="black", marker="o", capsize=3, label="actual")
    axes.plot(table.index, table["expected"], linestyle="--", marker="s", label="expected")
    names = [f"{x}{'+' * (x == CLASSES)}\nn={n:,}" for x, n in table["customers"].items()]
    axes.set_xticks(table.index, names)
    axes.set(xlabel="frequency in calibration (repeat purchases; n customers)", ylim=(0, None))
    axes.set(ylabel=f"mean purchases in {length:g} {unit}", title="Holdout purchases by frequency")
    axes.legend()
    return figure


def _chance(model: BetaGeoBase, horizon: float | None, x: Floats, t_x: Floats, age: Floats) -> Floats:
    if horizon is None:
        return model.p_alive(x, t_x, age)
    return model.p_purchase(check_length("horizon", horizon), x, t_x, age)


def _named(horizon: float | None, unit: str) -> str:
    return "P(alive)" if horizon is None else f"P(at least one purchase in {horizon:g} {unit})"
