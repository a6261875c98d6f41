"""Covariance, intervals and ranges: against known errors, and against what then happens in simulations."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from models.doubt import interval, purchases_range, total_range
from models.gamma_gamma import GammaGammaModel, limited_mean
from models.mbgnbd import ModifiedBetaGeoModel
from tests.models.story import drawn_histories


@pytest.fixture(scope="module")
def fitted(cdnow: pd.DataFrame) -> BetaGeoModel:
    return BetaGeoModel().fit(cdnow)


def test_standard_errors_are_those_of_an_independent_hessian(fitted: BetaGeoModel) -> None:
    covariance = fitted.covariance_
    assert covariance is not None
    assert np.sqrt(np.diag(covariance)) == pytest.approx([0.01256, 0.37822, 0.18573, 0.70541], rel=2e-3)
    assert (covariance == covariance.T).all()


def test_covariance_is_the_inverse_of_the_curvature(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    def loglik(log_params: np.ndarray) -> float:
        return float(fitted.with_values(np.exp(log_params)).loglik(cdnow).sum())

    at = np.log(list(fitted.params_.values()))
    slopes = [
        approx_fprime(at + h, loglik, 1e-5) - approx_fprime(at - h, loglik, 1e-5) for h in 1e-3 * np.eye(4)
    ]
    curvature = -np.array(slopes) / 2e-3
    assert fitted.log_covariance() @ curvature == pytest.approx(np.eye(4), abs=0.02)


def test_intervals_hold_their_parameter_and_stay_positive(fitted: BetaGeoModel) -> None:
    for name, (low, high) in fitted.params_interval().items():
        assert 0 < low < fitted.params_[name] < high
    assert fitted.params_interval(0.5)["r"][0] > fitted.params_interval(0.95)["r"][0]


def test_intervals_of_predictions_hold_them(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    p = fitted.p_purchase(39, cdnow)
    low, high = interval(fitted, lambda m: m.p_purchase(39, cdnow), is_probability=True)
    assert ((low < p) & (p < high) & (low > 0) & (high < 1)).all()
    alive, (low, high) = (
        fitted.p_alive(cdnow),
        interval(fitted, lambda m: m.p_alive(cdnow), is_probability=True),
    )
    assert ((low <= alive) & (alive <= high)).all()
    assert (low[cdnow["frequency"] == 0] == 1).all()  # alive by construction, without doubt


def test_an_interval_of_the_spend(cdnow: pd.DataFrame) -> None:
    spend = cdnow[["frequency", "monetary_value"]]
    model = GammaGammaModel().fit(spend)
    low, high = interval(model, lambda m: m.expected_spend(spend))
    assert ((low <= model.expected_spend(spend)) & (model.expected_spend(spend) <= high)).all()


def heavy_tailed(q: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.geometric(0.4, n)
    return x, rng.gamma(3 * x) / (x * rng.gamma(q, 1 / 20, n))


def test_an_interval_of_a_spend_whose_mean_is_infinite() -> None:
    """Of the mean up to the limit that the fit's prior has, with the slopes of an independent formula."""
    model = GammaGammaModel().fit(*heavy_tailed(0.8, 2000, 0))
    assert model.params_["q"] < 1
    ask = [0, 1, 30], [0, 50, 50]
    low, high = interval(model, lambda m: m.expected_spend(*ask))
    expected = model.expected_spend(*ask)
    assert ((low > 0) & (low < expected) & (expected < high) & (high < 3 * expected)).all()
    assert np.log(high / low)[2] < 0.1 < np.log(high / low)[0]  # thirty purchases tell more than none

    def spend(log_params: np.ndarray) -> np.ndarray:
        p, q, v = np.exp(log_params)
        prior = limited_mean(p, q, v, model.prior_limit_)
        return np.log([prior, *((p * x * 50 + q * prior) / (p * x + q) for x in (1, 30))])

    slope = approx_fprime(np.log(list(model.params_.values())), spend, 1e-5)
    half = 1.2815515655446004 * np.sqrt(np.diag(slope @ model.log_covariance() @ slope.T))
    assert np.log(high / low) / 2 == pytest.approx(half, rel=1e-3)


def test_intervals_of_a_limited_mean_hold_it_as_often_as_they_say() -> None:
    hits = []
    for seed in range(200):
        model = GammaGammaModel().fit(*heavy_tailed(0.8, 300, seed))
        if model.prior_limit_ is None or not model.converged_:
            continue
        low, high = interval(model, lambda m: m.expected_spend(0, 0))
        hits.append(low[0] <= limited_mean(3, 0.8, 20, model.prior_limit_) <= high[0])
    assert len(hits) > 150
    assert 0.7 <= np.mean(hits) <= 0.9  # of 0.8


def test_an_interval_where_q_may_be_1_and_the_mean_infinite() -> None:
    model = GammaGammaModel.from_dict({"params": {"p": 6, "q": 1.0005, "v": 15}})
    model.log_covariance_ = (0.01 * np.eye(3)).tolist()
    low, high = interval(model, lambda m: m.expected_spend(0, 0))
    assert (low[0], high[0]) == (0, np.inf)


def test_a_range_holds_its_level_and_no_smaller_one_does(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    low, high = purchases_range(fitted, 39, cdnow)
    below = 1 - fitted.p_at_least(low, 39, cdnow)
    above = fitted.p_at_least(high + 1, 39, cdnow)
    assert ((below <= 0.1) & (above <= 0.1)).all()
    assert (1 - fitted.p_at_least(low + 1, 39, cdnow) > 0.1).all()
    assert (fitted.p_at_least(high, 39, cdnow)[high > 0] > 0.1).all()


def test_a_range_keeps_to_a_chance_that_another_model_gives(
    fitted: BetaGeoModel, cdnow: pd.DataFrame
) -> None:
    own = fitted.p_at_least(1, 39, cdnow)
    same, plain = purchases_range(fitted, 39, cdnow, p_any=own), purchases_range(fitted, 39, cdnow)
    assert np.array_equal(same, plain)
    low, high = purchases_range(fitted, 39, cdnow, p_any=np.full(len(cdnow), 0.95))
    assert (low >= 1).all()  # fewer than one has less than a tenth
    assert (high >= plain[1]).all()
    low, high = purchases_range(fitted, 39, cdnow, p_any=np.full(len(cdnow), 0.09))
    assert (high == 0).all()


@pytest.mark.parametrize("kind", [BetaGeoModel, ModifiedBetaGeoModel])
def test_totals_and_parameters_are_covered(kind: type[BetaGeoModel]) -> None:
    """Forty shops of 1,500 customers: 80 % ranges of the total, 95 % intervals of the parameters."""
    truth = {"r": 0.8, "alpha": 50.0, "a": 0.7, "b": 2.5}
    totals, params = [], []
    for seed in range(40):
        shop = drawn_histories(truth, 1500, 365.0, 90.0, seed, leaves_at_once=kind is ModifiedBetaGeoModel)
        model = kind().fit(shop)
        low, high = total_range(model, 90, shop)
        totals.append(low <= shop["later"].sum() <= high)
        params += [lo <= truth[name] <= hi for name, (lo, hi) in model.params_interval().items()]
    assert 24 <= sum(totals) <= 39  # of Binomial(40, .8), all but 4 in 1,000
    assert np.mean(params) > 0.88


def test_data_that_identify_nothing_say_why_in_words() -> None:
    model = BetaGeoModel().fit([0] * 30, [0] * 30, np.arange(1, 31))
    assert model.covariance_ is None
    with pytest.raises(ContractError, match=r"have no covariance: the likelihood is flat along r and alpha"):
        model.params_interval()


def test_a_parameter_that_runs_away_is_told() -> None:
    model = BetaGeoModel().fit([3, 9, 20, 1], [39, 40, 40, 38], [40, 40, 40, 40])
    assert not model.converged_
    assert "a runs to 0: nobody seems to leave" in model.diagnosis_


def test_bare_parameters_have_no_covariance() -> None:
    with pytest.raises(ContractError, match="bare parameters"):
        BetaGeoModel.from_dict({"params": {"r": 1, "alpha": 1, "a": 1, "b": 1}}).log_covariance()


@pytest.mark.parametrize("level", [0, 1, 1.5, 80, -0.5, np.nan, "0.8"])
def test_a_level_lies_between_0_and_1(fitted: BetaGeoModel, level: float) -> None:
    """Told before anything else: the histories that are given here are impossible."""
    asked = [
        lambda: total_range(fitted, 39, -1, -1, -1, level=level),
        lambda: purchases_range(fitted, 39, -1, -1, -1, level=level),
        lambda: interval(fitted, lambda m: m.p_alive(-1, -1, -1), level),
        lambda: interval(BetaGeoModel(), lambda m: m.p_alive(-1, -1, -1), level),
        lambda: fitted.params_interval(level),
    ]
    for ask in asked:
        with pytest.raises(ContractError, match="between 0 and 1"):
            ask()


@pytest.mark.parametrize("kind", [BetaGeoModel, ModifiedBetaGeoModel])
def test_ranges_of_a_level_near_1_end_soon(kind: type[BetaGeoModel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers of 1e9 purchases, whom nobody would count one by one."""
    model = kind.from_dict({"params": {"r": 5.0, "alpha": 1e-9, "a": 1e-4, "b": 1e4}})
    calls, whole = [], kind.p_at_least
    monkeypatch.setattr(kind, "p_at_least", lambda *args: calls.append(args) or whole(*args))
    for level in (np.nextafter(1, 0), 0.8):
        low, high = purchases_range(model, 1.0, [0, 50], [0, 9.9e-9], [1e-8, 1e-8], level)
        assert (low < high).all()
        assert np.isfinite(high).all()
    assert high[0] > 1e8
    assert len(calls) < 400


def test_a_range_of_nobody_is_empty(fitted: BetaGeoModel) -> None:
    low, high = purchases_range(fitted, 39, [], [], [])
    assert low.shape == high.shape == (0,)


def test_a_range_is_what_counting_one_by_one_finds(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    shop = cdnow.head(300)
    for level in (0.05, 0.5, 0.99):
        low, high = purchases_range(fitted, 39, shop, level=level)
        chances = fitted.p_at_least(np.arange(200)[:, None], 39, shop)
        tail = (1 - level) / 2
        assert (low == (chances >= 1 - tail).sum(axis=0) - 1).all()
        assert (high == (chances > tail).sum(axis=0) - 1).all()


def test_estimators_can_be_cloned(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    again = clone(fitted)
    assert not hasattr(again, "params_")
    assert again.set_params(**fitted.get_params()).fit(cdnow).to_dict() == fitted.to_dict()
