"""Planted leaks: what a builder must not do, each one a column beside honest ones."""

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir

from features.calendar import day_number
from features.records import Records

HONEST = ("T", "n_orders", "total_spend", "first_product")
Plant = Callable[[Records, ir.Table, date], ir.Table]
"""From records, honest features and the cutoff to ``customer_id`` and ``leak``."""


def honest(records: Records, cutoff: date) -> ir.Table:
    """A few features that see the past of each customer alone; without refunds, which no plant needs."""
    past = _past(records, cutoff)
    # Of several products at one time always the same: an argmin would take any.
    past = past.mutate(first_at=past.ordered_at.min().over(group_by=past.customer_id))
    features = past.group_by("customer_id").agg(
        first_day=past.day.min(),
        n_orders=past.order_id.nunique(),
        total_spend=past.amount.sum(),
        first_product=past.product_id.min(where=past.ordered_at == past.first_at),
    )
    return features.mutate(T=day_number(cutoff) - features.first_day, cutoff=day_number(cutoff))


def leaking(plants: dict[str, Plant]) -> Callable[[Records, date], ir.Table]:
    """A builder of the honest features and of a column for each leak."""

    def build(records: Records, cutoff: date) -> ir.Table:
        features = honest(records, cutoff)
        table = features
        for name, plant in plants.items():
            leak = plant(records, features, cutoff).select(customer_id="customer_id", **{name: "leak"})
            table = table.left_join(leak, "customer_id").drop("customer_id_right")
        return table.drop("first_day")

    return build


def _past(records: Records, cutoff: date) -> ir.Table:
    return records.lines.filter(records.lines.known_day < day_number(cutoff))


def _with(features: ir.Table, statistic: ir.Table, value: Callable[[ir.Table], ir.Value]) -> ir.Table:
    joined = features.cross_join(statistic)
    return joined.mutate(leak=value(joined))


def label(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """What the customer spends in the thirty days that are to be predicted."""
    lines, day = records.lines, day_number(cutoff)
    window = lines.filter((lines.day >= day) & (lines.day < day + 30))
    return window.group_by("customer_id").agg(leak=window.amount.sum())


def clock(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    today = ibis.now().date().delta(ibis.date("1970-01-01"), unit="day")
    return features.mutate(leak=today - features.first_day)


def todays_date(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    return features.mutate(leak=date.today().toordinal() - features.first_day)


def largest_order_of_the_log(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    top = records.lines.aggregate(top=records.lines.amount.max())
    return _with(features, top, lambda t: t.total_spend / t.top.nullif(0))


def largest_order_so_far(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    past = _past(records, cutoff)
    return _with(features, past.aggregate(top=past.amount.max()), lambda t: t.total_spend / t.top.nullif(0))


def mean_so_far(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    past = _past(records, cutoff)
    return _with(features, past.aggregate(mean=past.amount.mean()), lambda t: t.total_spend / t["mean"])


def rank_among_all_customers(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    return features.mutate(leak=ibis.percent_rank().over(order_by=features.total_spend))


def mean_of_the_same_first_product(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """A target encoding: of the past alone, but of other customers."""
    return features.mutate(leak=features.total_spend.mean().over(group_by=features.first_product))


def customers_in_the_log(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    everyone = records.lines.aggregate(n=records.lines.customer_id.nunique())
    return _with(features, everyone, lambda t: t.n_orders / t.n)


def age_at_the_end_of_the_log(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """Up to the newest row instead of the cutoff."""
    newest = records.lines.aggregate(end=records.lines.known_day.max())
    return _with(features, newest, lambda t: t.end - t.first_day)


def next_product(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """A column of text with empty cells."""
    later = records.lines.filter(records.lines.day >= day_number(cutoff))
    return later.group_by("customer_id").agg(leak=later.product_id.max())


def by_day_of_the_order(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """The subtle one: orders of the past, but also those that became known later."""
    placed = records.lines.filter(records.lines.day < day_number(cutoff))
    return placed.group_by("customer_id").agg(leak=placed.amount.sum())


def later_events(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    assert records.events is not None
    return records.events.group_by("customer_id").agg(leak=records.events.count())


def last_contact_at_all(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """Told as days since: what is later than the cutoff is negative."""
    assert records.contacts is not None
    sent = records.contacts
    return sent.group_by("customer_id").agg(leak=day_number(cutoff) - sent.day.max())


def todays_points(records: Records, features: ir.Table, cutoff: date) -> ir.Table:
    """An attribute's newest version, whenever it became true."""
    assert records.customers is not None
    people = records.customers
    return people.group_by("customer_id").agg(leak=people.attr_points.argmax(people.known_day))


OF_ORDERS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        label, clock, todays_date, largest_order_of_the_log, largest_order_so_far, mean_so_far,
        rank_among_all_customers, mean_of_the_same_first_product, customers_in_the_log,
        age_at_the_end_of_the_log, next_product, by_day_of_the_order,
    )
}  # fmt: skip
PLANTS = OF_ORDERS | {plant.__name__: plant for plant in (later_events, last_contact_at_all, todays_points)}
