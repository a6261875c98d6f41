"""What a log promises: its columns, its policies, and the error when it does not hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from features.clock import UTC, Offsets
from features.errors import ContractError

MONEY_UNITS = 10_000
"""Money is an int64 count of 1/10,000 of a currency unit from here to the model."""

TRANSACTION_COLUMNS = (
    "customer_id", "ordered_at", "amount", "quantity", "unit_price", "order_id",
    "product_id", "category", "channel", "discount", "recorded_at",
)  # fmt: skip
PARSED = "door_parsed_"
"""Begins the columns that are put beside a table's own while it is read; people never see them."""
WRITTEN = f"{PARSED}written_"
"""Begins the name of what stood, as text, where a date was parsed by a format: null then is not empty."""

AT_THE_DOOR = tuple(
    f"door_{name}" for name in (
        "customer_id", "order_id", "ordered_at", "recorded_at", "day", "known_day", "price", "amount",
        "cancelled", "product_id", "is_refund", "reason", "category", "channel", "quantity", "discount",
        "is_used", "ordered_at_is_zoned", "recorded_at_is_zoned",
    )
)  # fmt: skip
"""What the door adds to a table; no table may bring a column of such a name."""

Holds = Literal["ids", "times", "numbers", "words"]
"""What a column is read as."""

_HOLDS: dict[str, Holds] = {
    "customer_id": "ids", "ordered_at": "times", "recorded_at": "times",
    "amount": "numbers", "quantity": "numbers", "unit_price": "numbers", "discount": "numbers",
    "order_id": "words", "product_id": "words", "category": "words", "channel": "words",
}  # fmt: skip
_ONE = {
    "transactions": "a transaction", "events": "an event", "contacts": "a contact", "customers": "a customer",
}  # fmt: skip


@dataclass(frozen=True)
class Cancellation:
    """How a cancelled line is recognised: a standard column that starts with a prefix."""

    column: str
    prefix: str


@dataclass(frozen=True)
class LeaveOut:
    """Which rows are no purchases: a column of the log, by its own name, that says one of these words.

    A log's status is today's: when an order was cancelled, it does not say. So such a row is left out of
    all the past, as if nothing had been ordered.
    """

    column: str
    values: tuple[str, ...]


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
    leave_out : LeaveOut, optional
        Rows that are set aside, such as those whose status says "cancelled".
    refunds : {"net", "drop"}
        ``net``: refunds reduce what they refund. ``drop``: they are set aside, with that reason.
    offsets : sequence of (datetime, int)
        The shop's zone (`features.clock`); a day begins at its midnight.
    """

    columns: Mapping[str, str]
    name: str = "transactions"
    cancellation: Cancellation | None = None
    leave_out: LeaveOut | None = None
    refunds: str = "net"
    offsets: Offsets = UTC
    has_amounts: bool = field(init=False)

    def __post_init__(self) -> None:
        _check_mapping(self)
        has_amounts = "amount" in self.columns or {"quantity", "unit_price"} <= set(self.columns)
        object.__setattr__(self, "has_amounts", has_amounts)

    @property
    def has(self) -> frozenset[str]:
        """Name the optional columns that features may build on."""
        return frozenset(self.columns) | (frozenset({"amounts"}) if self.has_amounts else frozenset())

    @property
    def cancellation_prefix(self) -> str | None:
        """What a cancelled order's number carries before the number of the order it cancels."""
        marker = self.cancellation
        return marker.prefix if marker is not None and marker.column == "order_id" else None


def _check_mapping(contract: TransactionsContract) -> None:
    require_known(
        contract.columns, TRANSACTION_COLUMNS, ("customer_id", "ordered_at"), contract.name, "transactions"
    )
    marker = contract.cancellation
    if marker is not None and marker.column not in contract.columns:
        raise ContractError(
            f"{contract.name}: [policy] cancellation names {marker.column!r}, and no such column is mapped: "
            "it speaks of a standard column, as in order_id",
            hint=f'if {marker.column!r} is a status in your log, [policy] leave_out = {{ column = "'
            f'{marker.column}", values = ["cancelled"] }} leaves out the rows that say so',
        )


def check_columns(raw: ir.Table, contract: TransactionsContract) -> None:
    """Raise unless every mapped source column exists and can hold what it should.

    Raises
    ------
    ContractError
        Naming the file, the missing column, how many columns were found, and the closest name; or the
        column that holds something else.

    Examples
    --------
    >>> import ibis
    >>> raw = ibis.table({"client": "string", "day": "date"}, name="raw")
    >>> check_columns(raw, TransactionsContract({"customer_id": "client", "ordered_at": "date"}, "log.csv"))
    Traceback (most recent call last):
    ...
    features.errors.ContractError: log.csv: column 'date' (for ordered_at) is missing among 2 columns; ...
    """
    require_columns(raw, contract.columns, contract.name)
    require_kinds(raw, contract.columns, _HOLDS, contract.name)
    if contract.leave_out is not None:
        require_columns(raw, {"[policy] leave_out": contract.leave_out.column}, contract.name)


def require_kinds(raw: ir.Table, columns: Mapping[str, str], holds: Mapping[str, Holds], name: str) -> None:
    """Raise unless the mapped columns are of types that what they should hold can be read from.

    Parameters
    ----------
    raw : ibis Table
        The user's table; it has all the mapped columns.
    columns : Mapping[str, str]
        Standard name to source name.
    holds : Mapping[str, str]
        Standard name, mapped or not, to what it is read as.
    name : str
        What to call the table.

    Raises
    ------
    ContractError
        Naming the file, the column and what it holds.
    """
    for standard, wanted in ((s, w) for s, w in holds.items() if s in columns):
        kind = raw[columns[standard]].type()
        if not _can_hold(kind, wanted):
            raise ContractError(
                f"{name}: column {columns[standard]!r} (for {standard}) holds {kind}, not {wanted}",
                hint=f'a number like 20240131 needs a format, as in formats = {{ {standard} = "%Y%m%d" }}'
                if wanted == "times" and kind.is_numeric()
                else f"is {standard} mapped to the right column?",
            )


def _can_hold(kind: dt.DataType, wanted: Holds) -> bool:
    """Say whether values of a type can be read as times, numbers, ids or words; text can be any of them."""
    if kind.is_string() or kind.is_null() or "NULL" in str(kind):  # nothing is in it: any empty column
        return True
    if wanted == "times":
        return bool(kind.is_date() or kind.is_timestamp())
    if wanted == "numbers":
        return kind.is_numeric() and not kind.is_boolean()
    is_told_apart = not (kind.is_nested() or kind.is_interval())
    if wanted == "ids":
        return is_told_apart and not (kind.is_temporal() or kind.is_boolean())
    return is_told_apart


def require_free_names(names: Sequence[str], name: str) -> None:
    """Raise if a table brings a column that is called as those that the door adds.

    Raises
    ------
    ContractError
        Naming the first of them.
    """
    taken = [own for own in names if own.lower() in AT_THE_DOOR or own.lower().startswith(PARSED)]
    if taken:
        raise ContractError(f"{name}: no column may be called {taken[0]!r}", hint="give it another name")


def require_columns(raw: ir.Table, columns: Mapping[str, str], name: str) -> None:
    """Raise unless every mapped source column exists.

    Parameters
    ----------
    raw : ibis Table
        The user's table.
    columns : Mapping[str, str]
        Standard name to source name.
    name : str
        What to call the table.

    Raises
    ------
    ContractError
        Naming the file, the missing column, how many columns were found, and the closest name.
    """
    own = own_columns(raw)
    if len(columns) > 1 and not any(source in raw.columns for source in columns.values()):
        raise ContractError(
            f"{name}: none of the {len(columns)} columns that the config names is among its {len(own)}",
            hint="is there a line of column names? `repurchase init` shows what it finds",
        )
    for standard, source in columns.items():
        if source not in raw.columns:
            raise ContractError(
                f"{name}: column {source!r} (for {standard}) is missing among {len(own)} columns",
                hint=did_you_mean(source, own),
            )


def own_columns(raw: ir.Table) -> list[str]:
    """Name the columns that the table has of its own, without those of `PARSED`."""
    return [name for name in raw.columns if not name.startswith(PARSED)]


def require_known(
    columns: Mapping[str, str], known: Sequence[str], needed: Sequence[str], name: str, table: str
) -> None:
    """Raise unless a mapping is of known columns and holds those that are needed.

    Parameters
    ----------
    columns : Mapping[str, str]
        Standard name to source name.
    known, needed : sequence of str
        Standard names.
    name, table : str
        What to call the table in messages, and its name in the config: ``"events"``.

    Raises
    ------
    ContractError
        Naming the unknown or the absent column.
    """
    for standard in columns:
        if standard not in known:
            raise ContractError(
                f"{name}: {standard!r} is not {_ONE[table]} column", hint=did_you_mean(standard, known)
            )
    for standard in needed:
        if standard not in columns:
            raise ContractError(
                f"{name}: no source column is mapped to {standard!r}",
                hint=f'add {standard} = "<your column>" to [tables.{table}] columns',
            )


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Hint at the closest of the known names."""
    close = get_close_matches(name, known, n=1, cutoff=0.5) if are_names(known) else []
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {shown_names(known)}"


def shown_names(names: Sequence[str]) -> str:
    """List names of columns; not where a line of data stands in their place, which would tell of a customer.

    Examples
    --------
    >>> shown_names(["buyer", "day"])
    'buyer, day'
    >>> shown_names(["lan@shop.vn", "2024-01-31"])
    'not listed, since they look like data: is there a line of column names?'
    """
    if not are_names(names):
        return "not listed, since they look like data: is there a line of column names?"
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def are_names(names: Iterable[str]) -> bool:
    """Tell names of columns from a line of data: that has a date, an amount or an address."""
    return not any(name.strip().lstrip("+-")[:1].isdigit() or "@" in name for name in names)
