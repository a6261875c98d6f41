"""History: all that ever became known, dated by when; made once, looked at from as many cutoffs as needed."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from features.grains import FOREVER, Keep, as_it_is, order_ledger, purchase_days
from features.leads import leading
from features.records import Records
from features.switches import switches
from features.variety import first_seen, mix
from features.visits import visit_days


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
    """

    parts: Mapping[str, ir.Table]
    has: frozenset[str]
    attributes: tuple[tuple[str, str], ...] = ()


def make_history(records: Records, keep: Keep = as_it_is) -> History:
    """Turn records into a history.

    Parameters
    ----------
    records : Records
        Behind the door.
    keep : callable
        How intermediate tables are kept; by default they stay expressions.

    Returns
    -------
    History
        With the parts that the records allow.
    """

    def named(table: ir.Table, name: str) -> ir.Table:
        return keep(table, f"history_{name}")

    entries = order_ledger(records.lines, records.cancellation_prefix, named)
    parts = {
        "entries": entries,
        "days": named(purchase_days(entries, has_late="recorded_at" in records.has), "days"),
    }
    for name, table in (_of_lines(records, entries) | _of_events(records) | _of_people(records)).items():
        parts[name] = named(table, name)
    return History(parts, records.has, records.attributes)


def _of_lines(records: Records, entries: ir.Table) -> dict[str, ir.Table]:
    bought = records.lines.filter(~records.lines.is_refund)
    parts: dict[str, ir.Table] = {}
    for part, column in (
        ("products", "product_id"),
        ("categories", "category"),
        ("order_channels", "channel"),
    ):
        if column in records.has:
            parts |= {part: first_seen(bought, column), f"{part}_mix": mix(bought, column)}
    leads = tuple(column for column in ("product_id", "category") if column in records.has)
    if leads:
        parts["leads"] = leading(records.lines, entries, leads)
    if "channel" in records.has:
        parts["order_switches"] = switches(bought, ("known_day", "ordered_at", "order_id"))
    return parts


def _of_events(records: Records) -> dict[str, ir.Table]:
    if records.events is None:
        return {}
    events = records.events
    parts = {"visits": visit_days(events, has_sessions="events.session_id" in records.has)}
    if "events.channel" in records.has:
        touches = events.mutate(known_day=events.day)
        parts["touch_channels"] = first_seen(touches, "channel")
        parts["touch_channels_mix"] = mix(touches, "channel")
        parts["touch_switches"] = switches(touches, ("known_day", "occurred_at", "kind"))
    return parts


def _of_people(records: Records) -> dict[str, ir.Table]:
    parts = {}
    if records.contacts is not None:
        sent = records.contacts
        parts["contacts"] = sent.group_by("customer_id", "day").agg(
            n=sent.count(), cost=sent.cost.sum().fill_null(0)
        )
    if records.customers is not None:
        parts["profile"] = _profile(records.customers)
    return parts


def _profile(customers: ir.Table) -> ir.Table:
    """One row a customer and day of knowledge, each true until the next; rows that tie give their largest."""
    dated = customers.mutate(known_from=customers.known_day.fill_null(-FOREVER))
    values = [c for c in dated.columns if c not in ("customer_id", "known_day", "known_from")]
    one = dated.group_by("customer_id", "known_from").agg(**{c: dated[c].max() for c in values})
    after = one.known_from.lead().over(ibis.window(group_by="customer_id", order_by="known_from"))
    return one.mutate(known_until=after.fill_null(FOREVER).cast("int64"))
