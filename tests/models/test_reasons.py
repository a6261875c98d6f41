"""Reasons: exact, borne out by witnesses, said once, and silent about what is sensitive."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from features.catalogue import visible_features
from models.btyd import with_btyd_by_cutoff
from models.classifier import trees_from_text, trees_to_text
from models.folds import make_fold
from models.purchase import RECIPES
from models.reason_words import reason_texts
from models.reasons import COLUMNS, MOST, SMALLEST, by_group, moved, owners, reasons
from models.scorer import Scorer
from models.witnesses import Voice, find_grounds, halves, told_horizon

Fit = Callable[..., Scorer]
PLANTED, NOISE, SENSITIVE = "attr_planted", ("attr_noise_1", "attr_noise_2", "attr_noise_3"), "attr_gender"


def grounded(scorer: Scorer, panel: SimpleNamespace) -> Scorer:
    """As `pipelines.training` does."""
    train = {h: make_fold(panel.frame, panel.until, h).train for h in panel.horizons}
    primary = scorer.primary_horizon
    grounds = find_grounds(scorer.purchase, primary, train, panel.newest, panel.features, seed=7)
    return replace(scorer, grounds=grounds)


def with_family(panel: SimpleNamespace, family: str) -> SimpleNamespace:
    """The panel with what the recipe's own buy-till-you-die model says."""
    if family == "bgnbd":
        return panel
    frame, btyd = with_btyd_by_cutoff(panel.bare, panel.horizons, has_amounts=True, family=family)
    newest = frame[frame["cutoff"] == panel.until]
    return SimpleNamespace(**vars(panel) | {"frame": frame, "btyd": btyd, "newest": newest})


def champion(scorer: Scorer) -> Voice:
    assert scorer.grounds is not None
    return Voice(scorer.purchase.parts[90], scorer.grounds.base)


@pytest.fixture(scope="module")
def planted(panel: SimpleNamespace) -> SimpleNamespace:
    """The shop with attributes: two go with what is bought next, one of them sensitive; three are noise."""
    rng = np.random.default_rng(3)
    frame = panel.frame.copy()
    bought = frame["y_purchased_90d"].fillna(frame["y_purchased_28d"]).fillna(0.0).to_numpy()
    for name in (PLANTED, SENSITIVE):
        frame[name] = np.where(rng.random(len(frame)) < 0.75, bought, rng.integers(0, 2, len(frame)))
    people = frame["customer_id"].unique()
    for name in NOISE:
        frame[name] = frame["customer_id"].map(pd.Series(rng.normal(size=len(people)), people)).to_numpy()
    changed = {
        "frame": frame,
        "newest": frame[frame["cutoff"] == panel.until],
        "features": (*panel.features, PLANTED, SENSITIVE, *NOISE),
    }
    return SimpleNamespace(**vars(panel) | changed)


@pytest.fixture(scope="module")
def planted_scorer(planted: SimpleNamespace, fit_scorer: Fit) -> Scorer:
    return grounded(fit_scorer(planted, "blend"), planted)


@pytest.fixture(scope="module")
def told(planted_scorer: Scorer, planted: SimpleNamespace) -> pd.DataFrame:
    return reasons(planted_scorer, planted.newest)


@pytest.fixture(scope="module")
def units() -> dict[str, str]:
    named = [(name.removeprefix("attr_"), "number") for name in (PLANTED, SENSITIVE, *NOISE)]
    return {f.name: f.unit for f in visible_features((28, 90), None, named)}


# ---- exact -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_contributions_add_up_to_the_log_odds_against_the_base(
    recipe: str, panel: SimpleNamespace, fit_scorer: Fit
) -> None:
    panel = with_family(panel, RECIPES[recipe].family)
    scorer = grounded(fit_scorer(panel, recipe), panel)
    split = moved(champion(scorer), RECIPES[recipe], panel.newest, 90)
    p = RECIPES[recipe].blend(
        {n: part.predict(panel.newest, 90) for n, part in scorer.purchase.parts[90].items()}
    )
    np.testing.assert_allclose(split.sum(axis=1), logit(p) - logit(p).mean(), atol=1e-9)
    names, owner = owners(panel.newest, list(split.columns))
    np.testing.assert_allclose(by_group(split, owner, len(names)).sum(axis=1), split.sum(axis=1), atol=1e-9)
    expected = 2 if any(n.startswith(("boosting", "logistic")) for n in RECIPES[recipe].weights) else 0
    assert len(scorer.grounds.witnesses) == expected  # type: ignore[union-attr]
    told = reasons(scorer, panel.newest)
    assert told.empty == (recipe == "base_rate")  # it tells nobody apart


def test_a_contribution_is_that_of_its_group(planted_scorer: Scorer, planted: SimpleNamespace) -> None:
    told = reasons(planted_scorer, planted.newest)
    split = moved(champion(planted_scorer), RECIPES["blend"], planted.newest, 90)
    names, owner = owners(planted.newest, list(split.columns))
    total = pd.DataFrame(by_group(split, owner, len(names)), planted.newest["customer_id"], names)
    one = told[told["group"] == "rhythm"].iloc[0]
    assert one["contribution"] == total.loc[one["customer_id"], "rhythm"]


# ---- borne out -------------------------------------------------------------------------------------------


def test_what_drives_buying_is_told_and_noise_is_not(told: pd.DataFrame, planted: SimpleNamespace) -> None:
    share = told["feature"].value_counts() / len(planted.newest)
    assert share[PLANTED] > 0.9
    assert share.reindex(NOISE, fill_value=0.0).max() < 0.01
    rows = told[told["feature"] == PLANTED]
    assert (np.sign(rows["contribution"]) == np.where(rows["value"] == 1, 1, -1)).all()


def test_a_reason_is_borne_out_by_every_voice(
    told: pd.DataFrame, planted_scorer: Scorer, planted: SimpleNamespace
) -> None:
    for voice in (champion(planted_scorer), *planted_scorer.grounds.witnesses):  # type: ignore[union-attr]
        split = moved(voice, RECIPES["blend"], planted.newest, 90)
        names, owner = owners(planted.newest, list(split.columns))
        total = pd.DataFrame(by_group(split, owner, len(names)), planted.newest["customer_id"], names).stack()
        said = total.loc[pd.MultiIndex.from_frame(told[["customer_id", "group"]])].to_numpy()
        assert (said * np.sign(told["contribution"]) >= SMALLEST).all()


def test_witnesses_are_fitted_to_disjoint_halves(panel: SimpleNamespace) -> None:
    ids = panel.frame["customer_id"]
    half = halves(ids, 7)
    assert pd.Series(half).groupby(ids.to_numpy()).nunique().max() == 1
    assert 0.45 < half.mean() < 0.55
    assert (halves(ids.iloc[::-1], 7)[::-1] == half).all()
    assert 0.4 < (halves(ids, 8) == half).mean() < 0.6


def test_halves_without_anyone_bear_nothing_out(panel: SimpleNamespace, fit_scorer: Fit) -> None:
    scorer = fit_scorer(panel, "logistic")
    rows = make_fold(panel.frame, panel.until, 90).train
    one = rows[rows["customer_id"] == rows["customer_id"].iloc[0]]
    grounds = find_grounds(scorer.purchase, 90, {90: one}, panel.newest, panel.features, seed=7)
    assert reasons(replace(scorer, grounds=grounds), panel.newest).empty


def test_without_labels_at_the_primary_horizon_the_longest_known_one_is_told(
    panel: SimpleNamespace, fit_scorer: Fit
) -> None:
    scorer = grounded(fit_scorer(panel, "logistic", trained=(28,)), panel)
    assert scorer.grounds.horizon == told_horizon([28], 90) == 28  # type: ignore[union-attr]
    assert not reasons(scorer, panel.newest).empty


# ---- said once, weightiest first -------------------------------------------------------------------------


def test_the_table(told: pd.DataFrame, planted: SimpleNamespace) -> None:
    assert list(told.columns) == list(COLUMNS)
    assert not told.duplicated(["customer_id", "group"]).any()
    by_customer = told.groupby("customer_id", sort=False)
    assert (by_customer["place"].transform(lambda p: np.arange(1, len(p) + 1)) == told["place"]).all()
    assert told["place"].max() <= MOST
    assert (by_customer["contribution"].transform(lambda c: -c.abs().diff().fillna(-1.0)) >= 0).all()
    values = planted.newest.set_index("customer_id")
    for one in told.head(200).itertuples():
        np.testing.assert_equal(one.value, values.loc[one.customer_id, one.feature])


def test_an_empty_window_is_the_silence_and_not_a_second_reason(
    told: pd.DataFrame, planted: SimpleNamespace
) -> None:
    recent = told[told["group"] == "recent"]
    silence = planted.newest.set_index("customer_id")["days_since_last_order"]
    window = recent["feature"].str.extract(r"_(\d+)d")[0].astype(float)
    assert len(recent) > 20
    assert (silence.loc[recent["customer_id"]].to_numpy() <= window.to_numpy()).all()


def test_the_silence_speaks_where_it_points_the_same_way(
    told: pd.DataFrame, planted: SimpleNamespace
) -> None:
    rhythm = told[told["group"] == "rhythm"]
    assert set(rhythm["feature"]) == {"days_since_last_order", "n_orders"}
    rows = planted.newest.set_index("customer_id").loc[rhythm["customer_id"]]
    repeat = (rows["frequency"] > 0).to_numpy()
    late = (rows["days_since_last_order"] > rows["recency"] / rows["frequency"]).to_numpy()
    silent = (rhythm["feature"] == "days_since_last_order").to_numpy()
    lowers = (rhythm["contribution"] < 0).to_numpy()
    assert (late == lowers)[repeat & silent].all()
    assert (late != lowers)[repeat & ~silent].all()
    assert silent[~repeat].all()


@pytest.mark.parametrize(
    ("recipe", "features"),
    [
        ("bgnbd", {"days_since_last_order", "n_orders"}),
        ("recency_rule", {"days_since_last_order"}),
        ("last_period_rule", {"days_since_last_order", "orders_90d"}),
        ("formula_rule", {"n_orders"}),
    ],
)
def test_a_recipe_that_learns_nothing_gives_its_one_true_reason(
    recipe: str, features: set[str], panel: SimpleNamespace, fit_scorer: Fit
) -> None:
    told = reasons(grounded(fit_scorer(panel, recipe), panel), panel.newest)
    assert set(told["feature"]) == features
    assert set(told["place"]) == {1}


def test_without_amounts_money_is_not_spoken_of(
    panel_without_amounts: SimpleNamespace, fit_scorer: Fit
) -> None:
    panel = panel_without_amounts
    told = reasons(grounded(fit_scorer(panel, "boosting"), panel), panel.newest)
    assert not told["feature"].str.contains("spend|value").any()
    assert "recent" in set(told["group"])


# ---- never -----------------------------------------------------------------------------------------------


def test_sensitive_attributes_are_never_told(told: pd.DataFrame, planted_scorer: Scorer) -> None:
    assert SENSITIVE in planted_scorer.features
    assert planted_scorer.grounds.base[SENSITIVE] != 0  # type: ignore[union-attr]
    assert SENSITIVE not in set(told["feature"]) | set(told["group"])


def test_nor_what_the_shop_calls_sensitive(planted_scorer: Scorer, planted: SimpleNamespace) -> None:
    told = reasons(planted_scorer, planted.newest, sensitive=["planted"])
    assert PLANTED not in set(told["feature"])


# ---- in words --------------------------------------------------------------------------------------------


def test_both_languages_say_every_reason(
    told: pd.DataFrame, planted: SimpleNamespace, units: dict[str, str]
) -> None:
    texts = {
        language: reason_texts(told, planted.newest, units, language, "VND")  # type: ignore[arg-type]
        for language in ("en", "vi")
    }
    assert len(texts["en"]) == len(texts["vi"]) == len(told) > 1000
    assert all(en and vi and en != vi for en, vi in zip(texts["en"], texts["vi"], strict=True))
    lowers = (told["contribution"] < 0).to_numpy()
    assert (
        ["lowers" in text for text in texts["en"]] == ["giảm" in text for text in texts["vi"]] == list(lowers)
    )
    assert ["acted on" in text for text in texts["en"]] == list(told["actionable"])


LOWERS = {"en": "; lowers the chance of a purchase", "vi": "; làm giảm khả năng mua lại"}
WORDS = [
    ("days_since_last_order", 84.0, "en", "days since the last order: 84 (usual wait: 21)"),
    ("days_since_last_order", 84.0, "vi", "số ngày kể từ đơn hàng gần nhất: 84 (thông thường: 21)"),
    ("n_orders", 5.0, "en", "orders so far: 5 (in 168 days)"),
    ("total_spend", 1_250_000.0, "vi", "tổng chi tiêu đến nay, đã trừ hoàn tiền: 1.250.000 VND"),
    ("refund_share", 0.255, "en", "share of spend refunded: 25.5 %"),
    ("days_since_last_refund", np.nan, "en", "days since the last refund: none"),
    ("was_referred", 0.0, "vi", "được khách hàng khác giới thiệu: không"),
]


@pytest.mark.parametrize(("feature", "value", "language", "text"), WORDS)
def test_words(feature: str, value: float, language: str, text: str, units: dict[str, str]) -> None:
    told = pd.DataFrame(
        {"customer_id": "a", "feature": feature, "value": value, "text": "", "contribution": -0.4,
         "actionable": False},
        index=[0],
    )  # fmt: skip
    frame = pd.DataFrame({"customer_id": ["a"], "frequency": 4.0, "recency": 84.0, "T": 168.0})
    assert reason_texts(told, frame, units, language, "VND") == [text + LOWERS[language]]  # type: ignore[arg-type]


def test_a_text_that_the_model_does_not_tell_apart_is_not_named(units: dict[str, str]) -> None:
    told = pd.DataFrame(
        {"customer_id": ["a"], "feature": "first_product", "value": np.nan, "text": "",
         "contribution": -0.4, "actionable": False}
    )  # fmt: skip
    frame = pd.DataFrame({"customer_id": ["a"], "frequency": 4.0, "recency": 84.0, "T": 168.0})
    [text] = reason_texts(told, frame, units, "vi", None)  # type: ignore[arg-type]
    assert text == "sản phẩm chính của lần mua đầu tiên: giá trị hiếm gặp hoặc không rõ" + LOWERS["vi"]


def test_a_one_time_buyer_has_no_usual_wait(units: dict[str, str]) -> None:
    told = pd.DataFrame(
        {"customer_id": ["a"], "feature": "days_since_last_order", "value": 9.0, "text": "",
         "contribution": 0.4, "actionable": True}
    )  # fmt: skip
    frame = pd.DataFrame({"customer_id": ["a"], "frequency": 0.0, "recency": 0.0, "T": 9.0})
    [text] = reason_texts(told, frame, units, "en", None)  # type: ignore[arg-type]
    assert text == (
        "days since the last order: 9 (has not come back yet); raises the chance of a purchase "
        "[can be acted on]"
    )


# ---- kept ------------------------------------------------------------------------------------------------


def test_a_round_trip_tells_the_same_to_the_last_bit(
    planted_scorer: Scorer, planted: SimpleNamespace, told: pd.DataFrame
) -> None:
    state, trees = planted_scorer.to_state()
    witnesses = {f"witness_{i}_{name}" for i in (0, 1) for name in ("boosting", "boosting_btyd")}
    assert {name for name in trees if name.startswith("witness")} == witnesses
    text = json.dumps(state, sort_keys=True, allow_nan=False)
    kept = {name: trees_from_text(trees_to_text(t)) for name, t in trees.items()}
    again = Scorer.from_state(json.loads(text), kept)
    pd.testing.assert_frame_equal(reasons(again, planted.newest), told, check_exact=True)
    assert again.to_state()[0] == state


def test_who_else_is_listed_changes_nothing(
    planted_scorer: Scorer, planted: SimpleNamespace, told: pd.DataFrame
) -> None:
    few = planted.newest.iloc[::7]
    expected = told[told["customer_id"].isin(few["customer_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(reasons(planted_scorer, few), expected, check_exact=True)


def test_nobody_has_no_reasons(
    planted_scorer: Scorer, planted: SimpleNamespace, units: dict[str, str]
) -> None:
    nobody = planted.newest.head(0)
    told = reasons(planted_scorer, nobody)
    assert told.shape == (0, len(COLUMNS))
    assert {name: str(kind) for name, kind in told.dtypes.items()} == COLUMNS
    assert reason_texts(told, nobody, units, "vi", None) == []  # type: ignore[arg-type]


def test_a_scorer_of_before_has_none(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    state, trees = blend_scorer.to_state()
    del state["grounds"]
    again = Scorer.from_state(state, trees)
    assert again.grounds is None
    assert reasons(again, panel.newest).empty
