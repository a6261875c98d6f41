"""How varied what a customer buys is, as sums over days of knowledge: distinct values and concentration.

Both are told so that the sums over any days that come first are the truth at any cutoff after them: nothing
has to be counted anew for each cutoff.
"""

import ibis
import ibis.expr.types as ir


def first_seen(rows: ir.Table, column: str) -> ir.Table:
    """Count a column's values on the days on which each first became known.

    Parameters
    ----------
    rows : ibis Table
        With ``customer_id, known_day`` and `column`; rows without a value are left out.
    column : str
        What to count.

    Returns
    -------
    ibis Table
        ``customer_id, known_day, n_new``.
    """
    valued = rows.filter(rows[column].notnull())
    first = valued.group_by("customer_id", column).agg(known_day=valued.known_day.min())
    return first.group_by("customer_id", "known_day").agg(n_new=first.count())


def mix(rows: ir.Table, column: str) -> ir.Table:
    """Count rows with a value, and what they add to the sum of the squared counts of the values.

    A value's n-th row adds 2n - 1 to ``squares``, so that the sum is n^2 after it.

    Parameters
    ----------
    rows, column
        As in `first_seen`.

    Returns
    -------
    ibis Table
        ``customer_id, known_day, n, squares``.
    """
    valued = rows.filter(rows[column].notnull())
    by_day = valued.group_by("customer_id", column, "known_day").agg(n=valued.count())
    so_far = ibis.window(group_by=["customer_id", column], order_by="known_day", preceding=None, following=0)
    told = by_day.mutate(after=by_day.n.sum().over(so_far))
    return told.group_by("customer_id", "known_day").agg(
        n=told.n.sum(), squares=(told.n * (2 * told.after - told.n)).sum()
    )
