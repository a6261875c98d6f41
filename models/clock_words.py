"""The churn clock and the hazard by silence, said in words beside the configured fixed window."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.churn_clock import ChurnClock
from models.findings import Finding
from models.silences import ENOUGH, SilenceBand

APART = 2.0
"""Ratio of the clock to the fixed window from which on they are said to disagree."""


def judge_clock(
    clocks: Mapping[str, ChurnClock | None],
    bands: Sequence[SilenceBand],
    primary: int,
    at_primary: float | None,
) -> Finding:
    """Say what silence means in this shop.

    Parameters
    ----------
    clocks : mapping
        Of ``"all"`` silences, those after a ``"first_purchase"`` and those after a ``"repeat"``.
    bands : sequence of SilenceBand
        Of all silences.
    primary : int
        The configured fixed window, `target.primary_horizon`, in days.
    at_primary : float or None
        Chance of a purchase within the clock's window after `primary` days of silence; None if the log
        cannot judge it.
    """
    clock = clocks["all"]
    numbers: dict[str, Any] = {
        **{name: _plain(found) for name, found in clocks.items()},
        "fixed_window_days": primary,
        "chance_after_fixed_window": at_primary,
        "by_silence": [asdict(band) for band in bands],
    }
    if clock is None:
        text = f"none can be learned yet: it takes {ENOUGH} returns, in the first half of a log's length"
        return Finding("note", "churn_clock", text, numbers)
    if clock.days is None:
        return Finding("note", "churn_clock", _silent(clock, primary), numbers)
    text = (
        f"{clock.days} days of silence{_limits(clock)} say something here. Of those who have just bought, "
        f"{clock.chance_fresh:.0%} buy within {clock.window} days; after {clock.days} days of silence it is "
        f"{clock.chance_silent:.0%}. Half of the returns come within {clock.return_days[0.5]} days, 90% "
        f"within {clock.return_days[0.9]}. {_beside(clock.days, primary, at_primary)}{_wave(clock)}"
    )
    far = not 1 / APART <= clock.days / primary <= APART
    return Finding("note" if far or clock.second_wave else "ok", "churn_clock", text, numbers)


def _plain(clock: ChurnClock | None) -> dict[str, Any] | None:
    if clock is None:
        return None
    return asdict(clock) | {"return_days": {f"{q:.0%}": n for q, n in clock.return_days.items()}}


def _limits(clock: ChurnClock) -> str:
    if clock.low is None or clock.high is None:
        return ""
    return f" ({clock.low} to {clock.high})"


def _silent(clock: ChurnClock, primary: int) -> str:
    return (
        f"none yet: up to {clock.judged_days} days, as far as this log can judge, silence does not halve the "
        f"chance of a purchase within {clock.window} days ({clock.chance_fresh:.0%} right after a purchase, "
        f"{clock.chance_silent:.0%} then). Your fixed window of {primary} days stays"
    )


def _beside(days: int, primary: int, at_primary: float | None) -> str:
    then = "" if at_primary is None else f" (after {primary} days it is {at_primary:.0%})"
    fixed = f"Your fixed window of {primary} days{then}"
    if days * APART < primary:
        return f"{fixed} is long for this shop: silence speaks sooner"
    if days > primary * APART:
        return f"{fixed} is short for this shop: many who seem gone by then return"
    return f"{fixed} fits that"


def _wave(clock: ChurnClock) -> str:
    if clock.second_wave is None:
        return ""
    return (
        f". But around day {clock.second_wave} of silence returns grow likely again, as where customers come "
        "for a season: do not write them off before"
    )


def by_kind(numbers: Mapping[str, Any]) -> list[str]:
    """Tell first purchases from later ones: how many lead to another, and how soon.

    Parameters
    ----------
    numbers : mapping
        Of the finding of `judge_clock`.
    """
    names = {"first_purchase": "first", "repeat": "later"}
    return [
        f"of {name} purchases, {found['returned_share']:.1%} lead to another within {found['support']} days, "
        f"half of those within {found['return_days']['50%']}"
        for kind, name in names.items()
        if (found := numbers[kind])
    ]


def likeliest(bands: Sequence[SilenceBand]) -> str:
    """Say when a purchase is likeliest.

    Examples
    --------
    >>> likeliest([SilenceBand(0, 7, 100, 10, 0.016, 0.1), SilenceBand(7, 14, 80, 20, 0.04, 0.25)])
    'a purchase is likeliest on days 8 to 14 after the last one: 4.0% of those still silent buy each day'
    """
    best = max(bands, key=lambda band: band.daily)
    return (
        f"a purchase is likeliest on days {best.after + 1} to {best.until} after the last one: "
        f"{best.daily:.1%} of those still silent buy each day"
    )
