"""A feature is data: its name, the grain it is aggregated over, the expression, and what it means."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

Grain = Literal["entries", "days", "derived"]
Unit = Literal["days", "orders", "money", "currency", "purchase cycles"]


@dataclass(frozen=True)
class Feature:
    """One column of the feature table.

    Parameters
    ----------
    name : str
        Column name; the unit stands in the name where it is not days or the log's currency.
    grain : {"entries", "days", "derived"}
        ``entries`` and ``days``: `value` is an aggregation over that table of a Snapshot.
        ``derived``: `value` is a row-wise expression over the columns aggregated before it.
    value : callable
        From the grain's table to an Ibis value.
    unit : str
        What the number counts. ``money`` is int64 in 1/10,000 of a currency unit until the model's door;
        ``currency`` is a float in the log's currency, for means.
    description : str
        One sentence for a reader.
    is_part : bool
        True for an intermediate that other features need and no model sees.
    """

    name: str
    grain: Grain
    value: Callable[[ir.Table], ir.Value]
    unit: Unit
    description: str
    is_part: bool = False
