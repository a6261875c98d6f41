"""Find the order that a refund takes back, looking only at what came before the refund."""

import ibis
import ibis.expr.types as ir

from features.parts import Keep, as_it_is
from features.refund_items import latest_fitting

_KEY = ("customer_id", "product_id", "ordered_at", "known_day", "amount")
"""What tells one refund from another; refunds that share all of it take back the same order."""


def match_refunds(
    refunds: ir.Table,
    bought: ir.Table,
    orders: ir.Table,
    cancellation_prefix: str | None = None,
    keep: Keep = as_it_is,
) -> ir.Table:
    """Give each refund line the order and day it reduces.

    A refund is matched to an order of the same customer that was placed and known no later than the
    refund itself, so the match cannot change when later rows arrive. The order is, in this sequence: the
    one it names (the same number, or its own number without the cancellation prefix); the latest in which
    the same product cost exactly the refunded amount; the latest in which it cost more; the latest with the
    product at all. Where the refund has no product, the latest line without one of exactly the refunded
    amount.

    Parameters
    ----------
    refunds, bought : ibis Table
        The line grain of `features.door.used_lines`: the refunds, and the other lines.
    orders : ibis Table
        What was bought, by ``customer_id, order_id, day, known_day``, with the time of its first line,
        ``first_at``.
    cancellation_prefix : str, optional
        Prefix of a cancelled order's number, for example ``"C"``.
    keep : callable
        How intermediate tables are kept: an engine that can count the refunds that name no order, often
        none, spares itself the search among all lines.

    Returns
    -------
    ibis Table
        ``customer_id, order_id, day, known_day, amount, is_balance``. Matched refunds carry the order and
        ``day`` they reduce and keep their own ``known_day``; the rest have ``is_balance`` true and their
        own order and day.
    """
    named = keep(_by_number(refunds, orders, cancellation_prefix), "named_refunds")
    nameless = keep(named.filter(named.found_day.isnull()).drop("found_order_id", "found_day"), "nameless")
    matched = _by_item(nameless, bought, keep)
    return _told(named.filter(named.found_day.notnull())).union(_told(matched))


def _told(found: ir.Table) -> ir.Table:
    return found.select(
        "customer_id",
        order_id=found.found_order_id.coalesce(found.order_id),
        day=found.found_day.coalesce(found.day),
        known_day="known_day",
        amount="amount",
        is_balance=found.found_day.isnull(),
    )


def _by_number(refunds: ir.Table, orders: ir.Table, prefix: str | None) -> ir.Table:
    """Find the order a refund names; of an order of several days, the latest that was there by then."""
    number = refunds.order_id
    if prefix:
        number = ibis.ifelse(number.startswith(prefix), number.substr(len(prefix)), number)
    wanted = refunds.mutate(found_order_id=number)
    key = ("customer_id", "found_order_id", "ordered_at", "known_day")
    offers = orders.select(
        found_order_id="order_id",
        o_customer="customer_id",
        o_day="day",
        o_known="known_day",
        first_at="first_at",
    )
    asked = wanted.select(*key).distinct()
    there = [offers.first_at <= asked.ordered_at, offers.o_known <= asked.known_day]
    same = [asked.customer_id == offers.o_customer, asked.found_order_id == offers.found_order_id]
    pairs = asked.inner_join(offers, [*same, *there])
    best = pairs.group_by(*key).agg(found_day=pairs.o_day.max())
    return wanted.left_join(best, list(key)).drop(*[f"{name}_right" for name in key])


def _by_item(refunds: ir.Table, bought: ir.Table, keep: Keep) -> ir.Table:
    best = latest_fitting(refunds, bought, keep)
    same = [refunds[name].identical_to(best[name]) for name in _KEY]
    return refunds.left_join(best, same).drop(*[f"{name}_right" for name in _KEY])
