"""What came of past lists: one row a customer and campaign, from the first list that held the customer on."""

from collections.abc import Iterable
from datetime import timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from features.build import to_model_frame
from features.calendar import day_number
from features.contracts import MONEY_UNITS
from features.history import make_history
from features.labels import add_labels, label_names
from models.uplift_table import BY
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.past_lists import PastList, by_own_ids
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import RunCustomers


def list_results(engine: Engine, log: PurchaseLog, config: Config, lists: Iterable[PastList]) -> pd.DataFrame:
    """Count what the customers of lists bought afterwards, and what contacting them cost.

    A customer counts once in a campaign: who is listed again is so because of what came of the first list,
    and to count from then on would compare what a contact has made unlike. What came is counted as in
    training (`features.labels`), up to the end of the first list's window, or of the log.

    Parameters
    ----------
    engine, log : Engine, PurchaseLog
        The shop's tables.
    config : Config
        For margin and names.
    lists : iterable of PastList
        In the order of their dates.

    Returns
    -------
    DataFrame
        As `models.uplift_table.incremental` takes it, with ``as_of`` and ``is_over`` of the first list,
        ``sent`` (contacts of the campaign in the window, NaN if no table says) and ``cost``.
    """
    entries = make_history(log.records, engine.keep).parts["entries"]
    customers = RunCustomers.of_log(engine, log, config)
    seen: dict[str, pd.DataFrame] = {}
    for one in lists:
        now = _results(engine, log, customers, entries, one)
        seen[one.campaign] = _added(seen.get(one.campaign), now, one)
    return _with_money(pd.concat(seen.values(), ignore_index=True), config, log)


def _results(
    engine: Engine, log: PurchaseLog, customers: RunCustomers, entries: ir.Table, one: PastList
) -> pd.DataFrame:
    """Rows of one list, by the log's own ids."""
    who = by_own_ids(engine, customers, one).mutate(cutoff=ibis.literal(day_number(one.run.as_of), "int64"))
    end = ibis.literal(day_number(one.end), "int64")
    told = add_labels(who, entries, [one.run.as_of], [one.horizon], one.end, lambda _cutoff, _horizon: end)
    raw = engine.frame(_with_contacts(told, log.records.contacts, one))
    came = to_model_frame(raw, (), [one.horizon]).rename(
        columns=dict(zip(label_names(one.horizon), ("buyers", "orders", "revenue"), strict=True))
    )[["customer_id", "buyers", "orders", "revenue"]]
    told_of = ["customer_id", "is_contact", *BY[1:], "expected", "sent", "paid", "unpaid"]
    rows = raw[told_of].merge(came, on="customer_id", validate="one_to_one")
    rows["stratum"] = rows["risk_tier"] + f" {one.share:g}"  # another share is another draw
    return rows.assign(
        campaign=one.campaign, as_of=one.run.as_of, is_over=one.is_over, listings=1, price=one.cost,
        channel=rows["channel"].fillna("").astype("str"),
    )  # fmt: skip


def _with_contacts(who: ir.Table, contacts: ir.Table | None, one: PastList) -> ir.Table:
    """Join what was sent for the campaign in the window, and the channel by which each was reached before.

    The channel is that of before the list, which customers who are left alone have as well.
    """
    if contacts is None:
        nothing = ibis.null("int64")
        return who.mutate(sent=nothing, paid=nothing, unpaid=nothing, channel=ibis.null("string"))
    start, end = day_number(one.run.as_of), day_number(one.end)
    own = contacts.filter(
        (contacts.campaign == one.campaign) & (contacts.day >= start) & (contacts.day < end)
    )
    sums = own.group_by("customer_id").agg(
        sent=own.count(), paid=own.cost.sum().fill_null(0), unpaid=own.cost.isnull().cast("int64").sum()
    )
    before = contacts.filter((contacts.day < start) & contacts.channel.notnull())
    place = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("day"), "channel"])
    last = before.mutate(place=place).filter(ibis._.place == 0).select("customer_id", "channel")
    joined = who.left_join(sums, "customer_id").drop("customer_id_right")
    joined = joined.mutate(**{name: joined[name].fill_null(0) for name in ("sent", "paid", "unpaid")})
    return joined.left_join(last, "customer_id").drop("customer_id_right")


def _added(before: pd.DataFrame | None, now: pd.DataFrame, one: PastList) -> pd.DataFrame:
    """Add those who are new to a campaign; of the others, note who was listed again in their window."""
    if before is None:
        return now
    again = before["customer_id"].isin(now["customer_id"])
    again &= before["as_of"] > one.run.as_of - timedelta(one.horizon)
    noted = before.assign(listings=before["listings"] + again)
    return pd.concat([noted, now[~now["customer_id"].isin(before["customer_id"])]], ignore_index=True)


def _with_money(rows: pd.DataFrame, config: Config, log: PurchaseLog) -> pd.DataFrame:
    """Put costs and profit beside what came; where no table tells of contacts, each listing counts as one."""
    sent = rows["sent"].astype(float)
    told = sent.groupby(rows["campaign"]).transform("sum") > 0
    paid = rows["paid"].astype(float) / MONEY_UNITS + rows["unpaid"].astype(float) * rows["price"]
    assumed = rows["listings"] * rows["price"] * rows["is_contact"]
    revenue = rows["revenue"] if log.has_amounts else pd.Series(np.nan, rows.index)
    cost = paid.where(told, assumed)
    margin = np.nan if config.economics.margin is None else config.economics.margin
    return rows.assign(revenue=revenue, sent=sent.where(told), cost=cost, profit=revenue * margin - cost)
