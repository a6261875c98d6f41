"""From lines to the order ledger, and from the ledger to purchase days.

Nothing that became known later is ever folded into what happened earlier: a refund, or a line recorded late,
is an entry of its own that carries the day it belongs to (``day``) and the day from which it is known
(``known_day``). A purchase day is kept in versions, each with the span of days in which it was the truth.
"""

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from features.parts import Keep, as_it_is
from features.refunds import match_refunds

FOREVER = 2**31
"""The day number before which the newest version of anything stays the truth."""


@dataclass(frozen=True)
class Ledger:
    """What was bought and what was taken back, apart.

    Parameters
    ----------
    bought : ibis Table
        One row an order, day and day of knowledge: ``customer_id, order_id, day, known_day, amount, n_lines,
        quantity, discount, first_at``.
    taken : ibis Table
        Refunds by the order and day they reduce and their own day of knowledge: ``customer_id, order_id, day,
        known_day, is_balance, amount`` (below zero), ``n_refunds``. ``is_balance`` marks those whose order
        could not be found: they count against the customer's total from their own day on, and against no
        purchase.
    """

    bought: ir.Table
    taken: ir.Table

    def entries(self) -> ir.Table:
        """Lay both under each other; ``amount`` is net, what is not counted is zero."""
        keys, sums = ("customer_id", "order_id", "day", "known_day"), ("refunded", "n_lines", "n_refunds")
        bought = self.bought.mutate(is_balance=ibis.literal(False))
        taken = self.taken.mutate(refunded=-self.taken.amount)
        zero = ibis.literal(0, "int64")

        def laid_out(part: ir.Table) -> ir.Table:
            counts = {name: part[name] if name in part.columns else zero for name in sums}
            return part.select(*keys, "is_balance", "amount", **counts)

        return laid_out(bought).union(laid_out(taken))


def order_ledger(lines: ir.Table, cancellation_prefix: str | None = None, keep: Keep = as_it_is) -> Ledger:
    """Aggregate lines to a ledger.

    Parameters
    ----------
    lines : ibis Table
        The line grain of `features.door.used_lines`.
    cancellation_prefix : str, optional
        What a cancelled order's number carries before the number of the order it cancels.
    keep : callable
        How the orders and the few refunds are kept while they are matched.
    """
    bought = lines.filter(~lines.is_refund)
    orders = keep(_orders(bought), "orders")
    refunds = keep(lines.filter(lines.is_refund), "refunds")
    return Ledger(
        orders, keep(_taken(match_refunds(refunds, bought, orders, cancellation_prefix, keep)), "taken")
    )


def _orders(bought: ir.Table) -> ir.Table:
    return bought.group_by("customer_id", "order_id", "day", "known_day").agg(
        amount=bought.amount.sum(),
        n_lines=bought.count(),
        quantity=bought.quantity.sum().fill_null(0),
        discount=bought.discount.sum().fill_null(0),
        first_at=bought.ordered_at.min(),
    )


def _taken(refunds: ir.Table) -> ir.Table:
    return refunds.group_by("customer_id", "order_id", "day", "known_day", "is_balance").agg(
        amount=refunds.amount.sum(), n_refunds=refunds.count()
    )


def purchase_days(ledger: Ledger, *, has_late: bool = True) -> ir.Table:
    """Net what was bought and taken back on each day; a purchase day is one whose net amount is positive.

    Parameters
    ----------
    ledger : Ledger
        Of `order_ledger`.
    has_late : bool
        False where no line can become known later than the others of its day: the log does not say when its
        rows were recorded.

    Returns
    -------
    ibis Table
        ``customer_id, day, known_from, known_until, amount, n_orders``: the truth about a day at every cutoff
        with ``known_from < cutoff <= known_until``. ``n_orders`` counts orders with a positive net.
        ``is_steady`` marks the customers of whom no day was ever told twice or late; only theirs have their
        ``gap``, the days since the purchase day before, for it is the same at every cutoff.
    """
    bought, taken = ledger.bought, ledger.taken.filter(~ledger.taken.is_balance)
    whole = bought.group_by("customer_id", "day").agg(
        known_from=bought.known_day.min(),
        last_known=bought.known_day.max(),
        amount=bought.amount.sum(),
        n_orders=(bought.amount > 0).cast("int64").sum(),
    )
    # Few days are ever told twice; only those pay for the windows.
    retold = taken.select("customer_id", "day")
    unsteady = taken.select("customer_id")
    if has_late:
        retold = retold.union(whole.filter(whole.known_from < whole.last_known).select("customer_id", "day"))
        unsteady = unsteady.union(whole.filter(whole.day < whole.last_known).select("customer_id"))
    retold, unsteady = retold.distinct(), unsteady.distinct()
    told_once = whole.mutate(known_until=ibis.literal(FOREVER, "int64")).drop("last_known")
    rest = told_once.semi_join(unsteady, "customer_id").anti_join(retold, ["customer_id", "day"])
    entries = ledger.entries()
    versions = _versions(entries.filter(~entries.is_balance).semi_join(retold, ["customer_id", "day"]))
    steady = told_once.anti_join(unsteady, "customer_id")
    steady = with_gap(steady.filter(steady.amount > 0), "customer_id").mutate(is_steady=ibis.literal(True))
    others = rest.union(versions.select(*rest.columns))
    others = others.filter(others.amount > 0).mutate(gap=ibis.null("int64"), is_steady=ibis.literal(False))
    return steady.union(others.select(*steady.columns))


def with_gap(days: ir.Table, *keys: str) -> ir.Table:
    """Add the days since the purchase day before; null for the first."""
    before = days.day.lag().over(ibis.window(group_by=keys, order_by="day"))
    return days.mutate(gap=days.day - before)


def _versions(placed: ir.Table) -> ir.Table:
    """Tell a day anew each time something becomes known of it."""
    orders = placed.group_by("customer_id", "day", "order_id", "known_day").agg(amount=placed.amount.sum())
    net = orders.amount.sum().over(_so_far("customer_id", "day", "order_id"))
    told = orders.mutate(change=(net > 0).cast("int64") - (net - orders.amount > 0).cast("int64"))
    steps = told.group_by("customer_id", "day", "known_day").agg(
        amount=told.amount.sum(), change=told.change.sum()
    )
    so_far = _so_far("customer_id", "day")
    after = steps.known_day.lead().over(ibis.window(group_by=["customer_id", "day"], order_by="known_day"))
    return steps.select(
        "customer_id",
        "day",
        known_from="known_day",
        known_until=after.fill_null(FOREVER).cast("int64"),
        amount=steps.amount.sum().over(so_far),
        n_orders=steps.change.sum().over(so_far),
    )


def _so_far(*keys: str) -> Any:
    return ibis.window(group_by=list(keys), order_by="known_day", preceding=None, following=0)
