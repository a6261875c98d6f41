"""Intervals of spend: calibrated where the future is like the folds, wider where folds differ."""

import json

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from models.spend_range import LEVELS, SpendRange, fit_spend_range

SHAPE = 2.0
"""Of the gamma distribution of a buyer's spend about its mean."""


def folds(
    seed: int, cutoffs: int = 5, n: int = 3000, drift: float = 0.0, chance: float | None = None
) -> pd.DataFrame:
    """Folds in which the forecast is right, but for a drift that all customers of a fold share."""
    rng = np.random.default_rng(seed)
    tables = []
    for number in range(cutoffs):
        p, if_any = np.resize(chance or rng.beta(1.5, 2, n), n), np.exp(rng.normal(3, 0.8, n))
        bought = rng.random(n) < p
        spend = bought * if_any * rng.gamma(SHAPE, 1 / SHAPE, n) * np.exp(drift * rng.normal())
        cutoff = pd.Timestamp("2025-01-01") + pd.Timedelta(days=90 * number)
        tables.append(
            pd.DataFrame({"cutoff": cutoff, "p_blend": p, "if_any_both_spend": if_any, "spend": spend})
        )
    return pd.concat(tables, ignore_index=True)


def learned(table: pd.DataFrame) -> SpendRange:
    found = fit_spend_range(table, "blend", "both_spend")
    assert found is not None
    return found


def columns(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(table[c].to_numpy() for c in ("p_blend", "if_any_both_spend", "spend"))


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_sure_buyers_are_covered_as_often_as_promised(level: float) -> None:
    p, if_any, spend = columns(folds(2, cutoffs=1, n=10_000, chance=0.99))
    low, high = learned(folds(1)).interval(p, if_any, level)
    assert ((spend >= low) & (spend <= high)).mean() == pytest.approx(level, abs=0.03)


def test_all_are_covered_at_least_so_often() -> None:
    """Nothing bought is a single value: where it lies within, so does more than was asked for."""
    p, if_any, spend = columns(folds(2, cutoffs=1, n=20_000))
    low, high = learned(folds(1)).interval(p, if_any)
    assert ((spend >= low) & (spend <= high)).mean() > 0.8
    assert (low[p < 0.9] == 0).all()
    assert (low[p > 0.95] > 0).all()
    assert (high[p < 0.1] == 0).all()


def test_the_stated_coverage_is_what_other_folds_see() -> None:
    stated = learned(folds(1)).coverage
    assert list(stated) == ["low", "medium", "high"]
    assert min(stated.values()) > 0.78
    assert learned(folds(1, cutoffs=1)).coverage == {}


@pytest.mark.parametrize("drift", [pytest.param(0.0, marks=pytest.mark.heavy), 0.3])
def test_sums_of_groups_are_covered(drift: float) -> None:
    hits = []
    for seed in range(60):
        range_, future = learned(folds(seed, n=900, drift=drift)), folds(1000 + seed, 1, 400, drift)
        p, if_any, spend = columns(future)
        low, high = range_.total_interval(p, if_any)
        hits.append(low <= spend.sum() <= high)
    assert 0.7 <= np.mean(hits) <= 0.93, np.mean(hits)


@pytest.mark.parametrize("days", [7, 28, 90, 180])
def test_other_horizons_are_covered(days: int) -> None:
    """Many small purchases, forecast rightly: over a shorter time chance weighs more."""
    rng = np.random.default_rng(3)

    def came(horizon: int, n: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rate = rng.gamma(4, 0.07, n)
        orders = rng.poisson(rate * horizon)
        spend = rng.gamma(np.maximum(2.0 * orders, 1e-9), 10.0) * (orders > 0)
        p = -np.expm1(-rate * horizon)
        return p, rate * horizon / p, spend

    def table(horizon: int) -> pd.DataFrame:
        p, orders, spend = came(horizon)
        cutoffs = np.repeat(pd.to_datetime(["2024-01-01", "2024-04-01", "2024-07-01"]), len(p) // 3)
        return pd.DataFrame(
            {
                "cutoff": cutoffs,
                "p_x": p,
                "if_any_y": orders * 20.0,
                "spend": spend,
                "customer_id": range(len(p)),
            }
        )

    known = fit_spend_range(table(90), "x", "y")
    assert known is not None
    p, orders, spend = came(days)
    rate = orders * p / days
    at_90 = 90 * rate / -np.expm1(-90 * rate)
    low, high = known.interval(p, orders * 20.0, steadier=np.sqrt(at_90 / orders), tier_by=at_90 * 20.0)
    sure = p > 0.9
    inside = ((low <= spend) & (spend <= high))[sure].mean()
    assert 0.78 <= inside <= 0.95


def test_drift_widens_and_is_measured() -> None:
    calm, wild = learned(folds(1)), learned(folds(1, cutoffs=8, drift=0.3))
    assert calm.drift < 0.1 < wild.drift < 0.6
    p, if_any, _ = columns(folds(2, cutoffs=1))
    (a, b), (c, d) = (r.total_interval(p, if_any) for r in (calm, wild))
    assert d / c > 1.2 * b / a


def test_quantiles_rise_with_their_level_and_with_the_chance() -> None:
    range_, p, if_any = learned(folds(1)), np.full(50, 0.7), np.linspace(5, 100, 50)
    spend = np.stack([range_.quantile(level, p, if_any) for level in (0.1, 0.35, 0.5, 0.8, 0.99)])
    assert (np.diff(spend, axis=0) >= 0).all()
    assert (range_.quantile(0.8, p + 0.2, if_any) > spend[3]).all()


def test_over_longer_horizons_chance_evens_out() -> None:
    range_, p, if_any = learned(folds(1)), np.ones(3), np.array([5.0, 20.0, 90.0])
    (a, b), (c, d) = range_.interval(p, if_any), range_.interval(p, if_any, steadier=0.5)
    assert ((a < c) & (d < b)).all()


def test_without_amounts_or_buyers_there_is_none() -> None:
    table = folds(1)
    assert fit_spend_range(table.drop(columns="if_any_both_spend"), "blend", "both_spend") is None
    assert fit_spend_range(table.assign(spend=0.0), "blend", "both_spend") is None


def test_a_level_lies_between_0_and_1() -> None:
    for call in (learned(folds(1)).interval, learned(folds(1)).total_interval):
        with pytest.raises(ContractError, match="between 0 and 1"):
            call(np.ones(2), np.ones(2), level=80)


def test_nobody_is_expected_to_buy() -> None:
    assert learned(folds(1)).total_interval(np.zeros(3), np.ones(3)) == (0.0, 0.0)


def test_it_survives_as_json() -> None:
    range_ = learned(folds(1))
    assert SpendRange.from_dict(json.loads(json.dumps(range_.to_dict()))) == range_
    assert len(range_.ratios) == 3
    assert all(len(ratios) == len(LEVELS) for ratios in range_.ratios)
