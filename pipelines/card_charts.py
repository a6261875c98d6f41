"""Charts of a customer's card, along days: in the style of the report's (`pipelines.report_charts`)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from matplotlib.ticker import FuncFormatter, MaxNLocator

from pipelines.report_charts import COLOURS, Write, new_axes, styled, svg


def alive_line(
    name: str,
    points: Sequence[tuple[date, float]],
    orders: Sequence[date],
    labels: tuple[str, str],
    write: Write,
    write_day: Write,
) -> str:
    """Draw a chance over days, and a mark at the foot for each order.

    Parameters
    ----------
    name : str
        Of the chart, for its ids.
    points : sequence of (date, float)
        The chance.
    orders : sequence of date
        Days of orders.
    labels : tuple of str
        What the line is, and what the marks are.
    write, write_day : callable
        How a chance is written, and the ordinal of a day.
    """
    with styled(name):
        figure, axes = new_axes(write)
        days = [day.toordinal() for day, _ in points]
        axes.plot(days, [p for _, p in points], color=COLOURS[0], linewidth=1.4, label=labels[0])
        marks = [day.toordinal() for day in orders]
        look = {"color": "black", "marker": "|", "markersize": 9, "linestyle": "none", "label": labels[1]}
        axes.plot(marks, [0.02] * len(marks), **look)
        axes.set(ylim=(0, 1.02))
        _along_days(axes, [*days, *marks], write_day)
        figure.legend(loc="outside upper left", ncols=2, fontsize=8, frameon=False)
    return svg(figure, name)


def stems(name: str, days: Sequence[date], values: Sequence[float], write: Write, write_day: Write) -> str:
    """Draw an upright line a value over days; arguments as those of `alive_line`."""
    with styled(name):
        figure, axes = new_axes(write)
        places = [day.toordinal() for day in days]
        axes.vlines(places, 0, values, color=COLOURS[0], linewidth=1.4)
        axes.plot(places, values, color=COLOURS[0], marker="o", markersize=3.5, linestyle="none")
        axes.set(ylim=(min(0, *values), None))
        _along_days(axes, places, write_day)
    return svg(figure, name)


def _along_days(axes: Any, places: Sequence[int], write_day: Write) -> None:
    """Mark days; one alone has room on both sides."""
    axes.set(xlim=(min(places) - 1, max(places) + 1))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: write_day(float(value))))
