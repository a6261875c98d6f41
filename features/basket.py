"""What a customer's orders are like: their value, what is in them, and what comes back."""

from collections.abc import Iterator
from typing import Literal

import ibis.expr.types as ir

from features.contracts import MONEY_UNITS
from features.door import QUANTITY_UNITS
from features.feature import Feature, Value, concentration, ratio, summed

ORDINALS = ("first", "second", "third")


def basket() -> Iterator[Feature]:
    """Yield the family's features."""
    yield from _parts()
    yield from _value()
    yield from _content()
    yield from _refunds()
    yield from _variety("products", "product_id")
    yield from _variety("categories", "category")
    yield from _leads()


def _parts() -> Iterator[Feature]:
    yield Feature(
        "last_spend",
        "days",
        lambda t: t.amount.argmax(t.day),
        "money",
        "Net amount of the last purchase day.",
        is_part=True,
    )
    for name in ("n_lines", "quantity", "discount", "refunded"):
        yield Feature(
            name,
            "booked",
            summed(name),
            "money" if name in ("discount", "refunded") else "items",
            f"Sum of {name} over the ledger.",
            is_part=True,
        )


def _value() -> Iterator[Feature]:
    yield Feature(
        "average_order_value",
        "derived",
        lambda t: _money(t.days_spend) / t.n_orders.nullif(0).cast("float64"),
        "currency",
        "Net amount of the purchase days divided by the orders.",
    )
    yield Feature(
        "order_value_trend",
        "derived",
        lambda t: ratio(t.spend_180d, t.orders_180d) / ratio(t.days_spend, t.n_orders),
        "ratio",
        "Average order value of the last 180 days over that of all time; empty without a recent order.",
        needs=("amounts",),
    )
    yield Feature(
        "first_order_value",
        "derived",
        lambda t: _money(t.first_spend),
        "currency",
        "Net amount of the first purchase day.",
        needs=("amounts",),
    )
    yield Feature(
        "last_order_value_ratio",
        "derived",
        lambda t: _money(t.last_spend) * t.n_days.cast("float64") / _money(t.days_spend),
        "ratio",
        "Net amount of the last purchase day over the mean of all.",
        needs=("amounts",),
    )
    yield Feature(
        "top_up_share",
        "derived",
        lambda t: ratio(t.n_orders - t.n_days, t.n_orders),
        "share",
        "Share of the orders that were not the first of their day.",
    )


def _content() -> Iterator[Feature]:
    yield Feature(
        "items_per_order",
        "derived",
        lambda t: ratio(t.n_lines, t.n_orders),
        "items",
        "Bought lines, refunded ones too, per order that still stands.",
    )
    yield Feature(
        "quantity_per_order",
        "derived",
        lambda t: ratio(t.quantity, t.n_orders) / QUANTITY_UNITS,
        "items",
        "Bought units, refunded ones too, per order that still stands.",
        needs=("quantity",),
    )
    yield Feature(
        "line_value",
        "derived",
        lambda t: _money(t.total_spend + t.refunded) / t.n_lines.nullif(0).cast("float64"),
        "currency",
        "Price level: mean amount of a bought line.",
        needs=("amounts",),
    )
    yield Feature(
        "unit_price",
        "derived",
        lambda t: ratio(t.total_spend + t.refunded, t.quantity) * (QUANTITY_UNITS / MONEY_UNITS),
        "currency",
        "Price level: amount bought divided by the units bought.",
        needs=("amounts", "quantity"),
    )
    yield Feature(
        "discount_share",
        "derived",
        lambda t: ratio(t.discount, t.total_spend + t.refunded + t.discount),
        "share",
        "Discounts as a share of what the bought lines would have cost without them.",
        needs=("amounts", "discount"),
    )


def _refunds() -> Iterator[Feature]:
    yield Feature(
        "refund_share",
        "derived",
        lambda t: ratio(t.refunded, t.total_spend + t.refunded),
        "share",
        "Refunded money as a share of the money of the bought lines.",
        needs=("amounts",),
    )
    yield Feature(
        "n_refunds", "booked", lambda t: t.n_refunds.sum(), "refunds", "Refunded or cancelled lines."
    )
    yield Feature(
        "days_since_last_refund",
        "booked",
        lambda t: (t.cutoff - t.known_day).min(where=t.n_refunds > 0),
        "days",
        "Days since a refund last became known; empty if there was none.",
    )


def _variety(name: Literal["products", "categories"], column: str) -> Iterator[Feature]:
    singular, needs = column.removesuffix("_id"), (column,)
    new = summed(f"{name}_n_new")
    yield Feature(f"n_{name}", "booked", new, name, f"Distinct {name} bought.", needs, fill=0)
    yield Feature(
        f"{singular}_concentration",
        "booked",
        concentration(f"{name}_"),
        "share",
        f"Chance that two lines, drawn with replacement, are of one {singular}: 1 if all are.",
        needs=needs,
    )
    yield Feature(
        f"{singular}_lines",
        "booked",
        summed(f"{name}_n"),
        "items",
        f"Bought lines with a {singular}.",
        needs=needs,
        is_part=True,
    )
    yield Feature(
        f"repeat_{singular}_share",
        "derived",
        lambda t: ratio(t[f"{singular}_lines"] - t[f"n_{name}"], t[f"{singular}_lines"]),
        "share",
        f"Share of the bought lines whose {singular} had been bought before.",
        needs=needs,
    )


def _leads() -> Iterator[Feature]:
    for place, ordinal in enumerate(ORDINALS, start=1):
        yield Feature(
            f"{ordinal}_product",
            "leads",
            _at_place("product_id", place),
            "category",
            f"Product of the dearest line that has one, on the {ordinal} day of purchases to become known.",
            needs=("product_id",),
        )
    yield Feature(
        "first_category",
        "leads",
        _at_place("category", 1),
        "category",
        "Category of the dearest line that has one, on the first day of purchases to become known.",
        needs=("category",),
    )


def _at_place(column: str, place: int) -> Value:
    return lambda t: t[column].max(where=t.place == place)


def _money(value: ir.Value) -> ir.Value:
    return value.cast("float64") / MONEY_UNITS
