"""Season and growth: what a log can say about them, and what it is too short to say."""

from typing import Any

import numpy as np
import pandas as pd

from models.findings import Finding

YEAR = 365
_QUARTER = 91
_SHORTEST = 28
_CHANGE = 0.5
_GONE = 0.05
_SEASONAL = 1.25
_FLAT = 1.15
_REPEATS = 0.5


def monthly(daily: pd.DataFrame) -> pd.DataFrame:
    """Add a log up by calendar month.

    Parameters
    ----------
    daily : DataFrame
        One row a day, a DatetimeIndex without gaps, with ``buyers, newcomers, orders, amount``.

    Returns
    -------
    DataFrame
        ``month`` (text), ``days`` (of it inside the log), ``is_whole``, ``orders, buyers`` (purchase days),
        ``newcomers, amount``.
    """
    month = pd.DatetimeIndex(daily.index).to_period("M")
    sums: pd.DataFrame = daily[["orders", "buyers", "newcomers", "amount"]].groupby(month).sum()
    days = daily["orders"].groupby(month).size()
    is_whole = days.to_numpy() == pd.PeriodIndex(days.index).days_in_month
    named = sums.assign(month=[str(m) for m in sums.index], days=days, is_whole=is_whole)
    return named.reset_index(drop=True)


def judge_season(daily: pd.DataFrame, horizon: int) -> Finding:
    """Say what the log knows of the seasons, and whether it has seen the one that comes next.

    Parameters
    ----------
    daily : DataFrame
        As `monthly` takes it.
    horizon : int
        Days ahead that matter.
    """
    months = monthly(daily)
    whole = months[months["is_whole"]]
    index = _seasonal_index(whole)
    numbers: dict[str, Any] = {
        "days": len(daily), "whole_months": len(whole), "index": index,
        "repeats": _repeats(whole), "days_ahead_seen_a_year_before": _seen_before(daily, horizon),
    }  # fmt: skip
    ahead = _ahead(numbers["days_ahead_seen_a_year_before"], horizon)
    if len(daily) < YEAR:
        missing = YEAR - len(daily)
        text = (
            f"{len(daily)} days are under a year: seasons cannot be seen, and what looks like growth may be "
            f"one ({missing} more days make a year); {ahead}"
        )
        return Finding("note", "season", text, numbers)
    if numbers["repeats"] is None:
        text = (
            "fewer than 24 whole calendar months, so no season was seen twice: "
            f"{_extremes(index)}; season and growth cannot be told apart; {ahead}"
        )
        return Finding("note", "season", text, numbers)
    seasonal = numbers["repeats"] >= _REPEATS and max(index.values()) >= _SEASONAL
    said = f"{_extremes(index)}, year after year" if seasonal else "no season repeats from year to year"
    return Finding("ok", "season", f"{said}; {ahead}", numbers)


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _extremes(index: dict[int, float]) -> str:
    if not index:
        return "not a whole year of months"
    peak, low = max(index, key=lambda m: index[m]), min(index, key=lambda m: index[m])
    if index[peak] < _FLAT and index[low] > 1 / _FLAT:
        return f"the months differ little ({index[low]:.2f} to {index[peak]:.2f} of the average one)"
    return (
        f"{_MONTHS[peak - 1]} is the strongest month ({index[peak]:.1f} times the average one) and "
        f"{_MONTHS[low - 1]} the weakest ({index[low]:.1f} times)"
    )


def _ahead(seen: int, horizon: int) -> str:
    if seen == horizon:
        return f"the {horizon} days ahead have been seen a year before"
    if seen == 0:
        return f"the {horizon} days ahead fall into a season that the log has not seen"
    return f"of the {horizon} days ahead, the log has seen {seen} a year before"


def _seen_before(daily: pd.DataFrame, horizon: int) -> int:
    first = len(daily) - YEAR  # place of the day a year before the first one ahead
    return int(np.clip(min(first + horizon, len(daily)) - max(first, 0), 0, horizon))


def _pace(whole: pd.DataFrame) -> "pd.Series[float]":
    """Orders a day of each month, a straight trend of the logarithm taken out; 1 is the average."""
    log = np.log(np.maximum(whole["orders"].to_numpy(float), 0.5) / whole["days"].to_numpy(float))
    if len(whole) >= 24:
        steps = np.arange(len(log))
        log = log - np.polyval(np.polyfit(steps, log, 1), steps)
    pace = np.exp(log)
    return pd.Series(pace / pace.mean(), index=whole["month"])


def _seasonal_index(whole: pd.DataFrame) -> dict[int, float]:
    """Each calendar month's pace, 1 the average, over the last whole years; empty under a year of months."""
    years = len(whole) // 12
    if not years:
        return {}
    pace = _pace(whole.iloc[-12 * years :])
    by_month = pace.groupby(pace.index.str[-2:].astype(int)).mean()
    return dict(zip(map(int, by_month.index), map(float, by_month), strict=True))


def _repeats(whole: pd.DataFrame) -> float | None:
    """Mean correlation between the years' patterns; None under two years of whole months."""
    years = len(whole) // 12
    if years < 2:
        return None
    pace = np.log(_pace(whole.iloc[-12 * years :]).to_numpy()).reshape(years, 12)
    if (pace.std(axis=1) < 1e-9).any():
        return 0.0
    pairs = np.corrcoef(pace)[np.triu_indices(years, 1)]
    return float(pairs.mean())


def judge_growth(daily: pd.DataFrame, *, has_amounts: bool) -> list[Finding]:
    """Compare the newest days with as many before, and with the same a year earlier; look for new customers.

    The windows are 13 weeks, or half the log where that is less: whole weeks, so that weekdays do not matter.
    """
    window = min(_QUARTER, len(daily) // 2 // 7 * 7)
    if window < _SHORTEST:
        text = f"{len(daily)} days are too few to speak of growth: that takes {2 * _SHORTEST}"
        return [Finding("note", "growth", text, {"window_days": None})]
    measures = ["orders", "buyers", "newcomers", *(["amount"] if has_amounts else [])]
    new, before = daily[measures].tail(window).sum(), daily[measures].iloc[-2 * window : -window].sum()
    numbers: dict[str, Any] = {
        "window_days": window,
        "change": {m: _change(new[m], before[m]) for m in measures},
        "change_on_year": None,
    }
    a_year_back = len(daily) - 52 * 7
    if a_year_back >= window:
        earlier = daily[measures].iloc[a_year_back - window : a_year_back].sum()
        numbers["change_on_year"] = {m: _change(new[m], earlier[m]) for m in measures}
    return [_said_growth(numbers, int(new["orders"])), _newcomers(daily, window)]


def _change(new: float, old: float) -> float | None:
    return float(new / old - 1) if old > 0 else None


def _said_growth(numbers: dict[str, Any], orders: int) -> Finding:
    change, on_year = numbers["change"]["orders"], numbers["change_on_year"]
    text = f"{orders:,} orders in the last {numbers['window_days']} days"
    text += f", {change:+.0%} on as many before" if change is not None else ""
    compared = change
    if on_year is not None and on_year["orders"] is not None:
        compared = on_year["orders"]
        text += f", {compared:+.0%} on the same weeks a year earlier"
    else:
        text += " (without a year before, growth and season cannot be told apart)"
    if compared is None or abs(compared) <= _CHANGE:
        return Finding("ok", "growth", text, numbers)
    return Finding("note", "growth", f"{text}: what was learned from the past may not hold", numbers)


def _newcomers(daily: pd.DataFrame, window: int) -> Finding:
    new, before = daily["newcomers"].tail(window).mean(), daily["newcomers"].iloc[:-window].mean()
    newest = daily.index[daily["newcomers"].to_numpy() > 0][-1].date()
    numbers = {"a_day": float(new), "a_day_before": float(before), "newest": str(newest)}
    if new <= _GONE * before:
        text = (
            f"hardly any new customers in the last {window} days (the newest on {newest}): a fixed group of "
            "customers, from which nothing can be learned about newcomers of today"
        )
        return Finding("note", "newcomers", text, numbers)
    return Finding("ok", "newcomers", f"{new * window:,.0f} new customers in the last {window} days", numbers)
