"""Where a customer changes channel: the first one and every later row with another one than before."""

import ibis
import ibis.expr.types as ir


def switches(rows: ir.Table, order: tuple[str, ...]) -> ir.Table:
    """Keep the rows at which the channel is not the one of the row before, numbered.

    Parameters
    ----------
    rows : ibis Table
        With ``customer_id, known_day, channel`` and the columns of `order`; rows without a channel do not
        count.
    order : tuple of str
        Columns that order a customer's rows, beginning with the day of knowledge; rows that tie are ordered
        by channel.

    Returns
    -------
    ibis Table
        ``customer_id, known_day, place`` (of the row among all the customer's, from 1) and ``channel``.
    """
    told = rows.filter(rows.channel.notnull())
    in_order = ibis.window(group_by="customer_id", order_by=[*order, "channel"])
    before, place = told.channel.lag().over(in_order), ibis.row_number().over(in_order) + 1
    numbered = told.mutate(before=before, place=place.cast("int64"))
    changed = numbered.filter(numbered.before.isnull() | (numbered.before != numbered.channel))
    return changed.select("customer_id", "known_day", "place", "channel")
