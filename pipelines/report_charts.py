"""Charts of a report as SVG that lies in the page: the same data give the same bytes, and grey will do."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from io import StringIO
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

Write = Callable[[float], str]
"""How a number is written along an axis."""

# Okabe and Ito's colours, told apart by those who see no red or no green; each line has its own mark and
# dash as well, each bar its own hatch, so that a print in grey says the same.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#56B4E9")
MARKS, DASHES, HATCHES = ("o", "s", "^", "D"), ("-", "--", ":", "-."), ("", "///", "...", "xx")
SIZE = (5.4, 2.9)
"""Inches of 72 points: letters keep their size on a phone, and grow on wider screens."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,  # amounts in dollars are no formulas
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "hatch.linewidth": 0.6,
}
_CUT = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>| xmlns(?::\w+)?=\"[^\"]*\"", re.DOTALL)
_ID = re.compile(r' id="([^"]*)"')


def styled(name: str) -> AbstractContextManager[None]:
    """Draw in the report's style; `name` makes the ids of a chart differ from those of the others."""
    return mpl.rc_context({**STYLE, "svg.hashsalt": name})


def svg(figure: Figure, name: str) -> str:
    """Write a figure as an ``<svg>`` element that names no address and has no id that nothing uses."""
    buffer = StringIO()
    with styled(name):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = _CUT.sub("", buffer.getvalue())
    used = set(re.findall(r"#([\w-]+)", text))
    text = _ID.sub(lambda found: found.group() if found.group(1) in used else "", text)
    return text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1).strip()


def lines(
    name: str, x: Sequence[str], series: Mapping[str, Sequence[float]], write: Write, x_label: str = ""
) -> str:
    """Draw a line a series over labelled places; NaN leaves a gap."""
    with styled(name):
        figure, axes = new_axes(write)
        for n, (label, values) in enumerate(series.items()):
            look = {"color": COLOURS[n], "marker": MARKS[n], "linestyle": DASHES[n]}
            axes.plot(range(len(x)), values, label=label, markersize=3.5, **look)
        _finish(figure, axes, x, x_label, legend=len(series) > 1)
    return svg(figure, name)


def bars(
    name: str,
    x: Sequence[str],
    series: Mapping[str, Sequence[float]],
    write: Write,
    x_label: str = "",
    ends: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> str:
    """Draw bars beside one another, a colour and hatch a series; `ends` are low and high of whiskers."""
    with styled(name):
        figure, axes = new_axes(write)
        width = 0.8 / len(series)
        for n, (label, values) in enumerate(series.items()):
            places = np.arange(len(x)) + (n - (len(series) - 1) / 2) * width
            look = {"color": COLOURS[n], "hatch": HATCHES[n], "edgecolor": "white", "linewidth": 0.4}
            axes.bar(places, values, width, label=label, **look)
            if ends and label in ends:
                axes.vlines(places, *ends[label], color="black", linewidth=1.5)
        _finish(figure, axes, x, x_label, legend=len(series) > 1)
    return svg(figure, name)


def steps(
    name: str, values: Sequence[float], marked: Sequence[int], write: Write, x_label: str, first: int = 1
) -> str:
    """Draw a value a day, with upright lines after some days."""
    with styled(name):
        figure, axes = new_axes(write)
        axes.plot(range(first, first + len(values)), values, color=COLOURS[0], linewidth=1.4)
        for day in marked:
            axes.axvline(day + 0.5, color="black", linestyle=":", linewidth=1)
        axes.set(xlabel=x_label, ylim=(0, None), xlim=(0, first + len(values)))
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    return svg(figure, name)


def heatmap(
    name: str,
    values: NDArray[np.float64],
    rows: Sequence[str],
    labels: tuple[str, str],
    write: Write,
    columns: Sequence[str] | None = None,
) -> str:
    """Draw a table as colours, dark for much; places without a value stay white.

    Without names of columns, these are counted from 0.
    """
    with styled(name):
        figure = Figure(figsize=(SIZE[0], 1.1 + 0.16 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=False)
        shown = np.ma.masked_invalid(values)
        mesh = axes.pcolormesh(shown, norm=PowerNorm(0.5), cmap="cividis_r", linewidth=0)
        axes.set(xlabel=labels[1], ylabel=labels[0])
        every = max(len(rows) // 12, 1)
        axes.set_yticks(np.arange(0, len(rows), every) + 0.5, rows[::every])
        if columns is None:
            axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        else:
            axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
        axes.invert_yaxis()
        bar = figure.colorbar(mesh, ax=axes, format=_formatter(write), drawedges=False)
        bar.outline.set_visible(False)
        if bar.solids is not None:
            bar.solids.set(edgecolor="face", rasterized=False)  # a picture in the picture would be refused
    return svg(figure, name)


def in_lines(text: str, most: int = 11) -> str:
    r"""Break a label of several words, so that it does not run into its neighbours.

    Examples
    --------
    >>> in_lines("Khách trung thành")
    'Khách trung\nthành'
    """
    return fill(text, most, break_long_words=False)


def new_axes(write: Write) -> tuple[Figure, Any]:
    """Start a chart whose upright axis is written as told."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.yaxis.set_major_formatter(_formatter(write))
    axes.grid(axis="x", visible=False)
    return figure, axes


def _formatter(write: Write) -> FuncFormatter:
    return FuncFormatter(lambda value, _place: write(float(value)))


def _finish(figure: Figure, axes: Any, x: Sequence[str], x_label: str, *, legend: bool) -> None:
    every = -(-len(x) // 8)
    axes.set_xticks(range(0, len(x), every), x[::every])
    axes.set(xlabel=x_label, ylim=(0, None))
    if legend:
        figure.legend(loc="outside upper left", ncols=2, fontsize=8, frameon=False)
