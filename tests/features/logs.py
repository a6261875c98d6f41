"""From plain rows to the records of a shop, through the real doors; on any engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from features.contracts import Cancellation, TransactionsContract
from features.door import at_the_door, keep_lines
from features.doors import TableContract, contact_rows, customer_rows, event_rows
from features.parts import as_it_is
from features.records import Records
from pipelines.zones import utc_offsets
from tests.features.draws import (
    few,
    logs,
    many_logs,
    many_order_logs,
    order_logs,
    seeded_log,
    seeded_shop,
)  # fmt: skip
from tests.features.rows import (
    CUTOFFS,
    DAYS,
    HORIZONS,
    ORDERS_ONLY,
    START,
    ZONE,
    Contact,
    Drawn,
    Event,
    Person,
    Row,
    on,
    side_by_side,
)

__all__ = [
    "ATTRIBUTES", "CUTOFFS", "DAYS", "HORIZONS", "ORDERS_ONLY", "START", "STATIC", "ZONE", "Contact",
    "Drawn", "Event", "Person", "Row", "contract", "few", "logs", "many_logs", "many_order_logs", "on",
    "order_logs", "raw_frames", "records", "seeded_log", "seeded_shop", "side_by_side",
]  # fmt: skip

ATTRIBUTES = (("tier", "category"), ("points", "number"), ("is_member", "number"))
STATIC = frozenset({"is_member"})

_ZONED, _TEXT, _FLOAT = pa.timestamp("us", tz="UTC"), pa.string(), pa.float64()
# Standard name, the shop's own name, its type, and how a row tells it.
_COLUMNS: dict[str, list[tuple[str, str, pa.DataType, Callable[[Any], Any]]]] = {
    "transactions": [
        ("customer_id", "customer", _TEXT, lambda r: r.customer),
        ("order_id", "order", _TEXT, lambda r: r.order),
        ("product_id", "product", _TEXT, lambda r: r.product),
        ("category", "group", _TEXT, lambda r: r.category),
        ("channel", "way", _TEXT, lambda r: r.channel),
        ("ordered_at", "at", _ZONED, lambda r: r.at),
        ("amount", "paid", _FLOAT, lambda r: r.cents / 100),
        ("quantity", "pieces", _FLOAT, lambda r: r.quantity),
        ("discount", "off", _FLOAT, lambda r: _money(r.discount)),
        ("recorded_at", "recorded", _ZONED, lambda r: r.recorded),
    ],
    "events": [
        ("customer_id", "customer", _TEXT, lambda r: r.customer),
        ("occurred_at", "at", _ZONED, lambda r: r.at),
        ("event_type", "what", _TEXT, lambda r: r.type),
        ("channel", "way", _TEXT, lambda r: r.channel),
        ("session_id", "session", _TEXT, lambda r: r.session),
        ("duration_s", "stayed", _FLOAT, lambda r: r.dwell),
    ],
    "contacts": [
        ("customer_id", "customer", _TEXT, lambda r: r.customer),
        ("sent_at", "at", _ZONED, lambda r: r.at),
        ("campaign_id", "campaign", _TEXT, lambda r: r.campaign),
        ("cost", "cost", _FLOAT, lambda r: _money(r.cents)),
        ("arm", "arm", _TEXT, lambda r: r.arm),
    ],
    "customers": [
        ("customer_id", "customer", _TEXT, lambda r: r.customer),
        ("valid_from", "since", _ZONED, lambda r: r.since),
        ("signed_up_at", "signed_up", _ZONED, lambda r: r.signed_up),
        ("acquisition_channel", "came_by", _TEXT, lambda r: r.channel),
        ("acquisition_cost", "won_for", _FLOAT, lambda r: _money(r.cents)),
        ("referred_by", "friend", _TEXT, lambda r: r.referrer),
    ],
}
_ROWS = {"transactions": "lines", "events": "events", "contacts": "contacts", "customers": "people"}
_PLAIN_ATTRIBUTES = pa.schema({"tier": _TEXT, "points": _FLOAT, "is_member": pa.bool_()})
_DOORS = {"events": event_rows, "contacts": contact_rows}


def _money(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


def raw_frames(drawn: Drawn) -> dict[str, pa.Table]:
    """The tables as the shop would hand them over: its own column names, times with a zone.

    Returns
    -------
    dict of str to pyarrow Table
        ``transactions`` and, unless `drawn` lacks them, ``events, contacts, customers``.
    """
    return {name: _frame(drawn, name) for name in _COLUMNS if name not in drawn.without}


def _frame(drawn: Drawn, name: str) -> pa.Table:
    rows = getattr(drawn, _ROWS[name])
    mapped = columns_of(drawn, name)
    table = {
        own: pa.array([tell(r) for r in rows], kind) for s, own, kind, tell in _COLUMNS[name] if s in mapped
    }
    if name == "customers":
        plain = _PLAIN_ATTRIBUTES
        table |= {f.name: pa.array([getattr(r, f.name) for r in rows], f.type) for f in plain}
    return pa.table(table)


def columns_of(drawn: Drawn, name: str) -> dict[str, str]:
    """The mapping of a table: standard name to the shop's own."""
    mark = "" if name == "transactions" else f"{name}."
    return {
        standard: own for standard, own, _, _ in _COLUMNS[name] if f"{mark}{standard}" not in drawn.without
    }


@cache
def offsets() -> tuple[tuple[datetime, int], ...]:
    """The shop's zone in the years of the tests; all seventy years make questions ten times as long."""
    before = [change for change in utc_offsets(ZONE) if change[0].year < 2023][-1:]
    return (*before, *(change for change in utc_offsets(ZONE) if 2023 <= change[0].year <= 2024))


def contract(drawn: Drawn) -> TransactionsContract:
    """The contract of the transactions."""
    has_orders = "order_id" not in drawn.without
    return TransactionsContract(
        columns_of(drawn, "transactions"),
        name="log",
        cancellation=Cancellation("order_id", "C") if has_orders else None,
        offsets=offsets(),
    )


def records(open: Callable[[str, pa.Table], ir.Table], drawn: Drawn) -> Records:
    """Carry drawn rows through the doors.

    Parameters
    ----------
    open : callable
        Puts a raw table on the engine, given its name and content.
    drawn : Drawn
        What the shop wrote down.
    """
    raw = {name: open(name, table) for name, table in raw_frames(drawn).items()}
    promised = contract(drawn)
    made = Records(
        keep_lines(at_the_door(raw.pop("transactions"), promised), promised, as_it_is),
        has=promised.has,
        cancellation_prefix=promised.cancellation_prefix,
    )
    for name, table in raw.items():
        made = _with_table(made, TableContract(name, columns_of(drawn, name), name, offsets()), table)
    return made


def _with_table(made: Records, promised: TableContract, raw: ir.Table) -> Records:
    has, name = made.has | promised.has(), promised.kind
    if name != "customers":
        typed = _DOORS[name](raw, promised)
        return replace(made, has=has, **{name: _used(typed)})
    people = _used(customer_rows(raw, promised, ATTRIBUTES))
    return replace(made, has=has, customers=people, attributes=ATTRIBUTES, static=STATIC)


def _used(typed: ir.Table) -> ir.Table:
    return typed.filter(typed.reason.isnull()).drop("reason")
