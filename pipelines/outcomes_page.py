"""The outcome ledger for people: one page of tables and pictures, and the table of the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.outcomes import LEVEL, MODEL, WITHIN
from pipelines.board_page import board_page

MEASURES = {"buyers": "buyers", "churn_rate": "churn", "orders": "orders", "spend": "spend"}
HOW_TO_READ = (
    f"Luck alone puts what comes between the two numbers in brackets {LEVEL:.0%} of the time, if what was "
    "expected of each customer is right. It is the luck of customers who do not watch one another: a season "
    "or a campaign that moves all alike is no luck, and shows.",
    "Deciles are tenths of the customers of a run, 10 those likeliest to buy.",
    "Runs of different dates overlap: a customer, and a purchase, counts once in each of them. Over several "
    "runs the numbers in brackets allow for that.",
)


def outcomes_page(
    table: pd.DataFrame, as_of: date, sentences: Sequence[str], primary: int, unit: str = ""
) -> str:
    """Write the page.

    Parameters
    ----------
    table : DataFrame
        Of `models.outcomes.expected_against_actual`.
    as_of : date
        By when the windows were over.
    sentences : sequence of str
        What was closed, and what was left out.
    primary : int
        The horizon that is drawn, of each model version; while it is not over, the longest that is.
    unit : str
        What spend is counted in.
    """
    boards = {"In total": total_board(table, unit)}
    figures = {}
    for title, rows in _models(table):
        runs, whole = rows[rows["run"] != ""], rows[rows["run"] == ""]
        boards[f"{title}: by date"] = group_board(runs[runs["by"] == "run"], "scored as of", unit)
        for by, name in (("decile", "tenth"), ("risk_tier", "risk tier")):
            boards[f"{title}: by {by.replace('_', ' ')}"] = group_board(whole[whole["by"] == by], name, unit)
        if rows["horizon"].iloc[0] == _drawn(table, rows, primary):
            words = f"{title}: expected against actual by decile"
            figures[words] = decile_figure(whole[whole["by"] == "decile"], words)
    return board_page(f"Expected against actual, by {as_of}", [*sentences, *HOW_TO_READ], boards, figures)


def _drawn(table: pd.DataFrame, rows: pd.DataFrame, primary: int) -> int:
    horizons = table.loc[table["model_digest"] == rows["model_digest"].iloc[0], "horizon"]
    return primary if (horizons == primary).any() else int(horizons.max())


def _models(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield model versions, each at each horizon; versions that share a number are told apart by digest."""
    shared = table.groupby("model_version")["model_digest"].nunique() > 1
    for (horizon, version, digest), rows in table.groupby(MODEL, sort=False):
        which = f" ({str(digest)[:19]}…)" if shared[str(version)] else ""
        yield f"Version {version}{which}, {horizon} days", rows


def total_board(table: pd.DataFrame, unit: str = "") -> pd.DataFrame:
    """One row a model version, horizon and measure, over all runs, as text."""
    lines = []
    for title, rows in _models(table):
        for row in rows[(rows["run"] == "") & (rows["by"] == "model_version")].to_dict("records"):
            measure, of = row["measure"], unit if row["measure"] == "spend" else ""
            lines.append(
                {
                    "model": f"{title}: {MEASURES[measure]}",
                    "expected": _shown(row["expected"], measure, of),
                    "luck alone": f"({_between(row, measure)})",
                    "actual": _shown(row["actual"], measure, of),
                    "off by": _off(row, measure),
                    "verdict": row["verdict"],
                }
            )
    return pd.DataFrame(lines).set_index("model")


def group_board(rows: pd.DataFrame, name: str, unit: str = "") -> pd.DataFrame:
    """One row a group, as text: what was expected of each measure, and what came."""
    heads = MEASURES | {"spend": f"spend, {unit}," if unit else "spend"}
    lines: dict[str, dict[str, str]] = {}
    for row in rows.to_dict("records"):
        line = lines.setdefault(_whole(row["group"]), {"customers": f"{row['customers']:,}"})
        measure = row["measure"]
        mark = "" if row["verdict"] == WITHIN else f", {row['verdict'].removesuffix(' than expected')}"
        # The ends of the churn rate are those of the buyers over again.
        ends = "" if measure == "churn_rate" else f" {_whole(f'({_between(row, measure)})')}"
        line[f"{heads[measure]} expected"] = f"{_shown(row['expected'], measure)}{ends}"
        line[f"{heads[measure]} actual"] = _whole(f"{_shown(row['actual'], measure)}{mark}")
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis(name)


def _whole(text: str) -> str:
    """Keep together what belongs on one line of a cell."""
    return text.replace(" ", "\u00a0").replace("-", "\u2011")


def _off(row: Mapping[Any, Any], measure: str) -> str:
    if measure == "churn_rate":
        return f"{100 * (row['actual'] - row['expected']):+.1f} points"
    return f"{row['actual'] / row['expected'] - 1:+.1%}" if row["expected"] > 0 else "-"


def _between(row: Mapping[Any, Any], measure: str) -> str:
    if np.isnan(row["low"]):
        return "not known"
    return f"{_shown(row['low'], measure)} to {_shown(row['high'], measure)}"


def _shown(value: float, measure: str, unit: str = "") -> str:
    if measure == "churn_rate":
        return f"{value:.1%}"
    return f"{value:,.0f} {unit}".strip() if value >= 100 or value == int(value) else f"{value:,.1f}"


def decile_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw expected and actual totals by decile, and beside them the one over the other."""
    measures = [m for m in MEASURES if m != "churn_rate" and (rows["measure"] == m).any()]
    figure = Figure(figsize=(6.4, 1 + 2.1 * len(measures)), layout="constrained")
    figure.suptitle(title)
    for (left, right), measure in zip(figure.subplots(len(measures), 2, sharex=True), measures, strict=True):
        part = rows[rows["measure"] == measure]
        totals = part[["low", "high", "expected", "actual"]].set_axis(part["group"].astype(int))
        is_out = (part["verdict"] != WITHIN).to_numpy()
        _draw(left, totals, is_out)
        _draw(right, totals.div(totals["expected"].where(totals["expected"] > 0), axis=0), is_out)
        left.set(ylabel=MEASURES[measure], ylim=(0, None))
        right.set(ylabel="actual : expected")
    left.set(xlabel="decile, 10: likeliest to buy", xticks=range(1, 11))
    left.legend(fontsize="small")
    return figure


def _draw(axes: Any, values: pd.DataFrame, is_out: NDArray[np.bool_]) -> None:
    place = values.index
    axes.vlines(place, values["low"], values["high"], color="lightgrey", linewidth=7, label="luck alone")
    axes.plot(place, values["expected"], "_", color="black", markersize=8, label="expected")
    for out, sign, color, name in ((False, "o", "tab:blue", "actual"), (True, "D", "tab:red", "beyond luck")):
        some = values[is_out == out]
        axes.plot(some.index, some["actual"], sign, color=color, markersize=4, label=name)
