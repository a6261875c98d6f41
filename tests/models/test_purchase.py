"""Blends and curves: what a recipe says at every horizon, trained or not."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from features.errors import ContractError
from models.baselines import RULES, BinnedRule
from models.bgnbd import BetaGeoModel
from models.classifier import Boosting
from models.folds import PART_NAMES, make_fold
from models.logistic import Logistic
from models.next_order import time_grid
from models.pareto_nbd import ParetoNbd
from models.purchase import (
    RECIPES,
    BtydPart,
    PurchaseModel,
    fit_part,
    part_from_state,
    part_state,
)
from models.scorer import Scorer


class Fixed:
    """A part that says the same of everyone."""

    def __init__(self, *p: float) -> None:
        self.p = np.array(p)

    def predict(self, frame: pd.DataFrame, _horizon: int) -> np.ndarray:
        return np.resize(self.p, len(frame))


def fixed_model(panel: SimpleNamespace, at: dict[int, float]) -> PurchaseModel:
    parts = {h: {"recency_rule": Fixed(p)} for h, p in at.items()}
    return PurchaseModel(RECIPES["recency_rule"], parts, panel.btyd)


# ---- recipes ---------------------------------------------------------------------------------------------


def test_a_blend_is_the_mean_of_logits() -> None:
    parts = {
        "logistic_btyd": np.array([0.1, 0.5, 0.99]),
        "boosting_btyd": np.array([0.2, 0.5, 0.01]),
        "boosting": np.array([0.4, 0.5, 0.3]),
    }
    by_hand = expit(
        (logit(parts["logistic_btyd"]) + logit(parts["boosting_btyd"]) + logit(parts["boosting"])) / 3
    )
    blended = RECIPES["blend"].blend(parts | {"base_rate": np.full(3, 0.9)})
    np.testing.assert_allclose(blended, by_hand, rtol=1e-12)
    assert blended[1] == pytest.approx(0.5)


def test_a_blend_of_certainties_is_finite() -> None:
    sure = {
        "logistic_btyd": np.array([0.0, 1.0]),
        "boosting_btyd": np.array([0.0, 1.0]),
        "boosting": np.array([0.0, 1.0]),
    }
    blended = RECIPES["blend"].blend(sure)
    assert ((blended > 0) & (blended < 1)).all()


def test_a_single_part_is_passed_through() -> None:
    p = np.array([0.0, 1e-12, 0.3])
    assert RECIPES["bgnbd"].blend({"bgnbd": p, "logistic": p + 0.1}) is p


def test_recipes_are_in_order() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert sum(recipe.weights.values()) == pytest.approx(1)
        assert set(recipe.weights) <= set(PART_NAMES)
        assert recipe.is_rule == (name in RULES) == (recipe.complexity == 0)
    learned = [r.complexity for r in RECIPES.values() if not r.is_rule]
    assert len(set(learned)) == len(learned)  # a tie has one winner


# ---- parts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PART_NAMES)
def test_every_part_is_fitted_and_survives_its_state(panel: SimpleNamespace, name: str) -> None:
    fold = make_fold(panel.frame, panel.until, 28)
    part = fit_part(name, fold.train, panel.newest, 28, panel.features, 7)
    kind, plain = part_state(part)
    again = part_from_state(kind, json.loads(json.dumps(plain)), getattr(part, "trees", None))
    expected = part.predict(panel.newest, 28)
    assert type(again) is type(part)
    assert ((expected > 0) & (expected < 1)).all()
    np.testing.assert_array_equal(again.predict(panel.newest, 28), expected)


def test_parts_are_what_their_names_say(panel: SimpleNamespace) -> None:
    train = make_fold(panel.frame, panel.until, 90).train
    kinds = {n: type(fit_part(n, train, panel.newest, 90, panel.features, 7)) for n in PART_NAMES}
    assert all(kinds[name] is BinnedRule for name in RULES)
    assert kinds["bgnbd"] is kinds["lifetimes_bgnbd"] is BtydPart
    assert kinds["pareto_nbd"] is ParetoNbd
    assert kinds["logistic"] is kinds["logistic_btyd"] is Logistic
    assert kinds["boosting"] is kinds["boosting_btyd"] is Boosting


def test_bgnbd_is_fitted_to_the_newest_rows_alone(panel: SimpleNamespace) -> None:
    train = make_fold(panel.frame, panel.until, 90).train
    part = fit_part("bgnbd", train, panel.newest, 90, panel.features, 7)
    assert isinstance(part, BtydPart)
    assert part.model.params_ == panel.btyd.bg.params_
    np.testing.assert_array_equal(part.predict(panel.newest, 90), panel.newest["btyd_p_purchase_90d"])


@pytest.mark.parametrize("name", ["logistic", "boosting"])
@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_only_gives_the_base_rate(panel: SimpleNamespace, name: str, outcome: float) -> None:
    train = make_fold(panel.frame, panel.until, 90).train.assign(y_purchased_90d=outcome)
    part = fit_part(name, train, panel.newest, 90, panel.features, 7)
    assert isinstance(part, BinnedRule)
    assert part.name == "base_rate"
    p = part.predict(panel.newest, 90)
    assert (np.abs(p - outcome) < 0.01).all()
    assert ((p > 0) & (p < 1)).all()


def test_without_lifetimes_model_its_candidate_is_the_base_rate(panel: SimpleNamespace) -> None:
    train = make_fold(panel.frame, panel.until, 28).train
    newest = pd.DataFrame({"frequency": [1.0, 0], "recency": [1.0, 0], "T": [2.0, 2]})  # no convergence
    part = fit_part("lifetimes_bgnbd", train, newest, 28, panel.features, 7)
    assert isinstance(part, BinnedRule)
    assert part.rates[0] == pytest.approx(train["y_purchased_28d"].mean(), abs=0.001)


def test_an_unknown_part_is_refused(panel: SimpleNamespace) -> None:
    train = make_fold(panel.frame, panel.until, 28).train
    with pytest.raises(ContractError, match="'bosting'"):
        fit_part("bosting", train, panel.newest, 28, panel.features, 7)
    with pytest.raises(TypeError, match="Fixed"):
        part_state(Fixed(0.5))
    with pytest.raises(ContractError, match="'pickle'"):
        part_from_state("pickle", {"features": []}, None)


# ---- the curve -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["blend", "boosting", "recency_rule", "last_period_rule", "bgnbd"])
def model(request: pytest.FixtureRequest, panel: SimpleNamespace) -> PurchaseModel:
    if request.param == "blend":
        scorer: Scorer = request.getfixturevalue("blend_scorer")
    else:
        scorer = request.getfixturevalue("fit_scorer")(panel, request.param)
    return scorer.purchase


def said(model: PurchaseModel, frame: pd.DataFrame, horizon: int) -> np.ndarray:
    fitted = model.parts[horizon]
    return model.recipe.blend({name: part.predict(frame, horizon) for name, part in fitted.items()})


@pytest.mark.parametrize("limit", [90, 730, 3000])
def test_at_trained_horizons_it_is_the_blend_itself(
    model: PurchaseModel, panel: SimpleNamespace, limit: int
) -> None:
    """Whatever else is asked for: the days in between must not move what the folds have judged."""
    at_28, at_90 = said(model, panel.newest, 28), said(model, panel.newest, 90)
    times = time_grid([28, 90, 365], limit)
    curve = model.curve(panel.newest, times)
    np.testing.assert_array_equal(curve[:, times.index(28)], at_28)
    np.testing.assert_array_equal(curve[:, times.index(90)], np.maximum(at_28, at_90))
    assert (at_90 >= at_28).mean() > 0.95  # the maximum is the exception
    for horizon in (28, 90):
        alone = model.curve(panel.newest, [horizon])[:, 0]
        np.testing.assert_array_equal(alone, curve[:, times.index(horizon)])


def test_it_never_falls_and_stays_between_0_and_1(model: PurchaseModel, panel: SimpleNamespace) -> None:
    curve = model.curve(panel.newest, time_grid([28, 90], 3650))
    assert np.isfinite(curve).all()
    assert ((curve > 0) & (curve < 1)).all()
    assert (np.diff(curve, axis=1) >= 0).all()
    assert (curve[:, -1] > curve[:, 0]).all()


def test_beyond_the_labels_bgnbd_carries_it(model: PurchaseModel, panel: SimpleNamespace) -> None:
    """The distance to BG/NBD in logit space stays what it is at the nearest trained horizon."""
    times = [5, 28, 90, 200, 730]
    curve = model.curve(panel.newest, times)
    theirs = np.column_stack([panel.btyd.p_purchase(float(t), panel.newest) for t in times])
    apart = logit(curve) - logit(theirs)
    plain = (theirs > 1e-6).all(axis=1)  # of nobody does it say "never" outright
    assert plain.mean() > 0.9
    for time, knot in ((0, 1), (3, 2), (4, 2)):
        np.testing.assert_allclose(apart[plain, time], apart[plain, knot], atol=1e-6)


def test_in_between_the_distance_is_linear_in_time(panel: SimpleNamespace) -> None:
    rows = panel.newest[panel.newest["btyd_p_purchase_28d"].between(0.05, 0.3)]
    model = fixed_model(panel, {28: 0.3, 90: 0.6})
    times = [28, 59, 90]
    curve = model.curve(rows, times)
    theirs = np.column_stack([panel.btyd.p_purchase(float(t), rows) for t in times])
    apart = logit(curve) - logit(theirs)
    free = (curve[:, 1] > 0.3) & (curve[:, 1] < 0.6)
    assert free.mean() > 0.8
    np.testing.assert_allclose(apart[free, 1], (apart[free, 0] + apart[free, 2]) / 2, atol=1e-9)


def test_bgnbd_alone_is_its_own_closed_form(panel: SimpleNamespace) -> None:
    parts = {28: {"bgnbd": BtydPart(panel.btyd.bg)}}
    times = [1, 14, 28, 90, 400]
    curve = PurchaseModel(RECIPES["bgnbd"], parts, panel.btyd).curve(panel.newest, times)
    theirs = np.column_stack([panel.btyd.p_purchase(float(t), panel.newest) for t in times])
    np.testing.assert_allclose(curve, theirs, atol=2e-9)
    np.testing.assert_array_equal(curve[:, 2], theirs[:, 2])


def test_a_longer_horizon_is_never_less_likely(panel: SimpleNamespace) -> None:
    """Parts are fitted horizon by horizon, and may contradict each other."""
    curve = fixed_model(panel, {28: 0.4, 90: 0.1}).curve(panel.newest, [14, 28, 60, 90, 365])
    np.testing.assert_array_equal(curve[:, 1:4], np.full((len(panel.newest), 3), 0.4))
    assert (curve[:, 0] < 0.4).all()
    assert (curve[:, 4] > 0.4).all()


def test_hopeless_customers_do_not_bend_the_curve(panel: SimpleNamespace) -> None:
    """BG/NBD may be as good as sure that somebody has left; what other parts say of them still holds."""
    gone = panel.newest.head(2).assign(frequency=400.0, recency=401.0, T=700.0)
    sure = BetaGeoModel.from_dict({"params": {"r": 0.5, "alpha": 10.0, "a": 0.5, "b": 2.0}})
    assert (BtydPart(sure).predict(gone, 90) < 1e-12).all()
    model = fixed_model(panel, {28: 0.2, 90: 0.3})
    model = PurchaseModel(model.recipe, model.parts, type(panel.btyd)(sure, None))
    curve = model.curve(gone, [1, 28, 60, 90, 365])
    np.testing.assert_array_equal(curve[:, [1, 3]], [[0.2, 0.3]] * 2)
    assert np.isfinite(curve).all()
    assert (np.diff(curve, axis=1) >= 0).all()
