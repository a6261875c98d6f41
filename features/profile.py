"""What a log looks like: counts by day, by gap, by size and by file, each small enough for any machine.

Every expression here ends in an aggregate whose rows are days, gaps or bins, never customers, so that a log
of any size is described without leaving the engine.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

COPY_KEY = ("customer_id", "order_id", "product_id", "ordered_at", "day", "amount", "is_refund")
"""Two lines that agree in all of these are copies of one another; when they became known does not matter."""


def purchase_steps(days: ir.Table) -> ir.Table:
    """Walk from each purchase day of a customer to the next one.

    Parameters
    ----------
    days : ibis Table
        ``customer_id, day, amount, n_orders``: one row a customer and purchase day.

    Returns
    -------
    ibis Table
        The same rows with ``is_first`` (no purchase day before it), ``is_open`` (none after it, yet) and
        ``next_day`` (int64; where open, the day itself).
    """
    own = ibis.window(group_by="customer_id", order_by="day")
    following, previous = days.day.lead().over(own), days.day.lag().over(own)
    walked = days.select(
        "customer_id", "day", "amount", "n_orders", following=following, is_first=previous.isnull()
    )
    return walked.select(
        "customer_id", "day", "amount", "n_orders", "is_first",
        is_open=walked.following.isnull(),
        next_day=walked.following.coalesce(walked.day),
    )  # fmt: skip


def step_totals(steps: ir.Table) -> ir.Table:
    """One row: ``customers, one_time`` (bought on one day only), ``purchase_days, orders, amount``."""
    return steps.aggregate(
        customers=_count(steps.is_first),
        one_time=_count(steps.is_first & steps.is_open),
        purchase_days=steps.count(),
        orders=steps.n_orders.sum().fill_null(0),
        amount=steps.amount.sum().fill_null(0),
    )


def daily_purchases(steps: ir.Table) -> ir.Table:
    """One row a day with a purchase: ``day, buyers, newcomers, orders, amount``."""
    return steps.group_by("day").agg(
        buyers=steps.count(),
        newcomers=_count(steps.is_first),
        orders=steps.n_orders.sum(),
        amount=steps.amount.sum(),
    )


def silence_counts(steps: ir.Table, until: int) -> ir.Table:
    """Count silences by their length in days.

    Parameters
    ----------
    steps : ibis Table
        Of `purchase_steps`.
    until : int
        First day number that is not seen.

    Returns
    -------
    ibis Table
        ``is_first, is_open, days, n``. A closed silence ended with a purchase ``days`` after the one before;
        an open one is known to have lasted ``days`` days, up to the end of what is seen.
    """
    watched = ibis.literal(until - 1, "int64") - steps.day
    length = ibis.ifelse(steps.is_open, watched, steps.next_day - steps.day)
    return steps.group_by("is_first", "is_open", days=length).agg(n=steps.count())


def window_counts(steps: ir.Table, windows: Mapping[int, Mapping[int, int]]) -> ir.Table:
    """Count, at each cutoff, who was known and who bought within each horizon.

    Parameters
    ----------
    steps : ibis Table
        Of `purchase_steps`.
    windows : mapping of int to mapping of int to int
        For each cutoff, for each horizon, the day number before which the window ends.

    Returns
    -------
    ibis Table
        One row: ``known_<cutoff>`` and ``buyers_<cutoff>_<horizon>``. A customer is counted at the last
        purchase day before the cutoff, so all of it takes one pass.
    """
    counts = {}
    for cutoff, ends in windows.items():
        standing = (steps.day < cutoff) & (steps.is_open | (steps.next_day >= cutoff))
        counts[f"known_{cutoff}"] = _count(standing)
        for horizon, end in ends.items():
            counts[f"buyers_{cutoff}_{horizon}"] = _count(standing & ~steps.is_open & (steps.next_day < end))
    return steps.aggregate(**counts)


def daily_copies(lines: ir.Table) -> ir.Table:
    """Count lines and copies by day.

    Returns
    -------
    ibis Table
        ``day, rows, distinct_rows`` and ``copied_rows``: lines that have at least one copy.
    """
    groups = lines.group_by(*COPY_KEY).agg(n=lines.count())
    return groups.group_by("day").agg(
        rows=groups.n.sum(),
        distinct_rows=groups.count(),
        copied_rows=ibis.ifelse(groups.n > 1, groups.n, 0).sum(),
    )


def file_rows(door: ir.Table, file: str) -> ir.Table:
    """Count the used rows of each file: ``file, rows``."""
    used = door.filter(door.door_reason.isnull())
    return used.group_by(file=used[file]).agg(rows=used.count())


def shared_by_files(door: ir.Table, file: str) -> ir.Table:
    """Count the rows that lie in two files.

    Parameters
    ----------
    door : ibis Table
        Of `features.door.at_the_door`.
    file : str
        Its column that names the file of each row.

    Returns
    -------
    ibis Table
        ``one, other, rows, first_day, last_day``: distinct rows that both files hold. Of a row in more than
        two files, the first and the last in order of name are counted.
    """
    used = door.filter(door.door_reason.isnull())
    keys = used.select(**{name: used[f"door_{name}"] for name in COPY_KEY}, file=used[file])
    groups = keys.group_by(*COPY_KEY).agg(one=keys.file.min(), other=keys.file.max())
    shared = groups.filter(groups.one < groups.other)
    return shared.group_by("one", "other").agg(
        rows=shared.count(), first_day=shared.day.min(), last_day=shared.day.max()
    )


def delay_counts(lines: ir.Table) -> ir.Table:
    """Count lines by the days between the order and the record of it: ``delay, n``."""
    return lines.group_by(delay=lines.known_day - lines.day).agg(n=lines.count())


def amount_bins(steps: ir.Table) -> ir.Table:
    """Count purchase days by the first two digits of their amount.

    Returns
    -------
    ibis Table
        ``digits`` (length of the amount in 1/10,000 units), ``lead`` (its first two), ``n, amount`` (the
        sum): bins at most a tenth wide, so quantiles of any log are a few hundred rows away.
    """
    text = steps.amount.cast("string")
    return steps.group_by(digits=text.length(), lead=text.substr(0, 2).cast("int64")).agg(
        n=steps.count(), amount=steps.amount.sum()
    )


def largest_days(steps: ir.Table, k: int) -> ir.Table:
    """Return the `k` purchase days of the highest amount: ``customer_id, day, amount, n_orders``."""
    order = [steps.amount.desc(), steps.day, steps.customer_id]
    return steps.order_by(order).limit(k).select("customer_id", "day", "amount", "n_orders")


def _count(condition: ir.BooleanValue) -> ir.IntegerScalar:
    return condition.cast("int64").sum().fill_null(0)
