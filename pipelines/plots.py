"""Pictures of a comparison, as matplotlib figures."""

from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.figure import Figure

from models.btyd import Btyd
from models.btyd_plots import frequency_recency_heatmap
from models.gamma_gamma_plots import spend_figure
from models.metrics import gains, reliability


def reliability_figure(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw predicted probability against what happened, in ten bins of equal size."""
    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="as said, so it happened")
    for name in names:
        bins = reliability(table["bought"].to_numpy(), table[f"p_{name}"].to_numpy())
        axes.plot(bins["p_mean"], bins["y_mean"], marker="o", label=name)
    axes.set(xlabel="predicted probability of a purchase", ylabel="share that bought", title="Reliability")
    axes.legend()
    return figure


def gains_figure(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw which share of the buyers is found among the best-ranked customers."""
    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="at random")
    for name, curve in _gains(table, names):
        axes.plot(curve["share"], curve["captured"], label=name)
    axes.set(xlabel="share of customers, likeliest first", ylabel="share of buyers found", title="Gains")
    axes.legend()
    return figure


def lift_figure(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw how many times more buyers the best-ranked customers hold than as many taken at random."""
    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    axes.axhline(1, color="grey", linestyle=":", label="at random")
    for name, curve in _gains(table, names):
        some = curve.iloc[1:]
        axes.plot(some["share"], some["captured"] / some["share"], label=name)
    axes.set(xlabel="share of customers, likeliest first", ylabel="lift", title="Lift")
    axes.legend()
    return figure


def _gains(table: pd.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each candidate's curve; none where nobody bought."""
    for name in names if table["bought"].any() else ():
        yield name, gains(table["bought"].to_numpy(), table[f"p_{name}"].to_numpy())


def importances_figure(inputs: pd.DataFrame, most: int = 20) -> Figure:
    """Draw the inputs that move the probabilities most (`models.importances`)."""
    shown = inputs.head(most).iloc[::-1]
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    axes.barh(shown["feature"], shown["importance"])
    axes.set(xlabel="mean change of the log-odds", title="What moves the probability of a purchase")
    return figure


def btyd_figures(btyd: Btyd, customers: pd.DataFrame, horizon: int) -> dict[str, Figure]:
    """Draw what the buy-till-you-die models of one cutoff say of its customers; keys name the pictures."""
    age = float(max(customers["T"].median(), 1))
    figures = {
        "btyd_alive": frequency_recency_heatmap(btyd.bg, age),
        "btyd_purchase": frequency_recency_heatmap(btyd.bg, age, horizon),
    }
    repeat = customers[customers["frequency"] > 0]
    if btyd.gg is not None and len(repeat):
        figures["btyd_spend"] = spend_figure(btyd.gg, repeat)
    return figures
