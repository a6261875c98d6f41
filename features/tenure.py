"""How old the relation is, and how long the silence, in days and in the customer's own rhythm."""

from collections.abc import Iterator

import ibis.expr.types as ir

from features.feature import Feature


def tenure() -> Iterator[Feature]:
    """Yield the family's features."""
    yield Feature(
        "days_since_last_order",
        "derived",
        lambda t: t.cutoff - t.last_day,
        "days",
        "Days from the last purchase day to the cutoff.",
    )
    yield Feature(
        "mean_gap",
        "derived",
        _mean_gap,
        "days",
        "Mean days between purchase days; empty for one-time buyers.",
    )
    yield Feature(
        "purchase_cycles",
        "derived",
        lambda t: _in_gaps(t, t.first_day),
        "purchase cycles",
        "Age of the relation in own mean gaps; empty for one-time buyers.",
    )
    yield Feature(
        "silent_cycles",
        "derived",
        lambda t: _in_gaps(t, t.last_day),
        "purchase cycles",
        "Days since the last order in own mean gaps; empty for one-time buyers.",
    )


def _mean_gap(t: ir.Table) -> ir.Value:
    return (t.last_day - t.first_day).cast("float64") / (t.n_days - 1).nullif(0).cast("float64")


def _in_gaps(t: ir.Table, since: ir.Value) -> ir.Value:
    return (t.cutoff - since).cast("float64") / _mean_gap(t)
