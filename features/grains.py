"""From lines to the order ledger, and from the ledger to purchase days.

Nothing that became known later is ever folded into what happened earlier: a refund, or a line recorded late,
is an entry of its own that carries the day it belongs to (``day``) and the day from which it is known
(``known_day``). A purchase day is kept in versions, each with the span of days in which it was the truth.
"""

from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from features.refunds import match_refunds

FOREVER = 2**31
"""The day number before which the newest version of anything stays the truth."""


Keep = Callable[[ir.Table, str], ir.Table]
"""Computes a table once and gives it back as one that is there; the engine's business."""


def as_it_is(table: ir.Table, _name: str) -> ir.Table:
    """Keep nothing: the table stays an expression."""
    return table


def order_ledger(lines: ir.Table, cancellation_prefix: str | None = None, keep: Keep = as_it_is) -> ir.Table:
    """Aggregate lines to ledger entries.

    Parameters
    ----------
    lines : ibis Table
        The line grain of `features.door.used_lines`.
    cancellation_prefix : str, optional
        What a cancelled order's number carries before the number of the order it cancels.
    keep : callable
        How the orders and the few refunds are kept while they are matched.

    Returns
    -------
    ibis Table
        ``customer_id, order_id, day, known_day, is_balance, amount, refunded, n_lines, n_refunds, quantity,
        discount``: for each order, day and day of knowledge one row of what was bought (``n_lines`` above 0)
        and one of what was taken back (``n_refunds`` above 0; ``amount`` is minus ``refunded``).
        ``is_balance`` marks refunds whose order could not be found: they count against the customer's total
        from their own day on, and against no purchase.
    """
    bought = lines.filter(~lines.is_refund)
    orders = keep(_orders(bought), "orders")
    refunds = match_refunds(
        keep(lines.filter(lines.is_refund), "refunds"), bought, orders, cancellation_prefix
    )
    taken = keep(_taken(refunds), "taken")
    return _entries(orders, is_balance=ibis.literal(False)).union(
        _entries(taken, is_balance=taken.is_balance, refunded=-taken.amount, n_refunds=taken.n_refunds)
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


def _entries(rows: ir.Table, *, is_balance: ir.Value, **counts: ir.Value) -> ir.Table:
    """Lay out ledger entries; what is not counted is zero."""
    sums = ("refunded", "n_lines", "n_refunds", "quantity", "discount")
    zero = ibis.literal(0, "int64")
    found = {name: rows[name] if name in rows.columns else zero for name in sums} | counts
    return rows.select(
        "customer_id", "order_id", "day", "known_day", is_balance=is_balance, amount="amount", **found
    )


def purchase_days(entries: ir.Table, *, has_late: bool = True) -> ir.Table:
    """Net the entries of each day; a purchase day is one whose net amount is positive.

    Parameters
    ----------
    entries : ibis Table
        Of `order_ledger`.
    has_late : bool
        False where no line can become known later than the others of its day: the log does not say when its
        rows were recorded.

    Returns
    -------
    ibis Table
        ``customer_id, day, known_from, known_until, amount, n_orders``: the truth about a day at every cutoff
        with ``known_from < cutoff <= known_until``. ``n_orders`` counts orders with a positive net.
    """
    placed = entries.filter(~entries.is_balance)
    bought, taken = placed.filter(placed.n_lines > 0), placed.filter(placed.n_lines == 0)
    whole = bought.group_by("customer_id", "day").agg(
        known_from=bought.known_day.min(),
        last_known=bought.known_day.max(),
        amount=bought.amount.sum(),
        n_orders=(bought.amount > 0).cast("int64").sum(),
    )
    # Few days are ever told twice; only those pay for the windows.
    retold = taken.select("customer_id", "day")
    if has_late:
        retold = retold.union(whole.filter(whole.known_from < whole.last_known).select("customer_id", "day"))
    retold = retold.distinct()
    settled = whole.anti_join(retold, ["customer_id", "day"])
    versions = _versions(placed.semi_join(retold, ["customer_id", "day"]))
    days = settled.mutate(known_until=ibis.literal(FOREVER)).select(*versions.columns).union(versions)
    return days.filter(days.amount > 0)


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
