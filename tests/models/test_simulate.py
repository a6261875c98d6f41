"""The simulated shop is what it says it is: the papers' distributions, and a truth that fits its log."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import chisquare

from features.errors import ContractError
from models.simulate import ShopSpec, SimulatedShop, simulate_shop

START = pd.Timestamp("2024-01-01")
RICH = ShopSpec(
    n_customers=3000,
    season_amplitude=0.5,
    weekday_weights=(1, 1, 1, 1, 2, 3, 0.5),
    lines_per_order=2.5,
    refund_share=0.1,
    anonymous_share=0.2,
    attribute_effect=0.5,
)


def placed(shop: SimulatedShop) -> pd.DataFrame:
    """One row an order of a known customer."""
    log = shop.transactions
    log = log[log["customer_id"].notna() & (log["quantity"] > 0)]
    log = log.assign(amount=log["quantity"] * log["unit_price"])
    return log.groupby("order_id").agg(
        customer_id=("customer_id", "first"), ordered_at=("ordered_at", "first"), amount=("amount", "sum")
    )


def counts_and_times(shop: SimulatedShop) -> pd.DataFrame:
    """Repeat orders, age at the last one and age at the end, in continuous days."""
    day = pd.Timedelta(days=1)
    times = placed(shop).groupby("customer_id")["ordered_at"].agg(["size", "min", "max"])
    end = START + shop.spec.days * day
    return pd.DataFrame(
        {"x": times["size"] - 1, "tx": (times["max"] - times["min"]) / day, "T": (end - times["min"]) / day}
    )


def p_count(spec: ShopSpec, t: float, most: int) -> np.ndarray:
    """P(X(t) = 0..most) under BG/NBD: Fader, Hardie & Lee 2005, equation 8."""
    x = np.arange(most + 1)
    r, alpha, a, b = spec.r, spec.alpha, spec.a, spec.b
    nbd = np.exp(
        gammaln(r + x)
        - gammaln(r)
        - gammaln(x + 1)
        + r * np.log(alpha / (alpha + t))
        + x * np.log(t / (alpha + t))
    )
    stay = np.exp(betaln(a, b + x) - betaln(a, b))
    leave = np.exp(betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b)) * (x > 0)
    return stay * nbd + leave * (1 - np.concatenate([[0], np.cumsum(nbd)[:-1]]))


def mean_count(spec: ShopSpec, t: float) -> float:
    """E[X(t)] under BG/NBD: Fader, Hardie & Lee 2005, equation 9."""
    r, alpha, a, b = spec.r, spec.alpha, spec.a, spec.b
    gauss = hyp2f1(r, b, a + b - 1, t / (alpha + t))
    return float((a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * gauss))


@pytest.mark.parametrize(
    "truth",
    [{}, {"r": 1.4, "alpha": 40.0, "a": 0.5, "b": 2.0}, {"r": 4.0, "alpha": 90.0, "a": 1.7, "b": 9.0}],
    ids=["cdnow", "frequent", "even"],
)
def test_counts_follow_bg_nbd(truth: dict[str, float]) -> None:
    spec = ShopSpec(n_customers=30_000, days=300, acquisition_days=0, **truth)
    x = counts_and_times(simulate_shop(spec, 11))["x"].to_numpy()
    assert abs(x.mean() - mean_count(spec, 300)) < 4 * x.std() / np.sqrt(x.size)
    expected = p_count(spec, 300, 12)
    expected = x.size * np.append(expected, 1 - expected.sum())
    observed = np.bincount(np.minimum(x, 13), minlength=14)
    assert chisquare(observed, expected).pvalue > 1e-3


def test_customers_leave_only_after_a_repeat_purchase() -> None:
    shop = simulate_shop(ShopSpec(n_customers=5000, a=5.0, b=0.5), 3)
    orders = placed(shop).groupby("customer_id")["ordered_at"].agg(["size", "max"])
    truth = shop.truth.set_index("customer_id").join(orders)
    gone = truth["died_at"].notna()
    assert 0.3 < gone.mean() < 0.9
    assert (truth.loc[gone, "size"] >= 2).all()
    pd.testing.assert_series_equal(truth.loc[gone, "died_at"], truth.loc[gone, "max"], check_names=False)


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_recovers_the_parameters() -> None:
    from lifetimes import BetaGeoFitter

    spec = ShopSpec(n_customers=25_000, r=0.8, alpha=60.0, a=0.9, b=3.0)
    data = counts_and_times(simulate_shop(spec, 5))
    fitted = BetaGeoFitter().fit(data["x"], data["tx"] / 7, data["T"] / 7).params_
    truth = pd.Series({"r": spec.r, "alpha": spec.alpha / 7, "a": spec.a, "b": spec.b})
    np.testing.assert_allclose(fitted[truth.index], truth, rtol=0.12)


def test_spend_follows_gamma_gamma() -> None:
    spec = ShopSpec(n_customers=20_000, r=2.0, acquisition_days=0, p=4.0, q=6.0, v=50.0)
    shop = simulate_shop(spec, 2)
    orders = placed(shop).merge(shop.truth, on="customer_id")
    mean = shop.truth["mean_spend"]
    assert abs(mean.mean() - spec.p * spec.v / (spec.q - 1)) < 4 * mean.std() / np.sqrt(mean.size)
    ratio = orders["amount"] / orders["mean_spend"]  # Gamma(p, p): mean 1, variance 1/p
    assert ratio.mean() == pytest.approx(1, abs=4 / np.sqrt(spec.p * ratio.size))
    assert ratio.var() == pytest.approx(1 / spec.p, rel=0.03)


def test_an_orders_value_is_the_sum_of_its_lines() -> None:
    few = simulate_shop(ShopSpec(lines_per_order=1), 4)
    many = simulate_shop(ShopSpec(lines_per_order=4), 4)
    one, four = placed(few), placed(many)
    assert len(few.transactions) == len(one)
    assert len(many.transactions) / len(four) == pytest.approx(4, abs=0.2)
    assert four.index.equals(one.index)
    assert (four["ordered_at"] == one["ordered_at"]).all()
    assert (one["amount"] - four["amount"]).abs().mean() < 60  # the same customers, other draws
    assert four["amount"].mean() == pytest.approx(one["amount"].mean(), rel=0.1)


def test_same_seed_same_bytes() -> None:
    first, again, other = (simulate_shop(RICH, seed) for seed in (1, 1, 2))
    for name in ("transactions", "truth"):
        assert getattr(first, name).to_csv() == getattr(again, name).to_csv()
        assert getattr(first, name).to_csv() != getattr(other, name).to_csv()


def test_the_log_has_the_promised_shape() -> None:
    shop = simulate_shop(RICH, 1)
    log, truth = shop.transactions, shop.truth
    assert log.dtypes.astype(str).to_dict() == {
        "customer_id": "str",
        "order_id": "str",
        "ordered_at": "datetime64[us]",
        "product_id": "str",
        "quantity": "int64",
        "unit_price": "float64",
    }
    assert log["ordered_at"].is_monotonic_increasing
    assert log["ordered_at"].between(START, START + pd.Timedelta(days=730), inclusive="left").all()
    assert (log["quantity"] != 0).all()
    assert (log["unit_price"] >= 0.01).all()
    assert log["product_id"].nunique() <= RICH.n_products
    assert log.groupby("order_id")[["customer_id", "ordered_at"]].nunique().to_numpy().max() == 1
    assert set(log["customer_id"].dropna()) == set(truth["customer_id"])
    assert truth["customer_id"].is_unique
    first = placed(shop).groupby("customer_id")["ordered_at"].min()
    assert (first == truth.set_index("customer_id")["first_at"]).all()


def test_first_purchases_spread_over_the_acquisition_window() -> None:
    first = simulate_shop(ShopSpec(n_customers=20_000, acquisition_days=100), 9).truth["first_at"]
    age = (first - START) / pd.Timedelta(days=1)
    assert chisquare(np.histogram(age, 10, (0, 100))[0]).pvalue > 1e-3
    assert (simulate_shop(ShopSpec(acquisition_days=0), 9).truth["first_at"] == START).all()


def test_season_and_weekdays_are_visible() -> None:
    weights = (1, 1, 1, 1, 2, 3, 0.5)
    loyal = {"a": 1e-3, "b": 1e3, "acquisition_days": 0, "r": 2.0}
    spec = ShopSpec(
        n_customers=3000, days=364, season_amplitude=0.6, season_peak=91, weekday_weights=weights, **loyal
    )
    shop = simulate_shop(spec, 8)
    orders = placed(shop)
    at = orders.loc[orders["ordered_at"] > START, "ordered_at"]
    by_day = at.dt.day_of_week.value_counts().sort_index().to_numpy()
    np.testing.assert_allclose(by_day / by_day.sum(), np.array(weights) / sum(weights), rtol=0.05)
    week = (at - START).dt.days // 7
    spring, autumn = week.between(8, 17).sum(), week.between(34, 43).sum()
    daily = np.diff(spec.pace(364))
    promised = daily[56:126].sum() / daily[238:308].sum()
    assert promised > 3
    assert spring / autumn == pytest.approx(promised, rel=0.08)


def test_refunds_cancel_real_orders_later() -> None:
    shop = simulate_shop(RICH, 6)
    log = shop.transactions
    back = log[log["quantity"] < 0]
    assert back["order_id"].str.startswith("C").all()
    assert not log.loc[log["quantity"] > 0, "order_id"].str.startswith("C").any()
    original = back.assign(order_id=back["order_id"].str[1:], quantity=-back["quantity"])
    keys = ["customer_id", "order_id", "product_id", "quantity", "unit_price"]
    sold = log.groupby(keys)["ordered_at"].agg(["first", "size"])
    returned = original.groupby(keys)["ordered_at"].agg(["first", "size"])
    both = returned.merge(sold, how="left", on=keys, suffixes=("_back", "_sold"))
    assert both["size_sold"].notna().all()
    assert (both["size_back"] == both["size_sold"]).all()
    delay = both["first_back"] - both["first_sold"]
    assert (delay > pd.Timedelta(0)).all()
    assert delay.mean() / pd.Timedelta(days=1) == pytest.approx(RICH.refund_delay, rel=0.15)
    assert original["order_id"].nunique() / len(placed(shop)) == pytest.approx(RICH.refund_share, rel=0.15)


def test_anonymous_lines_have_the_share_asked_for() -> None:
    log = simulate_shop(RICH, 6).transactions
    sold = log[log["quantity"] > 0]
    assert sold["customer_id"].isna().mean() == pytest.approx(0.2, abs=1e-3)
    strangers = set(sold.loc[sold["customer_id"].isna(), "order_id"])
    assert strangers.isdisjoint(sold.loc[sold["customer_id"].notna(), "order_id"])


def test_refunds_and_strangers_leave_the_purchases_as_they_were() -> None:
    bare, full = (
        simulate_shop(ShopSpec(refund_share=share, anonymous_share=share), 1) for share in (0.0, 0.3)
    )
    log = full.transactions
    kept = log[log["customer_id"].notna() & (log["quantity"] > 0)].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, bare.transactions)
    pd.testing.assert_frame_equal(full.truth, bare.truth)


@pytest.mark.parametrize("effect", [0.0, 0.7])
def test_the_planted_effect_can_be_recovered(effect: float) -> None:
    loyal = {"a": 1e-3, "b": 1e3, "acquisition_days": 0, "r": 2.0}
    shop = simulate_shop(ShopSpec(n_customers=20_000, days=200, attribute_effect=effect, **loyal), 7)
    x = counts_and_times(shop)["x"].groupby(shop.truth.set_index("customer_id")["attribute"]).mean()
    assert np.log(x[1] / x[0]) == pytest.approx(effect, abs=0.05)


@pytest.mark.parametrize("amplitude", [0.0, 0.6])
@pytest.mark.parametrize("horizon", [30, 120])
def test_truth_at_a_cutoff_agrees_with_what_happened(amplitude: float, horizon: int) -> None:
    shop = simulate_shop(ShopSpec(n_customers=20_000, season_amplitude=amplitude), 13)
    cutoff = pd.Timestamp("2025-03-01")
    p, orders = shop.p_purchase(cutoff, horizon), shop.expected_orders(cutoff, horizon)
    log = placed(shop)
    known = log[log["ordered_at"] < cutoff]["customer_id"].unique()
    assert set(p.index) == set(known)
    window = log[log["ordered_at"].between(cutoff, cutoff + pd.Timedelta(days=horizon), inclusive="left")]
    bought = window["customer_id"].value_counts().reindex(p.index).fillna(0)
    assert (bought[~shop.alive_at(cutoff)] == 0).all()
    assert (p[~shop.alive_at(cutoff)] == 0).all()
    happened = (bought > 0).astype(float)
    assert abs((happened - p).sum()) < 4 * np.sqrt((p * (1 - p)).sum())
    assert abs((bought - orders).mean()) < 4 * (bought - orders).std() / np.sqrt(len(p))
    ranked = pd.qcut(p[p > 0.01], 5, labels=False)  # calibrated all along the scale
    gap = (happened - p).groupby(ranked).mean().abs()
    assert (gap < 4 * 0.5 / np.sqrt(len(ranked) / 5)).all()


def test_truth_at_a_cutoff_knows_only_who_had_come() -> None:
    shop = simulate_shop(ShopSpec(n_customers=500), 1)
    assert shop.alive_at(START).empty
    end = START + pd.Timedelta(days=730)
    alive = shop.alive_at(end)
    assert len(alive) == 500
    assert (alive.to_numpy() == shop.truth["died_at"].isna().to_numpy()).all()
    died = shop.truth["died_at"].dropna()
    first = died.index[0]
    one = shop.truth["customer_id"][first]
    assert shop.alive_at(died[first])[one]  # that purchase still lies in the window
    assert not shop.alive_at(died[first] + pd.Timedelta(microseconds=1))[one]
    near, far = (shop.p_purchase(end, days) for days in (30, 3000))
    assert (far >= near).all()
    assert (far <= 1).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", "January"),
        ("n_customers", 0),
        ("r", -1.0),
        ("alpha", float("nan")),
        ("season_amplitude", 1.0),
        ("refund_share", -0.1),
        ("attribute_share", 1.1),
        ("attribute_effect", float("inf")),
        ("acquisition_days", 800.0),
        ("lines_per_order", 0.5),
        ("weekday_weights", (1.0, 1.0)),
        ("weekday_weights", (1.0,) * 6 + (0.0,)),
    ],
)
def test_impossible_shops_are_refused(name: str, value: object) -> None:
    with pytest.raises(ContractError, match=name):
        ShopSpec(**{name: value})  # type: ignore[arg-type]


def test_impossible_questions_are_refused() -> None:
    shop = simulate_shop(ShopSpec(n_customers=5), 1)
    with pytest.raises(ContractError, match="outside"):
        shop.alive_at("2030-01-01")
    with pytest.raises(ContractError, match="horizon"):
        shop.p_purchase("2024-06-01", 0)
