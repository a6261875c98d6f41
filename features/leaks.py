"""The leak proof: change the future in every way we can; the features must not move by one bit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from features.snapshot import day_number

Builder = Callable[[ir.Table, date], ir.Table]
"""From the line grain and a cutoff to a feature table keyed by ``customer_id``."""


@dataclass(frozen=True)
class LeakFinding:
    """What one change of the future did to the features.

    Parameters
    ----------
    mutation : str
        ``deleted``, ``corrupted`` or ``added``.
    n_rows : int
        Feature rows compared.
    moved : tuple of str
        Features that changed; empty when the proof holds.
    example : str or None
        A customer whose features changed.
    """

    mutation: str
    n_rows: int
    moved: tuple[str, ...]
    example: str | None


def prove_no_leak(lines: ir.Table, build: Builder, cutoff: date) -> list[LeakFinding]:
    """Build features from the log as it is and from logs with another future, and compare bit by bit.

    Parameters
    ----------
    lines : ibis Table
        The line grain of `features.door.used_lines`.
    build : callable
        The builder on trial.
    cutoff : date
        Rows known at or after it are the future.

    Returns
    -------
    list of LeakFinding
        One for each way of changing the future. The builder leaks if any of them has moved features.
    """
    honest = _rows(build(lines, cutoff))
    return [_compare(name, honest, _rows(build(other, cutoff))) for name, other in _futures(lines, cutoff)]


def _futures(lines: ir.Table, cutoff: date) -> list[tuple[str, ir.Table]]:
    day = day_number(cutoff)
    past, future = lines.filter(lines.known_day < day), lines.filter(lines.known_day >= day)
    corrupted = future.mutate(
        amount=future.amount * -3 + 12_345,
        is_refund=~future.is_refund,
        customer_id=future.order_id,
        product_id=ibis.literal("corrupted"),
    )
    columns = lines.columns
    return [
        ("deleted", past),
        ("corrupted", past.union(corrupted.select(*columns))),
        ("added", lines.union(*[table.select(*columns) for table in _added(past, cutoff)])),
    ]


def _added(past: ir.Table, cutoff: date) -> list[ir.Table]:
    """Take everything back, record other lines late, and buy on: all of it known from the cutoff on."""
    now, kind = ibis.literal(day_number(cutoff), "int64"), past.ordered_at.type()
    refunded = past.mutate(amount=-past.amount.abs(), is_refund=ibis.literal(True), known_day=now)
    # The others at other times: at its own, a line would be what the refunds take back, and hide them.
    late = past.mutate(
        amount=past.amount.abs() * 5 + 1,
        is_refund=ibis.literal(False),
        ordered_at=(past.ordered_at - ibis.interval(days=1)).cast(kind),
        day=past.day - 1,
        known_day=now,
    )
    bought = late.mutate(ordered_at=ibis.timestamp(str(cutoff)).cast(kind), day=now)
    return [refunded, late, bought]


def _rows(features: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = features.to_pandas()
    return frame.set_index("customer_id").sort_index()


def _compare(name: str, honest: pd.DataFrame, other: pd.DataFrame) -> LeakFinding:
    if not honest.index.equals(other.index):
        return LeakFinding(name, len(honest), ("customer_id",), _odd_one(honest.index, other.index))
    differs = pd.DataFrame({c: _differs(honest[c], other[c]) for c in honest.columns}, honest.index)
    moved = tuple(differs.columns[differs.any()])
    example = str(differs.index[differs.any(axis=1)][0]) if moved else None
    return LeakFinding(name, len(honest), moved, example)


def _odd_one(honest: pd.Index, other: pd.Index) -> str:
    """Name a customer that one side lacks or, failing that, repeats."""
    extra = honest.symmetric_difference(other)
    if not extra.empty:
        return str(extra[0])
    longer = max(honest, other, key=len)
    return str(longer[longer.duplicated()][0])


def _differs(one: pd.Series, other: pd.Series) -> "pd.Series[bool]":
    """Compare floats by their bits: two NaN are the same, 0.0 and −0.0 are not."""
    if one.dtype == other.dtype == "float64":
        return pd.Series(one.to_numpy().view("int64") != other.to_numpy().view("int64"), one.index)
    return (one != other) & (one.notna() | other.notna())
