"""The scorer: a feature frame in, a score frame out, and nothing else moves it."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ContractError
from models.classifier import trees_from_text, trees_to_text
from models.next_order import time_grid
from models.purchase import RECIPES
from models.scorer import LAPSED_SHARE, NEW_FOR_DAYS, SCHEMA_VERSION, Scorer, score_columns, tier_edges
from models.spend_range import fit_spend_range

Fit = Callable[..., Scorer]

ADDED_BY_THE_PIPELINE = [
    "customer_id", "as_of", "model_version", "frequency", "recency", "T", "monetary_value",
    "days_since_last_order", "n_orders", "total_spend",
]  # fmt: skip
OF_COST = ["clv_net_365d", "clv_to_cac", "payback_days"]
DATES = ["next_order_p20", "next_order_p50", "next_order_p80"]


@pytest.fixture(scope="module")
def scores(blend_scorer: Scorer, panel: SimpleNamespace) -> pd.DataFrame:
    return blend_scorer.score(panel.newest)


@pytest.fixture(scope="module", params=["blend", "boosting", "bgnbd", "last_period_rule", "base_rate"])
def scorer(request: pytest.FixtureRequest, panel: SimpleNamespace, fit_scorer: Fit) -> Scorer:
    if request.param == "blend":
        found: Scorer = request.getfixturevalue("blend_scorer")
        return found
    return fit_scorer(panel, request.param)


@pytest.fixture(scope="module")
def poor_scorer(panel_without_amounts: SimpleNamespace, fit_scorer: Fit) -> Scorer:
    return fit_scorer(panel_without_amounts, "blend", trees_weight=1.0)


def newcomer(panel: SimpleNamespace, age: float) -> pd.DataFrame:
    """One who bought once, `age` days ago."""
    row = panel.newest[panel.newest["frequency"] == 0].head(1)
    return row.assign(T=age, recency=0.0, days_since_last_order=age)


def hopeless(panel: SimpleNamespace) -> pd.DataFrame:
    """One who bought every few days, and not for more than a year."""
    row = panel.newest[panel.newest["frequency"] >= 5].head(1)
    gone = dict.fromkeys([f"{k}_{w}d" for k in ("orders", "spend") for w in (7, 14, 28, 90, 180, 365)], 0.0)
    return row.assign(
        frequency=60.0, recency=200.0, T=700.0, days_since_last_order=500.0, n_orders=61.0,
        mean_gap=200 / 60, purchase_cycles=210.0, silent_cycles=150.0, **gone,
    )  # fmt: skip


# ---- the score frame -------------------------------------------------------------------------------------


def test_columns_are_those_that_were_promised(scorer: Scorer, panel: SimpleNamespace) -> None:
    names = score_columns(panel.horizons, 365)
    assert names == [
        "customer_id", "as_of", "model_version", "status", "label_source", "frequency", "recency", "T",
        "monetary_value", "days_since_last_order", "n_orders", "total_spend",
        "p_purchase_28d", "p_churn_28d", "expected_orders_28d",
        "expected_spend_28d", "expected_spend_28d_lo", "expected_spend_28d_hi",
        "p_purchase_90d", "p_churn_90d", "expected_orders_90d",
        "expected_spend_90d", "expected_spend_90d_lo", "expected_spend_90d_hi",
        "p_alive", "clv_365d", "clv_365d_lo", "clv_365d_hi",
        *OF_COST, *DATES, "risk_tier", "value_at_risk",
    ]  # fmt: skip
    found = scorer.score(panel.newest)
    assert found.columns.tolist() == [n for n in names if n not in ADDED_BY_THE_PIPELINE]
    assert found.index.equals(panel.newest.index)


def test_ends_of_spend(blend_scorer: Scorer, folds: pd.DataFrame, panel: SimpleNamespace) -> None:
    """Empty where nothing is known of the errors; else they hold what came, and rise with the horizon."""
    names = [
        f"{n}_{end}" for n in ("expected_spend_28d", "expected_spend_90d", "clv_365d") for end in ("lo", "hi")
    ]
    assert blend_scorer.score(panel.newest)[names].isna().all().all()
    known = replace(blend_scorer, spend_range=fit_spend_range(folds, "blend", "boosting_spend"))
    found = known.score(panel.newest)
    for end in ("lo", "hi"):
        rising = found[
            [f"expected_spend_28d_{end}", f"expected_spend_90d_{end}", f"clv_365d_{end}"]
        ].to_numpy()
        assert (np.diff(rising, axis=1) >= 0).all()
    assert (found["expected_spend_90d_lo"] <= found["expected_spend_90d_hi"]).all()
    then = panel.frame[panel.frame["cutoff"] == pd.Timestamp(panel.schedule.folds[-1])]
    before = known.score(then)
    inside = then["y_spend_90d"].between(before["expected_spend_90d_lo"], before["expected_spend_90d_hi"])
    assert 0.75 < inside.mean() < 0.97
    again = through_files(known)
    pd.testing.assert_frame_equal(again.score(panel.newest), found, check_exact=True)


def test_probabilities(scorer: Scorer, panel: SimpleNamespace) -> None:
    found = scorer.score(panel.newest)
    for h in panel.horizons:
        p = found[f"p_purchase_{h}d"]
        assert np.isfinite(p).all()
        assert ((p > 0) & (p < 1)).all()
        assert (found[f"p_churn_{h}d"] == 1 - p).all()
        assert (found[f"expected_orders_{h}d"] >= p).all()
    assert (found["p_purchase_28d"] <= found["p_purchase_90d"]).all()
    assert (found["expected_orders_28d"] <= found["expected_orders_90d"]).all()
    assert found["p_alive"].between(0, 1).all()


def test_what_is_published_is_what_was_judged(scorer: Scorer, panel: SimpleNamespace) -> None:
    found = scorer.score(panel.newest)
    parts = scorer.purchase.parts[90]
    said = scorer.purchase.recipe.blend({n: p.predict(panel.newest, 90) for n, p in parts.items()})
    agrees = found["p_purchase_90d"].to_numpy() == said
    assert agrees.mean() > 0.95
    # where a shorter horizon says more than the longer one, that stands
    np.testing.assert_array_equal(found["p_purchase_90d"][~agrees], found["p_purchase_28d"][~agrees])


def test_spend(scores: pd.DataFrame) -> None:
    money = scores[["expected_spend_28d", "expected_spend_90d", "clv_365d"]]
    assert np.isfinite(money).all().all()
    assert (money > 0).all().all()
    assert (money["expected_spend_28d"] <= money["expected_spend_90d"] * (1 + 1e-9)).all()
    assert (money["expected_spend_90d"] <= money["clv_365d"] * (1 + 1e-9)).all()


def test_expectations_come_true(fit_scorer: Fit, panel: SimpleNamespace) -> None:
    """In sum, over the last fold that is known: purchases and orders of customers as they went on."""
    cutoff = pd.Timestamp(panel.schedule.folds[-1])
    before = panel.frame[panel.frame["cutoff"] <= cutoff]
    then = SimpleNamespace(
        **vars(panel) | {"frame": before, "until": cutoff, "newest": before[before["cutoff"] == cutoff]}
    )
    found = fit_scorer(then, "bgnbd").score(then.newest)
    assert found["p_purchase_90d"].sum() == pytest.approx(then.newest["y_purchased_90d"].sum(), rel=0.1)
    assert found["expected_orders_90d"].sum() == pytest.approx(then.newest["y_orders_90d"].sum(), rel=0.15)
    assert found["expected_spend_90d"].sum() == pytest.approx(then.newest["y_spend_90d"].sum(), rel=0.2)


def test_next_order_dates(scores: pd.DataFrame, panel: SimpleNamespace) -> None:
    dates = scores[DATES]
    assert (dates.dtypes == "datetime64[s]").all()
    assert dates.notna().any().all()
    assert (dates.isna() | (dates >= panel.until)).all().all()
    assert (dates["next_order_p50"].isna() | (dates["next_order_p20"] <= dates["next_order_p50"])).all()
    assert (dates["next_order_p80"].isna() | (dates["next_order_p50"] <= dates["next_order_p80"])).all()
    within = dates["next_order_p50"] < panel.until + pd.Timedelta(days=90)
    agrees = within == (scores["p_purchase_90d"] >= 0.5)  # the same curve, up to rounding to whole days
    assert agrees.mean() > 0.99


def test_value_at_risk_by_hand(scores: pd.DataFrame) -> None:
    if_kept = scores["expected_spend_90d"] / scores["p_purchase_90d"]
    np.testing.assert_allclose(scores["value_at_risk"], scores["p_churn_90d"] * if_kept, rtol=1e-12)


def test_the_input_is_left_as_it_was(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    frame = panel.newest.copy()
    blend_scorer.score(frame)
    blend_scorer.with_base(frame)
    pd.testing.assert_frame_equal(frame, panel.newest, check_exact=True)


def test_only_features_count(blend_scorer: Scorer, panel: SimpleNamespace, scores: pd.DataFrame) -> None:
    """Neither labels nor what another model said is looked at; columns may stand in any order."""
    bare = panel.newest[["cutoff", *reversed(blend_scorer.features), "customer_id"]]
    pd.testing.assert_frame_equal(blend_scorer.score(bare), scores, check_exact=True)


def test_rows_come_back_in_their_order(
    blend_scorer: Scorer, panel: SimpleNamespace, scores: pd.DataFrame
) -> None:
    mixed = panel.newest.sample(frac=1, random_state=4)
    found = blend_scorer.score(mixed)
    assert found.index.equals(mixed.index)
    pd.testing.assert_frame_equal(found.sort_index(), scores, check_exact=True)


def test_one_alone_scores_as_among_all(scorer: Scorer, panel: SimpleNamespace) -> None:
    """To the last bit: no population statistic, no sum whose order depends on the number of rows."""
    among = scorer.score(panel.newest)
    for place in (0, 1, 7, len(panel.newest) - 1, int(np.argmax(panel.newest["frequency"]))):
        alone = scorer.score(panel.newest.iloc[[place]])
        pd.testing.assert_frame_equal(alone, among.iloc[[place]], check_exact=True)
    some = panel.newest.iloc[3:500:7]
    pd.testing.assert_frame_equal(scorer.score(some), among.loc[some.index], check_exact=True)


@pytest.mark.parametrize("missing", ["silent_cycles", "customer_id", "cutoff", "orders_90d"])
def test_a_missing_column_is_named(blend_scorer: Scorer, panel: SimpleNamespace, missing: str) -> None:
    with pytest.raises(ContractError, match=f"1 of .* for example '{missing}'"):
        blend_scorer.score(panel.newest.drop(columns=missing))


# ---- status and tiers ------------------------------------------------------------------------------------


def test_every_status_can_be_reached_and_is_scored(panel: SimpleNamespace, fit_scorer: Fit) -> None:
    scorer = fit_scorer(panel, "bgnbd")
    ages = [1.0, NEW_FOR_DAYS - 1, NEW_FOR_DAYS, 400.0]
    frame = pd.concat([*(newcomer(panel, age) for age in ages), hopeless(panel)])
    found = scorer.score(frame)
    assert found["status"].tolist() == ["too_new", "too_new", "scored", "scored", "already_lapsed"]
    base = fit_scorer(panel, "base_rate").score(frame)
    assert (base["status"] == "not_identifiable").all()
    for scores in (found, base):
        numbers = scores.select_dtypes("number")
        ends = [c for c in numbers if c.endswith(("_lo", "_hi"))]  # this scorer has none
        assert np.isfinite(numbers.drop(columns=[*ends, *OF_COST])).all().all()
        assert (scores["p_purchase_28d"] <= scores["p_purchase_90d"]).all()


def test_lapsed_are_those_who_will_hardly_buy_within_the_clv_horizon(
    blend_scorer: Scorer, panel: SimpleNamespace, scores: pd.DataFrame
) -> None:
    times = time_grid([28, 90, 365], 730)
    within = blend_scorer.purchase.curve(panel.newest, times)[:, times.index(365)]
    old = (panel.newest["T"] >= NEW_FOR_DAYS).to_numpy()
    lapsed = (scores["status"] == "already_lapsed").to_numpy()
    assert lapsed.any()
    assert blend_scorer.lapsed_below == pytest.approx(LAPSED_SHARE * within.mean(), rel=1e-12)
    silent = (panel.newest["days_since_last_order"] > 90).to_numpy()
    np.testing.assert_array_equal(lapsed, old & silent & (within < blend_scorer.lapsed_below))


def test_a_short_clv_horizon_does_not_make_everyone_lapsed(
    blend_scorer: Scorer, panel: SimpleNamespace
) -> None:
    short = replace(blend_scorer, clv_horizon=7).with_base(panel.newest)
    assert (short.score(panel.newest)["status"] == "scored").mean() > 0.4


@pytest.mark.parametrize("recipe", ["blend", "bgnbd"])
def test_tiers_are_thirds(recipe: str, panel: SimpleNamespace, fit_scorer: Fit) -> None:
    found = fit_scorer(panel, recipe).score(panel.newest)
    shares = found["risk_tier"].value_counts(normalize=True)
    assert sorted(shares.index) == ["high", "low", "medium"]
    assert shares.to_numpy() == pytest.approx([1 / 3] * 3, abs=0.01)
    churn = found.groupby("risk_tier")["p_churn_90d"]
    assert churn.max()["low"] <= churn.min()["medium"]
    assert churn.max()["medium"] <= churn.min()["high"]


def test_tier_edges_are_state_not_of_the_frame(
    blend_scorer: Scorer, panel: SimpleNamespace, scores: pd.DataFrame
) -> None:
    risky = panel.newest[scores["risk_tier"] == "high"]
    assert (blend_scorer.score(risky)["risk_tier"] == "high").all()
    shifted = replace(blend_scorer, tier_edges=(0.0, 0.0))
    assert (shifted.score(panel.newest)["risk_tier"] == "high").all()
    assert blend_scorer.tier_edges != (0.0, 0.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_tier_edges_are_ordered(churn: list[float]) -> None:
    low, high = tier_edges(np.array(churn))
    assert min(churn) <= low <= high <= max(churn)


# ---- without amounts, without labels ---------------------------------------------------------------------


def test_without_amounts(poor_scorer: Scorer, panel_without_amounts: SimpleNamespace) -> None:
    found = poor_scorer.score(panel_without_amounts.newest)
    money = [c for c in found if c.startswith(("expected_spend", "clv_", "payback"))]
    assert len(money) == 12
    assert found[money].isna().all().all()
    rest = found.select_dtypes("number").drop(columns=money)
    assert np.isfinite(rest).all().all()
    per_purchase = found["expected_orders_90d"] / found["p_purchase_90d"]  # counted in orders
    np.testing.assert_allclose(found["value_at_risk"], found["p_churn_90d"] * per_purchase, rtol=1e-12)
    assert set(found["risk_tier"]) == {"low", "medium", "high"}


def test_a_horizon_without_labels_is_extrapolated(panel: SimpleNamespace, fit_scorer: Fit) -> None:
    """Only 28 days could be learned; 90 is carried by BG/NBD, and the scores say so."""
    short = fit_scorer(panel, "bgnbd", trained=(28,))
    both = fit_scorer(panel, "bgnbd")
    found, expected = short.score(panel.newest), both.score(panel.newest)
    assert (found["label_source"] == "extrapolated").all()
    assert (expected["label_source"] == "observed").all()
    np.testing.assert_allclose(found["p_purchase_90d"], expected["p_purchase_90d"], atol=1e-8)
    np.testing.assert_array_equal(found["p_purchase_28d"], expected["p_purchase_28d"])
    assert short.value.horizon == 28
    assert found["expected_spend_90d"].sum() == pytest.approx(expected["expected_spend_90d"].sum(), rel=0.2)


@pytest.mark.parametrize("clv_horizon", [7, 28, 45, 730])
def test_any_clv_horizon(panel: SimpleNamespace, fit_scorer: Fit, clv_horizon: int) -> None:
    """Shorter than the horizons, too, and even less than half of them."""
    found = fit_scorer(panel, "bgnbd", clv_horizon=clv_horizon).score(panel.newest)
    assert found.columns.tolist() == [
        n for n in score_columns(panel.horizons, clv_horizon) if n not in ADDED_BY_THE_PIPELINE
    ]
    assert np.isfinite(found[f"clv_{clv_horizon}d"]).all()
    if clv_horizon == 28:
        np.testing.assert_array_equal(found["clv_28d"], found["expected_spend_28d"])


def test_no_next_order_date_overflows(panel: SimpleNamespace, fit_scorer: Fit) -> None:
    """Curves that start at almost nothing ask for a date thousands of years away, if one lets them."""
    found = fit_scorer(panel, "last_period_rule").score(hopeless(panel))
    assert found[DATES].isna().all().all()


# ---- apart and together again ----------------------------------------------------------------------------


def through_files(scorer: Scorer) -> Scorer:
    """As a registry keeps it: JSON text, and trees in a format that runs no code on load."""
    state, trees = scorer.to_state()
    text = json.dumps(state, allow_nan=False)
    kept = {name: trees_from_text(trees_to_text(t)) for name, t in trees.items()}
    return Scorer.from_state(json.loads(text), kept)


def test_a_round_trip_predicts_bit_identically(scorer: Scorer, panel: SimpleNamespace) -> None:
    again = through_files(scorer)
    pd.testing.assert_frame_equal(again.score(panel.newest), scorer.score(panel.newest), check_exact=True)
    for name in ("horizons", "primary_horizon", "clv_horizon", "tier_edges", "has_amounts", "features"):
        assert getattr(again, name) == getattr(scorer, name)
    assert again.trained_until == scorer.trained_until
    assert again.to_state()[0] == scorer.to_state()[0]


def test_a_round_trip_without_amounts(poor_scorer: Scorer, panel_without_amounts: SimpleNamespace) -> None:
    newest = panel_without_amounts.newest
    pd.testing.assert_frame_equal(
        through_files(poor_scorer).score(newest), poor_scorer.score(newest), check_exact=True
    )


def test_trees_are_named_by_what_they_predict(blend_scorer: Scorer, poor_scorer: Scorer) -> None:
    purchase = {f"purchase_{h}d_{name}" for h in (28, 90) for name in ("boosting", "boosting_btyd")}
    assert set(blend_scorer.to_state()[1]) == purchase | {"spend"}
    assert set(poor_scorer.to_state()[1]) == purchase  # no spend to learn


def test_a_rule_has_no_trees(panel: SimpleNamespace, fit_scorer: Fit) -> None:
    state, trees = fit_scorer(panel, "recency_rule").to_state()
    assert trees == {}
    assert state["recipe"] == "recency_rule"


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, None, str(SCHEMA_VERSION)])
def test_another_schema_is_refused(blend_scorer: Scorer, version: object) -> None:
    state, trees = blend_scorer.to_state()
    with pytest.raises(ContractError, match="schema"):
        Scorer.from_state(state | {"schema_version": version}, trees)
    del state["schema_version"]
    with pytest.raises(ContractError, match="schema"):
        Scorer.from_state(state, trees)


def test_the_grain_of_the_log_is_kept_and_a_model_without_one_is_of_a_daily_log(blend_scorer: Scorer) -> None:
    state, trees = replace(blend_scorer, period="month").to_state()
    assert Scorer.from_state(json.loads(json.dumps(state)), trees).period == "month"
    del state["period"]
    assert Scorer.from_state(state, trees).period == blend_scorer.period == "day"


def test_scorers_are_frozen(blend_scorer: Scorer) -> None:
    with pytest.raises(AttributeError):
        blend_scorer.primary_horizon = 28  # type: ignore[misc]
    other = replace(blend_scorer, primary_horizon=28)
    assert blend_scorer.primary_horizon == 90
    assert other.purchase.recipe is RECIPES["blend"]
