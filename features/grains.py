"""From lines to an order ledger, and from the ledger to purchase days.

The ledger is the one materialised form of the log. It never folds what became known later into what
happened earlier: a refund, or a line recorded late, is an entry of its own that carries the day it belongs
to (``day``) and the day from which it is known (``known_day``).
"""

import ibis
import ibis.expr.types as ir

from features.refunds import match_refunds


def order_ledger(lines: ir.Table, cancellation_prefix: str | None = None) -> ir.Table:
    """Aggregate lines to ledger entries.

    Parameters
    ----------
    lines : ibis Table
        The line grain of `features.door.used_lines`.
    cancellation_prefix : str, optional
        What a cancelled order's number carries before the number of the order it cancels.

    Returns
    -------
    ibis Table
        ``customer_id, order_id, day, known_day, amount, n_lines, is_balance``: one row for each order, day
        and day of knowledge. ``is_balance`` marks refunds whose order could not be found: they count
        against the customer's total from their own day on, and against no purchase.
    """
    bought = lines.filter(~lines.is_refund).mutate(is_balance=ibis.literal(False))
    keys = ("customer_id", "order_id", "day", "known_day", "amount", "is_balance")
    refunded = match_refunds(lines, cancellation_prefix)
    entries = bought.select(*keys, n_lines=ibis.literal(1, "int64")).union(
        refunded.select(*keys, n_lines=ibis.literal(0, "int64"))
    )
    return entries.group_by("customer_id", "order_id", "day", "known_day", "is_balance").agg(
        amount=entries.amount.sum(), n_lines=entries.n_lines.sum()
    )


def purchase_days(entries: ir.Table, keys: tuple[str, ...]) -> ir.Table:
    """Net the entries of each day; a purchase day is one whose net amount is positive.

    Parameters
    ----------
    entries : ibis Table
        Ledger entries that are visible, with every column in `keys`.
    keys : tuple of str
        What a day belongs to, for example ``("customer_id", "cutoff")``.

    Returns
    -------
    ibis Table
        `keys`, ``day``, ``amount`` (int64 money) and ``n_orders`` (orders of the day with a positive net).
    """
    placed = entries.filter(~entries.is_balance)
    orders = placed.group_by(*keys, "day", "order_id").agg(amount=placed.amount.sum())
    days = orders.group_by(*keys, "day").agg(
        amount=orders.amount.sum(), n_orders=(orders.amount > 0).cast("int64").sum()
    )
    return days.filter(days.amount > 0)
