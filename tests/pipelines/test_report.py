# ruff: noqa: S608 (the queries are ours)
"""The report: its numbers found again in the raw log, both languages, nothing to fetch, nothing to run."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from models.outcomes import expected_against_actual
from pipelines.board_page import POLICY
from pipelines.cli import main
from pipelines.report import report_path
from pipelines.words import Voice

from .conftest import AS_OF as TRAINED
from .report_shop import AS_OF, HORIZON, HOSTILE, Page, write_shop

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
    share = sql("select avg((next_day - day <= 28)::int) from orders where next_day is not null")
    assert any(f"{VOICE.share(share, 0)} of all returns come within 28 days" in t for t in page.texts)


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
    assert (top[0]["Customer"], top[0]["Why"]) == (HOSTILE, "too <b>quiet</b>")
    second = page.tables["Most frequent second product after the first"]
    assert HOSTILE in {line["Second product"] for line in second}
    assert any(text == f"• look at {HOSTILE}" for text in page.texts)


def test_every_chart_has_its_table_and_every_link_its_place(html: str, page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert tags.count("svg") == tags.count("details") >= 7
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len({*ids}) >= 13
    links = {str(a["href"]).removeprefix("#") for tag, a in page.tags if tag == "a"}
    assert len(links) == 13
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
    assert {t for t in shared if " " in t} <= {"too <b>quiet</b>"}


def test_what_is_not_known_is_said(page: Page) -> None:
    said = " ".join(page.texts)
    for sentence in (
        "no grade is given",
        "is not known yet",
        "No past run has been held",
        "CLV:CAC and payback",
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
    assert main(["--config", str(config), "--quiet", "report", "--as-of", "1998-01-01"]) == 6
    assert "no run of 1998-01-01" in capsys.readouterr().err


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
