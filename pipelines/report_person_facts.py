"""What a report knows from the other tables: where customers came from, how content they are, service."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from features.calendar import day_from_number, day_number
from features.history import make_history
from features.satisfaction import is_satisfaction, satisfaction_counts
from features.shop_counts import group_returns, purchase_sums
from features.snapshot import take_snapshot
from pipelines.engine import Engine
from pipelines.published_runs import SCORES, SEGMENTS, Run
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import RunCustomers
from pipelines.statuses import SHARED

MOST = 10
"""Channels and first products that are told, the largest."""
SERVICE = ("support", "tracking")
"""Kinds of events that speak of service (`features.event_kinds`)."""


@dataclass(frozen=True)
class Answers:
    """One attribute's answers: `whole` in one row, `groups` by lifecycle (`features.satisfaction`)."""

    name: str
    whole: pd.DataFrame
    groups: pd.DataFrame


@dataclass(frozen=True)
class Service:
    """Events of service.

    Parameters
    ----------
    since : date
        Day of the first event of any kind.
    orders : int
        Placed since then.
    counts : dict of str to int
        Events of each kind of `SERVICE`.
    """

    since: date
    orders: int
    counts: dict[str, int]


@dataclass(frozen=True)
class PersonFacts:
    """Parts whose input is not there are None, or empty.

    Parameters
    ----------
    channels, products : DataFrame or None
        Of `features.shop_counts.group_returns`, by acquisition channel and by first product.
    referral : DataFrame or None
        ``was_referred`` (1, 0; missing for who is not in the customers table), ``customers, orders, amount,
        p_churn, expected`` (spend), ``with_cost`` and ``cost``, in 1/10,000 units.
    has_cost : bool
        Whether the cost of winning a customer is mapped.
    answers : sequence of Answers
        An item an attribute that speaks of satisfaction.
    service : Service or None
        None without events.
    """

    channels: pd.DataFrame | None = None
    products: pd.DataFrame | None = None
    referral: pd.DataFrame | None = None
    has_cost: bool = False
    answers: Sequence[Answers] = field(default_factory=tuple)
    service: Service | None = None


def person_facts(
    engine: Engine,
    log: PurchaseLog,
    run: Run,
    customers: RunCustomers,
    dated: ir.Table,
    leads: ir.Table | None,
) -> PersonFacts:
    """Gather them, of the customers of a run.

    Parameters
    ----------
    engine, log, run
        The shop's tables, and the run.
    customers : RunCustomers
        Who the run's customers are in the log.
    dated : ibis Table
        Of `features.shop_counts.dated_steps`.
    leads : ibis Table or None
        Of `features.leads.leading`; None where products are not known.
    """
    has, days = log.records.has, int(run.manifest["outlook"]["days"])
    people = engine.keep(_people(engine, log, run, customers, dated, leads), "report_people")
    start = day_number(run.as_of) - days

    def returns(group: str, *, is_there: bool) -> pd.DataFrame | None:
        return engine.frame(group_returns(people, group, start, SHARED, MOST)) if is_there else None

    return PersonFacts(
        channels=returns("acquisition_channel", is_there="customers.acquisition_channel" in has),
        products=returns("first_product", is_there=leads is not None),
        referral=_referral(engine, people) if "customers.referred_by" in has else None,
        has_cost="customers.acquisition_cost" in has,
        answers=[_answers(engine, people, name) for name in satisfaction_names(log)],
        service=_service(engine, log, run.as_of, dated),
    )


def satisfaction_names(log: PurchaseLog) -> list[str]:
    """Name the numeric attributes that speak of satisfaction."""
    return [name for name, kind in log.records.attributes if kind == "number" and is_satisfaction(name)]


def _people(
    engine: Engine,
    log: PurchaseLog,
    run: Run,
    customers: RunCustomers,
    dated: ir.Table,
    leads: ir.Table | None,
) -> ir.Table:
    """One row a customer of the run, with all that groups go by; null where nothing is known."""
    days = int(run.manifest["outlook"]["days"])
    scores = engine.read_fetched(run.folder / SCORES).select(
        listed="customer_id", p_churn=f"p_churn_{days}d", expected=f"expected_spend_{days}d"
    )
    people = customers.of(run).inner_join(scores, "listed")
    parts = [purchase_sums(dated)]
    if leads is not None:
        parts.append(leads.filter(leads.place == 1).select("customer_id", first_product="product_id"))
    if log.records.customers is not None:
        parts.append(_profile(log, run.as_of))
    if (run.folder / SEGMENTS).exists():
        groups = engine.read_fetched(run.folder / SEGMENTS).select(
            listed="customer_id", lifecycle="lifecycle"
        )
        people = people.left_join(groups, "listed").drop("listed_right")
    for part in parts:
        people = people.left_join(part, "customer_id").drop("customer_id_right")
    return people if "lifecycle" in people.columns else people.mutate(lifecycle=ibis.null("string"))


def _profile(log: PurchaseLog, as_of: date) -> ir.Table:
    """What the customers table says of each, as it was known before the date."""
    profile = take_snapshot(make_history(log.records), [as_of]).grains["profile"]
    names = [f"attr_{name}" for name in satisfaction_names(log)]
    return profile.select("customer_id", "acquisition_channel", "acquisition_cost", "was_referred", *names)


def _referral(engine: Engine, people: ir.Table) -> pd.DataFrame:
    return engine.frame(
        people.group_by("was_referred").agg(
            customers=people.count(),
            orders=people.orders.sum().fill_null(0),
            amount=people.amount.sum().fill_null(0),
            p_churn=people.p_churn.mean(),
            expected=people.expected.sum(),
            with_cost=people.acquisition_cost.count(),
            cost=people.acquisition_cost.sum().fill_null(0),
        )
    )


def _answers(engine: Engine, people: ir.Table, name: str) -> Answers:
    whole = engine.frame(satisfaction_counts(people, f"attr_{name}"))
    return Answers(name, whole, engine.frame(satisfaction_counts(people, f"attr_{name}", "lifecycle")))


def _service(engine: Engine, log: PurchaseLog, as_of: date, dated: ir.Table) -> Service | None:
    """Count events of service, and the orders of the days that the events speak of."""
    if log.records.events is None:
        return None
    seen = log.records.events.filter(log.records.events.day < day_number(as_of))
    counted = engine.frame(seen.group_by("kind").agg(n=seen.count(), first=seen.day.min()))
    if counted.empty:
        return None
    first = int(counted["first"].min())
    orders = engine.number(dated.filter(dated.day >= first).n_orders.sum().fill_null(0))
    counts = dict(zip(counted["kind"], counted["n"], strict=True))
    return Service(day_from_number(first), orders, {kind: int(counts.get(kind, 0)) for kind in SERVICE})
