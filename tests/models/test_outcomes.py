"""Expected against actual: hand-counted figures, and verdicts that are right as often as they say."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.outcomes import (
    CLOSED,
    COLUMNS,
    FEWER,
    LESS,
    MORE,
    UNSURE,
    WITHIN,
    expected_against_actual,
    outside,
)


def closed(rows: int = 10, **columns: object) -> pd.DataFrame:
    """Rows of one run."""
    usual = {
        "run": "r1", "as_of": date(2025, 3, 1), "horizon": 90, "model_version": "1", "model_digest": "sha",
        "customer_id": [f"u{i}" for i in range(rows)], "in_log": True, "risk_tier": "high",
        "p_purchase": 0.5, "expected_orders": 0.75, "expected_spend": 30.0, "bought": 0, "orders": 0,
        "spend": 0.0,
    }  # fmt: skip
    return pd.DataFrame({**usual, **columns}, index=range(rows))[CLOSED]


def find(table: pd.DataFrame, measure: str, by: str = "run", group: str | None = None) -> pd.Series:
    rows = table[(table["measure"] == measure) & (table["by"] == by)]
    if group is not None:
        rows = rows[rows["group"] == group]
    return rows.iloc[0]


def test_ten_customers_counted_by_hand() -> None:
    bought = np.arange(10) < 9
    table = expected_against_actual(closed(bought=bought * 1, orders=bought * 2, spend=bought * 10.0))
    assert list(table.columns) == COLUMNS
    buyers = find(table, "buyers")
    assert tuple(buyers[["run", "as_of", "group", "customers"]]) == ("r1", "2025-03-01", "2025-03-01", 10)
    assert tuple(buyers[["expected", "actual", "low", "high", "verdict"]]) == (5, 9, 2, 8, MORE)
    churn = find(table, "churn_rate")
    assert tuple(churn[["expected", "actual", "low", "high"]]) == pytest.approx((0.5, 0.1, 0.2, 0.8))
    assert churn["verdict"] == LESS
    assert tuple(find(table, "orders")[["expected", "actual"]]) == (7.5, 18)
    spend = find(table, "spend")
    assert tuple(spend[["expected", "actual"]]) == (300, 90)
    assert spend["verdict"] == UNSURE  # nine purchases do not tell how far spend spreads
    assert np.isnan(spend["low"])


def test_deciles_are_those_of_each_run_and_tiers_those_of_the_score() -> None:
    first = closed(20, p_purchase=np.linspace(0.01, 0.96, 20), risk_tier=["high"] * 5 + ["low"] * 15)
    second = first.assign(run="r2", as_of=date(2025, 4, 1), p_purchase=first["p_purchase"] / 10)
    table = expected_against_actual(pd.concat([first, second]))
    deciles = table[(table["by"] == "decile") & (table["measure"] == "buyers")]
    assert deciles["group"].tolist() == [str(d) for d in range(10, 0, -1)] * 3
    assert deciles["customers"].tolist() == [2] * 20 + [4] * 10
    top = first["p_purchase"].tail(2).sum()
    assert deciles[deciles["group"] == "10"]["expected"].tolist() == pytest.approx([top, top / 10, 1.1 * top])
    tiers = table[(table["by"] == "risk_tier") & (table["measure"] == "buyers")]
    assert list(zip(tiers["group"], tiers["customers"], strict=True)) == [
        ("high", 5), ("low", 15), ("high", 5), ("low", 15), ("high", 10), ("low", 30),
    ]  # fmt: skip
    assert table[table["run"] == ""]["by"].unique().tolist() == ["model_version", "decile", "risk_tier"]


def test_equal_probabilities_share_a_decile() -> None:
    table = expected_against_actual(closed())
    assert (table[table["by"] == "decile"]["customers"] == 10).all()


def test_models_that_share_a_number_are_not_added_up() -> None:
    first, second = closed(), closed(run="r2", model_digest="another", p_purchase=0.1)
    table = expected_against_actual(pd.concat([first, second]))
    whole = table[(table["by"] == "model_version") & (table["measure"] == "buyers")]
    assert dict(zip(whole["model_digest"], whole["expected"], strict=True)) == pytest.approx(
        {"sha": 5, "another": 1}
    )


def test_a_shop_without_amounts_has_no_spend() -> None:
    table = expected_against_actual(closed(expected_spend=np.nan, spend=np.nan))
    assert set(table["measure"]) == {"buyers", "churn_rate", "orders"}


def test_no_buyer_where_few_were_expected_is_within_chance() -> None:
    """In a shop whose other customers tell how far orders and spend spread."""
    many = world(np.random.default_rng(1), 2000).assign(risk_tier="high")
    quiet = closed(10, p_purchase=0.02, expected_orders=0.03, expected_spend=1.0, risk_tier="medium")
    table = expected_against_actual(pd.concat([many, quiet.assign(customer_id=quiet["customer_id"] + "q")]))
    tier = table[(table["by"] == "risk_tier") & (table["group"] == "medium")]
    assert (tier["actual"] == [0, 1, 0, 0] * 2).all()
    assert (tier["verdict"] == WITHIN).all()


def world(rng: np.random.Generator, n: int, promise: float = 1.0, sigma: float = 0.8) -> pd.DataFrame:
    """A run that promised `promise` times what is true."""
    p = rng.beta(0.6, 2.4, n)
    if_any, orders_if_any = 40 * np.exp(rng.normal(0, 0.6, n)), 1 + rng.gamma(1, 0.8, n)
    bought = rng.random(n) < p
    orders = bought * (1 + rng.poisson(orders_if_any - 1))
    spend = bought * if_any * np.exp(rng.normal(-(sigma**2) / 2, sigma, n))
    said = np.minimum(p * promise, 1)
    return closed(
        n, p_purchase=said, expected_orders=said * orders_if_any, expected_spend=said * if_any,
        bought=bought * 1, orders=orders, spend=spend,
        risk_tier=np.select([p < 0.05, p < 0.3], ["high", "medium"], "low"),
    )  # fmt: skip


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_luck_stays_inside_as_often_as_said(level: float) -> None:
    """Where the promise is right: in the whole, in each decile and in each tier."""
    rng = np.random.default_rng(11)
    worlds = 25
    tables = [expected_against_actual(world(rng, 600), level) for _ in range(worlds)]
    table = pd.concat(tables)
    single = table[table["run"] != ""]
    inside = single["verdict"].eq(WITHIN).groupby(single["measure"]).mean()
    assert (single["verdict"] != UNSURE).all()
    for measure in ("orders", "spend"):  # 350 comparisons each; spread learned from some 120 buyers
        assert inside[measure] == pytest.approx(level, abs=0.05)
    assert level - 0.03 <= inside["buyers"] <= level + 0.1  # whole numbers: more often than said, not less
    beyond, compared = outside(table)
    assert compared == worlds * 14 * 3
    assert beyond == (single[single["measure"] != "churn_rate"]["verdict"] != WITHIN).sum()


@pytest.mark.parametrize(("promise", "people", "amount"), [(1.2, FEWER, LESS), (1 / 1.2, MORE, MORE)])
def test_a_fifth_too_much_or_too_little_is_called(promise: float, people: str, amount: str) -> None:
    rng = np.random.default_rng(5)
    called = {"buyers": 0, "orders": 0, "spend": 0}
    for _ in range(10):
        table = expected_against_actual(world(rng, 3000, promise))
        for measure in called:
            said = find(table, measure)["verdict"]
            assert said in (WITHIN, amount if measure == "spend" else people)
            called[measure] += said != WITHIN
    assert called["buyers"] == 10
    assert called["orders"] >= 9
    assert called["spend"] >= 7


@pytest.mark.parametrize("level", [0.8, pytest.param(0.95, marks=pytest.mark.heavy)])
def test_overlapping_runs_do_not_make_luck_look_like_more(level: float) -> None:
    """Three dates within one window: nearly the same purchases three times over."""
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(15):
        first = world(rng, 400)
        runs = [first.assign(run=f"r{i}", as_of=date(2025, 3, 1 + i)) for i in range(3)]
        table = expected_against_actual(pd.concat(runs), level)
        whole = table[(table["by"] == "model_version") & (table["measure"] != "churn_rate")]
        inside += [*(whole["verdict"] == WITHIN)]
    assert np.mean(inside) == pytest.approx(level, abs=0.1)  # 0.55 at a level of 0.8, did rows count each


def test_the_order_of_rows_does_not_matter() -> None:
    rows = world(np.random.default_rng(4), 300)
    mixed = rows.sample(frac=1, random_state=1)
    one, other = expected_against_actual(rows), expected_against_actual(mixed)
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


def test_nothing_closed_is_an_empty_table() -> None:
    assert list(expected_against_actual(closed(0)).columns) == COLUMNS
