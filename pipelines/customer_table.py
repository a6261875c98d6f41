"""One call from a frame of orders to one row a customer: what notebooks start from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import ibis
import pandas as pd

from features.build import build_features, to_model_frame
from features.calendar import day_from_number
from features.catalogue import visible_features
from features.contracts import TransactionsContract, did_you_mean
from features.door import at_the_door, count_rows, set_aside, used_lines
from features.errors import ContractError
from features.feature import Feature
from features.history import make_history
from features.labels import add_labels
from features.records import Records
from features.snapshot import take_snapshot
from features.wording import windows
from pipelines.row_count import RowCount

CORE = ("frequency", "recency", "T", "monetary_value")
LONGEST = 3650
"""Days of the longest window, as of the longest horizon."""


def customer_table(
    orders: pd.DataFrame,
    columns: Mapping[str, str],
    as_of: date | None = None,
    *,
    horizons: Sequence[int] = (),
    features: Sequence[str] | Literal["core", "all"] = "core",
) -> pd.DataFrame:
    """Sum up an order log by customer, as every command does it: the same door, the same features.

    Parameters
    ----------
    orders : DataFrame
        One row an order, or an order line.
    columns : Mapping[str, str]
        Standard name (``customer_id``, ``ordered_at``, ``amount``, …) to the frame's own.
    as_of : date, optional
        The cutoff: what was known strictly before it. By default the day after the newest purchase.
    horizons : sequence of int
        Days whose outcome is to stand beside the features, as ``y_purchased_90d`` and the like: the holdout.
        Empty where a horizon is not over.
    features : sequence of str, "core" or "all"
        Names from the catalogue (docs/features.md), with windows of any length; or frequency, recency, T and,
        where there are amounts, monetary_value; or all that the columns allow.

    Returns
    -------
    DataFrame
        ``customer_id``, ``cutoff``, the features (days; money in the log's currency), and the outcomes.

    Raises
    ------
    ContractError
        If a column is missing or has another type, a feature is unknown, or no purchase is left.

    Warns
    -----
    UserWarning
        If rows could not be used, saying how many and why.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "user": ["an", "an", "binh"],
    ...     "day": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-05"]),
    ...     "total": [120_000, 80_000, 50_000],
    ... })
    >>> names = {"customer_id": "user", "ordered_at": "day", "amount": "total"}
    >>> customer_table(orders, names, date(2026, 2, 1)).drop(columns="cutoff")
      customer_id  frequency  recency     T  monetary_value
    0          an        1.0     10.0  31.0         80000.0
    1        binh        0.0      0.0  27.0             0.0
    """
    contract = TransactionsContract(columns, name="the frame of orders")
    connection = ibis.duckdb.connect()
    try:
        door = at_the_door(ibis.memtable(orders), contract)
        lines = connection.create_table("lines", used_lines(door))
        _warn_of(RowCount.of(count_rows(lines, set_aside(door)).to_pandas()))
        newest = lines.filter(~lines.is_refund).known_day.max().to_pandas()
        if pd.isna(newest):
            raise ContractError(f"no purchase among the {len(orders):,} rows of the frame of orders")
        end = day_from_number(int(newest) + 1)
        cutoff = as_of or end
        history = make_history(Records(lines, has=contract.has))
        spans = [*horizons, *_spans(features)]
        wanted = _wanted(features, visible_features(spans, contract.has), contract)
        names = [feature.name for feature in wanted]
        built = build_features(take_snapshot(history, [cutoff]), spans, names)
        if horizons:
            built = add_labels(built, history.parts["entries"], [cutoff], horizons, max(end, cutoff))
        table = to_model_frame(built.to_pandas(), wanted, horizons)
    finally:
        connection.disconnect()
    if table.empty:
        raise ContractError(f"no purchase of the frame of orders is known before {cutoff}", example=str(end))
    return table


def _spans(features: Sequence[str] | str) -> list[int]:
    """Return the days of the windows that are asked for by name."""
    named = () if isinstance(features, str) else features
    return sorted({days for name in named for days in windows(name) if 0 < days <= LONGEST})


def _wanted(
    features: Sequence[str] | str, known: Sequence[Feature], contract: TransactionsContract
) -> list[Feature]:
    if isinstance(features, str):
        core = CORE if contract.has_amounts else CORE[:-1]
        return [f for f in known if features == "all" or f.name in core]
    by_name = {f.name: f for f in known}
    unknown = [name for name in features if name not in by_name]
    if unknown:
        raise ContractError(
            f"{len(unknown)} of {len(features)} features are unknown, or these columns do not allow them",
            example=unknown[0],
            hint=did_you_mean(unknown[0], list(by_name)),
        )
    return [by_name[name] for name in features]


def _warn_of(rows: RowCount) -> None:
    if rows.rows_quarantined:
        warnings.warn(rows.lines()[0], stacklevel=3)
