"""What was booked: sums of the ledger, and of what was in it, by the day on which they became known."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from features.grains import Ledger

KEYS = ("customer_id", "known_day")
SUMS = ("amount", "n_lines", "quantity", "discount")
VARIETY = ("n_new", "n", "squares")


def booked(ledger: Ledger, varieties: Mapping[str, ir.Table]) -> ir.Table:
    """Add up all that counts from the same day of knowledge on, in one table.

    Parameters
    ----------
    ledger : Ledger
        Of `features.grains.order_ledger`.
    varieties : Mapping[str, ibis Table]
        Tables of `features.variety.variety` of the bought lines, by what they count: ``"products"``, …

    Returns
    -------
    ibis Table
        ``customer_id, known_day, amount, n_lines, quantity, discount, refunded, n_refunds`` and, for each of
        `varieties`, ``<name>_n_new, <name>_n, <name>_squares``; int64. A customer and day has one row of what
        was bought (``n_lines`` above 0) and one of what was taken back.
    """
    orders, zero = ledger.bought, ibis.literal(0, "int64")
    bought = orders.group_by(KEYS).agg(**{name: orders[name].sum() for name in SUMS})
    bought = bought.mutate(refunded=zero, n_refunds=zero)
    for name, table in varieties.items():
        counts = table.group_by(KEYS).agg(**{f"{name}_{column}": table[column].sum() for column in VARIETY})
        bought = bought.left_join(counts, KEYS).drop(*[f"{key}_right" for key in KEYS])
    refunds = ledger.taken.group_by(KEYS).agg(
        amount=ledger.taken.amount.sum(), n_refunds=ledger.taken.n_refunds.sum()
    )
    told = {"amount": refunds.amount, "refunded": -refunds.amount, "n_refunds": refunds.n_refunds}
    names = [name for name in bought.columns if name not in KEYS]
    return bought.union(refunds.select(*KEYS, **{name: told.get(name, zero) for name in names}))
