"""What a customer bought first, second and third: the leading product of each of the first purchases."""

import ibis
import ibis.expr.types as ir

PLACES = 3
_DIGITS = 20


def leading(bought: ir.Table, orders: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    """Name the leading value of each column on the first days on which purchases became known.

    The leading value is the one of the dearest line; of equally dear ones, the last by name. The first days
    by knowledge, not by date: a line recorded late must not change what was first.

    Parameters
    ----------
    bought : ibis Table
        The line grain of `features.door.used_lines`, without refunds.
    orders : ibis Table
        Their orders (``bought`` of a `features.grains.Ledger`).
    columns : tuple of str
        For example ``("product_id", "category")``.

    Returns
    -------
    ibis Table
        ``customer_id, known_day, place`` (1 to `PLACES`) and the columns.
    """
    place = ibis.row_number().over(ibis.window(group_by="customer_id", order_by="known_day")) + 1
    days = orders.select("customer_id", "known_day").distinct()
    numbered = days.mutate(place=place.cast("int64"))
    first = numbered.filter(numbered.place <= PLACES)
    theirs = bought.inner_join(first, ["customer_id", "known_day"])
    # The amount in digits of one length before the value: the largest text is that of the dearest line.
    price = theirs.amount.cast("string").lpad(_DIGITS, "0")
    return theirs.group_by("customer_id", "known_day", "place").agg(
        **{name: (price + theirs[name]).max().substr(_DIGITS) for name in columns}
    )
