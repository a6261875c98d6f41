"""The doors of the other tables (events, contacts, customers): typed once, each bad row with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from features.clock import UTC, Offsets, with_wall_clocks
from features.contracts import (
    MONEY_UNITS,
    PARSED,
    Holds,
    require_columns,
    require_kinds,
    require_known,
)
from features.door import day_number_of, number, set_aside, text_id, to_units
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

TIMES = {"events": ("occurred_at",), "contacts": ("sent_at",), "customers": ("valid_from", "signed_up_at")}
"""Standard columns that hold times; the first is the one that dates a row."""

_SIZES = ("duration_s", "cost", "acquisition_cost")

NOTHING = ("null", "none", "nan", "na", "n/a", "#n/a", "<na>", "-")
"""What exports write where there is nothing, in lower case. Ids of customers are taken as they stand."""

# In front of a time's standard name.
_CLOCK = f"{PARSED}clock_"


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
        """Raise unless the mapping is of known columns that exist and can hold what they should."""
        require_known(self.columns, COLUMNS[self.kind], NEEDED[self.kind], self.name, self.kind)
        require_columns(raw, self.columns, self.name)
        require_kinds(raw, self.columns, {name: self._holds(name) for name in COLUMNS[self.kind]}, self.name)

    def _holds(self, standard: str) -> Holds:
        """Say what a column is read as."""
        if standard in TIMES[self.kind]:
            return "times"
        return "ids" if standard == "customer_id" else "numbers" if standard in _SIZES else "words"

    def with_times(self, raw: ir.Table) -> ir.Table:
        """Add the table's times as the shop's clock; the rest is asked of a table that has them."""
        times = {f"{_CLOCK}{standard}": self.columns.get(standard) for standard in TIMES[self.kind]}
        return with_wall_clocks(raw, times, self.offsets)

    def fault(self, timed: ir.Table) -> ir.Value:
        """Why a row cannot be used; null for the others."""
        faults = [(self.customer(timed).isnull(), "no_customer")]
        dated_by = TIMES[self.kind][0]
        if dated_by in self.columns:
            faults.append((self.time(timed, dated_by).isnull(), "no_date"))
        return ibis.cases(*faults)

    def set_aside(self, raw: ir.Table) -> ir.Table:
        """Return the raw rows that cannot be used, each with its ``reason`` (`features.door.set_aside`)."""
        timed = self.with_times(raw)
        return set_aside(timed.mutate(door_reason=self.fault(timed)))

    def customer(self, raw: ir.Table) -> ir.Value:
        """The customer, written as the transactions write it."""
        return text_id(raw[self.columns["customer_id"]])

    def word(self, raw: ir.Table, standard: str) -> ir.Value:
        """The column as text (`word`); null where it is not mapped."""
        source = self.columns.get(standard)
        return ibis.null("string") if source is None else word(raw[source])

    def time(self, timed: ir.Table, standard: str) -> ir.Value:
        """The column as the shop's clock; null where it is not mapped."""
        return timed[f"{_CLOCK}{standard}"]

    def units(self, raw: ir.Table, standard: str, units: int) -> ir.Value:
        """The column as whole numbers of a small unit; null where it is not mapped or no number."""
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
    timed = contract.with_times(raw)
    typed = timed.select(
        customer_id=contract.customer(timed),
        occurred_at=contract.time(timed, "occurred_at"),
        kind=event_kind(timed[contract.columns["event_type"]].cast("string")).fill_null("other"),
        channel=contract.word(timed, "channel"),
        session_id=contract.word(timed, "session_id"),
        dwell_ms=contract.units(timed, "duration_s", 1000),
        reason=contract.fault(timed),
    )
    return typed.mutate(day=day_number_of(typed.occurred_at))


def contact_rows(raw: ir.Table, contract: TableContract) -> ir.Table:
    """Type the contacts.

    The arm of an experiment stays outside, as no model may learn from it: a row counts the same whichever
    arm it names.

    Returns
    -------
    ibis Table
        ``customer_id, day, campaign, channel, cost, reason``; cost is int64 money.
    """
    contract.check(raw)
    seen = dict.fromkeys(source for standard, source in contract.columns.items() if standard != "arm")
    timed = contract.with_times(raw.select(*seen))
    return timed.select(
        customer_id=contract.customer(timed),
        day=day_number_of(contract.time(timed, "sent_at")),
        campaign=contract.word(timed, "campaign_id"),
        channel=contract.word(timed, "channel"),
        cost=contract.units(timed, "cost", MONEY_UNITS),
        reason=contract.fault(timed),
    )


def customer_rows(
    raw: ir.Table, contract: TableContract, attributes: tuple[tuple[str, str], ...] = ()
) -> ir.Table:
    """Type the customers: what is known of each, and from which day on.

    A table with ``valid_from`` may hold several rows a customer; each is true from that day until the next.
    Of two rows of one day, each column counts with its largest value (of text, the last by the alphabet),
    whatever order they stand in. A row without a date cannot be placed and is set aside.

    Without ``valid_from`` every row is true at all times. That is safe for what never changes and was known
    before the first purchase. A table that is filled in when a customer signs up is not: a shop's guests of
    today are known to stay guests. `pipelines.other_tables` therefore takes ``signed_up_at`` for
    ``valid_from`` where only the former is mapped.

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
    timed = contract.with_times(raw)
    referred = contract.word(timed, "referred_by").notnull().cast("int64")
    return timed.select(
        customer_id=contract.customer(timed),
        known_day=day_number_of(contract.time(timed, "valid_from")),
        signup_day=day_number_of(contract.time(timed, "signed_up_at")),
        acquisition_channel=contract.word(timed, "acquisition_channel"),
        acquisition_cost=contract.units(timed, "acquisition_cost", MONEY_UNITS),
        was_referred=referred,
        **{f"attr_{n}": (word if kind == "category" else number_of)(timed[n]) for n, kind in attributes},
        reason=contract.fault(timed),
    )


def word(column: ir.Value) -> ir.Value:
    """Text without blanks around it; null where nothing is said (`NOTHING`)."""
    text = text_id(column)
    return ibis.ifelse(text.lower().isin(NOTHING), ibis.null("string"), text)


def number_of(column: ir.Value) -> ir.Value:
    """Finite floats; 1 and 0 for true and false, also as text; null for what is no number.

    Examples
    --------
    >>> t = ibis.memtable({"t": ["7", " 1e3 ", "True", "false", "N/A", "inf", "seven"]})
    >>> t.select(v=number_of(t.t)).to_pandas()["v"].tolist()
    [7.0, 1000.0, 1.0, 0.0, nan, nan, nan]
    """
    value = number(column.cast("int64") if column.type().is_boolean() else column)
    if column.type().is_string():
        said = column.strip().lower()
        value = ibis.cases((said == "true", 1.0), (said == "false", 0.0), else_=value)
    return ibis.ifelse(value.isnan() | value.isinf(), ibis.null("float64"), value)
