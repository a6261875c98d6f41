"""What happened in [cutoff, cutoff + horizon), net of refunds known before its end."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from features.snapshot import day_number


def label_names(horizon: int) -> tuple[str, str, str]:
    """Name the label columns of a horizon.

    Examples
    --------
    >>> label_names(90)
    ('y_purchased_90d', 'y_orders_90d', 'y_spend_90d')
    """
    return f"y_purchased_{horizon}d", f"y_orders_{horizon}d", f"y_spend_{horizon}d"


def add_labels(
    features: ir.Table, ledger: ir.Table, horizons: Sequence[int], observed_until: date
) -> ir.Table:
    """Join to each (customer, cutoff) what that customer did afterwards.

    Parameters
    ----------
    features : ibis Table
        With ``customer_id`` and ``cutoff`` (day number).
    ledger : ibis Table
        All entries; only those known before ``observed_until`` are looked at.
    horizons : sequence of int
        Days.
    observed_until : date
        First day that is not observed. A label that would reach past it is masked (null): cut-off labels
        look like churn.

    Returns
    -------
    ibis Table
        `features` with, for each horizon, ``y_purchased_<h>d`` (0/1), ``y_orders_<h>d`` and
        ``y_spend_<h>d`` (int64 money), over purchase days only.
    """
    end = day_number(observed_until)
    happened = _happened(features, ledger.filter(ledger.known_day < end), horizons)
    keys = ("customer_id", "cutoff")
    joined = features.left_join(happened, [features[k] == happened[k] for k in keys])
    for horizon in horizons:
        joined = joined.mutate(**_masked(joined, horizon, end))
    return joined.drop(*[c for c in joined.columns if c.endswith("_right")])


def _happened(features: ir.Table, ledger: ir.Table, horizons: Sequence[int]) -> ir.Table:
    longest = max(horizons)
    cutoffs = features.select("cutoff").distinct()
    placed = ledger.filter(~ledger.is_balance)
    after = placed.inner_join(cutoffs, [placed.day >= cutoffs.cutoff, placed.day < cutoffs.cutoff + longest])
    orders = after.group_by("customer_id", "cutoff", "day", "order_id").agg(
        **{
            f"net_{h}": after.amount.sum(
                where=(after.day < after.cutoff + h) & (after.known_day < after.cutoff + h)
            ).fill_null(0)
            for h in horizons
        }
    )
    days = orders.group_by("customer_id", "cutoff", "day").agg(
        **{f"net_{h}": orders[f"net_{h}"].sum() for h in horizons},
        **{f"n_{h}": (orders[f"net_{h}"] > 0).cast("int64").sum() for h in horizons},
    )
    sums = {name: value for h in horizons for name, value in _sums(days, h).items()}
    return days.group_by("customer_id", "cutoff").agg(**sums)


def _sums(days: ir.Table, horizon: int) -> dict[str, ir.Value]:
    purchased, orders, spend = label_names(horizon)
    net = days[f"net_{horizon}"]
    return {
        purchased: (net > 0).any().cast("int64"),
        orders: days[f"n_{horizon}"].sum(where=net > 0),
        spend: net.sum(where=net > 0),
    }


def _masked(joined: ir.Table, horizon: int, end: int) -> dict[str, ir.Value]:
    mature = joined.cutoff + horizon <= end
    return {
        name: ibis.ifelse(mature, joined[name].fill_null(0), ibis.null("int64"))
        for name in label_names(horizon)
    }
