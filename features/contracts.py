"""What a log promises: its columns, its policies, and the error when it does not hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import ibis.expr.types as ir

from features.clock import UTC, Offsets
from features.errors import ContractError

MONEY_UNITS = 10_000
"""Money is an int64 count of 1/10,000 of a currency unit from here to the model."""

TRANSACTION_COLUMNS = (
    "customer_id", "ordered_at", "amount", "quantity", "unit_price", "order_id",
    "product_id", "category", "channel", "discount", "recorded_at",
)  # fmt: skip
_TIMES = ("ordered_at", "recorded_at")


@dataclass(frozen=True)
class Cancellation:
    """How a cancelled line is recognised: a standard column that starts with a prefix."""

    column: str
    prefix: str


@dataclass(frozen=True)
class TransactionsContract:
    """What a transaction log promises.

    Parameters
    ----------
    columns : Mapping[str, str]
        Standard column name to the log's own column name.
    name : str
        What to call the log in messages (its file name).
    cancellation : Cancellation, optional
        How cancelled lines are recognised; without it only negative amounts are refunds.
    refunds : {"net", "drop"}
        ``net``: refunds reduce what they refund. ``drop``: they are set aside, with that reason.
    offsets : sequence of (datetime, int)
        The shop's zone (`features.clock`); a day begins at its midnight.
    """

    columns: Mapping[str, str]
    name: str = "transactions"
    cancellation: Cancellation | None = None
    refunds: str = "net"
    offsets: Offsets = UTC
    has_amounts: bool = field(init=False)

    def __post_init__(self) -> None:
        _check_mapping(self)
        has_amounts = "amount" in self.columns or {"quantity", "unit_price"} <= set(self.columns)
        object.__setattr__(self, "has_amounts", has_amounts)

    @property
    def cancellation_prefix(self) -> str | None:
        """What a cancelled order's number carries before the number of the order it cancels."""
        marker = self.cancellation
        return marker.prefix if marker is not None and marker.column == "order_id" else None


def _check_mapping(contract: TransactionsContract) -> None:
    for standard in contract.columns:
        if standard not in TRANSACTION_COLUMNS:
            raise ContractError(
                f"{contract.name}: {standard!r} is not a transaction column",
                hint=_did_you_mean(standard, TRANSACTION_COLUMNS),
            )
    for needed in ("customer_id", "ordered_at"):
        if needed not in contract.columns:
            raise ContractError(
                f"{contract.name}: no source column is mapped to {needed!r}",
                hint=f'add {needed} = "<your column>" to [tables.transactions] columns',
            )
    marker = contract.cancellation
    if marker is not None and marker.column not in contract.columns:
        raise ContractError(
            f"{contract.name}: cancellation needs column {marker.column!r}, which is not mapped",
            hint=f"map {marker.column} in [tables.transactions] columns, or drop [policy] cancellation",
        )


def check_columns(raw: ir.Table, contract: TransactionsContract) -> None:
    """Raise unless every mapped source column exists and the times can be times.

    Raises
    ------
    ContractError
        Naming the file, the missing column, how many columns were found, and the closest name; or the
        column of times that holds something else.

    Examples
    --------
    >>> import ibis
    >>> raw = ibis.table({"client": "string", "day": "date"}, name="raw")
    >>> check_columns(raw, TransactionsContract({"customer_id": "client", "ordered_at": "date"}, "log.csv"))
    Traceback (most recent call last):
    ...
    features.errors.ContractError: log.csv: column 'date' (for ordered_at) is missing among 2 columns; ...
    """
    for standard, source in contract.columns.items():
        if source not in raw.columns:
            raise ContractError(
                f"{contract.name}: column {source!r} (for {standard}) is missing among "
                f"{len(raw.columns)} columns",
                example=raw.columns[0],
                hint=_did_you_mean(source, raw.columns),
            )
        kind = raw[source].type()
        if standard in _TIMES and (kind.is_numeric() or kind.is_boolean() or kind.is_time()):
            raise ContractError(
                f"{contract.name}: column {source!r} (for {standard}) holds {kind}, not times",
                hint='a number like 20240131 needs a format, as in formats = { ordered_at = "%Y%m%d" }',
            )


def _did_you_mean(name: str, known: "tuple[str, ...] | list[str]") -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {listed}"
