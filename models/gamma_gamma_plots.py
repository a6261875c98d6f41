"""What repeat buyers spend on average, against what a Gamma-Gamma model makes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from features.errors import ContractError
from models.gamma_gamma import GammaGammaModel
from models.gamma_gamma_likelihood import log_density
from models.inputs import Column, Floats, check_spend, check_times

_BINS = 40

_SHOWN = 0.99
"""Share of the repeat buyers that the picture shows; a few big spenders would leave no room for the rest."""


def spend_density(model: GammaGammaModel, spend: ArrayLike, frequency: ArrayLike) -> Floats:
    """Return the model's density of mean spend among customers with the given frequencies.

    The marginal density of the mean of x purchases (note 025, eq. 1a), averaged over the customers: a mean of
    few purchases spreads more than one of many.

    Parameters
    ----------
    model : GammaGammaModel
        Fitted.
    spend : array_like of shape (k,)
        Above 0: where to look.
    frequency : array_like of shape (n,)
        Repeat purchases of each customer; those with 0 have no mean spend and are left out.

    Returns
    -------
    ndarray of shape (k,)
        Per unit of money.

    Raises
    ------
    ContractError
        If nobody has a repeat purchase, or a spend is not above 0.

    Examples
    --------
    >>> model = GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}})
    >>> spend_density(model, [10, 30, 90], frequency=[0, 1, 1, 6]).round(4)
    array([0.0165, 0.0206, 0.0013])
    """
    counts = check_spend(frequency, np.ones(np.shape(frequency)))[0]
    x, customers = np.unique(counts[counts > 0], return_counts=True)
    if not len(x):
        raise ContractError(f"none of {len(counts)} customers has a repeat purchase")
    m = check_times("spend", spend)[:, None]
    if (m <= 0).any():
        raise ContractError(
            f"spend is not above 0 at {int((m <= 0).sum())} points", example=float(m[m <= 0][0])
        )
    p, q, v = (model.params_[name] for name in ("p", "q", "v"))
    logs, _, _ = log_density(p, q, v, x, m)
    return np.asarray(np.exp(logs) @ customers / customers.sum())


def spend_figure(
    model: GammaGammaModel,
    frequency: ArrayLike | pd.DataFrame,
    monetary_value: Column = None,
    *,
    unit: str = "the log's currency",
) -> Figure:
    """Draw the observed mean spends of the repeat buyers as a histogram, and the model's density over it.

    Parameters
    ----------
    model : GammaGammaModel
        Fitted.
    frequency : array_like of shape (n,)
        Repeat purchases; customers with 0 are left out. Or a frame that has both columns.
    monetary_value : array_like of shape (n,)
        Mean spend of the repeat purchases.
    unit : str
        Of money.

    Returns
    -------
    Figure
        The histogram is a density of all repeat buyers, though the largest 1 % of spends are not shown.

    Raises
    ------
    ContractError
        If a value is impossible, or nobody has a repeat purchase.

    Examples
    --------
    >>> model = GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}})
    >>> spend_figure(model, [0, 1, 3], [0, 20, 40], unit="dollars").axes[0].get_xlabel()
    'mean spend of a repeat purchase, in dollars'
    """
    x, m = check_spend(frequency, monetary_value)
    repeat = x > 0
    if not repeat.any():
        raise ContractError(f"none of {len(x)} customers has a repeat purchase")
    seen = m[repeat]
    edges = np.linspace(0.0, np.quantile(seen, _SHOWN), _BINS + 1)
    share = np.full(len(seen), 1 / (len(seen) * edges[1]))
    grid = np.linspace(0.0, edges[-1], 501)[1:]
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    axes.hist(seen, edges.tolist(), weights=share, color="lightgrey", label=f"{len(seen):,} repeat buyers")
    axes.plot(grid, spend_density(model, grid, x), label="Gamma-Gamma")
    axes.set(
        xlabel=f"mean spend of a repeat purchase, in {unit}",
        ylabel="density (per unit of money)",
        title="Mean spend",
    )
    axes.legend()
    return figure
