"""History: all that ever became known, dated by when; made once, looked at from as many cutoffs as needed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import ibis
import ibis.expr.types as ir

from features.booked import booked
from features.calendar import day_number
from features.grains import FOREVER, Ledger, order_ledger, purchase_days
from features.leads import leading
from features.parts import Keep, Maker, Parts, as_it_is
from features.records import Records
from features.switches import switches
from features.variety import variety
from features.visits import visit_days

VARIED = {"products": "product_id", "categories": "category", "order_channels": "channel"}
"""What is counted of the bought lines, and in which column it stands."""


@dataclass(frozen=True)
class History:
    """What became known about each customer, and when.

    Parameters
    ----------
    parts : Mapping[str, ibis Table]
        Keyed by ``customer_id``. Each row counts from the day after ``known_day`` on or, in versions, for the
        cutoffs with ``known_from < cutoff <= known_until``.
    has : frozenset of str
        Optional input columns that are there (`features.records.Records`).
    attributes : tuple of (str, str)
        Attributes of the customers, with ``"number"`` or ``"category"``.
    at : date, optional
        The only cutoff from which it may be looked at.
    """

    parts: Mapping[str, ir.Table]
    has: frozenset[str]
    attributes: tuple[tuple[str, str], ...] = ()
    at: date | None = None


def make_history(records: Records, keep: Keep = as_it_is, at: date | None = None) -> History:
    """Turn records into a history.

    Parameters
    ----------
    records : Records
        Behind the door.
    keep : callable
        How intermediate tables are kept; by default they stay expressions.
    at : date, optional
        The only cutoff that will be asked for: lines known later are left out at once, and what can be
        added up for this one date is not told by days (``booked`` then dates all purchases the day before).

    Returns
    -------
    History
        With the parts that the records allow, each made when it is first asked for.
    """

    def named(table: ir.Table, name: str) -> ir.Table:
        return keep(table, f"history_{name}")

    if at is not None:
        records = replace(records, lines=records.lines.filter(records.lines.known_day < day_number(at)))
    ledger = order_ledger(records.lines, records.cancellation_prefix, named)
    makers: dict[str, Maker] = {"entries": ledger.entries}
    for name, make in (_of_orders(records, ledger, at) | _of_events(records) | _of_people(records)).items():
        makers[name] = partial(_made, make, name, named)
    return History(Parts(makers), records.has, records.attributes, at)


def _made(make: Maker, name: str, keep: Keep) -> ir.Table:
    return keep(make(), name)


def _of_orders(records: Records, ledger: Ledger, at: date | None) -> dict[str, Maker]:
    lines, has = records.lines, records.has
    bought = lines.filter(~lines.is_refund)
    varied = {name: column for name, column in VARIED.items() if column in has}
    leads = tuple(column for column in ("product_id", "category") if column in has)
    makers: dict[str, Maker] = {
        "days": lambda: purchase_days(ledger, has_late="recorded_at" in has),
        "booked": lambda: _booked(bought, ledger, varied, at),
    }
    if leads:
        makers["leads"] = lambda: leading(bought, ledger.bought, leads)
    if "channel" in has:
        makers["order_switches"] = lambda: switches(bought, ("known_day", "ordered_at", "order_id"))
    return makers


def _booked(bought: ir.Table, ledger: Ledger, varied: Mapping[str, str], at: date | None) -> ir.Table:
    if at is None:
        return booked(ledger, {name: variety(bought, column) for name, column in varied.items()})
    known = {"known_day": ibis.literal(day_number(at) - 1, "int64")}
    rows, orders = bought.mutate(**known), ledger.bought.mutate(**known)
    varieties = {name: variety(rows, column, by_day=False) for name, column in varied.items()}
    return booked(Ledger(orders, ledger.taken), varieties)


def _of_events(records: Records) -> dict[str, Maker]:
    events = records.events
    if events is None:
        return {}
    makers: dict[str, Maker] = {
        "visits": lambda: visit_days(events, has_sessions="events.session_id" in records.has)
    }
    if "events.channel" in records.has:
        touches = events.mutate(known_day=events.day)
        makers["touch_channels"] = lambda: variety(touches, "channel")
        makers["touch_switches"] = lambda: switches(touches, ("known_day", "occurred_at", "kind"))
    return makers


def _of_people(records: Records) -> dict[str, Maker]:
    makers: dict[str, Maker] = {}
    if records.contacts is not None:
        makers["contacts"] = partial(_contact_days, records.contacts)
    if records.customers is not None:
        makers["profile"] = partial(_profile, records.customers)
    return makers


def _contact_days(sent: ir.Table) -> ir.Table:
    return sent.group_by("customer_id", "day").agg(n=sent.count(), cost=sent.cost.sum().fill_null(0))


def _profile(customers: ir.Table) -> ir.Table:
    """One row a customer and day of knowledge, each true until the next; rows that tie give their largest."""
    dated = customers.mutate(known_from=customers.known_day.fill_null(-FOREVER))
    values = [c for c in dated.columns if c not in ("customer_id", "known_day", "known_from")]
    one = dated.group_by("customer_id", "known_from").agg(**{c: dated[c].max() for c in values})
    after = one.known_from.lead().over(ibis.window(group_by="customer_id", order_by="known_from"))
    return one.mutate(known_until=after.fill_null(FOREVER).cast("int64"))
