# ruff: noqa: S608 (the queries are ours)
"""The card of a customer: its numbers found again elsewhere, whom it names, and whom it does not."""

import hashlib
import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipelines.block_lines import on_a_screen
from pipelines.card_model import run_model
from pipelines.cell_text import original
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.pseudonyms import own_pseudonyms
from pipelines.published_runs import find_run
from pipelines.report_page import POLICY
from pipelines.show import file_name
from pipelines.words import Voice

from .conftest import AS_OF, copy_shop
from .report_shop import Page

LATER = (date.fromisoformat(AS_OF) + timedelta(7)).isoformat()
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd()|'/C calc'!A0",
    "../../../etc/passwd",
    "a'b\"; drop",
    "-5 {0}\x1b[2J",
)
TERMS = "[economics]\nmargin = 0.4\nacquisition_cost = 5\nsave_rate = 0.2\n"
Ask = Any
SEEN: dict[tuple[object, ...], dict[str, Any]] = {}


def call(config: Path, *words: str) -> int:
    return main(["--config", str(config), "--quiet", *words])


def card(config: Path, capsys: Any, customer: str, *words: str) -> dict[str, Any]:
    """The card as programs get it; asked for once, as it takes a second."""
    key = (config, customer, *words)
    if key not in SEEN or "--html" in words:
        assert call(config, "--json", "show", *words, "--", customer) == 0
        SEEN[key] = json.loads(capsys.readouterr().out)
    return SEEN[key]


def text_of(config: Path, capsys: Any, customer: str, *words: str) -> str:
    assert call(config, "show", *words, "--", customer) == 0
    return str(capsys.readouterr().out)


def html_of(config: Path, capsys: Any, customer: str) -> tuple[Path, str]:
    path = Path(card(config, capsys, customer, "--html")["html"])
    return path, path.read_text("utf-8")


@pytest.fixture(scope="module")
def config(run_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, a week apart; the log of the second calls five customers by hostile names."""
    found = copy_shop(run_shop, tmp_path_factory.mktemp("cards") / "shop")
    log = pd.read_parquet(found.parent / "orders.parquet")
    listed = pd.read_csv(found.parent / "out" / "latest" / "risk_list.csv")["customer_id"]
    renamed = dict(zip(listed[:5], HOSTILE, strict=True))
    log["customer_id"] = log["customer_id"].replace(renamed)
    log.to_parquet(found.parent / "orders.parquet")
    found.write_text(found.read_text("utf-8") + TERMS, "utf-8")
    assert call(found, "score", "--as-of", LATER) == 0
    return found


@pytest.fixture(scope="module")
def scores(config: Path) -> pd.DataFrame:
    return pd.read_parquet(config.parent / "out" / "latest" / "scores.parquet").set_index("customer_id")


@pytest.fixture(scope="module")
def sql(config: Path) -> Ask:
    connection = duckdb.connect()
    connection.execute(f"""create view raw as select *, cast(ordered_at as date) as day,
        round(quantity * unit_price, 4) as paid from '{config.parent}/orders.parquet'""")

    def ask(query: str, *values: object) -> list[Any]:
        return connection.execute(query, values).fetchall()

    return ask


@pytest.fixture(scope="module")
def some(scores: pd.DataFrame, sql: Ask) -> list[str]:
    """Customers of every kind: with refunds and without, with one order and with many, listed and not."""
    refunded = [
        c for (c,) in sql("select distinct customer_id from raw where quantity < 0") if c in scores.index
    ]
    many = scores.sort_values(["n_orders", "total_spend"]).index
    return [*sorted(refunded)[:3], *many[:2], *many[-4:], HOSTILE[0]]


def test_scores_are_those_of_the_run(
    config: Path, scores: pd.DataFrame, some: list[str], capsys: Any
) -> None:
    for customer in some:
        found, row = card(config, capsys, customer), scores.loc[customer]
        for name in ("status", "risk_tier", "p_alive", "n_orders", "total_spend", "value_at_risk", "T"):
            assert found[name] == row[name]
        for horizon in found["horizons"]:
            days = horizon["days"]
            for name in ("p_purchase", "p_churn", "expected_orders", "expected_spend"):
                assert horizon[name] == row[f"{name}_{days}d"]
            for end in ("lo", "hi"):
                assert horizon[f"expected_spend_{end}"] == row[f"expected_spend_{days}d_{end}"]
        worth = found["clv"]
        assert (worth["value"], worth["net"]) == (row["clv_365d"], row["clv_net_365d"])
        assert (worth["lo"], worth["hi"]) == (row["clv_365d_lo"], row["clv_365d_hi"])
        assert worth["to_cac"] == row["clv_to_cac"]
        assert worth["payback_days"] == (None if pd.isna(row["payback_days"]) else row["payback_days"])
        dates = {
            p: None if pd.isna(row[f"next_order_{p}"]) else str(row[f"next_order_{p}"])
            for p in ("p20", "p50", "p80")
        }
        assert found["next_order"] == dates
        assert [h["days"] for h in found["horizons"]] == [14, 45, 90]


def test_orders_are_those_of_the_raw_log(config: Path, some: list[str], sql: Ask, capsys: Any) -> None:
    for customer in some:
        orders = card(config, capsys, customer)["orders"]
        bought = sql(
            """select order_id, min(day), sum(paid) from raw where customer_id = ? and day < cast(? as date)
            and quantity > 0 group by 1""",
            customer, LATER,
        )  # fmt: skip
        placed = {o["number"]: o for o in orders if not o["is_refund"]}
        assert {number: str(day) for number, day, _ in bought} == {n: o["day"] for n, o in placed.items()}
        for number, _, paid in bought:
            assert placed[number]["amount"] + placed[number]["refunded"] == pytest.approx(paid, abs=1e-3)
        [(net,)] = sql(
            "select sum(paid) from raw where customer_id = ? and day < cast(? as date)", customer, LATER
        )
        assert sum(o["amount"] for o in orders) == pytest.approx(net, abs=1e-3)
        assert [o["day"] for o in orders] == sorted(o["day"] for o in orders)


def test_p_alive_ends_at_the_score_and_is_what_the_model_says_of_each_date(
    config: Path, scores: pd.DataFrame, sql: Ask, capsys: Any
) -> None:
    """What was known on each date is counted by SQL; the run's own model is asked."""
    refunded = {c for (c,) in sql("select distinct customer_id from raw where quantity < 0")}
    loyal = [c for c in scores.sort_values("n_orders").index if c not in refunded][-3:]
    btyd = run_model(load_config(config), find_run(config.parent / "out", LATER))
    assert btyd is not None
    for customer in loyal:
        points = card(config, capsys, customer)["p_alive_by_todays_model"]
        assert points[-1] == {"as_of": LATER, "p_alive": scores.loc[customer, "p_alive"]}
        assert len(points) > 40
        for point in points[:: len(points) // 7]:
            [(days, first, last)] = sql(
                """select count(distinct day), min(day), max(day) from raw
                where customer_id = ? and day < cast(? as date)""",
                customer, point["as_of"],
            )  # fmt: skip
            age = (date.fromisoformat(point["as_of"]) - first).days
            history = [np.array([float(n)]) for n in (days - 1, (last - first).days, age)]
            assert point["p_alive"] == pytest.approx(btyd.bg.p_alive(*history)[0], abs=1e-12)


def test_the_interval_of_orders_holds_four_times_in_five_by_the_runs_own_chance(
    config: Path, scores: pd.DataFrame, some: list[str], capsys: Any
) -> None:
    btyd = run_model(load_config(config), find_run(config.parent / "out", LATER))
    assert btyd is not None
    for customer in some:
        row = scores.loc[customer]
        history = [np.array([float(row[name])]) for name in ("frequency", "recency", "T")]
        horizon = card(config, capsys, customer)["horizons"][-1]
        counts = np.arange(0, 200.0)
        more = np.array([btyd.bg.p_at_least(n, 90, *history)[0] for n in counts])
        more[1:] *= row["p_purchase_90d"] / more[1]
        low, high = horizon["order_days_lo"], horizon["order_days_hi"]
        assert more[low] >= 0.9
        assert more[low + 1] < 0.9
        assert more[high + 1] <= 0.1
        assert high == 0 or more[high] > 0.1


def test_place_and_reasons_are_those_of_the_list(config: Path, scores: pd.DataFrame, capsys: Any) -> None:
    listed = pd.read_csv(config.parent / "out" / "latest" / "risk_list.csv", keep_default_na=False)
    for row in [
        *listed.head(8).to_dict("records"),
        *listed[listed["group"] == "control"].head(1).to_dict("records"),
    ]:
        found = card(config, capsys, original(row["customer_id"]))
        assert found["risk_list"] == {
            name: row[name]
            for name in ("rank", "group", "campaign", "value_at_risk", "net_value", "highest_offer")
        }
        texts = [original(row[f"reason_{place}"]) for place in (1, 2, 3) if row[f"reason_{place}"]]
        assert [reason["said"] for reason in found["reasons"]] == texts
    other = scores.index.difference([original(c) for c in listed["customer_id"]])[0]
    found = card(config, capsys, other)
    assert (found["risk_list"], found["reasons"]) == (None, [])
    assert "Not on the risk list" in text_of(config, capsys, other)


def test_groups_are_those_of_both_runs(config: Path, capsys: Any) -> None:
    tables = {
        day: pd.read_parquet(
            config.parent / "out" / "scores" / f"as_of={day}" / "segments.parquet"
        ).set_index("customer_id")
        for day in (AS_OF, LATER)
    }
    after = tables[LATER]
    moved = after[
        after["why_lifecycle"].isin(["time", "behaviour"]) & after.index.isin(tables[AS_OF].index)
    ].index
    for customer in [*moved[:2], after.index[-1]]:
        found = card(config, capsys, customer)["segments"]
        assert [row["as_of"] for row in found] == [AS_OF, LATER]
        for row in found:
            theirs = tables[row["as_of"]].loc[customer]
            for name in ("lifecycle", "risk_group", "recency_group", "rfm", "why_lifecycle", "was_lifecycle"):
                assert row[name] == (None if pd.isna(theirs[name]) else theirs[name])
    said = text_of(config, capsys, moved[0])
    was, now = (
        Voice("en")(f"segment.lifecycle.{after.loc[moved[0], name]}")
        for name in ("was_lifecycle", "lifecycle")
    )
    assert f"Group: {was} → {now} (" in said
    then = card(config, capsys, moved[0], "--as-of", AS_OF)
    assert (then["as_of"], [row["as_of"] for row in then["segments"]]) == (AS_OF, [AS_OF])
    assert all(order["day"] < AS_OF for order in then["orders"])


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_page_in_both_languages(
    config: Path, scores: pd.DataFrame, language: Any, tmp_path: Path, capsys: Any
) -> None:
    own = config.with_name(f"{language}.toml")
    own.write_text(
        config.read_text("utf-8").replace('currency = "EUR"', f'currency = "EUR"\nlanguage = "{language}"'),
        "utf-8",
    )
    customer = scores["n_orders"].idxmax()
    _, html = html_of(own, capsys, customer)
    page, voice, row = Page(html), Voice(language, "EUR"), scores.loc[customer]
    assert f'<html lang="{language}">' in html
    assert [text for name, _ in page.tags if name == "section" for text in ["section"]] == ["section"] * 7
    figures = page.figures()
    assert figures[voice("card.now.spend")] == voice.money(row["total_spend"], 2)
    assert figures[voice("card.worth.cac")] == voice.number(row["clv_to_cac"], 1)
    ahead = page.tables[voice("card.outlook.table")]
    assert [line[voice("card.outlook.churn")] for line in ahead] == [
        voice.share(row[f"p_churn_{h}d"]) for h in (14, 45, 90)
    ]
    assert [line[voice("card.outlook.spend")] for line in ahead] == [
        voice.money(row[f"expected_spend_{h}d"], 2) for h in (14, 45, 90)
    ]
    alive = page.tables[voice("card.alive.chart")]
    assert alive[-1] == {
        voice("card.alive.day"): voice.day(date.fromisoformat(LATER)),
        "P(alive)": voice.share(row["p_alive"]),
    }
    terms = {
        "vi": ("xác suất rời bỏ", "xác suất mua lại", "giá trị vòng đời khách hàng"),
        "en": ("churn", "CLV", "P(alive)"),
    }
    for term in terms[language]:
        assert term.lower() in html.lower()
    told = text_of(own, capsys, customer)
    assert voice("card.title.orders") in told
    assert voice.money(row["total_spend"], 2) in told


def test_a_page_fetches_nothing_and_runs_nothing(config: Path, scores: pd.DataFrame, capsys: Any) -> None:
    path, html = html_of(config, capsys, HOSTILE[0])
    page = Page(html)
    assert path.parent == config.parent / "out" / "customers" / f"as_of={LATER}"
    names = {name for name, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "image", "foreignobject"}
    assert POLICY in html
    assert "://" not in html
    assert [key for _, attributes in page.tags for key in attributes if key.startswith("on")] == []
    assert all(
        value.startswith("#")
        for _, a in page.tags
        for k, value in a.items()
        if k in ("href", "src") and value
    )
    assert len([name for name in (tag for tag, _ in page.tags) if name == "svg"]) == 2
    assert html_of(config, capsys, HOSTILE[0])[1] == html


def test_hostile_ids_are_text_and_name_no_other_place(config: Path, capsys: Any) -> None:
    out = config.parent / "out"
    for customer in HOSTILE:
        assert card(config, capsys, customer)["customer_id"] == customer
        said = text_of(config, capsys, customer)
        assert on_a_screen(customer) in said
        assert "\x1b" not in said
        path, html = html_of(config, capsys, customer)
        assert path.parent == out / "customers" / f"as_of={LATER}"
        assert path.name == f"{file_name(customer)}.html"
        assert set(path.stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        [heading] = [text for text in Page(html).texts if text.startswith("Customer ")]
        assert heading == f"Customer {customer}, as of {Voice('en').day(date.fromisoformat(LATER))}"
    assert card(config, capsys, f"  {HOSTILE[1]}\n")["customer_id"] == HOSTILE[1]  # as at the door


def test_file_names_tell_customers_apart() -> None:
    ids = [
        "a/b",
        "a_b",
        "A_b",
        "a b",
        "a-b",
        "",
        ".",
        "..",
        "/",
        "khách",
        "x" * 65,
        "x" * 66,
        "17850",
        "017850",
    ]
    assert len({file_name(one) for one in ids}) == len(ids)
    assert file_name("a/b") == f"a_b-{hashlib.sha256(b'a/b').hexdigest()[:12]}"


def test_nobody_of_that_name(config: Path, scores: pd.DataFrame, capsys: Any) -> None:
    for given in ("canary-of-a-typo", "U0000161", "c_" + "0" * 24, "x' or 1=1 --"):
        assert call(config, "--json", "show", given) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "the log has no such customer; hint: " in printed.err
        assert "customer_id" in printed.err
        assert not [one for one in scores.index if one in printed.err]


def test_of_a_date_without_a_run(config: Path, capsys: Any) -> None:
    assert call(config, "show", HOSTILE[0], "--as-of", "2025-02-01") == 6
    assert "no run of 2025-02-01" in capsys.readouterr().err


WHY = {
    "late": f"their first order, of {LATER}, came after",
    "slow": "their first order, of 2025-01-05, was recorded only on 2025-03-09",
    "back": f"all they had ordered was taken back by what was known before {LATER}",
    "only": "all rows of theirs are refunds",
    "new": "the log has changed since that run was made",
}


def test_why_a_customer_of_the_log_is_not_in_the_run(config: Path, capsys: Any) -> None:
    log = pd.read_parquet(config.parent / "orders.parquet")
    days = ["2025-01-05", "2025-01-07", "2025-01-07", LATER, "2025-01-05", "2025-01-05"]
    rows = log.iloc[:6].assign(
        customer_id=["back", "back", "only", "late", "slow", "new"],
        order_id=["900001", "C900001", "C900002", "900003", "900004", "900005"],
        ordered_at=pd.to_datetime(days),
        quantity=[2, -2, -1, 1, 1, 1],
        product_id="p",
        unit_price=3.0,
    )
    whole = pd.concat([log, rows])
    known = whole["ordered_at"].where(whole["customer_id"] != "slow", pd.Timestamp("2025-03-09"))
    whole.assign(recorded=known).to_parquet(config.parent / "more.parquet")
    own = config.with_name("more.toml")
    text = config.read_text("utf-8").replace("orders.parquet", "more.parquet")
    own.write_text(text.replace('quantity = "', 'recorded_at = "recorded"\nquantity = "', 1), "utf-8")
    for customer, why in WHY.items():
        assert call(own, "show", customer) == 2
        assert f"does not have this customer; hint: {why}" in capsys.readouterr().err
    # The log of today has other names than the run of before knew.
    assert call(config, "show", "--as-of", AS_OF, "--", HOSTILE[0]) == 2
    assert WHY["new"] in capsys.readouterr().err


def test_the_log_of_jobs_names_nobody(config: Path, scores: pd.DataFrame, capsys: Any) -> None:
    customer = scores["n_orders"].idxmax()
    text_of(config, capsys, customer)
    html_of(config, capsys, HOSTILE[2])
    assert call(config, "show", "canary-of-a-typo") == 2
    log = (config.parent / "out" / "log.jsonl").read_text("utf-8")
    for name in (customer, "canary-of-a-typo", "passwd", *HOSTILE):
        assert json.dumps(name, ensure_ascii=False)[1:-1] not in log
    assert '"customer": "not written down"' in log
    assert "the log has no such customer" in log


def test_whom_the_log_has_lost_has_scores_all_the_same(
    config: Path, scores: pd.DataFrame, capsys: Any
) -> None:
    log = pd.read_parquet(config.parent / "orders.parquet")
    customer = scores["n_orders"].idxmax()
    own = config.with_name("lost.toml")
    own.write_text(config.read_text("utf-8").replace("orders.parquet", "lost.parquet"), "utf-8")
    log[log["customer_id"] != customer].to_parquet(config.parent / "lost.parquet")
    found = card(own, capsys, customer)
    assert (found["orders"], found["p_alive_by_todays_model"]) == ([], [])
    assert found["p_alive"] == scores.loc[customer, "p_alive"]
    said = text_of(own, capsys, customer)
    assert "The log has no orders of this customer" in said
    assert "otherwise than it did when the run was made" in said


def test_without_the_runs_model_the_card_says_so(config: Path, tmp_path: Path, capsys: Any) -> None:
    shutil.copytree(
        config.parent,
        tmp_path / "copy",
        symlinks=True,
        ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"),
    )
    own = tmp_path / "copy" / config.name
    assert card(own, capsys, HOSTILE[0])["p_alive_by_todays_model"] is None
    said = text_of(own, capsys, HOSTILE[0])
    assert "no interval is given for orders" in said
    assert "model is not at hand, so nothing is said of the past" in said
    assert not (own.parent / "mlflow.db").exists()


@pytest.fixture(scope="module")
def hidden(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop with pseudonyms, from its newest run on."""
    found = copy_shop(config, tmp_path_factory.mktemp("hidden") / "shop")
    shutil.rmtree(found.parent / "out" / "customers", ignore_errors=True)
    found.write_text(found.read_text("utf-8") + '[privacy]\nlists = "pseudonyms"\n', "utf-8")
    assert call(found, "score", "--as-of", LATER) == 0
    return found


def test_pseudonyms_lead_to_the_card_and_nothing_of_it_to_the_customer(
    hidden: Path, config: Path, scores: pd.DataFrame, capsys: Any
) -> None:
    for customer in (HOSTILE[0], str(scores["n_orders"].idxmax())):
        name = own_pseudonyms(load_config(hidden), create=False).of(customer)
        by_id, by_name = (card(hidden, capsys, given) for given in (customer, name))
        assert by_id == by_name
        assert by_id["customer_id"] == name
        named = card(config, capsys, customer)
        same = ("horizons", "clv", "next_order", "p_alive_by_todays_model", "status", "risk_list")
        assert {key: by_id[key] for key in same} == {key: named[key] for key in same}
        # The run of before the switch lists ids, and is of the same customer.
        assert [row["as_of"] for row in by_id["segments"]] == [row["as_of"] for row in named["segments"]]
        path, html = html_of(hidden, capsys, customer)
        assert path.name == f"{name}.html"
        numbers = {order["number"] for order in named["orders"]}
        for text in (html, text_of(hidden, capsys, name), json.dumps(by_id)):
            assert name in text
            assert customer not in text
            assert "script>alert" not in text
            assert not [number for number in numbers if number in text]
    log = (hidden.parent / "out" / "log.jsonl").read_text("utf-8")
    assert own_pseudonyms(load_config(hidden)).of(HOSTILE[0]) not in log
    assert {path.name[:2] for path in (hidden.parent / "out" / "customers").rglob("*.html")} == {"c_"}


def test_pseudonyms_of_nobody_or_of_another_key(hidden: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(hidden, "show", "c_" + "0" * 24) == 2
    assert "no such customer" in capsys.readouterr().err
    own = hidden.with_name("other.toml")
    own.write_text(hidden.read_text("utf-8") + 'key_file = "other.key"\n', "utf-8")
    (hidden.parent / "other.key").write_text("0123456789abcdef" * 4)
    (hidden.parent / "other.key").chmod(0o600)
    assert call(own, "show", HOSTILE[0]) == 6
    assert "pseudonyms made with another key" in capsys.readouterr().err
