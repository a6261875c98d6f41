"""Hold the tables beside the purchases against the log: whose rows, and of which time, they have."""

from collections.abc import Iterator
from datetime import date

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from features.calendar import day_number
from models.coverage import judge_customers, judge_days
from models.findings import Finding
from pipelines.engine import Engine
from pipelines.purchase_log import PurchaseLog
from pipelines.span import core_span


def judge_tables(engine: Engine, log: PurchaseLog, bought: ir.Table, until: date) -> Iterator[Finding]:
    """Judge each table that is there: its customers and, of events and contacts, its days.

    Parameters
    ----------
    engine, log
        The opened log.
    bought : ibis Table
        Rows of those who bought, with their ``customer_id``.
    until : date
        Only rows before it are looked at.
    """
    buyers = bought.select("customer_id").distinct()
    n_buyers = engine.number(buyers.count()) if log.other_rows else 0
    for name in ("events", "contacts", "customers"):
        table: ir.Table | None = getattr(log.records, name)
        if table is None:
            continue
        people = table.select("customer_id").distinct()
        both = engine.number(people.semi_join(buyers, "customer_id").count())
        yield judge_customers(name, engine.number(people.count()), n_buyers, both)
        if name != "customers":
            days = days_with_rows(engine, table, until)
            yield judge_days(name, days, log.first_order_day, until)


def days_with_rows(engine: Engine, table: ir.Table, until: date) -> NDArray[np.int64]:
    """Return the days before `until` that have rows, without the stray ones."""
    seen = table.filter(table.day < day_number(until))
    found = engine.frame(seen.group_by("day").agg(n=seen.count()).order_by("day"))
    days, rows = found["day"].to_numpy(np.int64), found["n"].to_numpy(np.int64)
    if not days.size:
        return days
    first, last, _ = core_span(days, rows)
    return days[(days >= day_number(first)) & (days <= day_number(last))]
