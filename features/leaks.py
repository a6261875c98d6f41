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
        The line grain of `features.contracts.used_lines`.
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
    now = ibis.literal(day, "int64")
    corrupted = future.mutate(
        amount=future.amount * -3 + 12_345,
        is_refund=~future.is_refund,
        customer_id=future.order_id,
        product_id=ibis.literal("corrupted"),
    )
    refunded = past.mutate(amount=-past.amount.abs(), is_refund=ibis.literal(True), known_day=now)
    bought = past.mutate(
        amount=past.amount.abs() * 7 + 1, is_refund=ibis.literal(False), day=now, known_day=now
    )
    columns = lines.columns
    return [
        ("deleted", past),
        ("corrupted", past.union(corrupted.select(*columns))),
        ("added", lines.union(refunded.select(*columns)).union(bought.select(*columns))),
    ]


def _rows(features: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = features.to_pandas()
    return frame.set_index("customer_id").sort_index()


def _compare(name: str, honest: pd.DataFrame, other: pd.DataFrame) -> LeakFinding:
    if not honest.index.equals(other.index):
        extra = honest.index.symmetric_difference(other.index)
        return LeakFinding(name, len(honest), ("customer_id",), str(extra[0]))
    differs = pd.DataFrame({c: _bits(honest[c]) != _bits(other[c]) for c in honest.columns}, honest.index)
    moved = tuple(differs.columns[differs.any()])
    example = str(differs.index[differs.any(axis=1)][0]) if moved else None
    return LeakFinding(name, len(honest), moved, example)


def _bits(column: pd.Series) -> pd.Series:
    """Compare floats by their bits: two NaN are the same, 0.0 and −0.0 are not."""
    if column.dtype == "float64":
        return column.to_numpy().view("int64")  # type: ignore[return-value]
    return column
