"""What happened in [cutoff, cutoff + horizon), net of refunds known before its end."""

from collections.abc import Callable, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from features.calendar import day_number
from features.snapshot import KEYS

WindowEnd = Callable[[ir.Value, int], ir.Value]
"""From a cutoff (day number) and a horizon in days to the first day after the label's window."""


def label_names(horizon: int) -> tuple[str, str, str]:
    """Name the label columns of a horizon.

    Examples
    --------
    >>> label_names(90)
    ('y_purchased_90d', 'y_orders_90d', 'y_spend_90d')
    """
    return f"y_purchased_{horizon}d", f"y_orders_{horizon}d", f"y_spend_{horizon}d"


def plain_end(cutoff: ir.Value, horizon: int) -> ir.Value:
    """The first day after ``[cutoff, cutoff + horizon)``."""
    return cutoff + horizon


def add_labels(
    features: ir.Table,
    entries: ir.Table,
    cutoffs: Sequence[date],
    horizons: Sequence[int],
    observed_until: date,
    end_of: WindowEnd = plain_end,
) -> ir.Table:
    """Join to each (customer, cutoff) what that customer did afterwards.

    A label counts the orders placed in the window, also those recorded after its end, net of the refunds
    known before its end: what a shop would book at the time.

    Parameters
    ----------
    features : ibis Table
        With ``customer_id`` and ``cutoff`` (day number).
    entries : ibis Table
        All ledger entries; only those known before ``observed_until`` are looked at.
    cutoffs : sequence of date
        Those of `features`.
    horizons : sequence of int
        Days.
    observed_until : date
        First day that is not observed. A label that would reach past it is masked (null): cut-off labels
        look like churn.
    end_of : callable
        From cutoff and horizon to the first day after the window; another one for logs that are not daily.

    Returns
    -------
    ibis Table
        `features` with, for each horizon, ``y_purchased_<h>d`` (0/1), ``y_orders_<h>d`` and
        ``y_spend_<h>d`` (int64 money), over purchase days only.
    """
    end = day_number(observed_until)
    seen = entries.filter((entries.known_day < end) & ~entries.is_balance)
    happened = _happened(seen, [day_number(c) for c in cutoffs], horizons, end_of)
    joined = features.left_join(happened, KEYS).drop(*[f"{key}_right" for key in KEYS])
    return joined.mutate(
        **{n: v for h in horizons for n, v in _masked(joined, h, end_of(joined.cutoff, h) <= end).items()}
    )


def _happened(
    entries: ir.Table, cutoffs: Sequence[int], horizons: Sequence[int], end_of: WindowEnd
) -> ir.Table:
    at = entries.mutate(cutoff=ibis.literal(sorted(set(cutoffs)), "array<int64>").unnest())
    after = at.filter((at.day >= at.cutoff) & (at.day < end_of(at.cutoff, max(horizons))))
    nets = {f"net_{h}": _net(after, end_of(after.cutoff, h)) for h in horizons}
    orders = after.group_by(*KEYS, "day", "order_id").agg(**nets)
    days = orders.group_by(*KEYS, "day").agg(
        **{f"net_{h}": orders[f"net_{h}"].sum() for h in horizons},
        **{f"n_{h}": (orders[f"net_{h}"] > 0).cast("int64").sum() for h in horizons},
    )
    sums = {name: value for h in horizons for name, value in _sums(days, h).items()}
    return days.group_by(KEYS).agg(**sums)


def _net(after: ir.Table, end: ir.Value) -> ir.Value:
    known = ibis.ifelse(after.known_day < end, after.refunded, 0)
    return (after.amount + after.refunded - known).sum(where=after.day < end).fill_null(0)


def _sums(days: ir.Table, horizon: int) -> dict[str, ir.Value]:
    purchased, orders, spend = label_names(horizon)
    net = days[f"net_{horizon}"]
    return {
        purchased: (net > 0).any().cast("int64"),
        orders: days[f"n_{horizon}"].sum(where=net > 0),
        spend: net.sum(where=net > 0),
    }


def _masked(joined: ir.Table, horizon: int, is_mature: ir.BooleanValue) -> dict[str, ir.Value]:
    return {
        name: ibis.ifelse(is_mature, joined[name].fill_null(0), ibis.null("int64"))
        for name in label_names(horizon)
    }
