"""The doors of the other tables (events, contacts, customers): typed once, each bad row with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from features.clock import UTC, Offsets, wall_clock
from features.contracts import MONEY_UNITS, require_columns, require_known
from features.door import day_number_of, number, text_id, to_units
from features.event_kinds import event_kind

COLUMNS = {
    "events": ("customer_id", "occurred_at", "event_type", "channel", "session_id", "page", "duration_s"),
    "contacts": ("customer_id", "sent_at", "campaign_id", "channel", "cost", "arm"),
    "customers": (
        "customer_id", "valid_from", "signed_up_at", "acquisition_channel", "acquisition_cost", "referred_by",
    ),
}  # fmt: skip
"""Standard columns of each table."""

NEEDED = {
    "events": ("customer_id", "occurred_at", "event_type"),
    "contacts": ("customer_id", "sent_at"),
    "customers": ("customer_id",),
}


@dataclass(frozen=True)
class TableContract:
    """What one of the other tables promises.

    Parameters
    ----------
    kind : {"events", "contacts", "customers"}
        Which table it is.
    columns : Mapping[str, str]
        Standard column name to the table's own column name.
    name : str
        What to call the table in messages.
    offsets : sequence of (datetime, int)
        The shop's zone (`features.clock`).
    """

    kind: str
    columns: Mapping[str, str]
    name: str
    offsets: Offsets = UTC

    def has(self) -> frozenset[str]:
        """Name what the table brings: itself, and its mapped columns."""
        return frozenset({self.kind, *(f"{self.kind}.{column}" for column in self.columns)})

    def check(self, raw: ir.Table) -> None:
        """Raise unless the mapping is of known columns and every mapped column exists."""
        require_known(self.columns, COLUMNS[self.kind], NEEDED[self.kind], self.name, self.kind)
        require_columns(raw, self.columns, self.name)

    def text(self, raw: ir.Table, standard: str) -> ir.Value:
        """The column as text; null where it is not mapped."""
        source = self.columns.get(standard)
        return ibis.null("string") if source is None else text_id(raw[source])

    def time(self, raw: ir.Table, standard: str) -> ir.Value:
        """The column as the shop's clock; null where it is not mapped."""
        source = self.columns.get(standard)
        return ibis.null("timestamp") if source is None else wall_clock(raw[source], self.offsets)

    def units(self, raw: ir.Table, standard: str, units: int) -> ir.Value:
        """The column as whole numbers of a small unit; null where it is not mapped."""
        source = self.columns.get(standard)
        return ibis.null("int64") if source is None else to_units(number(raw[source]), units)


def event_rows(raw: ir.Table, contract: TableContract) -> ir.Table:
    """Type the events.

    Returns
    -------
    ibis Table
        ``customer_id, occurred_at, day, kind, channel, session_id, dwell_ms, reason``; ``reason`` is null
        for rows that are used.
    """
    contract.check(raw)
    typed = raw.select(
        customer_id=contract.text(raw, "customer_id"),
        occurred_at=contract.time(raw, "occurred_at"),
        kind=event_kind(raw[contract.columns["event_type"]].cast("string")).fill_null("other"),
        channel=contract.text(raw, "channel"),
        session_id=contract.text(raw, "session_id"),
        dwell_ms=contract.units(raw, "duration_s", 1000),
    )
    return _with_reason(typed.mutate(day=day_number_of(typed.occurred_at)), typed.occurred_at)


def contact_rows(raw: ir.Table, contract: TableContract) -> ir.Table:
    """Type the contacts; the arm of an experiment stays outside, as no model may learn from it.

    Returns
    -------
    ibis Table
        ``customer_id, day, cost, reason``; cost is int64 money.
    """
    contract.check(raw)
    typed = raw.select(
        customer_id=contract.text(raw, "customer_id"),
        day=day_number_of(contract.time(raw, "sent_at")),
        cost=contract.units(raw, "cost", MONEY_UNITS),
    )
    return _with_reason(typed, typed.day)


def customer_rows(
    raw: ir.Table, contract: TableContract, attributes: tuple[tuple[str, str], ...] = ()
) -> ir.Table:
    """Type the customers: what is known of each, and from which day on.

    Parameters
    ----------
    raw : ibis Table
        The user's table.
    contract : TableContract
        Its mapping.
    attributes : tuple of (str, str)
        Columns that become features, with ``"number"`` or ``"category"``.

    Returns
    -------
    ibis Table
        ``customer_id, known_day`` (null: at all times), ``signup_day, acquisition_channel,
        acquisition_cost`` (int64 money), ``was_referred`` (0/1), ``attr_<name>`` and ``reason``.
    """
    contract.check(raw)
    require_columns(raw, {name: name for name, _ in attributes}, contract.name)
    referred = contract.text(raw, "referred_by").notnull().cast("int64")
    typed = raw.select(
        customer_id=contract.text(raw, "customer_id"),
        known_day=day_number_of(contract.time(raw, "valid_from")),
        signup_day=day_number_of(contract.time(raw, "signed_up_at")),
        acquisition_channel=contract.text(raw, "acquisition_channel"),
        acquisition_cost=contract.units(raw, "acquisition_cost", MONEY_UNITS),
        was_referred=referred,
        **{f"attr_{name}": _attribute(raw[name], kind) for name, kind in attributes},
    )
    dated = "valid_from" in contract.columns
    return _with_reason(typed, typed.known_day if dated else typed.customer_id)


def _attribute(column: ir.Value, kind: str) -> ir.Value:
    if kind == "category":
        return text_id(column)
    value = number(column.cast("int64") if column.type().is_boolean() else column)
    return ibis.ifelse(value.isnan() | value.isinf(), ibis.null("float64"), value)


def _with_reason(typed: ir.Table, when: ir.Value) -> ir.Table:
    return typed.mutate(
        reason=ibis.cases((typed.customer_id.isnull(), "no_customer"), (when.isnull(), "no_date"))
    )
