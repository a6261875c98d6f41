"""Recency, frequency and monetary value, and what happened in trailing windows."""

from collections.abc import Iterator, Sequence

import ibis.expr.types as ir

from features.contracts import MONEY_UNITS
from features.feature import Feature, Unit, Value, in_window, ratio

WINDOWS = (7, 14, 28, 90, 180, 365)
"""Standard trailing windows in days; configured horizons are added to them."""

SHARES = ((28, 90), (90, 180), (90, 365))
"""Pairs of windows whose shorter one is given as a share of the longer one."""


def rfm(windows: Sequence[int]) -> Iterator[Feature]:
    """Yield the family's features.

    Parameters
    ----------
    windows : sequence of int
        Lengths in days of the trailing windows ``[cutoff - w, cutoff)``.
    """
    yield from _parts()
    yield from _timing()
    yield from _spend()
    for window in windows:
        yield from _in_window(window)
    for short, long in SHARES:
        yield from _share_of_window(short, long)


def _parts() -> Iterator[Feature]:
    def part(name: str, value: Value, unit: Unit, description: str) -> Feature:
        return Feature(name, "days", value, unit, description, is_part=True)

    yield part("first_day", lambda t: t.day.min(), "days", "First purchase day.")
    yield part("last_day", lambda t: t.day.max(), "days", "Last purchase day.")
    yield part("n_days", lambda t: t.count(), "days", "Purchase days.")
    yield part("days_spend", lambda t: t.amount.sum(), "money", "Net amount of the purchase days.")
    yield part("first_spend", lambda t: t.amount.argmin(t.day), "money", "Net of the first purchase day.")


def _timing() -> Iterator[Feature]:
    yield Feature(
        "frequency",
        "derived",
        lambda t: t.n_days - 1,
        "days",
        "Repeat purchase days: purchase days after the first one.",
    )
    yield Feature(
        "recency",
        "derived",
        lambda t: t.last_day - t.first_day,
        "days",
        "Age at the last purchase: days from the first to the last purchase day.",
    )
    yield Feature(
        "T",
        "derived",
        lambda t: t.cutoff - t.first_day,
        "days",
        "Days from the first purchase day to the cutoff.",
    )


def _spend() -> Iterator[Feature]:
    yield Feature(
        "monetary_value",
        "derived",
        _monetary_value,
        "currency",
        "Mean net amount of the repeat purchase days; 0 if there is none.",
    )
    yield Feature(
        "n_orders", "days", lambda t: t.n_orders.sum(), "orders", "Orders with a positive net amount."
    )
    yield Feature(
        "total_spend",
        "booked",
        lambda t: t.amount.sum(),
        "money",
        "Net amount of everything, refunds without a known order included.",
    )


def _monetary_value(t: ir.Table) -> ir.Value:
    repeat = (t.days_spend - t.first_spend).cast("float64") / MONEY_UNITS
    return (repeat / (t.n_days - 1).nullif(0).cast("float64")).fill_null(0.0)


def _in_window(window: int) -> Iterator[Feature]:
    yield Feature(
        f"orders_{window}d",
        "days",
        in_window("n_orders", window),
        "orders",
        f"Orders in the {window} days before the cutoff.",
    )
    yield Feature(
        f"spend_{window}d",
        "days",
        in_window("amount", window),
        "money",
        f"Net amount of the purchase days in the {window} days before the cutoff.",
    )


def _share(part: str, whole: str) -> Value:
    return lambda t: ratio(t[part], t[whole])


def _share_of_window(short: int, long: int) -> Iterator[Feature]:
    for what, noun in (("orders", "Orders"), ("spend", "Net amount")):
        yield Feature(
            f"{what}_share_{short}d_of_{long}d",
            "derived",
            _share(f"{what}_{short}d", f"{what}_{long}d"),
            "share",
            f"{noun} of the last {short} days as a share of the last {long}; empty if those had none.",
        )
