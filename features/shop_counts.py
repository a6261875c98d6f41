"""What a report counts of a shop: aggregates with a row a month, a cohort, a place or a window.

Several orders of a day are one purchase here, as for the models. Every expression ends in few rows, never in
customers.
"""

import ibis
import ibis.expr.types as ir

from features.calendar import month_and_day

PARTS = 20
"""Into so many parts of equal size customers are cut by what they bring."""


def dated_steps(steps: ir.Table) -> ir.Table:
    """Say of each purchase in which month it fell, which of the customer's it was, and when they began.

    Parameters
    ----------
    steps : ibis Table
        Of `features.profile.purchase_steps`.

    Returns
    -------
    ibis Table
        With ``place`` (from 1), ``first_day``, ``month`` and ``next_month`` (counted from year 0; of the
        purchase that follows, the same where none does) and ``cohort``, the month of the first purchase.
    """
    own = ibis.window(group_by="customer_id", order_by="day")
    placed = steps.mutate(
        place=(ibis.row_number().over(own) + 1).cast("int64"),
        first_day=steps.day.min().over(ibis.window(group_by="customer_id")),
    )
    months = {"month": placed.day, "next_month": placed.next_day, "cohort": placed.first_day}
    return placed.mutate(**{name: month_and_day(day)[0] for name, day in months.items()})


def month_counts(dated: ir.Table, until: int, within: int) -> ir.Table:
    """Count by month.

    Parameters
    ----------
    dated : ibis Table
        Of `dated_steps`.
    until : int
        First day number that is not seen.
    within : int
        Days in which a customer has returned, or not.

    Returns
    -------
    ibis Table
        ``month, buyers, newcomers, orders, amount``; ``came_next``: buyers who bought in the next month, too;
        ``watched``: buyers seen for `within` days after their last purchase of the month; ``back``: those of
        them who bought in these days.
    """
    is_last = dated.is_open | (dated.next_month > dated.month)
    is_next = ~dated.is_open & (dated.next_month == dated.month + 1)
    watched, back = _returned(dated, until, within)
    return dated.group_by("month").agg(
        buyers=_count(is_last),
        newcomers=_count(dated.is_first),
        orders=dated.n_orders.sum(),
        amount=dated.amount.sum(),
        came_next=_count(is_next),
        watched=_count(is_last & watched),
        back=_count(is_last & back),
    )


def cohort_counts(dated: ir.Table, until: int, within: int) -> ir.Table:
    """Count by month of the first purchase and month of the purchase.

    Returns
    -------
    ibis Table
        ``cohort, month, buyers, orders, amount``; and of the first purchases in it ``firsts, watched, back``
        as in `month_counts`.
    """
    is_last = dated.is_open | (dated.next_month > dated.month)
    watched, back = _returned(dated, until, within)
    return dated.group_by("cohort", "month").agg(
        buyers=_count(is_last),
        orders=dated.n_orders.sum(),
        amount=dated.amount.sum(),
        firsts=_count(dated.is_first),
        watched=_count(dated.is_first & watched),
        back=_count(dated.is_first & back),
    )


def place_counts(dated: ir.Table, until: int, within: int, most: int) -> ir.Table:
    """Count who made a first, second, … purchase: ``place, customers, went_on, watched, back``."""
    watched, back = _returned(dated, until, within)
    counted = dated.mutate(is_watched=watched, is_back=back)
    first = counted.filter(counted.place <= most)
    return first.group_by("place").agg(
        customers=first.count(),
        went_on=_count(~first.is_open),
        watched=_count(first.is_watched),
        back=_count(first.is_back),
    )


def gap_counts(dated: ir.Table, most: int) -> ir.Table:
    """Count the days from each of the first purchases to the next one: ``place, days, n``."""
    closed = dated.filter(~dated.is_open & (dated.place <= most))
    return closed.group_by("place", days=closed.next_day - closed.day).agg(n=closed.count())


def window_sums(dated: ir.Table, until: int, days: int, most: int) -> ir.Table:
    """Add up windows of so many days that end before `until`, the newest is 0.

    Returns
    -------
    ibis Table
        ``window, orders, amount``; ``known_orders, known_amount``: of customers who had bought before the
        window began.
    """
    recent = dated.filter(dated.day >= until - days * most)
    placed = recent.mutate(window=(until - 1 - recent.day) // days)
    known = placed.mutate(is_known=placed.first_day < until - days * (placed.window + 1))
    return known.group_by("window").agg(
        orders=known.n_orders.sum(),
        amount=known.amount.sum(),
        known_orders=ibis.ifelse(known.is_known, known.n_orders, 0).sum(),
        known_amount=ibis.ifelse(known.is_known, known.amount, 0).sum(),
    )


def two_periods(dated: ir.Table, until: int, days: int) -> ir.Table:
    """One row: ``buyers`` of the last `days` days, their ``orders`` and ``amount``, ``before``, ``both``.

    ``before`` bought in as many days before those, ``both`` in either.
    """
    start = until - days
    recent = dated.filter(dated.day >= start - days)
    is_now = recent.day >= start
    people = recent.group_by("customer_id").agg(
        is_now=is_now.cast("int64").max(),
        was_before=(~is_now).cast("int64").max(),
        orders=ibis.ifelse(is_now, recent.n_orders, 0).sum(),
        amount=ibis.ifelse(is_now, recent.amount, 0).sum(),
    )
    return people.aggregate(
        buyers=people.is_now.sum().fill_null(0),
        before=people.was_before.sum().fill_null(0),
        both=(people.is_now * people.was_before).sum().fill_null(0),
        orders=people.orders.sum().fill_null(0),
        amount=people.amount.sum().fill_null(0),
    )


def largest_parts(customers: ir.Table, value: str) -> ir.Table:
    """Cut customers into `PARTS` by a column, those with most of it first: ``part, customers, total``."""
    order = [customers[value].desc(), customers.customer_id]
    ranked = customers.select(
        value=customers[value],
        place=ibis.row_number().over(ibis.window(order_by=order)),
        n=customers.count().over(ibis.window()),
    )
    cut = ranked.mutate(part=ranked.place * PARTS // ranked.n)
    return cut.group_by("part").agg(customers=cut.count(), total=cut.value.sum())


def product_steps(leads: ir.Table, least: int, most: int) -> ir.Table:
    """Count which product came second after which first.

    Parameters
    ----------
    leads : ibis Table
        Of `features.leads.leading`, with ``product_id``.
    least : int
        Pairs of fewer customers are not told.
    most : int
        So many pairs, the most frequent first.

    Returns
    -------
    ibis Table
        ``first, second, customers``, and ``begun``: customers with that first product.
    """
    first = leads.filter(leads.place == 1).select("customer_id", first="product_id")
    second = leads.filter(leads.place == 2).select("customer_id", second="product_id")
    both = first.inner_join(second, "customer_id").filter(lambda t: t.first.notnull() & t.second.notnull())
    pairs = both.group_by("first", "second").agg(customers=both.count())
    begun = first.group_by("first").agg(begun=first.count())
    told = pairs.filter(pairs.customers >= least).inner_join(begun, "first")
    order = [told.customers.desc(), told.first, told.second]
    return told.select("first", "second", "customers", "begun").order_by(order).limit(most)


def purchase_sums(dated: ir.Table) -> ir.Table:
    """Add up each customer's purchases: ``customer_id, first_day, last_day, orders, amount``."""
    return dated.group_by("customer_id").agg(
        first_day=dated.first_day.min(),
        last_day=dated.day.max(),
        orders=dated.n_orders.sum(),
        amount=dated.amount.sum(),
    )


def group_returns(people: ir.Table, group: str, start: int, least: int, most: int) -> ir.Table:
    """Count by group who ordered since a day, of those who were customers before it.

    Parameters
    ----------
    people : ibis Table
        One row a customer: ``first_day, last_day, p_churn`` and the group; null is no group.
    group : str
        Its column.
    start : int
        Day number from which on orders count.
    least, most : int
        Groups of fewer customers are not told; so many are, the largest first.

    Returns
    -------
    ibis Table
        ``group, customers, p_churn`` (mean of the chance of no order from now on), ``known`` (customers
        before `start`) and ``back`` (those of them with an order since).
    """
    told = people.filter(people[group].notnull())
    was_known = told.first_day < start
    found = told.group_by(group=told[group]).agg(
        customers=told.count(),
        p_churn=told.p_churn.mean(),
        known=_count(was_known),
        back=_count(was_known & (told.last_day >= start)),
    )
    enough = found.filter(found.customers >= least)
    return enough.order_by([enough.customers.desc(), enough.group]).limit(most)


def _returned(dated: ir.Table, until: int, within: int) -> tuple[ir.BooleanValue, ir.BooleanValue]:
    watched = dated.day + within < until
    return watched, watched & ~dated.is_open & (dated.next_day - dated.day <= within)


def _count(condition: ir.BooleanValue) -> ir.IntegerScalar:
    return condition.cast("int64").sum().fill_null(0)
