"""Is there enough to learn from? History, buyers, returns, usable rows and late ones, from plain numbers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from models.findings import Finding, Severity
from models.schedule import Schedule

FEW = 100
"""Buyers, or others, below which a test says little: a share measured on 100 customers is known to ±10 %."""

MUCH = 0.2
"""Share of the rows that cannot be used from which on it is a warning."""

SELDOM = 0.02
"""Share of customers who ever come back below which the ids themselves are in doubt."""

_GUESTS = "if guests get a new id with each order, map customer_id to what stays, such as an e-mail"


def judge_history(
    days: int, schedule: Schedule | None, refusal: str, missing: Mapping[int, int], primary: int
) -> Finding:
    """Say which horizons the history can judge.

    Parameters
    ----------
    days : int
        Of history.
    schedule : Schedule or None
        The plan of a training; None if there can be none, for the reason in `refusal`.
    refusal : str
        Why not.
    missing : mapping of int to int
        Days of history that each horizon still needs; 0 for those that can be judged.
    primary : int
        The horizon that matters.
    """
    numbers: dict[str, Any] = {"days": days, "missing_days": {str(h): n for h, n in missing.items()}}
    if schedule is None:
        return Finding("blocker", "history", refusal, numbers)
    plan = (
        f"{len(schedule.cutoffs)} cutoffs to learn from, {len(schedule.folds)} out-of-time folds to judge "
        f"{schedule.judged_horizon} days ahead"
    )
    if schedule.judged_horizon == primary:
        return Finding("ok", "history", plan, numbers)
    more = f"{missing[primary]} more days of history" if missing[primary] else "other [training] cutoffs"
    text = f"{plan}; judging {primary} days needs {more}"
    return Finding("warning", "history", text, numbers)


def judge_buyers(windows: pd.DataFrame, judged: int) -> Finding:
    """Say whether the newest test has buyers and others enough.

    Parameters
    ----------
    windows : DataFrame
        ``cutoff`` (date), ``horizon``, ``known`` (customers by then), ``buyers`` (of them, within the
        horizon), ``is_fold``.
    judged : int
        The horizon that the folds judge.
    """
    folds = windows[windows["is_fold"] & (windows["horizon"] == judged)].sort_values("cutoff")
    others = folds["known"] - folds["buyers"]
    newest = folds.iloc[-1]
    known, buyers = int(newest["known"]), int(newest["buyers"])
    numbers = {"cutoff": str(newest["cutoff"]), "horizon": judged, "known": known, "buyers": buyers}
    text = f"of {known:,} customers at {newest['cutoff']}, {buyers:,} bought within {judged} days"
    if not ((folds["buyers"] > 0) & (others > 0)).any():
        text += ": with only one outcome nothing tells one customer from another; all get the same chance"
        return Finding("warning", "buyers", text, numbers)
    if buyers < FEW:
        text += ": so few that a good model can hardly be told from luck"
        return Finding("warning", "buyers", text, numbers)
    if known - buyers < FEW:
        text += (
            f" and only {known - buyers:,} did not: so far ahead there is hardly anyone to lose, and a "
            "shorter [target] primary_horizon would tell more"
        )
        return Finding("warning", "buyers", text, numbers)
    return Finding("ok", "buyers", text, numbers)


def judge_returns(customers: int, one_time: int) -> Finding:
    """Say how many customers ever came back."""
    back = customers - one_time
    share = back / customers
    numbers = {"customers": customers, "returned": back, "share": share}
    if not back:
        text = f"nobody returned: not one of {customers:,} customers bought on a second day"
        text += ", so all that can be said is the same small chance for everyone"
        return Finding("warning", "returns", f"{text}; {_GUESTS}", numbers)
    text = f"{back:,} of {customers:,} customers ({share:.1%}) came back on another day"
    if share < SELDOM:
        return Finding("warning", "returns", f"{text}: very few; {_GUESTS}", numbers)
    return Finding("ok", "returns", text, numbers)


def judge_rows(table: str, source: str, rows_in: int, set_aside: Mapping[str, int], why: str = "") -> Finding:
    """Say what cannot be used.

    Parameters
    ----------
    table, source : str
        Which table of the config the rows are of, and where it lies.
    rows_in : int
        Rows of the source.
    set_aside : mapping of str to int
        Reason to rows.
    why : str
        What stands in the rows of the most frequent reason, and what would help.
    """
    code = "rows" if table == "transactions" else f"{table}_rows"
    n = sum(set_aside.values())
    share = n / rows_in
    numbers = {"rows": rows_in, "set_aside": n, "share": share}
    if not n:
        return Finding("ok", code, f"{source}: all {rows_in:,} rows can be used", numbers)
    worst = max(set_aside, key=lambda reason: set_aside[reason])
    text = f"{source}: {n:,} of {rows_in:,} rows ({share:.1%}) are not used, most for {worst}"
    if worst == "no_customer" and table == "transactions":
        text += ": who bought those cannot be scored"
    text += f" ({why})" if why else ""
    severity: Severity = "warning" if share >= MUCH else "note" if share >= 0.001 else "ok"
    return Finding(severity, code, text, numbers)


def judge_end(end: date, as_of: date | None, horizons: Sequence[int]) -> Finding | None:
    """Say if the log stops before the date one asks about; None if it does not."""
    late = (as_of - end).days if as_of else 0
    if late <= 0:
        return None
    text = (
        f"the log ends {late} days before {as_of}, so it is looked at until {end}, as training does; "
        "is the newest export there?"
    )
    severity: Severity = "warning" if late >= min(horizons) else "note"
    return Finding(severity, "log_end", text, {"days": late, "end": str(end), "as_of": str(as_of)})


def judge_delay(delays: pd.DataFrame, shortest: int) -> Finding:
    """Say how late rows become known.

    Parameters
    ----------
    delays : DataFrame
        ``delay`` (days from the order to its record) and ``n`` (rows).
    shortest : int
        The shortest horizon in days.
    """
    ordered = delays.sort_values("delay")
    days, counts = ordered["delay"].to_numpy(int), ordered["n"].to_numpy(float)
    late = days > 0
    share = float(counts[late].sum() / counts.sum())
    numbers: dict[str, Any] = {
        "late_share": share,
        "median_days": _at(days, counts, 0.5),
        "p99_days": _at(days, counts, 0.99),
        "median_days_of_late": _at(days[late], counts[late], 0.5) if late.any() else None,
        "max_days": int(days[-1]),
    }
    if not late.any():
        return Finding("ok", "recording_delay", "every row is recorded on the day of its order", numbers)
    text = (
        f"{share:.1%} of the rows are recorded later than the day of the order, half of them within "
        f"{numbers['median_days_of_late']} days; 99% of all rows are known within {numbers['p99_days']}, "
        f"the last after {numbers['max_days']}"
    )
    if numbers["p99_days"] >= shortest:
        text += f": what is recorded later than {shortest} days is missed when that horizon is judged"
        return Finding("warning", "recording_delay", text, numbers)
    return Finding("note" if share >= 0.01 else "ok", "recording_delay", text, numbers)


def _at(days: "np.ndarray[Any, Any]", counts: "np.ndarray[Any, Any]", q: float) -> int:
    return int(days[np.argmax(np.cumsum(counts) >= q * counts.sum())])
