"""Orders and spend given a purchase: their sums are right, and they grow with time."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.folds import choose_trees_weight, make_fold
from models.value import ValueModel, fit_value, gamma_deviance_rows

H = 90
LENGTHS = [7, 28, 90, 180, 365, 730]


def train_of(panel: SimpleNamespace) -> pd.DataFrame:
    return make_fold(panel.frame, panel.until, H).train


@pytest.fixture(scope="module", params=[0.0, 0.5, 1.0], ids=["gamma_gamma", "both", "trees"])
def model(request: pytest.FixtureRequest, panel: SimpleNamespace) -> ValueModel:
    return fit_value(train_of(panel), panel.btyd, H, panel.features, trees_weight=request.param, seed=7)


def test_sums_over_the_training_buyers_are_right(panel: SimpleNamespace) -> None:
    train = train_of(panel)
    model = fit_value(train, panel.btyd, H, panel.features, trees_weight=0.0, seed=7)
    buyers = train[train["y_purchased_90d"] == 1]
    days = buyers["btyd_days_if_any_90d"]
    assert (days * model.orders_ratio).sum() == pytest.approx(buyers["y_orders_90d"].sum())
    spend = days * buyers["btyd_spend_per_day"] * model.spend_ratio
    assert spend.sum() == pytest.approx(buyers["y_spend_90d"].sum())
    assert 0.8 < model.orders_ratio < 1.3  # the shop is what BG/NBD and Gamma-Gamma describe
    assert 0.7 < model.spend_ratio < 1.4


def test_only_buyers_teach(panel: SimpleNamespace) -> None:
    train = train_of(panel)
    stayed_away = train["y_purchased_90d"] == 0
    other = train.copy()
    other.loc[stayed_away, ["y_orders_90d", "y_spend_90d"]] = 999.0
    there, back = (
        fit_value(t, panel.btyd, H, panel.features, trees_weight=0.0, seed=7) for t in (train, other)
    )
    assert there == back


def test_orders_if_any(model: ValueModel, panel: SimpleNamespace) -> None:
    orders = np.column_stack([model.orders_if_any(panel.newest, t) for t in LENGTHS])
    assert (orders >= 1).all()
    assert (np.diff(orders, axis=1) >= 0).all()
    assert orders[:, -1].max() > 5
    np.testing.assert_allclose(
        orders[:, 2], np.maximum(panel.newest["btyd_days_if_any_90d"] * model.orders_ratio, 1), rtol=1e-12
    )


def test_fewer_orders_than_days_still_make_one(panel: SimpleNamespace) -> None:
    stingy = ValueModel(panel.btyd, H, orders_ratio=0.1, spend_ratio=1.0)
    assert (stingy.orders_if_any(panel.newest, 7) == 1).all()


def test_spend_grows_with_the_horizon(model: ValueModel, panel: SimpleNamespace) -> None:
    by_horizon = model.spend_if_any(panel.newest, LENGTHS)
    assert list(by_horizon) == LENGTHS
    spend = np.column_stack(list(by_horizon.values()))
    assert np.isfinite(spend).all()
    assert (spend > 0).all()
    assert (np.diff(spend, axis=1) >= -1e-9 * spend[:, 1:]).all()
    days = np.column_stack([panel.btyd.days_if_any(t, panel.newest) for t in LENGTHS])
    np.testing.assert_allclose(spend / spend[:, [2]], days / days[:, [2]], rtol=1e-9)


def test_what_is_asked_together_is_what_is_asked_alone(model: ValueModel, panel: SimpleNamespace) -> None:
    together = model.spend_if_any(panel.newest, LENGTHS)
    for length in (28, 90):
        np.testing.assert_array_equal(model.spend_if_any(panel.newest, [length])[length], together[length])


def test_big_spenders_are_expected_to_spend_more(model: ValueModel, panel: SimpleNamespace) -> None:
    """Against the truth behind the shop: the mean of an order is the customer's own."""
    truth = panel.shop.truth.set_index("customer_id")["mean_spend"]
    known = panel.newest[panel.newest["frequency"] >= 3]
    actual = truth.reindex(known["customer_id"]).to_numpy()
    expected = model.spend_if_any(known, [H])[H] / panel.btyd.days_if_any(H, known)
    assert np.corrcoef(np.log(actual), np.log(expected))[0, 1] > 0.6


def test_without_amounts_spend_is_missing(panel_without_amounts: SimpleNamespace) -> None:
    panel = panel_without_amounts
    model = fit_value(train_of(panel), panel.btyd, H, panel.features, trees_weight=1.0, seed=7)
    assert model.trees is None
    assert np.isnan(model.spend_ratio)
    assert np.isnan(model.spend_if_any(panel.newest, [28])[28]).all()
    assert (model.orders_if_any(panel.newest, 28) >= 1).all()


@pytest.mark.parametrize("trees_weight", [0.0, 1.0])
def test_nobody_bought(panel: SimpleNamespace, trees_weight: float) -> None:
    train = train_of(panel).assign(y_purchased_90d=0.0)
    model = fit_value(train, panel.btyd, H, panel.features, trees_weight=trees_weight, seed=7)
    assert model.orders_ratio == 1
    assert model.trees is None
    assert (model.orders_if_any(panel.newest, 28) >= 1).all()


def test_cutoffs_before_the_first_repeat_buyer_are_left_out_of_the_sum(panel: SimpleNamespace) -> None:
    """Where no spend model could be fitted yet, its column is empty."""
    train = train_of(panel)
    early = train["cutoff"] == train["cutoff"].min()
    gaps = train.assign(btyd_spend_per_day=train["btyd_spend_per_day"].where(~early))
    found = fit_value(gaps, panel.btyd, H, panel.features, trees_weight=1.0, seed=7)
    later = fit_value(train[~early], panel.btyd, H, panel.features, trees_weight=0.0, seed=7)
    assert found.spend_ratio == pytest.approx(later.spend_ratio)
    assert np.isfinite(found.spend_if_any(panel.newest, [H])[H]).all()


def test_trees_learn_where_every_spend_is_missing(panel: SimpleNamespace) -> None:
    """The newest cutoff has repeat buyers, those with labels had none yet."""
    train = train_of(panel).assign(btyd_spend_per_day=np.nan)
    model = fit_value(train, panel.btyd, H, panel.features, trees_weight=1.0, seed=7)
    assert model.trees is not None
    assert (model.spend_if_any(panel.newest, [H])[H] > 0).all()


def test_json_round_trip_is_exact(model: ValueModel, panel: SimpleNamespace) -> None:
    state = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    again = ValueModel.from_dict(state, panel.btyd, model.trees)
    for length in (28, 90, 365):
        np.testing.assert_array_equal(
            again.spend_if_any(panel.newest, [length])[length],
            model.spend_if_any(panel.newest, [length])[length],
        )
        np.testing.assert_array_equal(
            again.orders_if_any(panel.newest, length), model.orders_if_any(panel.newest, length)
        )


def test_json_has_no_nan(panel_without_amounts: SimpleNamespace) -> None:
    model = ValueModel(panel_without_amounts.btyd, 28, 1.0, float("nan"))
    state = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    assert np.isnan(ValueModel.from_dict(state, panel_without_amounts.btyd, None).spend_ratio)


# ---- which spend model ------------------------------------------------------------------------------------

AMOUNTS = st.floats(0.01, 1e6)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1))
def test_gamma_deviance_is_zero_for_the_truth_and_positive_elsewhere(
    pairs: list[tuple[float, float]],
) -> None:
    actual, expected = np.array(pairs).T
    deviance = gamma_deviance_rows(actual, expected)
    apart = np.abs(actual / expected - 1) > 1e-6
    assert (deviance[apart] > 0).all()
    assert (deviance >= -1e-12).all()
    assert (gamma_deviance_rows(actual, actual) == 0).all()
    np.testing.assert_allclose(gamma_deviance_rows(actual * 7, expected * 7), deviance, atol=1e-6, rtol=1e-9)


def test_gamma_deviance_grows_with_distance() -> None:
    deviance = gamma_deviance_rows(np.full(4, 10.0), np.array([10.0, 12.0, 20.0, 200.0]))
    assert (np.diff(deviance) > 0).all()
    assert gamma_deviance_rows(np.array([20.0]), np.array([10.0]))[0] == pytest.approx(
        2 * (2 - 1 - np.log(2))
    )


def spends(good: str, n: int = 400) -> pd.DataFrame:
    """A fold table in which one spend model knows the customer's mean, and the other only the average."""
    rng = np.random.default_rng(3)
    mean = rng.gamma(2, 20, n) + 1
    knows, guesses = mean, np.full(n, mean.mean())
    return pd.DataFrame(
        {
            "customer_id": [f"u{i}" for i in range(n)],
            "bought": (rng.random(n) < 0.5).astype(float),
            "spend": mean * rng.gamma(8, 1 / 8, n) + 0.01,
            "if_any_btyd_spend": knows if good == "btyd" else guesses,
            "if_any_both_spend": np.sqrt(knows * guesses) if good == "boosting" else guesses,
            "if_any_boosting_spend": knows if good == "boosting" else guesses,
        }
    )


def test_trees_only_where_they_win() -> None:
    assert choose_trees_weight(spends("boosting"), seed=1) == 1.0
    assert choose_trees_weight(spends("btyd"), seed=1) == 0.0
    assert choose_trees_weight(spends("neither"), seed=1) == 0.0  # a tie goes to the simpler


def test_the_mean_of_both_where_each_errs_its_own_way() -> None:
    table = spends("btyd")
    noise = np.exp(np.random.default_rng(8).normal(0, 0.5, (2, len(table))))
    knows = table["if_any_btyd_spend"]
    found = table.assign(
        if_any_btyd_spend=knows * noise[0],
        if_any_boosting_spend=knows * noise[1],
        if_any_both_spend=knows * np.sqrt(noise[0] * noise[1]),
    )
    assert choose_trees_weight(found, seed=1) == 0.5


def test_trees_must_win_clearly() -> None:
    table = spends("boosting").query("bought == 1").head(4)
    off = table["if_any_btyd_spend"] * [1.01, 0.99, 1.02, 0.98]
    noise = table.assign(if_any_boosting_spend=off, if_any_both_spend=off)
    assert choose_trees_weight(noise, seed=1) == 0.0


def test_spend_of_those_who_stayed_away_does_not_count() -> None:
    table = spends("boosting")
    away = table["bought"] == 0
    table.loc[away, ["spend", "if_any_boosting_spend"]] = [0.0, 1e9]
    assert choose_trees_weight(table, seed=1) == 1.0


def test_no_trees_without_evidence() -> None:
    table = spends("boosting")
    assert choose_trees_weight(table.drop(columns="if_any_boosting_spend"), seed=1) == 0.0
    assert choose_trees_weight(table.assign(bought=0.0), seed=1) == 0.0
    assert choose_trees_weight(table.assign(if_any_btyd_spend=np.nan), seed=1) == 0.0
    one_buyer = table.assign(bought=(table.index == 5).astype(float))
    assert choose_trees_weight(one_buyer, seed=1) == 0.0  # an interval over customers needs two
