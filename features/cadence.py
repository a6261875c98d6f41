"""The customer's own rhythm: gaps between purchase days, how regular they are, and how far it is broken."""

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from features.calendar import WEEK, YEAR, month_and_day, weekday
from features.feature import Feature, Value, ratio

PAYDAY = 25
"""Day of the month from which on a purchase is one of the month's end."""

SEASON = 45
"""Days to either side of a day of the year that are its season."""


def cadence() -> Iterator[Feature]:
    """Yield the family's features."""
    yield from _parts()
    yield from _gaps()
    yield from _silence()
    yield from _habits()


def _parts() -> Iterator[Feature]:
    yield Feature(
        "gap_squares",
        "days",
        lambda t: (t.gap * t.gap).sum(),
        "days",
        "Sum of the squared gaps.",
        is_part=True,
    )
    for number in range(WEEK):
        yield Feature(
            f"n_weekday_{number}",
            "days",
            _on_weekday(number),
            "days",
            f"Purchase days on weekday {number}, Monday being 0.",
            is_part=True,
        )


def _on_weekday(number: int) -> Value:
    return lambda t: (weekday(t.day) == number).cast("int64").sum()


def _gaps() -> Iterator[Feature]:
    yield Feature(
        "mean_gap",
        "derived",
        mean_gap,
        "days",
        "Mean days between purchase days; empty for one-time buyers.",
    )
    yield Feature(
        "gap_spread",
        "derived",
        gap_spread,
        "days",
        "Standard deviation (population) of the gaps between purchase days; empty for one-time buyers.",
    )
    yield Feature(
        "gap_irregularity",
        "derived",
        lambda t: gap_spread(t) / mean_gap(t),
        "ratio",
        "Spread of the gaps in mean gaps: 0 for clockwork; for chance, with n gaps, about the root of "
        "(n - 1) / (n + 1); empty for one-time buyers.",
    )
    yield Feature(
        "last_gap",
        "days",
        lambda t: t.gap.argmax(t.day),
        "days",
        "Days between the last two purchase days; empty for one-time buyers.",
    )
    yield Feature(
        "longest_gap",
        "days",
        lambda t: t.gap.max(),
        "days",
        "Longest silence between two purchase days; empty for one-time buyers.",
    )


def _silence() -> Iterator[Feature]:
    yield Feature(
        "days_since_last_order",
        "derived",
        _silent_days,
        "days",
        "Days from the last purchase day to the cutoff.",
    )
    yield Feature(
        "silent_cycles",
        "derived",
        lambda t: _silent_days(t).cast("float64") / mean_gap(t),
        "purchase cycles",
        "Days since the last order in own mean gaps; empty for one-time buyers.",
    )
    yield Feature(
        "days_overdue",
        "derived",
        lambda t: _silent_days(t).cast("float64") - mean_gap(t),
        "days",
        "Days since the last order beyond the own mean gap, negative while it is not reached.",
    )
    yield Feature(
        "silence_of_longest_gap",
        "derived",
        lambda t: ratio(_silent_days(t), t.longest_gap),
        "ratio",
        "Days since the last order over the longest gap so far; above 1 the silence is without example.",
    )


def _habits() -> Iterator[Feature]:
    yield Feature(
        "weekend_share",
        "derived",
        lambda t: ratio(t.n_weekday_5 + t.n_weekday_6, t.n_days),
        "share",
        "Share of the purchase days that are a Saturday or a Sunday.",
    )
    yield Feature(
        "weekday_share",
        "derived",
        lambda t: ratio(ibis.greatest(*[t[f"n_weekday_{n}"] for n in range(WEEK)]), t.n_days),
        "share",
        "Share of the purchase days that fall on the customer's most frequent weekday.",
    )
    yield Feature(
        "month_end_share",
        "days",
        lambda t: ratio((month_and_day(t.day)[1] >= PAYDAY).cast("int64").sum(), t.count()),
        "share",
        f"Share of the purchase days from the {PAYDAY}th of the month on.",
    )
    yield Feature(
        "season_share",
        "days",
        _season_share,
        "share",
        f"Share of the purchase days more than half a year old that lay within {SEASON} days of the cutoff's "
        "day of the year; empty if there are none.",
    )


def mean_gap(t: ir.Table) -> ir.Value:
    """Mean days between purchase days; null for one-time buyers."""
    return ratio(t.last_day - t.first_day, t.n_days - 1)


def gap_spread(t: ir.Table) -> ir.Value:
    """Standard deviation of the gaps, from whole numbers up to the root: n Σg² − (Σg)² is exact."""
    n, total = t.n_days - 1, t.last_day - t.first_day
    return (n * t.gap_squares - total * total).cast("float64").sqrt() / n.nullif(0).cast("float64")


def _silent_days(t: ir.Table) -> ir.Value:
    return t.cutoff - t.last_day


def _season_share(t: ir.Table) -> ir.Value:
    ago = t.cutoff - t.day
    of_year = ago % YEAR
    is_old = ago > YEAR // 2
    same = is_old & ((of_year <= SEASON) | (of_year >= YEAR - SEASON))
    return ratio(same.cast("int64").sum(), is_old.cast("int64").sum())
