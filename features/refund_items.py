"""Find the latest order that fits a refund by what is taken back: its product or, without one, its amount."""

import ibis
import ibis.expr.types as ir

from features.parts import Keep

_ITEM = ("customer_id", "item")
_ASKED = (*_ITEM, "ordered_at", "known_day", "amount")


def latest_fitting(refunds: ir.Table, bought: ir.Table, keep: Keep) -> ir.Table:
    """Find for each refund the latest order of the same price; else of a higher one; else any with the item.

    Refunds of the price that was paid, nearly all, are found by sorting, so that a customer of thousands of
    lines ("walk-in") costs no more than thousands of customers. Each of the others is tried with each line of
    its item.

    Parameters
    ----------
    refunds, bought : ibis Table
        As those of `features.refunds.match_refunds`.
    keep : callable
        How intermediate tables are kept.

    Returns
    -------
    ibis Table
        The distinct ``customer_id, product_id, ordered_at, known_day, amount`` of the refunds for which there
        is an order, with its ``found_order_id, found_day``.
    """
    asked = refunds.mutate(item=_item(refunds, -refunds.amount)).select(*_ASKED, "product_id").distinct()
    lines = bought.mutate(item=_item(bought, bought.amount)).semi_join(asked, _ITEM)
    offers = keep(_with_lateness(_offers(lines), asked), "offers")
    exact = keep(_of_same_price(asked.select(_ASKED), offers), "exact")
    rest = _of_other_price(asked.select(_ASKED).anti_join(exact, _ASKED), offers)
    there = offers.select(*_ITEM, "place", found_order_id="order_id", found_day="day")
    found = exact.union(rest).inner_join(there, (*_ITEM, "place"))
    return asked.inner_join(found, _ASKED).drop("item", "place")


def _item(lines: ir.Table, amount: ir.Value) -> ir.Value:
    """What has to be the same."""
    return ("product " + lines.product_id).coalesce("amount " + amount.cast("string"))


def _offers(lines: ir.Table) -> ir.Table:
    """Sum the price over the lines of one order, day, time and day of knowledge; number an item's by time."""
    order = ["ordered_at", "order_id", "day", "known_day"]
    offers = lines.group_by(*_ITEM, *order).agg(price=lines.amount.sum())
    place = ibis.row_number().over(ibis.window(group_by=_ITEM, order_by=order))
    return offers.mutate(place=place.cast("int64"))


def _with_lateness(offers: ir.Table, asked: ir.Table) -> ir.Table:
    """Mark the offers that a refund placed after them may not know of; drop those that no refund comes after.

    They are few even where each row is recorded on the next day: its refunds are then, too.
    """
    both = _together(asked.mutate(asked_day=asked.known_day), offers)
    from_here = ibis.window(
        group_by=_ITEM, order_by=[both.ordered_at.desc(), both.is_look.desc()], preceding=None, following=0
    )
    told = both.mutate(soonest=both.asked_day.min().over(from_here))
    after = told.filter(~told.is_look & told.soonest.notnull())
    return after.select(*offers.columns, is_late=after.known_day > after.soonest)


def _together(looks: ir.Table, offers: ir.Table) -> ir.Table:
    """Lay refunds and offers under each other, with all columns of both and ``is_look``."""
    kinds = {**offers.schema(), **looks.schema()}

    def laid_out(table: ir.Table, *, is_look: bool) -> ir.Table:
        columns = {c: table[c] if c in table.columns else ibis.null(kind) for c, kind in kinds.items()}
        return table.select(**columns, is_look=ibis.literal(is_look))

    return laid_out(looks, is_look=True).union(laid_out(offers, is_look=False))


def _of_same_price(asked: ir.Table, offers: ir.Table) -> ir.Table:
    """Find the latest of the same price; only those that were recorded late are tried one by one."""
    late = _tried(asked, offers.filter(offers.is_late))
    late = late.filter(late.price == -late.amount).select(*_ASKED, "place")
    found = _carried(asked, offers.filter(~offers.is_late)).union(late)
    return found.group_by(_ASKED).agg(place=found.place.max())


def _carried(asked: ir.Table, prompt: ir.Table) -> ir.Table:
    """Lay refunds among the offers of their item and price by time; hand them the last one before them."""
    both = _together(asked.mutate(price=-asked.amount), prompt)
    so_far = ibis.window(
        group_by=[*_ITEM, "price"], order_by=["ordered_at", "is_look"], preceding=None, following=0
    )
    carried = both.mutate(place=both.place.max().over(so_far))
    return carried.filter(carried.is_look & carried.place.notnull()).select(*_ASKED, "place")


def _of_other_price(asked: ir.Table, offers: ir.Table) -> ir.Table:
    """Find the latest that cost more, else the latest of all."""
    pairs = _tried(asked, offers)
    dearer = pairs.place.max(where=pairs.price > -pairs.amount)
    return pairs.group_by(_ASKED).agg(place=dearer.coalesce(pairs.place.max()))


def _tried(asked: ir.Table, offers: ir.Table) -> ir.Table:
    """Pair each refund with each offer of its item that was placed and known by then."""
    here = offers.select(*_ITEM, "price", "place", o_at="ordered_at", o_known="known_day")
    there = [here.o_at <= asked.ordered_at, here.o_known <= asked.known_day]
    return asked.inner_join(here, [*_ITEM, *there]).select(*_ASKED, "price", "place")
