"""One customer of a log: their rows, and their orders as they were known before a day."""

import ibis.expr.types as ir

from features.records import Records


def rows_of_one(records: Records, wanted: ir.Table) -> Records:
    """Keep the rows of the customers of a table alone.

    What is built from them is what is built from all rows: a feature depends on that customer's rows alone.

    Parameters
    ----------
    records : Records
        Behind the door.
    wanted : ibis Table
        ``customer_id``; a table and no text, as no engine then has to read an id as part of a query.
    """
    return records.changed(lambda table, _: table.semi_join(wanted, "customer_id"))


def known_orders(entries: ir.Table, until: int) -> ir.Table:
    """List orders with what was taken back of them by a day.

    Parameters
    ----------
    entries : ibis Table
        Of `features.grains.Ledger.entries`.
    until : int
        Day number; what became known on it or later is not seen.

    Returns
    -------
    ibis Table
        ``order_id, day, amount`` (net), ``refunded`` and ``is_balance``: refunds whose order could not be
        found stand alone, under their own day. Sorted by day and order.
    """
    known = entries.filter(entries.known_day < until)
    orders = known.group_by("is_balance", "day", "order_id").agg(
        amount=known.amount.sum(), refunded=known.refunded.sum()
    )
    return orders.select("order_id", "day", "amount", "refunded", "is_balance").order_by("day", "order_id")


def first_known(lines: ir.Table) -> ir.Table:
    """Return one row: the ``day`` of the first purchase, and from when (``known_day``) one was known."""
    bought = lines.filter(~lines.is_refund)
    return bought.aggregate(day=bought.day.min(), known_day=bought.known_day.min())
