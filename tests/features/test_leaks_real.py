"""The leak proof on real logs: a gift shop's orders, a grocer's households, a web shop's events."""

from collections.abc import Callable
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from features.calendar import day_number
from features.catalogue import visible_features
from features.contracts import Cancellation, TransactionsContract
from features.door import at_the_door, used_lines
from features.doors import TableContract, contact_rows, customer_rows, event_rows
from features.leaks import LeakFinding, prove_no_leak
from features.records import KNOWN_FROM, Records
from features.snapshot import sample_customers
from tests.features.conftest import data_file
from tests.features.plants import PLANTS, leaking
from tests.features.tables import Bench, assert_same_bits


def same(*names: str, **others: str) -> dict[str, str]:
    """A mapping of columns that mostly have their standard names already."""
    return {name: name for name in names} | others


def used(typed: ir.Table) -> ir.Table:
    return typed.filter(typed.reason.isnull()).drop("reason")


def online_retail(con: Any) -> Records:
    raw = con.read_parquet(data_file("online_retail", "online_retail.parquet"))
    columns = same("customer_id", "quantity", "unit_price")
    columns |= {"order_id": "invoice", "product_id": "stock_code", "ordered_at": "invoice_date"}
    contract = TransactionsContract(columns, cancellation=Cancellation("order_id", "C"))
    return Records(used_lines(at_the_door(raw, contract)), has=contract.has, cancellation_prefix="C")


def complete_journey(con: Any) -> Records:
    """Households, with the campaigns they were chosen for, the coupons they redeemed, and who they are."""

    def read(name: str) -> ir.Table:
        return con.read_parquet(data_file("complete_journey", f"{name}.parquet"))

    products = read("products").select("product_id", category="product_category")
    lines = read("transactions").left_join(products, "product_id").mutate(quantity=lambda t: t.quantity / 1)
    columns = same("customer_id", "order_id", "product_id", "category", "quantity", "amount")
    contract = TransactionsContract(
        columns | {"ordered_at": "ts", "channel": "store_id", "discount": "retail_disc"}
    )
    sent = read("campaign_targets").inner_join(read("campaign_descriptions"), "campaign_id")
    mail = TableContract("contacts", same("customer_id", "campaign_id", sent_at="start_date"), "campaigns")
    coupons = read("coupon_redemptions").mutate(what=ibis.literal("coupon at the checkout"))
    visits = TableContract("events", same("customer_id", occurred_at="date", event_type="what"), "coupons")
    people = TableContract("customers", same("customer_id"), "demographics")
    traits = (("household_size", "category"), ("home_ownership", "category"))
    return Records(
        used_lines(at_the_door(lines, contract)),
        events=used(event_rows(coupons, visits)),
        contacts=used(contact_rows(sent, mail)),
        customers=used(customer_rows(read("demographics"), people, traits)),
        has=contract.has | mail.has() | visits.has() | people.has(),
        attributes=traits,
        static=frozenset(name for name, _ in traits),
    )


def shop_events(con: Any) -> Records:
    """A clickstream whose purchases are the orders: who buys, when, through which channel, and no more."""
    raw = con.read_parquet(data_file("shop_events", "events.parquet"))
    contract = TransactionsContract(same("customer_id", "channel", ordered_at="ts"))
    columns = same("customer_id", "event_type", "channel", "session_id", occurred_at="ts")
    visits = TableContract("events", columns, "events.parquet")
    return Records(
        used_lines(at_the_door(raw.filter(raw.event_type == "purchase"), contract)),
        events=used(event_rows(raw, visits)),
        has=contract.has | visits.has(),
    )


SHOPS: dict[Callable[[Any], Records], tuple[float, list[date]]] = {
    online_retail: (0.05, [date(2011, 9, 9), *(date(2011, month, 1) for month in (1, 3, 6, 12))]),
    complete_journey: (0.03, [date(2017, 9, 1), *(date(2017, month, 2) for month in (2, 4, 7, 12))]),
    shop_events: (1.0, [date(2024, 5, 1), *(date(2024, month, 10) for month in (2, 3, 4, 6))]),
}
"""Each with the share of its customers that the proof looks at, and when."""
CASES = [
    pytest.param(
        open_shop, share, cutoff, id=f"{open_shop.__name__}-{cutoff}", marks=[pytest.mark.heavy] * (n > 0)
    )
    for open_shop, (share, cutoffs) in SHOPS.items()
    for n, cutoff in enumerate(cutoffs)
]


def kept(con: Any, records: Records, name: str) -> Records:
    def keep(table: ir.Table, part: str) -> ir.Table:
        con.create_table(f"{name} {part}", schema=table.schema(), overwrite=True)
        con.insert(f"{name} {part}", table)
        return con.table(f"{name} {part}")

    return records.changed(keep)


def sampled(con: Any, open_shop: Callable[[Any], Records], share: float) -> Records:
    few = open_shop(con).changed(lambda table, _: sample_customers(table, share, seed=7))
    return kept(con, few, open_shop.__name__)


def moved(findings: list[LeakFinding]) -> set[str]:
    return {name for finding in findings for name in finding.moved}


@pytest.mark.parametrize(("open_shop", "share", "cutoff"), CASES)
def test_the_proof_holds(con: Any, open_shop: Callable[[Any], Records], share: float, cutoff: date) -> None:
    records = sampled(con, open_shop, share)
    bench = Bench(con, f"proof of {open_shop.__name__}", records)

    findings = prove_no_leak(records, lambda changed, at: bench.hold(changed).table([at], (30, 90)), cutoff)
    assert moved(findings) == set()
    assert findings[0].n_rows > 15
    assert len(visible_features((30, 90), records.has, records.attributes)) > 50


def test_a_builder_that_peeks_is_caught_on_a_real_log(con: Any) -> None:
    records = sampled(con, online_retail, 0.05)
    names = (
        "label",
        "clock",
        "mean_so_far",
        "by_day_of_the_order",
        "next_product",
        "rank_among_all_customers",
    )
    findings = prove_no_leak(records, leaking({name: PLANTS[name] for name in names}), date(2011, 9, 9))
    assert moved(findings) == set(names)


@pytest.mark.heavy
@pytest.mark.parametrize("open_shop", SHOPS, ids=lambda open_shop: open_shop.__name__)
def test_the_future_of_a_real_log_is_deleted_row_by_row(
    con: Any, open_shop: Callable[[Any], Records]
) -> None:
    """The plain version of the proof, on everyone: the tables as they were that morning."""
    cutoff = SHOPS[open_shop][1][0]
    whole = kept(con, open_shop(con), "whole")
    past = whole.changed(lambda t, name: t.filter(t[KNOWN_FROM[name]].fill_null(0) < day_number(cutoff)))
    bench = Bench(con, f"all of {open_shop.__name__}", whole)
    frames = [bench.hold(records).frame([cutoff]) for records in (whole, past)]
    assert len(frames[0]) > 150
    assert_same_bits(*frames, ["customer_id"])
