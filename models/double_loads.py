"""Suspicious double loads: stretches of days whose rows nearly all appear twice, in a log that is not so."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from models.findings import Finding, Severity

NEARLY_ALL = 0.9
"""Share of a day's rows that must have a copy."""

FEW = 20
"""Distinct rows below which a stretch may be one order entered twice."""

_SHOWN = 5


@dataclass(frozen=True)
class DoubleLoad:
    """A stretch of days that seems to have been loaded more than once.

    Parameters
    ----------
    name : str
        The month or months, the day, or from when to when.
    first, last : date
        Both included.
    rows, extra_rows : int
        Rows there, and how many of them are copies too many.
    times : int
        How often a row appears.
    """

    name: str
    first: date
    last: date
    rows: int
    extra_rows: int
    times: int


def find_double_loads(daily: pd.DataFrame) -> list[DoubleLoad]:
    """Find them.

    Parameters
    ----------
    daily : DataFrame
        One row a day, a DatetimeIndex without gaps, with ``rows``, ``distinct_rows`` and ``copied_rows``
        (rows that have at least one copy).

    Returns
    -------
    list of DoubleLoad
        In order of time. Neighbouring days make one; days without rows do not part them. Where most of the
        other rows have copies as well, a copy says nothing, unless every row of the log comes equally often.
    """
    active = daily[daily["rows"] > 0]
    marked = active["copied_rows"] >= NEARLY_ALL * active["rows"]
    stretch = (marked != marked.shift()).cumsum()
    rest = active[~marked]
    if rest["copied_rows"].sum() > 0.5 * rest["rows"].sum():
        return []
    found = [_load(days, active) for _, days in active[marked].groupby(stretch[marked])]
    return [load for load in found if load is not None]


def _load(days: pd.DataFrame, active: pd.DataFrame) -> DoubleLoad | None:
    rows, distinct = int(days["rows"].sum()), int(days["distinct_rows"].sum())
    times = round(rows / distinct)
    if distinct < FEW or abs(rows / distinct - times) > 0.1 * times or times < 2:
        return None  # a load repeats every row equally often; lines that look alike by nature do not
    first, last = days.index[0].date(), days.index[-1].date()
    return DoubleLoad(_name(days, active), first, last, rows, rows - round(rows / times), times)


def _name(days: pd.DataFrame, active: pd.DataFrame) -> str:
    """Name whole months as such: every day with rows of each month that is touched lies in the stretch."""
    first, last = days.index[0], days.index[-1]
    months = pd.DatetimeIndex(days.index).to_period("M")
    touched = pd.DatetimeIndex(active.index).to_period("M")
    inside = active[(touched >= months[0]) & (touched <= months[-1])]
    if len(inside) == len(days) and len(days) > 1:
        return str(months[0]) if months[0] == months[-1] else f"{months[0]} to {months[-1]}"
    return str(first.date()) if first == last else f"{first.date()} to {last.date()}"


def judge_copies(daily: pd.DataFrame) -> list[Finding]:
    """Say which rows come more than once."""
    loads = find_double_loads(daily)
    rows = int(daily["rows"].sum())
    loaded_again = sum(load.extra_rows for load in loads)
    copies = rows - int(daily["distinct_rows"].sum()) - loaded_again
    share = copies / max(rows - loaded_again, 1)
    text = (
        f"{copies:,} {'other ' if loads else ''}rows ({share:.1%}) repeat another one's customer, order, "
        "product, time and amount; they are kept (a line scanned twice is two lines)"
    )
    severity: Severity = "note" if share >= 0.001 else "ok"
    return [
        _judge_loads(loads, rows),
        Finding(severity, "duplicates", text, {"rows": copies, "share": share}),
    ]


def _judge_loads(loads: list[DoubleLoad], rows: int) -> Finding:
    numbers: dict[str, Any] = {
        "periods": [
            {
                "name": x.name, "first": str(x.first), "last": str(x.last), "rows": x.rows,
                "extra_rows": x.extra_rows, "times": x.times,
            }
            for x in loads
        ]
    }  # fmt: skip
    if not loads:
        return Finding("ok", "double_load", "no day, week or month looks as if it was loaded twice", numbers)
    said = "; ".join(f"{x.name}: {x.rows:,} rows, nearly every one {_often(x.times)}" for x in loads[:_SHOWN])
    more = f"; and {len(loads) - _SHOWN} more" if len(loads) > _SHOWN else ""
    everywhere = sum(x.rows for x in loads) >= NEARLY_ALL * rows
    looks = "The whole log looks" if everywhere else "The rest of the log is not like that, so it looks"
    text = (
        f"{said}{more}. {looks} loaded more than once. Remove the {sum(x.extra_rows for x in loads):,} "
        "copies from the source and check again: they multiply what customers seem to spend"
    )
    return Finding("warning", "double_load", text, numbers)


def _often(times: int) -> str:
    return "twice" if times == 2 else f"{times} times"


def judge_files(shared: pd.DataFrame, files: pd.DataFrame) -> Finding:
    """Say which files hold the same rows.

    Parameters
    ----------
    shared : DataFrame
        ``one, other, rows, first_day, last_day`` (dates): distinct rows that both files hold.
    files : DataFrame
        ``file, rows``.
    """
    size = files.set_index("file")["rows"]
    pairs = [
        {
            "one": p["one"], "other": p["other"], "rows": int(p["rows"]),
            "first": str(p["first_day"]), "last": str(p["last_day"]),
            "share": float(p["rows"] / min(size[p["one"]], size[p["other"]])),
        }
        for p in shared.sort_values("rows", ascending=False).to_dict("records")
    ]  # fmt: skip
    loud = [p for p in pairs if p["rows"] >= FEW and p["share"] >= 0.01]
    numbers = {"files": len(files), "pairs": loud}
    if not loud:
        text = f"no two of the {len(files)} files hold the same rows"
        return Finding("ok", "same_rows_in_two_files", text, numbers)
    said = "; ".join(
        f"{p['one']} and {p['other']}: {p['rows']:,} rows of {p['first']} to {p['last']} "
        f"({p['share']:.0%} of the smaller file)"
        for p in loud[:_SHOWN]
    )
    more = f"; and {len(loud) - _SHOWN} more pairs" if len(loud) > _SHOWN else ""
    text = f"{said}{more}. Take one of each out of the source and check again"
    return Finding("warning", "same_rows_in_two_files", text, numbers)
