"""The outcome ledger for people: one page of tables and pictures, and the table of the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models.outcomes import LEVEL, MODEL, WITHIN
from pipelines.board_page import board_page

MEASURES = {"buyers": "buyers", "churn_rate": "churn", "orders": "orders", "spend": "spend"}
HOW_TO_READ = (
    f"Luck alone puts what comes between the two numbers in brackets {LEVEL:.0%} of the time, if what was "
    "expected of each customer is right. It is the luck of customers who do not watch one another: a season "
    "or a campaign that moves all alike is no luck, and shows.",
    "Runs of different dates overlap: a customer, and a purchase, counts once in each of them. Over several "
    "runs the numbers in brackets allow for that.",
)


def outcomes_page(table: pd.DataFrame, as_of: date, sentences: Sequence[str], unit: str = "") -> str:
    """Write the page.

    Parameters
    ----------
    table : DataFrame
        Of `models.outcomes.expected_against_actual`.
    as_of : date
        By when the windows were over.
    sentences : sequence of str
        What was closed, and what was left out.
    unit : str
        What spend is counted in.
    """
    boards = {"In total": total_board(table, unit)}
    figures = {}
    for title, rows in _models(table):
        runs, whole = rows[rows["run"] != ""], rows[rows["run"] == ""]
        boards[f"{title}: by date"] = group_board(runs[runs["by"] == "run"], "scored as of", unit)
        for by, name in (("decile", "tenth, 10 the likeliest to buy"), ("risk_tier", "risk tier")):
            boards[f"{title}: by {by.replace('_', ' ')}"] = group_board(whole[whole["by"] == by], name, unit)
        words = f"{title}: expected against actual by decile"
        figures[words] = decile_figure(whole[whole["by"] == "decile"], words)
    return board_page(f"Expected against actual, by {as_of}", [*sentences, *HOW_TO_READ], boards, figures)


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
            measure = row["measure"]
            lines.append(
                {
                    "model": f"{title}: {MEASURES[measure]}",
                    "expected": _shown(row["expected"], measure, unit),
                    "luck alone": f"({_between(row, measure)})",
                    "actual": _shown(row["actual"], measure, unit),
                    "off by": _off(row, measure),
                    "verdict": row["verdict"],
                }
            )
    return pd.DataFrame(lines).set_index("model")


def group_board(rows: pd.DataFrame, name: str, unit: str = "") -> pd.DataFrame:
    """One row a group, as text: what was expected of each measure, and what came."""
    lines: dict[str, dict[str, str]] = {}
    for row in rows.to_dict("records"):
        measure, line = row["measure"], lines.setdefault(row["group"], {"customers": f"{row['customers']:,}"})
        line[f"{MEASURES[measure]} expected"] = (
            f"{_shown(row['expected'], measure, unit)} ({_between(row, measure)})"
        )
        mark = "" if row["verdict"] == WITHIN else f", {row['verdict'].removesuffix(' than expected')}"
        line[f"{MEASURES[measure]} actual"] = _shown(row["actual"], measure, unit) + mark
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis(name)


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
    text = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
    return f"{text} {unit}".strip() if measure == "spend" else text


def decile_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw each measure's expected and actual totals by decile, with what luck alone leaves."""
    measures = [m for m in MEASURES if m != "churn_rate" and (rows["measure"] == m).any()]
    figure = Figure(figsize=(4.5 * len(measures), 4), layout="constrained")
    figure.suptitle(title)
    for axes, measure in zip(np.atleast_1d(figure.subplots(1, len(measures))), measures, strict=True):
        part = rows[rows["measure"] == measure]
        place = part["group"].astype(int)
        out = part["verdict"] != WITHIN
        axes.vlines(place, part["low"], part["high"], color="lightgrey", linewidth=8, label="luck alone")
        axes.plot(place, part["expected"], color="black", marker="_", linestyle="", ms=9, label="expected")
        axes.plot(place[~out], part["actual"][~out], "o", color="tab:blue", label="actual")
        axes.plot(place[out], part["actual"][out], "D", color="tab:red", label="actual, beyond luck")
        axes.set(xlabel="tenth of the customers, 10 the likeliest to buy", title=MEASURES[measure])
        axes.set_ylim(bottom=0)
        axes.set_xticks(range(1, 11))
    axes.legend()
    return figure
