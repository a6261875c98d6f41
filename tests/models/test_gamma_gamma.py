"""Gamma-Gamma against the published numbers, an oracle, a simulation and its own mathematics.

Sources: [025] Fader, Hardie (2013), note 025 and its spreadsheet; [RFM] Fader, Hardie, Lee (2005), "RFM and
CLV", Journal of Marketing Research 42, 415-430; [CLVTools]: the likelihood its test suite publishes.
"""

import json
import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.exceptions import NotFittedError

from features.errors import ContractError
from models import gamma_gamma
from models.gamma_gamma import GammaGammaModel, limited_mean
from models.gamma_gamma_likelihood import Rows, objective


def spend(table: pd.DataFrame) -> list[pd.Series]:
    return [table["frequency"], table["monetary_value"]]


def simulated(n: int, p: float, q: float, v: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x, rate = rng.integers(0, 6, n), rng.gamma(q, 1 / v, n)
    return x, np.where(x > 0, rng.gamma(p * np.maximum(x, 1)) / (np.maximum(x, 1) * rate), 0)


@pytest.fixture(scope="module")
def fitted(cdnow: pd.DataFrame) -> GammaGammaModel:
    return GammaGammaModel().fit(*spend(cdnow))


# ---- published numbers -----------------------------------------------------------------------------------


def test_parameters_match_rfm_paper_and_note_025(fitted: GammaGammaModel) -> None:
    assert fitted.params_ == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=5e-3)
    assert fitted.converged_
    assert fitted.n_customers_ == 946


def test_likelihood_matches_clvtools(fitted: GammaGammaModel) -> None:
    assert fitted.loglik_ == pytest.approx(-4055.9177, abs=1e-4)


def test_expected_spend_of_the_first_ten_matches_note_025(
    fitted: GammaGammaModel, cdnow: pd.DataFrame
) -> None:
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert fitted.expected_spend(*spend(cdnow.head(10))) == pytest.approx(published, abs=5e-3)
    assert fitted.prior_mean_ == pytest.approx(35.17, abs=5e-3)


# ---- mathematics and oracle ------------------------------------------------------------------------------


def test_gradient_equals_a_finite_difference(cdnow: pd.DataFrame) -> None:
    x, m = (column.to_numpy() for column in spend(cdnow[cdnow["frequency"] > 0].head(200)))
    rows = Rows(x, m / 30, np.linspace(0.5, 2, len(x)))
    for point in np.random.default_rng(0).uniform(-3, 3, (10, 3)):
        error = check_grad(
            lambda p: objective(p, rows)[0],
            lambda p: objective(p, rows)[1],
            point,
            epsilon=1e-6,
        )
        assert error < 2e-5 * (1 + np.linalg.norm(objective(point, rows)[1]))


def test_fit_and_predictions_agree_with_lifetimes(
    fitted: GammaGammaModel, cdnow: pd.DataFrame, lifetimes: ModuleType
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = lifetimes.GammaGammaFitter().fit(*spend(cdnow[cdnow["frequency"] > 0]))
        assert fitted.params_ == pytest.approx(dict(oracle.params_), rel=2e-3)
        oracle.params_ = pd.Series(fitted.params_)
        theirs = oracle.conditional_expected_average_profit(*spend(cdnow))
    assert fitted.expected_spend(*spend(cdnow)) == pytest.approx(theirs.to_numpy(), rel=1e-12)


def test_parameters_are_recovered_from_a_simulation() -> None:
    model = GammaGammaModel().fit(*simulated(60_000, p=3, q=4, v=30))
    assert model.converged_
    assert model.params_ == pytest.approx({"p": 3, "q": 4, "v": 30}, rel=0.06)


@pytest.mark.parametrize("rows", [20, 200])
def test_starts_tried_on_a_sample_lead_to_the_same_peak(
    rows: int, fitted: GammaGammaModel, cdnow: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gamma_gamma, "SCOUTED", rows)
    again = GammaGammaModel().fit(*spend(cdnow))
    assert again.params_ == pytest.approx(fitted.params_, rel=1e-6)
    assert again.loglik_ == pytest.approx(fitted.loglik_, abs=1e-8)


# ---- invariance ------------------------------------------------------------------------------------------


def test_row_order_does_not_move_a_bit(fitted: GammaGammaModel, cdnow: pd.DataFrame) -> None:
    shuffled = cdnow.sample(frac=1, random_state=3)
    assert GammaGammaModel().fit(*spend(shuffled)).to_dict() == fitted.to_dict()


def test_one_time_buyers_teach_it_nothing(fitted: GammaGammaModel, cdnow: pd.DataFrame) -> None:
    repeaters = cdnow[cdnow["frequency"] > 0]
    assert GammaGammaModel().fit(*spend(repeaters)).to_dict() == fitted.to_dict()


def test_weights_stand_for_repeated_rows(cdnow: pd.DataFrame) -> None:
    some = cdnow.head(600)
    weight = np.arange(600) % 4
    weighted = GammaGammaModel().fit(*spend(some), sample_weight=weight)
    repeated = GammaGammaModel().fit(*spend(some.loc[some.index.repeat(weight)]))
    assert weighted.to_dict() == repeated.to_dict()


@pytest.mark.parametrize("unit", [10_000.0, 0.01])
def test_unit_of_money_only_rescales_v(fitted: GammaGammaModel, cdnow: pd.DataFrame, unit: float) -> None:
    x, m = spend(cdnow)
    other = GammaGammaModel().fit(x, m * unit)
    assert other.params_ == pytest.approx(fitted.params_ | {"v": fitted.params_["v"] * unit}, rel=1e-8)
    assert other.loglik_ == pytest.approx(fitted.loglik_ - 946 * np.log(unit), abs=1e-6)
    assert other.expected_spend(x, m * unit) == pytest.approx(fitted.expected_spend(x, m) * unit, rel=1e-8)


def test_parameters_survive_json(fitted: GammaGammaModel, cdnow: pd.DataFrame) -> None:
    again = GammaGammaModel.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.to_dict() == fitted.to_dict()
    assert (again.expected_spend(*spend(cdnow)) == fitted.expected_spend(*spend(cdnow))).all()


# ---- heavy tails and degenerate data ---------------------------------------------------------------------


def test_an_infinite_prior_mean_gives_way_to_one_that_is_limited_by_what_was_seen() -> None:
    x, m = simulated(5000, p=3, q=0.8, v=10)
    model = GammaGammaModel().fit(x, m)
    assert model.converged_
    assert model.params_["q"] < 1
    assert model.prior_mean_ == limited_mean(*model.params_.values(), limit=m[x > 0].max())
    assert 0.5 < model.prior_mean_ / m[x > 0].mean() < 2
    between = model.expected_spend([0, 1, 3, 50], [0, 10, 10, 10])
    assert between[0] == model.prior_mean_
    assert (np.diff(between) < 0).all()
    assert (between > 10).all()


@pytest.mark.parametrize(("p", "q", "limit"), [(3, 0.8, 500.0), (6, 1.0, 90.0), (2, 1.05, 4000.0), (5, 4, 9)])
def test_the_limited_mean_is_that_of_limited_draws(p: float, q: float, limit: float) -> None:
    own = p / np.random.default_rng(0).gamma(q, 1 / 15, 4_000_000)
    limited = np.minimum(own, limit)
    error = limited.std() / 2000
    assert limited_mean(p, q, 15, limit) == pytest.approx(limited.mean(), abs=4 * error)


def test_the_limited_mean_goes_over_into_the_formula_and_into_the_limit() -> None:
    assert limited_mean(6.25, 3.74, 15.44, 1e9) == pytest.approx(6.25 * 15.44 / 2.74, rel=1e-12)
    assert limited_mean(6.25, 3.74, 15.44, 0.1) == 0.1
    near = [limited_mean(6, 1 + step, 15, 1e4) for step in (-1e-9, 0, 1e-9)]
    assert near == pytest.approx([near[1]] * 3, rel=1e-7)


def test_one_whale_does_not_carry_the_prior_away() -> None:
    """The mean of all observed means would grow by the factor 100,000 / 600."""
    x, m = simulated(700, p=3, q=0.8, v=10)
    m = np.where(m == m.max(), np.sort(m)[-2] * 1.01, m)
    whale = np.where(m == m.max(), 100_000 * np.mean(m[x > 0]), m)
    mean, moved = (GammaGammaModel().fit(x, each).prior_mean_ for each in (m, whale))
    assert 1 < moved / mean < 12


def test_models_for_slopes_keep_the_rule_of_the_fits_prior() -> None:
    model = GammaGammaModel().fit(*simulated(5000, p=3, q=0.8, v=10))
    values = np.array(list(model.params_.values()))
    same = model.with_values(values)
    assert (same.prior_mean_, same.prior_weight_) == (model.prior_mean_, model.prior_weight_)
    for factor in (1.001, 1.3):  # past q = 1, too, where the formula would have a mean
        other = model.with_values(values * [1, factor, 1])
        assert other.prior_weight_ == other.params_["q"]
        assert 0 < other.prior_mean_ < model.prior_mean_
    by_formula = GammaGammaModel.from_dict({"params": {"p": 6, "q": 1.0005, "v": 15}})
    assert by_formula.with_values([6, 1.0006, 15]).prior_mean_ == pytest.approx(90 / 0.0006)
    assert by_formula.with_values([6, 0.9999, 15]).prior_mean_ == np.inf
    given = GammaGammaModel.from_dict(
        {"params": {"p": 6, "q": 0.9, "v": 15}, "prior_mean": 40.0, "prior_weight": 0.9}
    )
    assert given.with_values([6, 0.91, 15]).expected_spend(0, 0) == 40


def test_heavy_tailed_state_survives_json() -> None:
    model = GammaGammaModel().fit(*simulated(5000, p=3, q=0.8, v=10))
    again = GammaGammaModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert (again.expected_spend([0, 2], [0, 5]) == model.expected_spend([0, 2], [0, 5])).all()
    assert again.with_values([3, 0.9, 9]).prior_mean_ == model.with_values([3, 0.9, 9]).prior_mean_


@pytest.mark.parametrize(
    ("frequency", "monetary_value"),
    [([2], [30]), ([2, 3, 4], [30, 30, 30]), ([1, 2], [10, 20]), ([1e5, 3], [10, 20])],
)
def test_degenerate_data_do_not_converge_but_predict(
    frequency: list[float], monetary_value: list[float]
) -> None:
    model = GammaGammaModel().fit(frequency, monetary_value)
    expected = model.expected_spend([0, *frequency], [0, *monetary_value])
    assert not model.converged_
    assert np.isfinite(model.loglik_)
    assert ((expected >= min(monetary_value) - 1e-6) & (expected <= max(monetary_value) + 1e-6)).all()


def test_a_shop_without_repeat_buyers_knows_nothing() -> None:
    model = GammaGammaModel().fit([0, 0], [0, 0])
    assert not model.converged_
    assert model.n_customers_ == 0
    for each in (model, GammaGammaModel.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))):
        assert each.diagnosis_ == ["nobody came back: nothing is known of what a repeat purchase brings"]
        assert np.isnan(each.expected_spend([0, 3], [0, 10])).all()
        assert np.isnan(each.prior_mean_)
        assert each.covariance_ is None


@given(
    st.lists(st.tuples(st.integers(0, 500), st.floats(0.01, 1e6)), min_size=1, max_size=12),
    st.floats(1e-4, 1e4),
)
@settings(deadline=None, max_examples=40)
def test_any_possible_sample_fits_and_predicts(rows: list[tuple[int, float]], unit: float) -> None:
    x, m = np.transpose(rows)
    model = GammaGammaModel().fit(x, m * unit)
    expected = model.expected_spend(x, m * unit)
    assert np.isfinite(model.loglik_)
    seen = (m * unit)[x > 0]
    if not seen.size:
        assert np.isnan(expected).all()
        return
    assert np.isfinite(expected).all()
    assert (expected > 0).all()
    assert model.prior_mean_ <= seen.max() * (1 + 1e-9)


# ---- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, 2, 3], [5, 0, -1]), "monetary_value of repeat buyers is not above 0 for 2 of 3.*'position': 1"),
        (([-1], [5]), "frequency is negative"),
        (([0.5], [5]), "not a whole number"),
        (([1], [np.nan]), "monetary_value is missing or infinite"),
        (([1, 2], [5]), "columns differ in length"),
        (([], []), "no customer to learn from"),
    ],
)
def test_impossible_spend_is_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        GammaGammaModel().fit(*columns)


def test_bare_parameters_need_a_finite_prior_mean() -> None:
    with pytest.raises(ContractError, match="prior mean is infinite"):
        GammaGammaModel.from_dict({"params": {"p": 6, "q": 0.9, "v": 15}})


def test_an_unfitted_model_says_so() -> None:
    with pytest.raises(NotFittedError):
        GammaGammaModel().expected_spend(1, 5)
