"""How varied what a customer buys is, as sums over days of knowledge: distinct values and concentration.

Told so that the sums over any days that come first are the truth at any cutoff after them: nothing has to be
counted anew for each cutoff.
"""

import ibis
import ibis.expr.types as ir


def variety(rows: ir.Table, column: str, *, by_day: bool = True) -> ir.Table:
    """Count rows with a value, values that are new, and what both add to the sum of the squared counts.

    A value's n-th row adds 2n - 1 to ``squares``, so that the sum is n^2 after it.

    Parameters
    ----------
    rows : ibis Table
        With ``customer_id, known_day`` and `column`; rows without a value are left out.
    column : str
        Whose values.
    by_day : bool
        False where all rows count as known on one day, which spares the telling by days.

    Returns
    -------
    ibis Table
        ``customer_id, known_day, n_new, n, squares``, whole numbers; several rows a customer and day.
    """
    valued = rows.filter(rows[column].notnull())
    own = ["customer_id", column]
    values = valued.group_by(own).agg(
        n=valued.count(), first_day=valued.known_day.min(), last_day=valued.known_day.max()
    )
    if not by_day:
        return _on_one_day(values)
    # Most values come on one day only; only the others pay for the window.
    once = values.filter(values.first_day == values.last_day)
    again = values.filter(values.first_day < values.last_day)
    return _on_one_day(once).union(_by_day(valued.semi_join(again, own), own))


def _on_one_day(values: ir.Table) -> ir.Table:
    new, squares = ibis.literal(1, "int64"), values.n * values.n
    return values.select("customer_id", known_day="first_day", n_new=new, n="n", squares=squares)


def _by_day(rows: ir.Table, own: list[str]) -> ir.Table:
    by_day = rows.group_by([*own, "known_day"]).agg(n=rows.count())
    so_far = ibis.window(group_by=own, order_by="known_day", preceding=None, following=0)
    told = by_day.mutate(after=by_day.n.sum().over(so_far).cast("int64"))
    return told.select(
        "customer_id",
        "known_day",
        n_new=(told.after == told.n).cast("int64"),
        n="n",
        squares=told.n * (2 * told.after - told.n),
    )
