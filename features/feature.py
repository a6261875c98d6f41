"""A feature is data: its name, the grain it is aggregated over, the expression, and what it means."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

Grain = Literal[
    "days", "booked", "leads", "order_switches", "visits", "touch_channels", "touch_switches", "contacts",
    "replies", "profile", "derived",
]  # fmt: skip
Unit = Literal[
    "days", "orders", "money", "currency", "purchase cycles", "share", "ratio", "items", "products",
    "categories", "refunds", "channels", "switches", "sessions", "events", "seconds", "contacts", "month",
    "months", "number", "category",
]  # fmt: skip


Value = Callable[[ir.Table], ir.Value]
"""From a grain's table, or from the aggregated columns, to the value of a feature."""


@dataclass(frozen=True)
class Feature:
    """One column of the feature table.

    Parameters
    ----------
    name : str
        Column name; the unit stands in the name where it is not days or the log's currency.
    grain : str
        `value` is an aggregation over that table of a Snapshot or, for ``derived``, a row-wise expression
        over the columns that were aggregated.
    value : callable
        From the grain's table to an Ibis value.
    unit : str
        What the number counts. ``money`` is int64 in 1/10,000 of a currency unit until the model's door;
        ``currency`` is a float in the log's currency, for means; ``category`` is text.
    description : str
        One sentence for a reader.
    needs : tuple of str
        Columns of the input tables without which the feature is off (`features.records.Records.has`).
    fill : int, optional
        What stands where the grain has no row for a customer; null by default.
    is_part : bool
        True for an intermediate that other features need and no model sees.
    """

    name: str
    grain: Grain
    value: Value
    unit: Unit
    description: str
    needs: tuple[str, ...] = ()
    fill: int | None = None
    is_part: bool = False


def ratio(over: ir.Value, under: ir.Value) -> ir.Value:
    """Divide two whole numbers as floats; null where the lower one is zero."""
    return over.cast("float64") / under.nullif(0).cast("float64")


def summed(column: str) -> Value:
    """Sum a column of the grain."""
    return lambda t: t[column].sum()


def in_window(column: str, days: int) -> Value:
    """Sum what lies in ``[cutoff - days, cutoff)``; 0 if nothing does."""
    return lambda t: t[column].sum(where=t.day >= t.cutoff - days).fill_null(0)


def concentration(prefix: str = "") -> Value:
    """Chance that two rows, drawn with replacement, have the same value (`features.variety.variety`)."""
    return lambda t: ratio(t[f"{prefix}squares"].sum(), t[f"{prefix}n"].sum() * t[f"{prefix}n"].sum())
