"""The dumb rules do what a person with a spreadsheet would do, and are never certain."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.baselines import (
    RULES,
    BinnedRule,
    expected_orders_by_formula,
    expected_spend_by_formula,
    fit_rule,
)


def customers(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in columns.items()})


def test_base_rate_by_hand() -> None:
    rule = fit_rule("base_rate", customers(T=[1, 2, 3, 4]), np.array([1.0, 0, 0, 0]), 28)
    base = 1.5 / 5  # one buyer of four, and a row at one half
    assert rule.rates == (pytest.approx((1 + base) / 5),)
    assert rule.predict(customers(T=[9, 9]), 28).tolist() == [rule.rates[0]] * 2


def test_last_period_rates_by_hand() -> None:
    train = customers(orders_28d=[0, 0, 0, 1, 1, 2, 3, 7])
    bought = np.array([0.0, 0, 1, 1, 0, 1, 1, 1])
    rule = fit_rule("last_period_rule", train, bought, 28)
    base = 5.5 / 9
    by_hand = [(1 + base) / 4, (1 + base) / 3, (1 + base) / 2, (2 + base) / 3]  # 0, 1, 2, 3+ orders
    assert rule.edges == (1, 2, 3)
    np.testing.assert_allclose(rule.rates, by_hand, rtol=1e-12)
    predicted = rule.predict(customers(orders_28d=[3, 0, 2, 50, 1]), 28)
    np.testing.assert_allclose(predicted, np.take(by_hand, [3, 0, 2, 3, 1]), rtol=1e-12)


def test_the_last_period_is_as_long_as_the_horizon() -> None:
    frame = customers(orders_28d=[0, 0, 1, 1], orders_90d=[0, 1, 2, 3])
    bought = np.array([0.0, 1, 0, 1])
    short, long = (fit_rule("last_period_rule", frame, bought, h) for h in (28, 90))
    assert short.predict(frame, 28)[0] == short.predict(frame, 28)[1]
    assert long.predict(frame, 90)[0] != long.predict(frame, 90)[1]
    with pytest.raises(KeyError, match="orders_14d"):
        fit_rule("last_period_rule", frame, bought, 14)


@pytest.mark.parametrize("planted", [17, 60, 141])
def test_the_recency_search_finds_a_planted_threshold(planted: int) -> None:
    days = np.arange(1, 201, dtype=float)
    frame = customers(days_since_last_order=list(days))
    rule = fit_rule("recency_rule", frame, (days <= planted).astype(float), 28)
    assert len(rule.edges) == 1
    assert abs(rule.edges[0] - planted) <= 4  # its candidates are 2 % of the customers apart
    recent, silent = rule.predict(customers(days_since_last_order=[1, 200]), 28)
    assert recent > 0.9
    assert silent < 0.1


def test_a_value_on_the_edge_belongs_above_it() -> None:
    rule = BinnedRule("recency_rule", (30.0,), (0.9, 0.1))
    predicted = rule.predict(customers(days_since_last_order=[29, 30, 31]), 28)
    assert predicted.tolist() == [0.9, 0.1, 0.1]


def test_the_formulas_by_hand() -> None:
    frame = customers(n_orders=[6, 1], T=[60, 0], average_order_value=[20, 5])
    np.testing.assert_allclose(expected_orders_by_formula(frame, 30), [3, 30])  # a day at least
    np.testing.assert_allclose(expected_spend_by_formula(frame, 30), [60, 150])
    np.testing.assert_allclose(expected_spend_by_formula(frame, 90), [180, 450])


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_never_certain(panel: SimpleNamespace, name: str, outcome: float) -> None:
    train = panel.frame[panel.frame["cutoff"] < panel.until]
    rule = fit_rule(name, train, np.full(len(train), outcome), 90)
    p = rule.predict(panel.newest, 90)
    assert ((p > 0) & (p < 1)).all()
    assert abs(p - outcome).max() < 0.5


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_the_buyer_rate_of_its_bin(panel: SimpleNamespace, name: str) -> None:
    train = panel.frame[panel.frame["y_purchased_90d"].notna()]
    bought = train["y_purchased_90d"].to_numpy()
    rule = fit_rule(name, train, bought, 90)
    p = rule.predict(train, 90)
    assert len(rule.rates) == len(rule.edges) + 1
    assert list(rule.edges) == sorted(set(rule.edges))
    for rate in np.unique(p):
        at = p == rate
        assert rate == pytest.approx(bought[at].mean(), abs=1 / (at.sum() + 1))
    assert p.mean() == pytest.approx(bought.mean(), abs=0.002)


@pytest.mark.parametrize("name", RULES)
def test_json_round_trip_is_exact(panel: SimpleNamespace, name: str) -> None:
    train = panel.frame[panel.frame["y_purchased_28d"].notna()]
    rule = fit_rule(name, train, train["y_purchased_28d"].to_numpy(), 28)
    again = BinnedRule.from_dict(json.loads(json.dumps(rule.to_dict())))
    assert again == rule
    assert (again.predict(panel.newest, 28) == rule.predict(panel.newest, 28)).all()


@pytest.mark.parametrize(
    ("name", "sign"), [("recency_rule", -1), ("last_period_rule", 1), ("formula_rule", 1)]
)
def test_rules_point_the_right_way(panel: SimpleNamespace, name: str, sign: int) -> None:
    train = panel.frame[panel.frame["y_purchased_90d"].notna()]
    rule = fit_rule(name, train, train["y_purchased_90d"].to_numpy(), 90)
    assert sign * (rule.rates[-1] - rule.rates[0]) > 0.1
