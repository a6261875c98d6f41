"""Other futures: the same past, followed by something else. What must not move any feature."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import ibis
import ibis.expr.types as ir

from features.calendar import day_number
from features.records import KNOWN_FROM, Records

Change = Callable[[ir.Table, str, int], ir.Table]
"""From a table, its name and the cutoff's day number to the table with another future."""

FOUR_CENTURIES = 146_097
"""Days after which the calendar repeats itself to the weekday."""


def with_other_futures(records: Records, cutoff: date) -> Records:
    """Lay four worlds side by side, each with a future of its own and its customers' names marked.

    Parameters
    ----------
    records : Records
        As they are.
    cutoff : date
        Rows known at or after it are the future.

    Returns
    -------
    Records
        Every customer once for each of `MUTATIONS`, as ``"deleted:17"``, ``"corrupted:17"``, …
    """
    day = day_number(cutoff)

    def worlds(table: ir.Table, name: str) -> ir.Table:
        made = [_marked(change(table, name, day), mark) for mark, change in MUTATIONS.items()]
        return ibis.union(*[world.select(*table.columns) for world in made])

    late = replace(_undated_forgotten(records), has=records.has | {"recorded_at"})  # one world books late
    return late.changed(worlds)


def without_future(records: Records, cutoff: date) -> Records:
    """Keep what is known before the cutoff."""
    return records.changed(lambda table, name: _past(table, name, day_number(cutoff)))


def shifted(records: Records) -> Records:
    """Move everything four centuries on: the same calendar, but not the same clock."""
    times = {"lines": "ordered_at", "events": "occurred_at"}
    days = ("day", "known_day", "signup_day")

    def move(table: ir.Table, name: str) -> ir.Table:
        later = {c: table[c] + FOUR_CENTURIES for c in days if c in table.columns}
        if name in times:
            clock = table[times[name]]
            later[times[name]] = (clock + ibis.interval(days=FOUR_CENTURIES)).cast(clock.type())
        return table.mutate(**later)

    return records.changed(move)


def _marked(table: ir.Table, mark: str) -> ir.Table:
    return table.mutate(customer_id=ibis.literal(f"{mark}:") + table.customer_id)


def _undated_forgotten(records: Records) -> Records:
    """Blank attributes without a date that are not declared static: they are what is known today."""
    if records.customers is None:
        return records
    people, names = records.customers, [n for n, _ in records.attributes if n not in records.static]
    undated = people.known_day.isnull()
    blank = {f"attr_{n}": people[f"attr_{n}"].nullif(people[f"attr_{n}"]) for n in names}
    hidden = {c: ibis.ifelse(undated, value, people[c]) for c, value in blank.items()}
    return records.changed(lambda table, name: table.mutate(**hidden) if name == "customers" else table)


def _known(table: ir.Table, name: str) -> ir.Value:
    """The day from which a row is known; what has no date was known at all times."""
    return table[KNOWN_FROM[name]].fill_null(-(2**31))


def _past(table: ir.Table, name: str, day: int) -> ir.Table:
    return table.filter(_known(table, name) < day)


def _future(table: ir.Table, name: str, day: int) -> ir.Table:
    return table.filter(_known(table, name) >= day)


def _deleted(table: ir.Table, name: str, day: int) -> ir.Table:
    return _past(table, name, day)


def _corrupted(table: ir.Table, name: str, day: int) -> ir.Table:
    future = _future(table, name, day)
    change = _CORRUPTIONS[name](future)
    texts = [
        c for c in future.columns if future[c].type().is_string() and c not in ("customer_id", "order_id")
    ]
    wrong = {c: ibis.literal("corrupted") for c in texts} | change
    return _past(table, name, day).union(future.mutate(**wrong).select(*table.columns))


_CORRUPTIONS: dict[str, Callable[[ir.Table], dict[str, ir.Value]]] = {
    "lines": lambda t: {
        "amount": t.amount * -3 + 12_345,
        "is_refund": ~t.is_refund,
        "quantity": t.quantity * 7 + 1,
        "discount": t.discount * 7 + 1,
        "customer_id": t.order_id,
    },
    "events": lambda t: {"dwell_ms": t.dwell_ms * 7 + 1},
    "contacts": lambda t: {"cost": t.cost * 7 + 1},
    "customers": lambda t: {"signup_day": t.signup_day - 77, "acquisition_cost": t.acquisition_cost * 7 + 1},
}


def _shuffled(table: ir.Table, name: str, day: int) -> ir.Table:
    """Hand each row of the future to the customer of the next one."""
    future = _future(table, name, day)
    order = ibis.window(order_by=future.columns)
    other = future.customer_id.lead().over(order).coalesce(future.customer_id.first().over(order))
    return _past(table, name, day).union(future.mutate(customer_id=other).select(*table.columns))


def _added(table: ir.Table, name: str, day: int) -> ir.Table:
    """Let more happen: all that is past once more, known from the cutoff on."""
    past, column = _past(table, name, day), KNOWN_FROM[name]
    if name == "lines":
        return table.union(*[more.select(*table.columns) for more in _more_lines(past, day)])
    # Undated rows, and when a customer signed up, are facts of the past; a second version of them is not.
    later: dict[str, ir.Value] = {column: ibis.literal(day, "int64")}
    if name == "events":
        later["occurred_at"] = _midnight(day, past.occurred_at)
    return table.union(past.mutate(**later).select(*table.columns))


def _more_lines(past: ir.Table, day: int) -> list[ir.Table]:
    """Take everything back, record other lines late, and buy on: all of it known from the cutoff on."""
    now, kind = ibis.literal(day, "int64"), past.ordered_at.type()
    refunded = past.mutate(amount=-past.amount.abs(), is_refund=ibis.literal(True), known_day=now)
    # The others at other times: at its own, a line would be what the refunds take back, and hide them.
    late = past.mutate(
        amount=past.amount.abs() * 5 + 1,
        is_refund=ibis.literal(False),
        ordered_at=(past.ordered_at - ibis.interval(days=1)).cast(kind),
        day=past.day - 1,
        known_day=now,
    )
    return [refunded, late, late.mutate(ordered_at=_midnight(day, past.ordered_at), day=now)]


def _midnight(day: int, like: ir.Value) -> ir.Value:
    start = ibis.literal("1970-01-01").cast("timestamp") + ibis.interval(days=day)
    return start.cast(like.type())


MUTATIONS: dict[str, Change] = {
    "deleted": _deleted,
    "corrupted": _corrupted,
    "shuffled": _shuffled,
    "added": _added,
}
"""What is done to the future in each world."""
