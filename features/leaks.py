"""The leak proof: change the future, the company and the century; the features must not move by one bit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from features.calendar import day_from_number, day_number
from features.futures import FOUR_CENTURIES, MUTATIONS, shifted, with_other_futures, without_future
from features.records import Records
from features.snapshot import sample_customers

Builder = Callable[[Records, date], ir.Table]
"""From records and a cutoff to a feature table keyed by ``customer_id``."""

ELSEWHERE = "elsewhere"
"""The worlds four centuries on, without a future and with one half of the customers or the other: they show
clocks, and statistics of the whole log whoever holds them."""


@dataclass(frozen=True)
class LeakFinding:
    """What one change did to the features.

    Parameters
    ----------
    mutation : str
        ``deleted``, ``corrupted``, ``shuffled`` or ``added`` future, or ``elsewhere``.
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


def prove_no_leak(records: Records, build: Builder, cutoff: date) -> list[LeakFinding]:
    """Build features from the records as they are and as they are not, and compare bit by bit.

    Parameters
    ----------
    records : Records
        Behind the door.
    build : callable
        The builder on trial.
    cutoff : date
        Rows known at or after it are the future; an attribute without a date that is not static is, too.

    Returns
    -------
    list of LeakFinding
        One for each change. The builder leaks if any of them has moved features.
    """
    honest = _rows(build(records, cutoff))
    worlds = _rows(build(with_other_futures(records, cutoff), cutoff))
    findings = [_compare(mark, honest, _world(worlds, mark)) for mark in MUTATIONS]
    later = day_from_number(day_number(cutoff) + FOUR_CENTURIES)
    halves = [_rows(build(shifted(half), later)) for half in _halves(without_future(records, cutoff))]
    return [*findings, _compare(ELSEWHERE, honest, pd.concat(halves).sort_index())]


def _halves(records: Records) -> list[Records]:
    """Split the customers in two, by chance."""
    one = sample_customers(records.lines.select("customer_id").distinct(), 0.5, seed=0)
    return [
        records.changed(lambda table, _: table.semi_join(one, "customer_id")),
        records.changed(lambda table, _: table.anti_join(one, "customer_id")),
    ]


def _rows(features: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = features.to_pandas()
    return frame.drop(columns="cutoff", errors="ignore").set_index("customer_id").sort_index()


def _world(worlds: pd.DataFrame, mark: str) -> pd.DataFrame:
    here = worlds[worlds.index.str.startswith(f"{mark}:")]
    return here.set_axis(here.index.str.removeprefix(f"{mark}:")).sort_index()


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
