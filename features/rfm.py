"""Recency, frequency and monetary value, and what happened in trailing windows."""

from collections.abc import Iterator, Sequence

import ibis.expr.types as ir

from features.contracts import MONEY_UNITS
from features.feature import Feature

WINDOWS = (7, 14, 28, 90, 180, 365)
"""Standard trailing windows in days; configured horizons are added to them."""


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
        "entries",
        lambda t: t.amount.sum(),
        "money",
        "Net amount of everything, refunds without a known order included.",
    )
    yield Feature(
        "average_order_value",
        "derived",
        _average_order_value,
        "currency",
        "Net amount of the purchase days divided by the orders.",
    )


def _parts() -> Iterator[Feature]:
    yield Feature("first_day", "days", lambda t: t.day.min(), "days", "First purchase day.", is_part=True)
    yield Feature("last_day", "days", lambda t: t.day.max(), "days", "Last purchase day.", is_part=True)
    yield Feature("n_days", "days", lambda t: t.count(), "days", "Purchase days.", is_part=True)
    yield Feature(
        "days_spend",
        "days",
        lambda t: t.amount.sum(),
        "money",
        "Net amount of the purchase days.",
        is_part=True,
    )
    yield Feature(
        "first_spend",
        "days",
        lambda t: t.amount.argmin(t.day),
        "money",
        "Net amount of the first purchase day.",
        is_part=True,
    )


def _monetary_value(t: ir.Table) -> ir.Value:
    repeat = (t.days_spend - t.first_spend).cast("float64") / MONEY_UNITS
    return (repeat / (t.n_days - 1).nullif(0).cast("float64")).fill_null(0.0)


def _average_order_value(t: ir.Table) -> ir.Value:
    return t.days_spend.cast("float64") / MONEY_UNITS / t.n_orders.nullif(0).cast("float64")


def _in_window(window: int) -> Iterator[Feature]:
    def orders(t: ir.Table) -> ir.Value:
        return t.n_orders.sum(where=t.day >= t.cutoff - window).fill_null(0)

    def spend(t: ir.Table) -> ir.Value:
        return t.amount.sum(where=t.day >= t.cutoff - window).fill_null(0)

    yield Feature(
        f"orders_{window}d", "days", orders, "orders", f"Orders in the {window} days before the cutoff."
    )
    yield Feature(
        f"spend_{window}d",
        "days",
        spend,
        "money",
        f"Net amount of the purchase days in the {window} days before the cutoff.",
    )
