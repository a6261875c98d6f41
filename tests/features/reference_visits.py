"""What events, contacts and the customers table say of a customer, slowly; and channels."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.features.reference_ledger import Line, day_of, shop_clock
from tests.features.reference_orders import Value, share, variety
from tests.features.rows import Contact, Drawn, Event, Person

KINDS = {
    "view": "page",
    "product_page": "page",
    "Add_To_Cart": "cart",
    "giỏ hàng": "cart",
    "begin_checkout": "checkout",
    "order_tracking": "tracking",
    "search": "search",
    "live chat": "support",
    "purchase": "order",
    "login": "other",
    None: "other",
}
"""What the words of the tests mean."""


def kind_of(event: Event) -> str:
    return KINDS[event.type]


def at(event: Event) -> datetime:
    assert event.at is not None
    return shop_clock(event.at)


def day(row: Event | Contact) -> int:
    assert row.at is not None
    return day_of(row.at)


def sessions(events: Iterable[Event], *, are_numbered: bool) -> list[int]:
    """The day on which each session began."""
    if are_numbered:
        numbered: dict[str, int] = {}
        for event in events:
            if event.session is not None:
                numbered[event.session] = min(day(event), numbered.get(event.session, day(event)))
        return [*numbered.values(), *(day(event) for event in events if event.session is None)]
    in_order = sorted(events, key=at)
    starts = in_order[:1]
    for before, event in pairwise(in_order):
        if (at(event) - at(before)).total_seconds() > 1800:
            starts.append(event)
    return [day(event) for event in starts]


def journey(
    events: Sequence[Event], first: int, last: int, cutoff: int, has: Collection[str]
) -> dict[str, Value]:
    """`first` and `last` are the first and the last purchase day."""
    begun = sessions(events, are_numbered="events.session_id" in has)

    def count(kind: str, since: int) -> int:
        return sum(kind_of(event) == kind and day(event) >= since for event in events)

    row: dict[str, Value] = {}
    for window in (7, 28, 90):
        row[f"sessions_{window}d"] = sum(start >= cutoff - window for start in begun)
        row[f"page_views_{window}d"] = count("page", cutoff - window)
    for kind in ("search", "support", "tracking"):
        row[f"{kind}_90d"] = count(kind, cutoff - 90)
    touched = min((day(event) for event in events), default=None)
    row |= {
        "days_since_last_visit": min((cutoff - day(event) for event in events), default=None),
        "days_since_first_touch": None if touched is None else cutoff - touched,
        "sessions_since_last_order": sum(start > last for start in begun),
        "carts_since_last_order": count("cart", last + 1),
        "checkouts_since_last_order": count("checkout", last + 1),
        "touches_before_first_order": sum(day(event) < first for event in events),
        "days_touch_to_first_order": None if touched is None or touched > first else first - touched,
    }
    if "events.duration_s" in has:
        row["longest_dwell_s"] = max(
            (event.dwell for event in events if event.dwell is not None), default=None
        )
    return row


def channels(stem: str, rows: Iterable[tuple[Any, str | None]]) -> dict[str, Value]:
    """`rows` are pairs of what orders them and their channel; rows that tie are ordered by channel."""
    way = [channel for _, channel in sorted((key, channel) for key, channel in rows if channel is not None)]
    _, distinct, alike = variety(way)
    return {
        f"n_{stem}_channels": distinct,
        f"{stem}_channel_concentration": alike,
        f"{stem}_channel_switches": sum(a != b for a, b in pairwise(way)),
        f"first_{stem}_channel": way[0] if way else None,
        f"last_{stem}_channel": way[-1] if way else None,
    }


def touch_channels(events: Iterable[Event]) -> dict[str, Value]:
    return channels("touch", (((at(event), kind_of(event)), event.channel) for event in events))


def order_channels(bought: Iterable[Line]) -> dict[str, Value]:
    return channels("order", (((line.known, line.at, line.order), line.channel) for line in bought))


def contacts(
    sent: Sequence[Contact], purchase_days: Collection[int], cutoff: int, has: Collection[str]
) -> dict[str, Value]:
    days = {day(contact) for contact in sent}
    followed = {d for d in days if any(d <= bought < d + 7 for bought in purchase_days)}
    settled = {d for d in days if d + 7 <= cutoff}
    row: dict[str, Value] = {
        f"contacts_{window}d": sum(day(contact) >= cutoff - window for contact in sent)
        for window in (7, 28, 90)
    }
    row |= {
        "n_contacts": len(sent),
        "days_since_last_contact": min((cutoff - d for d in days), default=None),
        "contact_days_with_order": len(followed),
        "contact_reply_share": share(len(followed & settled), len(settled)),
    }
    if "contacts.cost" in has:
        row["contact_cost"] = sum(contact.cents or 0 for contact in sent) * 100
    return row


def profile(versions: Iterable[Person], cutoff: int, drawn: Drawn) -> dict[str, Value]:
    """The newest version known before the cutoff; what ties gives the largest of each."""
    dated = "customers.valid_from" not in drawn.without
    since = [
        (day_of(p.since) if p.since is not None else 0, p)
        for p in versions
        if p.since is not None or not dated
    ]
    if not dated:
        since = [(0, p) for _, p in since]
    known = [(begin, p) for begin, p in since if begin < cutoff]
    newest = [p for begin, p in known if begin == max(b for b, _ in known)]

    def largest(values: Iterable[Any]) -> Any:
        return max((v for v in values if v is not None), default=None)

    signed_up = largest(day_of(p.signed_up) for p in newest if p.signed_up is not None)
    row: dict[str, Value] = {
        "days_since_signup": None if signed_up is None or signed_up >= cutoff else cutoff - signed_up,
        "acquisition_channel": largest(p.channel for p in newest),
        "acquisition_cost": largest(None if p.cents is None else p.cents * 100 for p in newest),
        "was_referred": largest(int(p.referrer is not None) for p in newest),
        "attr_tier": largest(p.tier for p in newest),
        "attr_points": largest(p.points for p in newest),
        "attr_is_member": largest(None if p.is_member is None else float(p.is_member) for p in newest),
    }
    needs = {
        "days_since_signup": "signed_up_at",
        "acquisition_channel": "acquisition_channel",
        "acquisition_cost": "acquisition_cost",
        "was_referred": "referred_by",
    }
    off = {name for name, column in needs.items() if f"customers.{column}" in drawn.without}
    return {name: value for name, value in row.items() if name not in off}
