"""What the package promises, said slowly: plain loops over plain rows, written from its documentation.

The parts: `reference_ledger` (lines, refunds, purchase days), `reference_orders` and `reference_visits`.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from tests.features.reference_ledger import (
    EPOCH,
    Entry,
    Line,
    day_of,
    entries_of,
    find_order,
    ledger,
    net_days,
    to_line,
    used_lines,
)  # fmt: skip
from tests.features.reference_orders import Orders, Value, basket, cadence, rfm, tenure
from tests.features.reference_visits import contacts, day, journey, order_channels, profile, touch_channels
from tests.features.rows import Drawn

__all__ = [
    "EPOCH", "Entry", "Line", "assert_agrees", "day_of", "entries_of", "expected", "find_order", "labels",
    "ledger", "net_days", "to_line", "used_lines",
]  # fmt: skip

WINDOWS = (7, 14, 28, 90, 180, 365)
COLUMNS = {
    "transactions": ("product_id", "category", "channel", "quantity", "discount", "amounts"),
    "events": ("", ".channel", ".session_id", ".duration_s"),
    "contacts": ("", ".cost"),
}
Row = dict[str, Value]


def columns_there(drawn: Drawn) -> set[str]:
    """The optional columns and tables that a shop has."""
    has = set(COLUMNS["transactions"]) | {"customers"}
    has |= {f"{table}{column}" for table in ("events", "contacts") for column in COLUMNS[table]}
    gone = drawn.without | ({"amounts"} if "amount" in drawn.without else set())
    return {name for name in has if name not in gone and name.split(".")[0] not in gone}


def _by_customer(rows: Iterable[Any]) -> dict[str, list[Any]]:
    mine = defaultdict(list)
    for row in rows:
        mine[row.customer].append(row)
    return mine


def expected(
    drawn: Drawn, cutoffs: Sequence[int], horizons: Sequence[int] = ()
) -> dict[tuple[str, int], Row]:
    """Every feature of every customer with a purchase day before a cutoff.

    Parameters
    ----------
    drawn : Drawn
        What the shop wrote down.
    cutoffs : sequence of int
        Day numbers.
    horizons : sequence of int
        Each gets a trailing window of its length.
    """
    lines = used_lines(drawn.lines, drawn.without)
    entries, lines_of = _by_customer(entries_of(lines)), _by_customer(lines)
    events = _by_customer(event for event in drawn.events if event.at is not None)
    sent = _by_customer(contact for contact in drawn.contacts if contact.at is not None)
    people = _by_customer(drawn.people)
    rows = {}
    for customer, mine in entries.items():
        for cutoff in cutoffs:
            orders = Orders(
                [line for line in lines_of[customer] if line.known < cutoff],
                [entry for entry in mine if entry.known < cutoff],
                net_days(entry for entry in mine if entry.known < cutoff),
                cutoff,
            )
            if orders.days:
                visits = [event for event in events.get(customer, []) if day(event) < cutoff]
                reached = [contact for contact in sent.get(customer, []) if day(contact) < cutoff]
                row = _of_orders(orders, drawn, horizons) | _of_visits(orders, visits, drawn)
                rows[customer, cutoff] = row | _of_shop(orders, reached, people.get(customer, []), drawn)
    return rows


def _of_orders(orders: Orders, drawn: Drawn, horizons: Sequence[int]) -> Row:
    has = columns_there(drawn)
    row = rfm(orders, sorted({*WINDOWS, *horizons})) | cadence(orders) | tenure(orders) | basket(orders, has)
    return row | (order_channels(orders.bought) if "channel" in has else {})


def _of_visits(orders: Orders, visits: Sequence[Any], drawn: Drawn) -> Row:
    has = columns_there(drawn)
    if "events" not in has:
        return {}
    row = journey(visits, min(orders.days), max(orders.days), orders.cutoff, has)
    return row | (touch_channels(visits) if "events.channel" in has else {})


def _of_shop(orders: Orders, sent: Sequence[Any], versions: Sequence[Any], drawn: Drawn) -> Row:
    has = columns_there(drawn)
    row = contacts(sent, orders.days, orders.cutoff, has) if "contacts" in has else {}
    return row | (profile(versions, orders.cutoff, drawn) if "customers" in has else {})


def assert_agrees(
    rows: Iterable[Mapping[str, Any]],
    wanted: Mapping[tuple[str, int], Mapping[str, Value]],
    drawn: Drawn | None = None,
) -> None:
    """Whole numbers and text exactly, floats to 1e-12, and null where there is nothing.

    Parameters
    ----------
    rows : iterable of mapping
        Feature rows of an engine, with ``customer_id`` and ``cutoff``.
    wanted : mapping
        Of `expected`.
    drawn : Drawn, optional
        For the message: what the shop knows of the customer whose features are wrong.
    """
    found = {}
    for row in rows:
        key = row["customer_id"], row["cutoff"]
        assert key not in found, f"{key} has two rows"
        found[key] = row
    assert set(found) ^ set(wanted) == set()
    for key, slow in wanted.items():
        assert set(found[key]) ^ set(slow) == {"customer_id", "cutoff"}
        wrong = {
            name: (found[key][name], value)
            for name, value in slow.items()
            if not agrees(found[key][name], value)
        }
        assert not wrong, f"{key}: found, wanted: {wrong}; {drawn and drawn.of([key[0]])}"


def agrees(fast: Any, slow: Value) -> bool:
    if slow is None or pd.isna(fast):
        return slow is None and bool(pd.isna(fast))
    if isinstance(slow, float):
        return math.isclose(fast, slow, rel_tol=1e-12, abs_tol=1e-12)
    return bool(fast == slow)


def labels(
    entries: Sequence[Entry], cutoff: int, horizon: int, observed_until: int
) -> tuple[int | None, int | None, int | None]:
    """A customer's labels: bought (0/1), orders and net spend in [cutoff, cutoff + horizon).

    Nothing if that is not over yet.

    Orders count as soon as they are known at all, refunds only if they were known before the window's end.
    """
    end = cutoff + horizon
    if end > observed_until:
        return None, None, None
    placed = [e for e in entries if cutoff <= e.day < end and e.known < observed_until]
    days = net_days(e for e in placed if not e.is_refund or e.known < end).values()
    return int(len(days) > 0), sum(n for _, n in days), sum(amount for amount, _ in days)
