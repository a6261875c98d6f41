"""What a campaign brought: on made-up campaigns whose effect is known, and against other programs."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from models.control import in_control
from models.uplift import EARLY, LESS, MORE, NONE, Effect, effect_of
from models.uplift_table import COLUMNS, MEASURES, incremental

IDS = [f"c{number}" for number in range(1_500)]


def campaign(seed: int, uplift: float, share: float = 0.2) -> tuple[Effect, float]:
    """Play one campaign: its estimate, and the extra revenue expected of a contacted customer."""
    rng = np.random.default_rng(seed)
    n = len(IDS)
    tier = np.where(rng.random(n) < 0.5, "high", "medium").astype(object)
    orders = rng.gamma(1.0, np.where(tier == "high", 0.5, 1.2))
    basket = np.exp(rng.normal(3.0, 0.5, n))
    is_contact = ~in_control(IDS, f"campaign {seed}", share)
    came = rng.poisson(orders * (1 + uplift * is_contact))
    revenue = came * basket * rng.gamma(8.0, 1 / 8.0, n)
    known = orders * basket * np.exp(rng.normal(0.0, 0.3, n))  # what a model foresaw, and not exactly
    return effect_of(revenue, is_contact, tier, known), uplift * float((orders * basket).mean())


@cache
def campaigns(n: int, uplift: float) -> list[tuple[Effect, float]]:
    return [campaign(seed, uplift) for seed in range(n)]


def check_coverage(found: list[tuple[Effect, float]]) -> None:
    covered = sum(effect.low <= truth <= effect.high for effect, truth in found)
    interval = stats.binomtest(covered, len(found)).proportion_ci(0.999, method="exact")
    print(f"coverage {covered / len(found):.4f} of {len(found)}")
    assert interval.low <= 0.95 <= interval.high


@pytest.mark.parametrize("uplift", [0.0, 0.2])
def test_the_interval_covers_the_planted_effect(uplift: float) -> None:
    check_coverage(campaigns(400, uplift))


@pytest.mark.heavy
@pytest.mark.parametrize("uplift", [0.0, 0.2])
def test_the_interval_covers_the_planted_effect_in_2000_campaigns(uplift: float) -> None:
    check_coverage(campaigns(2_000, uplift))


def test_the_planted_effect_is_recovered() -> None:
    found = campaigns(400, 0.2)
    off = np.array([effect.each - truth for effect, truth in found])
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off))
    assert off.mean() < 0.05 * found[0][1]


def test_what_was_known_beforehand_narrows_the_interval() -> None:
    rng = np.random.default_rng(3)
    known = rng.gamma(1.0, 50.0, 2_000)
    outcome, is_contact = known + rng.normal(0, 20, 2_000), rng.random(2_000) < 0.8
    stratum = np.full(2_000, "all", dtype=object)
    plain, adjusted = effect_of(outcome, is_contact, stratum), effect_of(outcome, is_contact, stratum, known)
    assert adjusted.high - adjusted.low < 0.6 * (plain.high - plain.low)


def test_one_stratum_without_expectation_is_welchs_test() -> None:
    rng = np.random.default_rng(5)
    one, two = rng.normal(3, 1, 40), rng.normal(2, 4, 15)
    outcome, is_contact = np.concatenate([one, two]), np.arange(55) < 40
    found = effect_of(outcome, is_contact, np.full(55, "all", dtype=object))
    wanted = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_the_adjusted_estimate_is_that_of_the_interacted_regression() -> None:
    """Lin (2013): outcome on group, centred expectation, and both together."""
    rng = np.random.default_rng(6)
    known, is_contact = rng.gamma(2.0, 10.0, 300), rng.random(300) < 0.7
    outcome = 2 + 0.5 * known + is_contact * (1 + 0.1 * known) + rng.normal(0, 3, 300)
    centred = known - known.mean()
    design = np.column_stack([np.ones(300), is_contact, centred, is_contact * centred])
    wanted = np.linalg.lstsq(design, outcome, rcond=None)[0]
    found = effect_of(outcome, is_contact, np.full(300, "all", dtype=object), known)
    assert (found.each, found.alone) == pytest.approx((wanted[1], wanted[0]))


def test_strata_take_out_that_the_draw_was_not_alike_in_them() -> None:
    """A campaign that left few of the good customers alone: without strata it would look a success."""
    rng = np.random.default_rng(8)
    good = rng.random(4_000) < 0.5
    is_contact = rng.random(4_000) < np.where(good, 0.9, 0.3)
    outcome = np.where(good, 100.0, 10.0) + rng.normal(0, 5, 4_000)
    naive = effect_of(outcome, is_contact, np.full(4_000, "all", dtype=object))
    fair = effect_of(outcome, is_contact, np.where(good, "good", "poor").astype(object))
    assert naive.verdict == MORE
    assert fair.low < 0 < fair.high


def test_small_strata_are_judged_together_and_nobody_is_lost() -> None:
    outcome, is_contact = np.arange(60.0), np.arange(60) % 2 == 0
    stratum = np.array(["a"] * 40 + [f"tiny {k}" for k in range(20)], dtype=object)
    found = effect_of(outcome, is_contact, stratum)
    assert (found.contacts, found.controls) == (30, 30)
    assert found.each == pytest.approx(-1.0)
    assert effect_of(outcome[:44], is_contact[:44], stratum[:44]).each == pytest.approx(-1.0)


@pytest.mark.parametrize("controls", [0, 4])
def test_with_hardly_anyone_left_alone_nothing_is_said(controls: int) -> None:
    found = effect_of(np.ones(100), np.arange(100) >= controls, np.full(100, "all", dtype=object))
    assert np.isnan([found.each, found.low, found.high, found.needed]).all()
    assert found.verdict == EARLY


def with_mean(mean: float, n: int, spread: float = 10.0, seed: int = 1) -> Effect:
    rng = np.random.default_rng(seed)
    is_contact = np.arange(n) % 2 == 0
    outcome = 50 + mean * is_contact + rng.normal(0, spread, n)
    return effect_of(outcome, is_contact, np.full(n, "all", dtype=object))


def test_verdicts() -> None:
    assert with_mean(10, 200).verdict == MORE
    assert with_mean(-10, 200).verdict == LESS
    assert with_mean(0, 200).verdict == NONE
    assert with_mean(0, 200, spread=100.0).verdict == EARLY
    assert with_mean(0, 200).needed == 0


def test_where_there_is_no_effect_it_says_so() -> None:
    """Two campaigns in a hundred may seem to work, and as many to harm."""
    verdicts = [with_mean(0, 400, seed=seed).verdict for seed in range(400)]
    low, high = stats.binom.interval(0.999, 400, 0.95)
    assert low <= verdicts.count(NONE) <= high
    assert min(verdicts.count(MORE), verdicts.count(LESS)) > 0


def test_with_the_customers_said_to_be_missing_the_effect_is_found_four_times_in_five() -> None:
    first = [with_mean(10, 60, spread=40.0, seed=seed) for seed in range(50)]
    whole = round(60 + float(np.mean([effect.needed for effect in first])))
    found = [with_mean(10, whole, spread=40.0, seed=seed).verdict == MORE for seed in range(100, 500)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.07)


def a_campaign(name: str, **changes: object) -> pd.DataFrame:
    n = 200
    rng = np.random.default_rng(4)
    orders = rng.poisson(1.0, n).astype(float)
    columns = {
        "campaign": name,
        "is_contact": np.arange(n) % 4 > 0,
        "stratum": np.where(np.arange(n) < 100, "high", "medium"),
        "risk_tier": np.where(np.arange(n) < 100, "high", "medium"),
        "lifecycle": np.where(np.arange(n) % 2 == 0, "loyal", "new"),
        "channel": np.where(np.arange(n) % 3 == 0, "", "zalo"),
        "expected": 10.0,
        "buyers": (orders > 0).astype(float),
        "orders": orders,
        "revenue": orders * 10,
        "profit": np.nan,
    }
    return pd.DataFrame(columns | changes)


def test_the_table_has_every_campaign_tier_and_channel_and_no_measure_that_is_not_known() -> None:
    found = incremental(pd.concat([a_campaign("b"), a_campaign("a", profit=1.0)]))
    assert list(found.columns) == COLUMNS
    said = [tuple(row) for row in found[["campaign", "by", "group", "measure"]].to_numpy()]
    groups = [("campaign", ""), ("risk_tier", "high"), ("risk_tier", "medium")]
    groups += [("lifecycle", "loyal"), ("lifecycle", "new"), ("channel", "zalo")]
    wanted = [
        (name, by, group or name, measure)
        for name, measures in (("a", MEASURES), ("b", MEASURES[:3]))
        for by, group in groups
        for measure in measures
    ]
    assert said == wanted
    whole = found[found["by"] == "campaign"]
    assert (whole["contacts"] == 150).all()
    np.testing.assert_allclose(whole["total"], whole["each"] * 150)
    np.testing.assert_allclose(whole["total_high"], whole["high"] * 150)


def test_no_rows_give_no_lines() -> None:
    assert list(incremental(a_campaign("a").head(0)).columns) == COLUMNS
