# ruff: noqa: S608 (the queries are ours)
"""The report: its numbers found again in the raw log, both languages, nothing to fetch, nothing to run."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from models.outcomes import expected_against_actual
from models.uplift_table import incremental
from pipelines.board_page import POLICY
from pipelines.cli import main
from pipelines.report import report_path
from pipelines.words import Voice

from .conftest import AS_OF as TRAINED
from .report_shop import AS_OF, BEFORE, HORIZON, HOSTILE, NOTE, Page, write_shop

VOICE = Voice("en", "USD")
MOST_BYTES = 3_000_000


def made(config: Path) -> str:
    assert main(["--config", str(config), "--quiet", "report"]) == 0
    return report_path(config.parent / "out", date.fromisoformat(AS_OF)).read_text("utf-8")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def html(config: Path) -> str:
    return made(config)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def sql(config: Path) -> Any:
    """Ask the raw log, which has no order numbers: `orders` are days on which a customer paid something."""
    connection = duckdb.connect()
    connection.execute(f"""
        create table raw as select customer_id, cast(date as date) as day, amount, product
            from read_csv('{config.parent}/orders.csv', types={{'customer_id': 'varchar'}});
        create table orders as
            select customer_id, day, sum(amount) as amount, min(day) over w as first_day,
                row_number() over (partition by customer_id order by day) as place,
                lead(day) over (partition by customer_id order by day) as next_day
            from (select customer_id, day, amount from raw where day < date '{AS_OF}')
            group by customer_id, day having sum(amount) > 0
            window w as (partition by customer_id);
    """)

    def ask(query: str) -> Any:
        return connection.execute(query).fetchone()[0]

    return ask


def row(page: Page, caption: str, column: str, value: str) -> dict[str, str]:
    [found] = [line for line in page.tables[caption] if line[column] == value]
    return found


LAST_OF_OCTOBER = """(select customer_id, max(day) as day from orders
    where day between date '1997-10-01' and date '1997-10-31' group by 1)"""
FIRST = "(select * from orders where place = 1)"


def of_months(page: Page, column: str) -> str:
    return row(page, "Rates by month", "Month", "Oct 1997")[column]


def test_rates_by_month_are_those_of_the_log(page: Page, sql: Any) -> None:
    october = "day between date '1997-10-01' and date '1997-10-31'"
    november = "day between date '1997-11-01' and date '1997-11-30'"
    buyers = sql(f"select count(distinct customer_id) from orders where {october}")
    assert of_months(page, "Buyers") == VOICE.number(buyers)
    assert of_months(page, "Revenue") == VOICE.money(sql(f"select sum(amount) from orders where {october}"))
    gone = sql(f"""select avg(case when exists (select 1 from orders o where o.customer_id = l.customer_id
        and o.day > l.day and o.day <= l.day + {HORIZON}) then 0.0 else 1.0 end) from {LAST_OF_OCTOBER} l""")
    assert of_months(page, f"Not back in {HORIZON} days") == VOICE.share(gone)
    kept = sql(f"""select avg(case when customer_id in (select customer_id from orders where {november})
        then 1.0 else 0.0 end) from (select distinct customer_id from orders where {october})""")
    following = row(page, "Rates by month", "Month", "Nov 1997")
    assert following["Retention"] == VOICE.share(kept)
    assert following["Churn from the month before"] == VOICE.share(1 - kept)


def test_new_customers_and_the_repeat_share_are_those_of_the_log(page: Page, sql: Any) -> None:
    new = sql(f"select count(*) from {FIRST} where day between date '1997-03-01' and date '1997-03-31'")
    buyers = sql("""select count(distinct customer_id) from orders
        where day between date '1997-03-01' and date '1997-03-31'""")
    march = row(page, "Rates by month", "Month", "Mar 1997")
    assert march["New"] == VOICE.number(new)
    assert march["Repeat share"] == VOICE.share(1 - new / buyers)


def test_cohorts_are_those_of_the_log(page: Page, sql: Any) -> None:
    theirs = "first_day between date '1997-02-01' and date '1997-02-28'"
    cohort = row(page, "Customers by month of their first order", "First order in", "Feb 1997")
    customers = sql(f"select count(distinct customer_id) from orders where {theirs}")
    revenue = sql(f"select sum(amount) from orders where {theirs}")
    back = sql(f"select avg((coalesce(next_day - day, 999) <= {HORIZON})::int) from {FIRST} where {theirs}")
    assert cohort["Customers"] == VOICE.number(customers)
    assert cohort["Revenue so far"] == VOICE.money(revenue)
    assert cohort["For each customer"] == VOICE.money(revenue / customers, 2)
    assert cohort[f"Ordered again within {HORIZON} days"] == VOICE.share(back)
    aged = row(page, "Revenue by cohort and months since the first order", "First order in", "Feb 1997")
    third = sql(f"""select sum(amount) from orders where {theirs}
        and day between date '1997-05-01' and date '1997-05-31'""")
    assert aged["3"] == VOICE.money(third)
    assert aged["14"] == ""  # not there yet


def test_the_way_to_a_second_order_is_that_of_the_log(page: Page, sql: Any) -> None:
    second = row(page, "From order to order", "Order", "Order 2")
    first = row(page, "From order to order", "Order", "Order 1")
    people = "(select count(distinct customer_id) from orders)"
    assert second["Customers"] == VOICE.number(sql("select count(*) from orders where place = 2"))
    share = sql(f"select count(*) / {people} from orders where place = 3")
    assert row(page, "From order to order", "Order", "Order 3")["Of all customers"] == VOICE.share(share)
    middle = sql(f"select quantile_disc(next_day - day, 0.5) from {FIRST} where next_day is not null")
    assert first["Median days to it"] == VOICE.number(middle)


def test_first_and_second_products_are_those_of_the_log(page: Page, sql: Any) -> None:
    """The product of a day is that of its dearest line; orders of no value count as what was bought."""
    pairs = """with lines as (
            select customer_id, day, arg_max(product, (amount, product)) as product,
                row_number() over (partition by customer_id order by day) as place
            from raw where day < date '1998-04-01' group by customer_id, day)
        select count(*) from lines a join lines b using (customer_id)
        where a.place = 1 and b.place = 2 and a.product = 'disc 1' and b.product = 'disc 1'"""
    caption = "Most frequent second product after the first"
    [found] = [
        line for line in page.tables[caption]
        if (line["First product"], line["Second product"]) == ("disc 1", "disc 1")
    ]  # fmt: skip
    assert found["Customers"] == VOICE.number(sql(pairs))


def test_returns_by_days_of_silence_are_those_of_the_log(page: Page, sql: Any) -> None:
    band = row(page, "Returns by days since the last order", "Days", "8–14")
    returns = sql("select count(*) from orders where next_day - day between 8 and 14")
    assert band["Ordered again"] == VOICE.number(returns)
    waited = f"coalesce(next_day, date '{AS_OF}') - day >= 8 + (next_day is null)::int"
    assert band["Silent until then"] == VOICE.number(sql(f"select count(*) from orders where {waited}"))


def test_the_recency_groups_are_judged_by_the_returns_of_the_log(page: Page, sql: Any) -> None:
    """Shares of the returns by Kaplan and Meier's estimate, so that silences that go on count as well."""
    lives = f"""with s as (select coalesce(next_day, date '{AS_OF}') - day - (next_day is null)::int as t,
            next_day is not null as came from orders),
        h as (select d.t, (select count(*) from s where s.t >= d.t) as r,
            (select count(*) from s where s.t = d.t and came) as c
            from (select unnest(range(1, 500)) as t) d),
        last as (select least((select max(t) from h where r >= 100),
            (select (date '{AS_OF}' - min(day)) // 2 from orders)) as t)"""

    def returned(day: str) -> float:
        return float(sql(f"{lives} select 1 - product(1 - c / greatest(r, 1)) from h where t <= {day}"))

    whole = returned("(select t from last)")
    ends = [0.0, *(returned(str(day)) for day in (7, 14, 28)), whole]
    names = ("0–7", "8–14", "15–28", "29+")
    said = ", ".join(
        f"{VOICE.share((after - before) / whole, 0)} in {name} days"
        for before, after, name in zip(ends, ends[1:], names, strict=False)
    )
    assert any("Groups of 7, 14, 28 days" in text and said in text for text in page.texts)


@pytest.mark.parametrize(
    ("column", "value"),
    [("Of spend so far", "amount"), (f"Of spend expected in {HORIZON} days", "expected")],
)
def test_the_best_fifth_holds_what_it_holds(
    page: Page, sql: Any, config: Path, column: str, value: str
) -> None:
    scores = f"read_parquet('{config.parent}/out/latest/scores.parquet')"
    total = {
        "amount": f"(select customer_id, sum(amount) as v from raw where day < date '{AS_OF}' group by 1)",
        "expected": f"(select customer_id, expected_spend_{HORIZON}d as v from {scores})",
    }[value]
    held = sql(f"""with ranked as (select v, row_number() over (order by v desc) as place,
        count(*) over () as n from {total})
        select sum(v) filter (where place - 1 < n * 0.2) / sum(v) from ranked""")
    assert row(page, "Held by the best customers", "Best customers", "20%")[column] == VOICE.share(held)


def test_what_came_lately_is_what_the_log_says(page: Page, sql: Any) -> None:
    start = f"date '{AS_OF}' - {HORIZON}"
    window = row(page, f"Windows of {HORIZON} days", "From", "1 Jan 1998")
    known = sql(f"select sum(amount) from orders where day >= {start} and first_day < {start}")
    assert window["Customers known at its start"] == VOICE.money(known)
    everyone = sql(f"select sum(amount) from orders where day >= {start}")
    assert window["All customers"] == VOICE.money(everyone)


def test_the_simple_formula_is_worked_out_from_the_log(page: Page, sql: Any) -> None:
    days = sql(f"select (date '{AS_OF}' - min(day)) // 2 from raw where amount > 0")
    start = f"date '{AS_OF}' - {days}"
    figures = page.figures()
    revenue, buyers = (
        sql(f"select {what} from orders where day >= {start}")
        for what in ("sum(amount)", "count(distinct customer_id)")
    )
    lost = sql(f"""select avg((customer_id not in (select customer_id from orders where day >= {start}))::int)
        from (select distinct customer_id from orders where day < {start} and day >= {start} - {days})""")
    assert figures[f"Buyers lost from one {days} days to the next"] == VOICE.share(lost)
    assert figures["CLV by the simple formula"] == VOICE.money(revenue / buyers / lost, 2)
    orders = sql(f"select count(*) from orders where day >= {start}")
    assert figures["Average order value"] == VOICE.money(revenue / orders, 2)


def test_tiers_and_the_verdict_are_sums_of_the_scores(page: Page, sql: Any, config: Path) -> None:
    scores = f"read_parquet('{config.parent}/out/latest/scores.parquet')"
    high = row(page, "Judged customers by risk", "Risk", "high")
    theirs = f"from {scores} where status = 'scored' and risk_tier = 'high'"
    assert high["Customers"] == VOICE.number(sql(f"select count(*) {theirs}"))
    assert high["At stake"] == VOICE.money(sql(f"select sum(value_at_risk) {theirs}"))
    spend = sql(f"select sum(expected_spend_{HORIZON}d) from {scores}")
    assert page.figures()[f"North Star: expected spend within {HORIZON} days"] == VOICE.money(spend)
    assert any(VOICE.money(spend) in text and "should buy again" in text for text in page.texts)


def scores_of(config: Path) -> str:
    return f"read_parquet('{config.parent}/out/latest/scores.parquet')"


def groups_of(config: Path, as_of: str) -> str:
    return f"read_parquet('{config.parent}/out/scores/as_of={as_of}/segments.parquet')"


def test_groups_and_moves_are_those_of_the_two_runs(page: Page, sql: Any, config: Path) -> None:
    now, then = groups_of(config, AS_OF), groups_of(config, BEFORE)
    loyal = row(page, "Customers by lifecycle", "Lifecycle", "Loyal")
    n = sql(f"select count(*) from {now} where lifecycle = 'loyal'")
    assert loyal["Customers"] == VOICE.number(n)
    assert loyal["Share"] == VOICE.share(n / sql(f"select count(*) from {now}"))
    assert loyal["1 Jan 1998"] == VOICE.number(sql(f"select count(*) from {then} where lifecycle = 'loyal'"))
    assert loyal["Who is in it"] == "4 orders or more"
    both = f"from {now} n join {then} t using (customer_id)"
    for axis, kind, (before, said_before), (after, said_after) in (
        ("lifecycle", "lifecycle", ("standard", "Standard"), ("churned", "Churned")),
        ("risk_group", "risk", ("high", "high"), ("high", "high")),
        ("recency_group", "days since the last order", ("8-14", "8–14 days"), ("29+", "29+ days")),
    ):
        moved = sql(f"select count(*) {both} where t.{axis} = '{before}' and n.{axis} = '{after}'")
        line = row(page, f"From group to group since 1 Jan 1998: {kind}", "From \\ to", said_before)
        assert line[said_after] == (VOICE.number(moved) if moved else "")
    why = row(page, "Why customers are in another group than on 1 Jan 1998", "Kind of group", "Lifecycle")
    arrived = sql(f"select count(*) from {now} where customer_id not in (select customer_id from {then})")
    assert why["New customers"] == VOICE.number(arrived)
    stayed = sql(f"select count(*) {both} where t.lifecycle = n.lifecycle")
    assert why["Stayed"] == VOICE.number(stayed)
    moved = sql(f"select count(*) {both} where t.lifecycle <> n.lifecycle")
    assert any(f"{VOICE.number(moved)} customers are in another group" in text for text in page.texts)


def test_cells_of_recency_and_frequency_are_those_of_the_groups(page: Page, sql: Any, config: Path) -> None:
    cells = "Customers in each cell of recency and frequency"
    n = sql(f"select count(*) from {groups_of(config, AS_OF)} where r = 4 and f = 2")
    assert row(page, cells, "Recency \\ frequency", "R4")["F2"] == VOICE.number(n)


@pytest.mark.parametrize(
    ("axis", "kind", "name", "said"),
    [
        ("lifecycle", "lifecycle", "loyal", "Loyal"),
        ("risk_group", "risk", "high", "high"),
        ("recency_group", "days since the last order", "29+", "29+ days"),
    ],
)
def test_rates_by_group_are_those_of_scores_and_log(
    page: Page, sql: Any, config: Path, axis: str, kind: str, name: str, said: str
) -> None:
    found = row(page, f"Rates by {kind}", kind[:1].upper() + kind[1:], said)
    theirs = f"""from {groups_of(config, AS_OF)} g join {scores_of(config)} s using (customer_id)
        where {axis} = '{name}'"""
    expected = sql(f"select avg(p_churn_{HORIZON}d) {theirs}")
    assert found[f"Expected churn, next {HORIZON} days"] == VOICE.share(expected)
    silent = sql(f"select avg((days_since_last_order >= {HORIZON})::int) {theirs}")
    assert found[f"No order for {HORIZON} days"] == VOICE.share(silent)
    then = f"from {groups_of(config, BEFORE)} where {axis} = '{name}'"
    assert found["Customers on 1 Jan 1998"] == VOICE.number(sql(f"select count(*) {then}"))
    back = sql(f"""select avg((customer_id in (select customer_id from orders
        where day >= date '{BEFORE}' and day < date '{BEFORE}' + {HORIZON}))::int) {then}""")
    assert found["Retention that came"] == VOICE.share(back)
    assert found["Churn that came"] == VOICE.share(1 - back)


def test_rates_by_first_product_are_those_of_the_log(page: Page, sql: Any, config: Path) -> None:
    found = row(page, "Rates by first product, the most frequent", "First product", "disc 1")
    start = f"date '{AS_OF}' - {HORIZON}"
    firsts = f"""(select customer_id, arg_max(product, (amount, product)) as product from raw
        where (customer_id, day) in (select (customer_id, min(day)) from raw group by customer_id)
            and day < date '{AS_OF}' group by customer_id having product = 'disc 1')"""
    people = f"""(select customer_id, min(day) as first, max(day) as last from orders
        where customer_id in (select customer_id from {firsts}) group by 1)"""
    assert found["Customers"] == VOICE.number(sql(f"select count(*) from {firsts}"))
    known = sql(f"select count(*) from {people} where first < {start}")
    assert found[f"Customers {HORIZON} days ago"] == VOICE.number(known)
    back = sql(f"select avg((last >= {start})::int) from {people} where first < {start}")
    assert found[f"Retention, last {HORIZON} days"] == VOICE.share(back)
    expected = sql(f"""select avg(p_churn_{HORIZON}d) from {scores_of(config)}
        where customer_id in (select customer_id from {firsts})""")
    assert found[f"Expected churn, next {HORIZON} days"] == VOICE.share(expected)


def test_the_list_says_whom_to_contact_what_for_and_who_is_left_alone(
    page: Page, sql: Any, config: Path
) -> None:
    listed = f"read_csv('{config.parent}/out/latest/risk_list.csv')"
    contacts, at_risk, net, churn = (
        sql(f"select {what} from {listed} where \"group\" = 'contact'")
        for what in ("count(*)", "sum(value_at_risk)", "sum(net_value)", f"avg(p_churn_{HORIZON}d)")
    )
    controls = sql(f"select count(*) from {listed} where \"group\" = 'control'")
    assert page.figures()["Customers to contact"] == VOICE.number(contacts)
    said = " ".join(page.texts)
    for sentence in (
        f"{contacts} customers: those with “contact”",
        f"{controls} more on it are left alone",
        f"{VOICE.share(churn, 0)} on average",
        f"{VOICE.money(at_risk)} is at stake with them",
        f"should bring {VOICE.money(net)} of profit after costs",
        f"{controls} customers on the list, 10% of it drawn by lot, are to be left alone",
        "days since the last order (18 of 27 customers)",
    ):
        assert sentence in said
    top = page.tables["Top of the list by what is at stake; the whole list is risk_list.csv"]
    ranks = sql(f"select list(rank order by rank)[:20] from {listed} where \"group\" = 'contact'")
    assert [line["Rank"] for line in top] == [str(rank) for rank in ranks] != [str(n) for n in range(1, 21)]
    first = sql(f"select sum(value_at_risk) from {listed} where rank in {tuple(ranks)}")
    assert f"Begin with these 20: {VOICE.money(first)} is at stake with them" in said
    for name, column in (
        ("net_value", "Net value of a contact"),
        ("highest_offer", "Highest offer that pays"),
    ):
        assert top[9][column] == VOICE.money(sql(f"select {name} from {listed} where rank = {ranks[9]}"), 2)
    low = sql(f"select count(*) from {scores_of(config)} where status = 'scored' and risk_tier = 'low'")
    assert f"{VOICE.number(low)} of low risk" in said
    gone = sql(f"select count(*) from {scores_of(config)} where status = 'already_lapsed'")
    assert f"{VOICE.number(gone)} gone already" in said


def test_what_past_lists_brought_is_what_was_measured(tmp_path: Path) -> None:
    config, rng = write_shop(tmp_path), np.random.default_rng(5)
    is_contact = rng.random(2_000) < 0.9
    orders = rng.poisson(0.2 + 0.3 * is_contact).astype(float)
    rows = pd.DataFrame(
        {
            "campaign": "list", "is_contact": is_contact, "stratum": "high", "risk_tier": "high",
            "lifecycle": "loyal", "channel": "", "expected": 10.0, "buyers": (orders > 0).astype(float),
            "orders": orders, "revenue": 20.0 * orders,
            "profit": 6.0 * orders - 1.0 * is_contact,
        }
    )  # fmt: skip
    table = incremental(rows)
    for as_of, share in (("1998-03-01", table), (AS_OF, table), ("1998-05-01", table.head(0))):
        folder = tmp_path / "out/measure" / f"as_of={as_of}"
        folder.mkdir(parents=True)
        share.to_csv(folder / "measure.csv", index=False)
    page = Page(made(config))
    profit = table[(table["by"] == "campaign") & (table["measure"] == "profit")].iloc[0]
    found = [
        line for line in page.tables["More than without contacts, by campaign, risk, lifecycle and channel"]
        if (line["By"], line["Measure"]) == ("campaign", "Profit")
    ]  # fmt: skip
    assert [line["Brought in addition"] for line in found] == [VOICE.money(profit["total"])]
    assert (
        found[0]["95% sure"] == f"{VOICE.money(profit['total_low'])} to {VOICE.money(profit['total_high'])}"
    )
    assert found[0]["Verdict"] == "more"
    answer = f"Profit: {VOICE.money(profit['total'])} more than without contacts"
    assert sum(answer in text for text in page.texts) == 2  # at the top, and in its section
    assert any("What came before 1 Apr 1998" in text for text in page.texts)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("rich"), others=True)


def test_referrals_satisfaction_and_service_are_those_of_the_tables(rich: Path, sql: Any) -> None:
    page = Page(made(rich))
    scores, table = scores_of(rich), f"read_csv('{rich.parent}/customers.csv', types={{'who': 'varchar'}})"
    known = f"(select * from {table} where known < date '{AS_OF}')"
    bought = "(select customer_id, sum(amount) as amount, count(*) as n from orders group by 1)"
    referred = row(page, "Referred customers and the others", "Customers", "referred")
    theirs = (
        f"from {scores} s join {known} k on k.who = s.customer_id left join {bought} b using (customer_id)"
    )
    theirs += " where friend is not null"
    customers, orders, revenue, cost, priced = (
        sql(f"select {what} {theirs}")
        for what in ("count(*)", "sum(n)", "sum(b.amount)", "sum(cost)", "count(cost)")
    )
    assert referred["Number"] == VOICE.number(customers)
    assert referred["Orders so far"] == VOICE.number(orders)
    assert referred["Revenue so far"] == VOICE.money(revenue)
    assert referred["Revenue each"] == VOICE.money(revenue / customers, 2)
    assert referred["Cost of winning them"] == VOICE.money(cost)
    assert referred["Cost each, where known"] == VOICE.money(cost / priced, 2)
    unknown = row(page, "Referred customers and the others", "Customers", "not in the customers table")
    absent = f"from {scores} where customer_id not in (select who from {known})"
    assert unknown["Number"] == VOICE.number(sql(f"select count(*) {absent}"))
    answers = f"from {scores} s join {known} k on k.who = s.customer_id"
    nps = "100 * (avg((nps_score >= 9)::int) - avg((nps_score <= 6)::int))"
    score = sql(f"select {nps} {answers} where nps_score is not null")
    figures = page.figures()
    assert figures["NPS"] == VOICE.number(score)
    assert figures["nps score: mean"] == VOICE.number(sql(f"select avg(nps_score) {answers}"), 2)
    groups = f"join {groups_of(rich, AS_OF)} g using (customer_id) where lifecycle = 'new'"
    fresh = row(page, "nps score by lifecycle", "Lifecycle", "New")
    assert fresh["Mean"] == VOICE.number(sql(f"select avg(nps_score) {answers} {groups}"), 2)
    events = f"read_csv('{rich.parent}/events.csv', types={{'who': 'varchar'}})"
    tracked = sql(f"select count(*) from {events} where what = 'order_tracking' and \"at\" < date '{AS_OF}'")
    placed = sql("select count(*) from orders where day >= date '1997-06-01'")
    service = row(page, "Service events for each order", "Event", "looks at where an order is")
    assert service["Events"] == VOICE.number(tracked)
    assert service["For each order"] == VOICE.number(tracked / placed, 2)
    caption = "Rates by acquisition channel, the largest"
    assert {line["Channel"] for line in page.tables[caption]} == {"search", "friends"}
    search = row(page, caption, "Channel", "search")
    expected = sql(f"select avg(p_churn_{HORIZON}d) {answers} where channel = 'search'")
    assert search[f"Expected churn, next {HORIZON} days"] == VOICE.share(expected)


def test_a_scale_of_stars_gets_no_nps(tmp_path: Path) -> None:
    config = write_shop(tmp_path, others=True)
    table = pd.read_csv(tmp_path / "customers.csv", dtype={"who": "str", "friend": "str"})
    table["nps_score"] = 1 + table["nps_score"] % 5
    table.rename(columns={"nps_score": "Hài lòng"}).to_csv(tmp_path / "customers.csv", index=False)
    config.write_text(config.read_text("utf-8").replace('"nps_score"', '"Hài lòng"'), "utf-8")
    page = Page(made(config))
    assert "NPS" not in page.figures()
    assert any("are not on the scale from 0 to 10" in text for text in page.texts)


def test_a_run_without_groups_and_controls_is_reported_all_the_same(tmp_path: Path) -> None:
    config, run = write_shop(tmp_path), tmp_path / "out/latest"
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    del manifest["segments"], manifest["campaign"]
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    for name in ("segments.parquet", "reasons.parquet"):
        (run / name).unlink()
    listed = pd.read_csv(run / "risk_list.csv")
    listed.drop(columns=["group", "net_value", "highest_offer"]).to_csv(run / "risk_list.csv", index=False)
    said = " ".join(Page(made(config)).texts)
    for sentence in ("This run has no groups", "Nobody is left alone", "How much of it contacts would save"):
        assert sentence in said


def test_nothing_is_fetched_and_nothing_runs(html: str, page: Page) -> None:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert f'http-equiv="Content-Security-Policy" content="{policy}"' in html
    assert POLICY.startswith(policy)
    assert len(html.encode()) < MOST_BYTES
    assert not {"script", "link", "img", "image", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    addresses = [a[n] for _, a in page.tags for n in ("href", "src", "xlink:href", "action") if n in a]
    assert addresses
    assert [address for address in addresses if not str(address).startswith("#")] == []
    assert not re.search(r"https?:|@import|url\((?!['\"]?#)", html)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_hostile_names_stay_text(html: str, page: Page) -> None:
    assert "<script" not in html
    assert "<b>" not in html
    top = page.tables["Top of the list by what is at stake; the whole list is risk_list.csv"]
    assert (top[0]["Customer"], top[0][NOTE]) == (HOSTILE, "Why: too <b>quiet</b>")
    second = page.tables["Most frequent second product after the first"]
    assert HOSTILE in {line["Second product"] for line in second}
    assert any(text == f"look at {HOSTILE}" for text in page.texts)


def test_every_chart_has_its_table_and_every_link_its_place(html: str, page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert tags.count("svg") == tags.count("details") >= 7
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len({*ids}) >= 17
    links = {str(a["href"]).removeprefix("#") for tag, a in page.tags if tag == "a"}
    assert len(links) == 17
    assert links <= {*ids}
    assert "details::details-content" in html  # open in print


def test_the_same_inputs_give_the_same_bytes(config: Path, html: str) -> None:
    assert made(config) == html
    folder = report_path(config.parent / "out", date.fromisoformat(AS_OF)).parent
    assert [path.name for path in folder.iterdir()] == ["report.html"]


def test_vietnamese_says_the_same_numbers_in_its_own_way(tmp_path: Path, page: Page) -> None:
    text = made(write_shop(tmp_path, "vi"))
    other = Page(text)
    assert '<html lang="vi">' in text
    assert len(other.tables) == len(page.tables)
    for words in ("Tỷ lệ rời bỏ", "mua lại", "Giá trị vòng đời khách hàng", "01/04/1998"):
        assert words in text
    english = {t for t in page.texts if re.search(r"[a-z]{4}", t) and HOSTILE not in t}
    shared = english & {*other.texts} - {"disc 1", "disc 2"}
    said_by_the_job = {"the log ends before 1998-03-20; …"}
    assert {t for t in shared if " " in t} <= said_by_the_job
    assert "Dữ liệu kết thúc trước ngày 20/03/1998: thiếu 12 ngày tính đến 01/04/1998" in " ".join(
        other.texts
    )


def test_what_is_not_known_is_said(page: Page) -> None:
    said = " ".join(page.texts)
    for sentence in (
        "no grade is given",
        "is not known yet",
        "No past run has been held",
        "CLV:CAC and payback",
        "`repurchase measure` has not been run",
        "No list has been measured",
        "mapped to acquisition_channel",
        "mapped to referred_by",
        "Satisfaction is not known",
        "Service is not known",
    ):
        assert sentence in said
    assert "Caution: 1 of 1 measures have moved" in said


def test_outcomes_are_those_of_the_ledger(tmp_path: Path) -> None:
    config = write_shop(tmp_path)
    manifest = json.loads((tmp_path / "out/latest/manifest.json").read_text("utf-8"))
    n = 400
    closed = pd.DataFrame(
        {
            "run": "r1", "as_of": "1998-01-01", "horizon": HORIZON, "model_version": "3",
            "model_digest": manifest["model"]["digest"], "customer_id": [f"c{i}" for i in range(n)],
            "in_log": True, "risk_tier": "high", "p_purchase": 0.25, "expected_orders": 0.3,
            "expected_spend": 5.0, "bought": [int(i % 4 == 0) for i in range(n)],
            "orders": [int(i % 4 == 0) for i in range(n)], "spend": [20.0 * (i % 4 == 0) for i in range(n)],
        }
    )  # fmt: skip
    folder = tmp_path / "out/outcomes/.made/x"
    folder.mkdir(parents=True)
    expected_against_actual(closed).to_csv(folder / "outcomes.csv", index=False)
    (tmp_path / "out/outcomes" / f"as_of={AS_OF}").symlink_to(Path(".made/x"))
    page = Page(made(config))
    buyers = row(page, "Expected against actual", "What", f"Version 3, {HORIZON} days: buyers")
    assert (buyers["Expected"], buyers["Came"]) == ("100", "100")
    assert buyers["Verdict"] == "as luck would have it"
    assert any("100 buyers were expected and 100 came" in text for text in page.texts)


def test_a_date_without_a_run_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config), "--quiet", "report", "--as-of", "1997-12-01"]) == 6
    assert "no run of 1997-12-01" in capsys.readouterr().err


def test_a_real_run_is_reported_with_its_grade(own_shop: Path) -> None:
    assert main(["--config", str(own_shop), "--quiet", "report", "--as-of", TRAINED]) == 0
    path = report_path(own_shop.parent / "out", date.fromisoformat(TRAINED))
    page = Page(path.read_text("utf-8"))
    assert any(re.match(r"Grade [A-D]:", text) for text in page.texts)
    assert len(page.tables["Top of the list by what is at stake; the whole list is risk_list.csv"]) == 20


def test_a_log_without_amounts_speaks_of_orders(tmp_path: Path) -> None:
    config = write_shop(tmp_path)
    config.write_text(config.read_text("utf-8").replace(', amount = "amount"', ""), "utf-8")
    run = tmp_path / "out/latest"
    scores = pd.read_parquet(run / "scores.parquet")
    money = ["total_spend", "clv_365d", f"expected_spend_{HORIZON}d"]
    scores.assign(**dict.fromkeys(money, float("nan"))).to_parquet(run / "scores.parquet")
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["segments"]["rules"]["premium_value"] = None
    listed = pd.read_csv(run / "risk_list.csv")
    listed.assign(net_value=np.nan, highest_offer=np.nan).to_csv(run / "risk_list.csv", index=False)
    manifest["outlook"] = {k: v for k, v in manifest["outlook"].items() if not k.startswith("spend")}
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    html = made(config)
    page = Page(html)
    assert "$" not in html
    assert "nan" not in " ".join(page.texts).lower().split()
    orders = VOICE.number(manifest["outlook"]["orders"])
    assert page.figures()[f"North Star: expected orders within {HORIZON} days"] == orders
    assert "Revenue" not in page.tables["Rates by month"][0]
    for sentence in (
        "no customer lifetime value can be given",
        "no spend to look at",
        "The log has no amounts",
    ):
        assert sentence in " ".join(page.texts)
