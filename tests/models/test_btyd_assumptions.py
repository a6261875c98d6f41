"""Each assumption is seen to hold where it does, and to break where it is broken."""

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from models.btyd_assumptions import check_assumptions, judge_span, judge_timing
from models.findings import Finding
from models.gamma_gamma import GammaGammaModel
from models.mbgnbd import ModifiedBetaGeoModel
from models.spend_assumptions import judge_independence, judge_spend_trend, spend_ranks
from tests.models.story import drawn_histories

SHOPS = 100


def findings(
    customers: pd.DataFrame,
    model: type[BetaGeoModel | ModifiedBetaGeoModel] = BetaGeoModel,
    *,
    has_amounts: bool = True,
) -> dict[str, Finding]:
    found = check_assumptions(customers, model().fit(customers), has_amounts=has_amounts)
    return {finding.code: finding for finding in found}


@pytest.fixture(scope="module")
def shop(cdnow: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    days = cdnow.assign(recency=(cdnow["recency"] * 7).round(), T=(cdnow["T"] * 7).round())
    n = days["frequency"]
    return days.assign(
        monetary_value=rng.gamma(4, 8, len(days)),
        order_value_trend=rng.gamma(6, 1 / 6, len(days)),
        gap_irregularity=np.sqrt((n - 1).clip(lower=0) / (n + 1)).where(n > 0)
        * rng.uniform(0.6, 1.4, len(days)),
    )


def purchase_days(
    seed: int, n: int, mean_gap: float, T: int, *, shape: float = 1.0, step: int = 1, leaves: float = 0.0
) -> pd.DataFrame:
    """Draw customers with Gamma(`shape`) gaps, as a log that is dated by `step` days shows them."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(5, 1 / (5 * mean_gap), (n, 1))
    gaps = rng.gamma(shape, 1 / shape, (n, int(6 * T / mean_gap) + 10)) / rate
    clock = step * rng.random((n, 1)) + gaps.cumsum(axis=1)
    stays = (rng.random(clock.shape) >= leaves).cumprod(axis=1)
    clock[:, 1:] = np.where(stays[:, :-1] == 1, clock[:, 1:], T)
    days = np.where(clock < T, clock // step * step, 0)
    apart = np.diff(np.maximum.accumulate(days, axis=1), axis=1, prepend=0)
    x, t_x = (apart > 0).sum(axis=1), apart.sum(axis=1)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(np.maximum(x * (apart**2).sum(axis=1) / t_x**2 - 1, 0))
    table = {"frequency": x.astype(float), "recency": t_x, "T": float(T), "gap_irregularity": spread}
    return pd.DataFrame(table)


def orders(seed: int, p: float, n: int = 600, growth: float = 1.0, taste: float = 0.0) -> pd.DataFrame:
    """Draw Gamma-Gamma orders; recent ones grow, or those of frequent buyers are larger."""
    rng = np.random.default_rng(seed)
    x, recent = rng.geometric(0.3, n), rng.integers(0, 4, n)
    nu = rng.gamma(3.7, 1, n)
    place = np.arange(x.max() + 1)
    value = rng.gamma(p, 1, (n, place.size)) / nu[:, None] * (1.0 + x[:, None]) ** taste
    held = place <= x[:, None]
    new = held & (place > (x - recent)[:, None])
    value = np.where(new, growth * value, value)
    with np.errstate(invalid="ignore"):
        trend = (value * new).sum(axis=1) / new.sum(axis=1) / ((value * held).sum(axis=1) / (x + 1))
    repeat = (value * (held & (place > 0))).sum(axis=1) / x
    return pd.DataFrame({"frequency": 1.0 * x, "monetary_value": repeat, "order_value_trend": trend})


def test_where_all_holds(shop: pd.DataFrame) -> None:
    found = findings(shop)
    assert {code for code, f in found.items() if f.severity == "warning"} == set()
    assert set(found) == {
        "btyd_one_time", "btyd_identified", "btyd_span",
        "btyd_spend_independent", "btyd_spend_stationary", "btyd_timing",
    }  # fmt: skip
    assert found["btyd_one_time"].numbers["share"] == pytest.approx(1411 / 2357)


def test_without_amounts_spend_is_not_looked_at(shop: pd.DataFrame) -> None:
    bare = shop.drop(columns="monetary_value")
    assert not [code for code in findings(bare, has_amounts=False) if "spend" in code]


def test_what_is_missing_is_named(shop: pd.DataFrame) -> None:
    with pytest.raises(ContractError, match="the frame lacks monetary_value"):
        findings(shop.drop(columns="monetary_value"))
    with pytest.raises(ContractError, match="the frame lacks recency, T"):
        check_assumptions(shop[["frequency"]], BetaGeoModel().fit(shop), has_amounts=False)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (
            "btyd_spend_independent",
            lambda t: t.assign(monetary_value=t["monetary_value"] * (1 + t["frequency"])),
        ),
        ("btyd_spend_stationary", lambda t: t.assign(order_value_trend=t["order_value_trend"] * 1.3)),
        ("btyd_timing", lambda t: t.assign(gap_irregularity=t["gap_irregularity"] / 4)),
        ("btyd_span", lambda t: t[t["frequency"] == 1].assign(recency=lambda u: 0.9 * u["T"])),
        ("btyd_identified", lambda t: t[t["frequency"] == 0]),
    ],
)
def test_what_breaks_is_seen(shop: pd.DataFrame, code: str, change: object) -> None:
    assert findings(change(shop))[code].severity == "warning"


@pytest.mark.parametrize("model", [BetaGeoModel, ModifiedBetaGeoModel])
def test_where_nobody_comes_back(
    shop: pd.DataFrame, model: type[BetaGeoModel | ModifiedBetaGeoModel]
) -> None:
    found = findings(shop[shop["frequency"] == 0].assign(monetary_value=0.0), model)
    assert found["btyd_one_time"].text.startswith("100% bought on one day only")
    assert "nobody has come back yet" in found["btyd_span"].text
    assert found["btyd_timing"].severity == found["btyd_spend_independent"].severity == "note"
    assert found["btyd_spend_stationary"].severity == "note"


LEAVERS = {"r": 1.0, "alpha": 40.0, "a": 1.0, "b": 1.5}


@pytest.mark.parametrize("seed", range(4))
def test_early_leavers_ask_for_the_modified_model(seed: int) -> None:
    gone = drawn_histories(LEAVERS, 2000, 365.0, 0.0, seed, leaves_at_once=True)
    found = findings(gone, has_amounts=False)["btyd_one_time"]
    assert found.severity == "warning"
    assert "under BG/NBD all of them count as alive. MBG/NBD" in found.text
    assert found.numbers["mbg_loglik_gain"] > 20

    theirs = findings(gone, ModifiedBetaGeoModel, has_amounts=False)
    assert theirs["btyd_one_time"].severity == "ok"
    assert "under MBG/NBD they may have left at once" in theirs["btyd_one_time"].text
    assert theirs["btyd_one_time"].numbers["bg_loglik_gain"] < -20
    assert not [f.text for f in theirs.values() if "all of them count as alive" in f.text]


def test_late_leavers_do_not_ask_for_the_modified_model() -> None:
    stayed = drawn_histories(LEAVERS, 2000, 365.0, 0.0, 0, leaves_at_once=False)
    assert findings(stayed, has_amounts=False)["btyd_one_time"].severity == "ok"
    theirs = findings(stayed, ModifiedBetaGeoModel, has_amounts=False)["btyd_one_time"]
    assert theirs.severity == "note"
    assert "BG/NBD, where nobody leaves before the second purchase, fits better" in theirs.text


@pytest.mark.parametrize(
    ("mean_gap", "T", "step"), [(120, 365, 1), (40, 365, 1), (5, 180, 1), (30, 364, 7), (60, 720, 30)]
)
def test_purchases_by_chance_are_not_regular(mean_gap: float, T: int, step: int) -> None:
    """Few gaps, many gaps, a gap of few days, a log by the week and one by the month."""
    shops = [purchase_days(seed, 200, mean_gap, T, step=step, leaves=0.05) for seed in range(SHOPS)]
    found = [judge_timing(shop, period_days=step) for shop in shops]
    assert {f.severity for f in found} == {"ok"}
    assert np.mean([f.numbers["variance_ratio"] for f in found]) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("shape", [2, 4])
def test_regular_purchases_are_seen(shape: int) -> None:
    found = judge_timing(purchase_days(1, 200, 60, 365, shape=shape), "MBG/NBD")
    assert found.severity == "warning"
    assert "than MBG/NBD believes" in found.text


def test_bursts_are_noted() -> None:
    found = judge_timing(purchase_days(1, 400, 60, 365, shape=0.4))
    assert found.severity == "note"
    assert "in bursts" in found.text


def test_customers_of_every_day_are_no_fault() -> None:
    daily = pd.DataFrame({"frequency": [9.0] * 40, "recency": 9.0, "T": 9.0, "gap_irregularity": 0.0})
    assert judge_timing(daily).severity == "ok"


@pytest.mark.parametrize("leaves", [0.0, 0.1])
def test_a_slow_shop_is_too_short(leaves: float) -> None:
    """A mean gap of 400 days in 365: those seen to come back do so after half a year, on average."""
    found = [judge_span(purchase_days(seed, 300, 400, 365, leaves=leaves)) for seed in range(SHOPS)]
    assert {f.severity for f in found} == {"warning"}


def test_the_usual_gap_is_the_true_one() -> None:
    gaps = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        clock = rng.exponential(100, (1000, 60)).cumsum(axis=1)
        x, t_x = (clock < 365).sum(axis=1), np.where(clock < 365, clock, 0).max(axis=1)
        found = judge_span(pd.DataFrame({"frequency": x, "recency": t_x, "T": 365.0}))
        gaps.append(found.numbers["usual_gap_days"])
    assert np.mean(gaps) == pytest.approx(100, rel=0.01)


def test_a_usual_shop_is_long_enough() -> None:
    found = [judge_span(purchase_days(seed, 200, 100, 365, leaves=0.1)) for seed in range(SHOPS)]
    assert {f.severity for f in found} == {"ok"}


def test_few_purchases_are_no_reason_to_warn_of_the_span() -> None:
    few = pd.DataFrame({"frequency": [1.0, 1.0, 0.0], "recency": [100.0, 50.0, 0.0], "T": 365.0})
    found = judge_span(few)
    assert found.severity == "note"
    assert "nobody has come back twice" in found.text


@pytest.mark.parametrize("p", [0.5, 1, 6])
def test_skewed_orders_do_not_count_as_a_breach(p: float) -> None:
    gg = GammaGammaModel.from_dict({"params": {"p": p, "q": 3.7, "v": 1.0}})
    shops = [orders(seed, p) for seed in range(SHOPS)]
    assert {judge_independence(shop, gg).severity for shop in shops} == {"ok"}
    assert {judge_spend_trend(shop).severity for shop in shops} == {"ok"}
    assert {judge_independence(shop).severity for shop in shops[:5]} == {"ok"}


def test_spend_ranks_are_uniform_whatever_the_frequency() -> None:
    gg = GammaGammaModel.from_dict({"params": {"p": 0.5, "q": 3.7, "v": 1.0}})
    shop = orders(1, 0.5, n=20_000)
    ranks = pd.Series(spend_ranks(shop, gg)).groupby(shop["frequency"].clip(upper=6))
    assert ranks.mean().to_numpy() == pytest.approx(0.5, abs=0.03)
    assert ranks.std().to_numpy() == pytest.approx(np.sqrt(1 / 12), abs=0.02)


@pytest.mark.parametrize("p", [0.5, 6])
def test_what_frequent_buyers_spend_is_seen(p: float) -> None:
    more = judge_independence(orders(1, p, taste=0.5))
    assert more.severity == "warning"
    assert "spend more an order" in more.text
    less = judge_independence(orders(1, p, taste=-0.5))
    assert less.severity == "warning"
    assert "spend less an order" in less.text


@pytest.mark.parametrize("growth", [0.5, 1.7])
def test_a_trend_of_skewed_orders_is_seen(growth: float) -> None:
    found = judge_spend_trend(orders(1, 0.5, n=2000, growth=growth))
    assert found.severity == "warning"
    assert (found.numbers["mean_ratio"] > 1) == (growth > 1)


def test_a_trend_that_all_share_is_seen() -> None:
    alike = orders(1, 6).assign(order_value_trend=1.5)
    assert judge_spend_trend(alike).severity == "warning"
    assert judge_spend_trend(alike.assign(order_value_trend=1.0)).severity == "note"
