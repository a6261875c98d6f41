"""Find the order that a refund takes back, looking only at what came before the refund."""

import ibis
import ibis.expr.types as ir


def match_refunds(lines: ir.Table, cancellation_prefix: str | None = None) -> ir.Table:
    """Give each refund line the order and day it reduces.

    A refund is matched to an order of the same customer that was placed and known no later than the
    refund itself, so the match cannot change when later rows arrive. The order is, in this sequence: the
    one it names (the same number, or its own number without the cancellation prefix); the latest in which
    the same product cost exactly the refunded amount; the latest in which it cost more; the latest with the
    product at all. Where the log has no products, the latest line of exactly the refunded amount.

    Parameters
    ----------
    lines : ibis Table
        The line grain of `features.door.used_lines`.
    cancellation_prefix : str, optional
        Prefix of a cancelled order's number, for example ``"C"``.

    Returns
    -------
    ibis Table
        ``customer_id, order_id, day, known_day, amount, is_balance``. Matched refunds carry the order and
        ``day`` they reduce and keep their own ``known_day``; the rest have ``is_balance`` true and their
        own order and day.
    """
    refunds = lines.filter(lines.is_refund)
    bought = lines.filter(~lines.is_refund)
    wanted = _identified(refunds, cancellation_prefix)
    best = _latest(_candidates(wanted, bought))
    joined = wanted.left_join(best, [wanted[name] == best[name] for name in _REFUND_KEY])
    found = joined.found_order_id.notnull()
    return joined.select(
        "customer_id",
        order_id=ibis.ifelse(found, joined.found_order_id, joined.order_id),
        day=ibis.ifelse(found, joined.found_day, joined.day),
        known_day="known_day",
        amount="amount",
        is_balance=~found,
    )


_REFUND_KEY = ("customer_id", "order_id", "item", "ordered_at", "known_day", "amount")


def _identified(refunds: ir.Table, prefix: str | None) -> ir.Table:
    """Say what a refund takes back: its product or, without one, its amount; and the order it may name."""
    named = refunds.order_id
    if prefix:
        named = ibis.ifelse(named.startswith(prefix), named.substr(len(prefix)), named)
    return refunds.mutate(item=_item(refunds), named_order=named)


def _item(lines: ir.Table) -> ir.Value:
    # marked, or 22900 could be a product as well as 2.29 in money
    product, amount = ibis.literal("product ") + lines.product_id, lines.amount.abs().cast("string")
    return product.coalesce(ibis.literal("amount ") + amount)


def _candidates(wanted: ir.Table, bought: ir.Table) -> ir.Table:
    """Pair refunds with orders by number and by item: two hash joins, since one join on either is a scan."""
    key = wanted.select(*_REFUND_KEY, "named_order").distinct()
    lines = bought.select(
        "amount", b_customer="customer_id", found_order_id="order_id", found_day="day", found_at="ordered_at",
        b_known="known_day", b_item=_item(bought),
    )  # fmt: skip
    offers = lines.group_by([c for c in lines.columns if c != "amount"]).agg(price=lines.amount.sum())
    by_number = _earlier(key, offers, key.named_order == offers.found_order_id, is_named=1)
    by_item = _earlier(key, offers, key["item"] == offers.b_item, is_named=0)
    return by_number.union(by_item)


def _earlier(key: ir.Table, offers: ir.Table, same: ir.BooleanValue, *, is_named: int) -> ir.Table:
    placed_before = [offers.found_at <= key.ordered_at, offers.b_known <= key.known_day]
    pairs = key.inner_join(offers, [key.customer_id == offers.b_customer, same, *placed_before])
    exact, covered = pairs.price == -pairs.amount, pairs.price > -pairs.amount
    fit = ibis.literal(0, "int8") if is_named else ibis.cases((exact, 2), (covered, 1), else_=0).cast("int8")
    named = ibis.literal(is_named, "int8")
    return pairs.select(*_REFUND_KEY, "found_order_id", "found_day", "found_at", fit=fit, is_named=named)


def _latest(pairs: ir.Table) -> ir.Table:
    order = [
        pairs.is_named.desc(),
        pairs.fit.desc(),
        pairs.found_at.desc(),
        pairs.found_order_id.desc(),
        pairs.found_day.desc(),
    ]
    rank = ibis.row_number().over(ibis.window(group_by=_REFUND_KEY, order_by=order))
    ranked = pairs.mutate(place=rank)
    return ranked.filter(ranked.place == 0).select(*_REFUND_KEY, "found_order_id", "found_day")
