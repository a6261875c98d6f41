"""BG/NBD against the published numbers, an oracle, a simulation and its own mathematics.

Sources: [paper] Fader, Hardie, Lee (2005), Marketing Science 24(2), 275-284; [027] Hardie's note 027 on the
numerical overflow of its spreadsheet; [CLVTools], [BTYD]: numbers the test suites and manuals of those R
packages publish; [closed form]: the likelihood-ratio identity.
"""

import json
import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.stats import beta
from sklearn.exceptions import NotFittedError

from features.errors import ContractError
from models.beta_geo_likelihood import objective, rows_of
from models.beta_geo_orders import orders_by_integral, orders_if_alive
from models.bgnbd import BetaGeoModel
from tests.models.story import drawn_histories

HISTORY = ["frequency", "recency", "T"]
PUBLISHED = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}  # [CLVTools]


def model_with(**params: float) -> BetaGeoModel:
    return BetaGeoModel.from_dict({"params": params})


def history(table: pd.DataFrame) -> list[pd.Series]:
    return [table[name] for name in HISTORY]


@pytest.fixture(scope="module")
def fitted(cdnow: pd.DataFrame) -> BetaGeoModel:
    return BetaGeoModel().fit(*history(cdnow))


# ---- published numbers -----------------------------------------------------------------------------------


def test_cdnow_summary_is_the_papers(cdnow: pd.DataFrame) -> None:
    assert (len(cdnow), cdnow["frequency"].sum(), cdnow["holdout"].sum()) == (2357, 2457, 1882)
    assert ((cdnow["frequency"] == 0).sum(), (cdnow["holdout"] > 0).sum()) == (1411, 684)


def test_parameters_and_likelihood_match_paper_table_2(fitted: BetaGeoModel) -> None:
    assert fitted.params_ == pytest.approx(PUBLISHED, rel=1e-5)
    assert fitted.loglik_ == pytest.approx(-9582.4292, abs=1e-4)
    assert fitted.converged_
    assert fitted.n_customers_ == 2357


def test_parameters_with_age_to_the_exclusive_cutoff(cdnow: pd.DataFrame) -> None:
    x, t_x, age = history(cdnow)
    params = BetaGeoModel().fit(x, t_x, age + 1 / 7).params_
    assert params == pytest.approx({"r": 0.2417, "alpha": 4.394, "a": 0.8145, "b": 2.477}, rel=3e-4)


def test_likelihood_of_single_customers_matches_paper_figure_1(
    fitted: BetaGeoModel, cdnow: pd.DataFrame
) -> None:
    four = cdnow.loc[["0001", "0002", "0003", "2356"]]
    assert fitted.loglik(*history(four)) == pytest.approx([-9.4596, -4.4711, -0.5538, -14.1284], abs=1e-4)
    assert fitted.loglik(*history(cdnow)).sum() == pytest.approx(fitted.loglik_, abs=1e-8)


@pytest.mark.parametrize(("alpha", "t_x", "T", "expected"), [(4, 38, 40, 100.7957), (1, 9.5, 10, 378.0546)])
def test_likelihood_where_the_spreadsheet_overflows_note_027(
    alpha: float, t_x: float, T: float, expected: float
) -> None:
    model = model_with(r=0.25, alpha=alpha, a=0.8, b=2.5)
    assert model.loglik(200, t_x, T) == pytest.approx([expected], abs=1e-4)


def test_expected_purchases_of_customer_1_matches_paper(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    assert fitted.expected_purchases(39, *history(cdnow.loc[["0001"]])) == pytest.approx([1.226], abs=5e-4)


def test_customer_1516_matches_btyd_walkthrough(cdnow: pd.DataFrame) -> None:
    customer = history(cdnow.loc[["1516"]])
    assert [float(column.iloc[0]) for column in customer] == pytest.approx([26, 216 / 7, 31])
    model = model_with(**PUBLISHED)  # BTYD's own optimum differs from it in the sixth digit
    assert model.expected_purchases(52, *customer) == pytest.approx([25.75659], rel=5e-5)
    assert model.p_alive(*customer) == pytest.approx([0.9688523], abs=5e-6)


def test_expected_holdout_by_frequency_matches_btyd_walkthrough(
    fitted: BetaGeoModel, cdnow: pd.DataFrame
) -> None:
    expected = pd.Series(fitted.expected_purchases(39, *history(cdnow)), index=cdnow.index)
    means = expected.groupby(cdnow["frequency"].clip(upper=7)).mean()
    published = [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570]
    assert means.to_numpy() == pytest.approx(published, abs=2.5e-4)
    assert expected.sum() == pytest.approx(1653.4, abs=0.05)


def test_p_purchase_over_the_holdout(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    p = fitted.p_purchase(39, *history(cdnow))
    assert p[:3] == pytest.approx([0.554628, 0.116806, 0.144335], abs=1e-6)
    assert p.sum() == pytest.approx(617.03, abs=0.01)
    assert np.mean((p - (cdnow["holdout"] > 0)) ** 2) == pytest.approx(0.16122, abs=1e-5)


def test_p_purchase_of_a_one_time_buyer_keeps_the_delta_term() -> None:
    """Leaving that term out, as one library does, gives 1 - .9266."""
    assert model_with(**PUBLISHED).p_purchase(39, 0, 0, 38.86) == pytest.approx([1 - 0.8557], abs=5e-5)


# ---- mathematics -----------------------------------------------------------------------------------------


def test_p_purchase_is_a_likelihood_ratio(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    x, t_x, age = history(cdnow)
    for horizon in (1, 39, 500):
        silent = np.exp(fitted.loglik(x, t_x, age + horizon) - fitted.loglik(x, t_x, age))
        assert fitted.p_purchase(horizon, x, t_x, age) == pytest.approx(1 - silent, abs=1e-12)


@pytest.mark.parametrize("first", [0, 1])
def test_gradient_equals_a_finite_difference(cdnow: pd.DataFrame, first: int) -> None:
    columns = [column.to_numpy() for column in history(cdnow.head(200))]
    rows = rows_of(columns, np.linspace(0.5, 2, 200))
    for point in np.random.default_rng(0).uniform(-3, 3, (10, 4)):
        error = check_grad(
            lambda p: objective(p, rows, first)[0],
            lambda p: objective(p, rows, first)[1],
            point,
            epsilon=1e-6,
        )
        assert error < 2e-5 * (1 + np.linalg.norm(objective(point, rows, first)[1]))


def integral(model: BetaGeoModel, horizon: float, x: float, age: float) -> float:
    """Expected purchases if alive, as the mean over the dropout probability p ~ Beta(a, b + x)."""
    r, alpha, a, b = model.params_.values()
    share = horizon / (alpha + age)

    def mean(level: float) -> float:
        p = max(beta.ppf(level, a, b + x), 1e-300)
        return float(-np.expm1(-(r + x) * np.log1p(p * share)) / p)

    return quad(mean, 0, 1, limit=500, epsabs=0, epsrel=1e-9)[0]


@pytest.mark.parametrize("a", [0.4, 1 - 1e-7, 1.0, 1 + 1e-12, 1 + 3e-5, 2.5])
@pytest.mark.parametrize("b", [0.6, 3.0])  # a + b = 1 is the other removable singularity
@pytest.mark.parametrize("x", [0, 1, 30])
def test_expected_purchases_is_an_integral_over_dropout(a: float, b: float, x: int) -> None:
    model = model_with(r=0.8, alpha=5, a=a, b=b)
    got = model.expected_purchases(20, x, 0 if x == 0 else 12, 12) / model.p_alive(x, 0 if x == 0 else 12, 12)
    assert got == pytest.approx([integral(model, 20, x, 12)], rel=1e-7)


def test_expected_purchases_agrees_with_arbitrary_precision() -> None:
    mpmath = pytest.importorskip("mpmath")
    rng = np.random.default_rng(7)
    with mpmath.workdps(50):
        for r, alpha, a, b, age, horizon in np.exp(rng.uniform(-3, 3, (200, 6))):
            x = float(rng.choice([0, 1, 2, 7, 40, 300, 1500]))
            model = model_with(r=r, alpha=alpha, a=a, b=b)
            c, z = mpmath.mpf(a) + b + x - 1, mpmath.mpf(horizon) / (mpmath.mpf(alpha) + age + horizon)
            series = mpmath.hyp2f1(c - r - x, mpmath.mpf(a) - 1, c, z, maxterms=10**6)
            exact = c / (mpmath.mpf(a) - 1) * (1 - (1 - z) ** (mpmath.mpf(a) - 1) * series)
            got = model.expected_purchases(horizon, x, age * (x > 0), age) / model.p_alive(
                x, age * (x > 0), age
            )
            assert got == pytest.approx([float(exact)], rel=1e-8)


@pytest.mark.parametrize("params", [(0.25, 0.05, 60.0, 2.0), (3.0, 2.0, 4.0, 0.01), (0.9, 1.0, 0.5, 900.0)])
def test_the_integral_agrees_with_the_closed_form(params: tuple[float, ...]) -> None:
    r, _, a, b = params
    x, share = np.array([0.0, 1.0, 8.0, 300.0]), np.array([0.1, 1.0, 5.0, 0.7])
    closed = orders_if_alive(a, b + x, r + x, share)
    assert orders_by_integral(a, b + x, r + x, share) == pytest.approx(closed, rel=1e-9)


@pytest.mark.parametrize("a", [0.01, 0.8, 5.0])
def test_the_integral_of_one_customer_does_not_depend_on_the_others(a: float) -> None:
    """To the last bit: a base may be scored in pieces of any size."""
    rng, n = np.random.default_rng(0), 60
    b, rate, share = rng.uniform(0.5, 400, n), rng.uniform(0.3, 3000, n), 10 ** rng.uniform(-4, 6, n)
    together = orders_by_integral(a, b, rate, share)
    alone = [orders_by_integral(a, *(column[[k]] for column in (b, rate, share)))[0] for k in range(n)]
    assert together.tolist() == alone


def simulated(n: int, T: float, horizon: float) -> pd.DataFrame:
    return drawn_histories(PUBLISHED, n, T, horizon, seed=11, leaves_at_once=False)


def test_predictions_lie_within_a_simulations_error() -> None:
    shop = simulated(400_000, T=38.86, horizon=39)
    model = model_with(**PUBLISHED)
    shop["p_off"] = (shop["later"] > 0) - model.p_purchase(39, *history(shop))
    shop["orders_off"] = shop["later"] - model.expected_purchases(39, *history(shop))
    for _, group in shop.groupby([shop["frequency"].clip(upper=5), shop["recency"] > 20]):
        off = group[["p_off", "orders_off"]]
        assert (off.mean().abs() < 4 * off.std() / np.sqrt(len(off))).all()


def test_parameters_are_recovered_from_a_simulation() -> None:
    fitted = BetaGeoModel().fit(*history(simulated(60_000, T=60, horizon=0)))
    assert fitted.converged_
    assert fitted.params_ == pytest.approx(PUBLISHED, rel=0.1)


# ---- oracle ----------------------------------------------------------------------------------------------


def test_fit_and_predictions_agree_with_lifetimes(
    fitted: BetaGeoModel, cdnow: pd.DataFrame, lifetimes: ModuleType
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = lifetimes.BetaGeoFitter().fit(*history(cdnow))
        assert fitted.params_ == pytest.approx(dict(oracle.params_), rel=2e-3)
        oracle.params_ = pd.Series(fitted.params_)
        alive = oracle.conditional_probability_alive(*history(cdnow))
        orders = oracle.conditional_expected_number_of_purchases_up_to_time(39, *history(cdnow))
    assert fitted.p_alive(*history(cdnow)) == pytest.approx(alive, abs=1e-12)
    assert fitted.expected_purchases(39, *history(cdnow)) == pytest.approx(np.asarray(orders), rel=1e-9)


# ---- invariance ------------------------------------------------------------------------------------------


def test_row_order_does_not_move_a_bit(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    shuffled = cdnow.sample(frac=1, random_state=3)
    assert BetaGeoModel().fit(*history(shuffled)).to_dict() == fitted.to_dict()


def test_weights_stand_for_repeated_rows(cdnow: pd.DataFrame) -> None:
    some = cdnow.head(300)
    weight = np.arange(300) % 4
    weighted = BetaGeoModel().fit(*history(some), sample_weight=weight)
    repeated = BetaGeoModel().fit(*history(some.loc[some.index.repeat(weight)]))
    assert weighted.to_dict() == repeated.to_dict()


@pytest.mark.parametrize("unit", [7.0, 1 / 30, 86400.0])
def test_unit_of_time_only_rescales_alpha(fitted: BetaGeoModel, cdnow: pd.DataFrame, unit: float) -> None:
    x, t_x, age = history(cdnow)
    other = BetaGeoModel().fit(x, t_x * unit, age * unit)
    assert other.params_ == pytest.approx(
        fitted.params_ | {"alpha": fitted.params_["alpha"] * unit}, rel=1e-8
    )
    assert other.loglik_ == pytest.approx(fitted.loglik_ - x.sum() * np.log(unit), abs=1e-6)
    ours, theirs = fitted.p_purchase(39, x, t_x, age), other.p_purchase(39 * unit, x, t_x * unit, age * unit)
    assert theirs == pytest.approx(ours, abs=1e-8)


def test_parameters_survive_json(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    again = BetaGeoModel.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.to_dict() == fitted.to_dict()
    assert (again.p_purchase(39, *history(cdnow)) == fitted.p_purchase(39, *history(cdnow))).all()


def test_horizon_broadcasts(fitted: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    customers = history(cdnow.head(3))
    for predict in (fitted.p_purchase, fitted.expected_purchases):
        grid = predict([[7], [39]], *customers)
        assert (grid == [predict(7, *customers), predict(39, *customers)]).all()
        assert (predict([7, 39, 7], *customers) == [grid[0, 0], grid[1, 1], grid[0, 2]]).all()


# ---- properties ------------------------------------------------------------------------------------------

logs = st.floats(-4, 4)
customers = st.tuples(st.integers(0, 2000), st.floats(0, 1), st.floats(0.01, 2000)).map(
    lambda c: (float(c[0]), max(c[1], 1e-3) * c[2] if c[0] else 0.0, c[2])
)


@given(st.tuples(logs, logs, logs, logs), st.lists(customers, min_size=1, max_size=20), st.floats(0, 1e4))
@settings(deadline=None)
def test_predictions_are_finite_ordered_and_monotone(
    log_params: tuple[float, ...], rows: list[tuple[float, float, float]], horizon: float
) -> None:
    model = model_with(**dict(zip(["r", "alpha", "a", "b"], np.exp(log_params), strict=True)))
    columns = np.transpose(rows)
    horizons = np.array([[0.0], [horizon / 2], [horizon], [2 * horizon + 1]])
    p, orders = model.p_purchase(horizons, *columns), model.expected_purchases(horizons, *columns)
    alive = model.p_alive(*columns)
    assert np.isfinite(model.loglik(*columns)).all()
    assert np.isfinite(orders).all()
    assert ((p >= 0) & (p <= alive) & (alive <= 1)).all()
    assert (orders >= p).all()
    assert (np.diff(p, axis=0) >= 0).all()
    assert (np.diff(orders, axis=0) >= -1e-9 * (1 + orders[1:])).all()
    assert (p[0] == 0).all()
    assert (orders[0] == 0).all()


@given(st.lists(customers, min_size=1, max_size=12))
@settings(deadline=None, max_examples=40)
def test_any_possible_sample_fits_and_predicts(rows: list[tuple[float, float, float]]) -> None:
    columns = np.transpose(rows)
    model = BetaGeoModel().fit(*columns)
    p, orders = model.p_purchase(30, *columns), model.expected_purchases(30, *columns)
    assert np.isfinite(model.loglik_)
    assert np.isfinite(orders).all()
    assert ((p >= 0) & (p <= 1) & (orders >= p)).all()


DEGENERATE = {
    "nobody repeats": ([0, 0, 0], [0, 0, 0], [5, 20, 40]),
    "everyone is new": ([0, 0], [0, 0], [0, 0]),
    "one customer, once": ([0], [0], [10]),
    "one customer, often": ([20], [9], [10]),
    "bought on the last day": ([1], [10], [10]),
    "all alike": ([4] * 50, [30] * 50, [40] * 50),
    "everyone repeats, nobody leaves": ([3, 9, 20, 1], [39, 40, 40, 38], [40, 40, 40, 40]),
    "one outlier": ([0, 100_000, 2], [0, 999, 5], [1000, 1000, 10]),
}


@pytest.mark.parametrize("case", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_data_do_not_converge_but_predict(case: tuple[list[float], ...]) -> None:
    model = BetaGeoModel().fit(*case)
    future = ([0, 1, 5, 200, 0], [0, 3, 10, 38, 0], [0, 3, 12, 40, 400])
    p, orders = (
        model.p_purchase([[1], [39], [1e4]], *future),
        model.expected_purchases([[1], [39], [1e4]], *future),
    )
    assert not model.converged_
    assert np.isfinite(model.loglik_)
    assert np.isfinite(p).all()
    assert np.isfinite(orders).all()


def test_a_shop_without_repeat_buyers_expects_none() -> None:
    model = BetaGeoModel().fit([0] * 30, [0] * 30, np.arange(1, 31))
    assert model.p_purchase(30, 0, 0, 30) < 1e-3


def test_predicting_nobody_is_not_an_error(fitted: BetaGeoModel) -> None:
    assert fitted.expected_purchases(30, [], [], []).shape == (0,)


# ---- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, 2, 1], [1, 5, 9], [9, 4, 8]), "recency is larger than T for 2 of 3 customers.*'position': 1"),
        (([1, -1], [1, 1], [9, 9]), "frequency is negative.* for 1 of 2.*'position': 1, 'frequency': -1.0"),
        (([1.5], [1], [9]), "not a whole number"),
        (([1], [-1], [9]), "recency is negative"),
        (([1, 1], [1, np.nan], [9, 9]), "recency is missing or infinite for 1 of 2"),
        (([1], [1], [np.inf]), "T is missing or infinite"),
        (([0, 0], [0, 3], [9, 9]), "recency is above 0 without a repeat purchase for 1 of 2"),
        (([2], [0], [9]), "frequency is above 0 but recency is 0"),
        (([1, 1], [1, 1], [9]), "columns differ in length.*'T': 1"),
        ((["many"], [1], [9]), "frequency is not numeric"),
        (([[1]], [[1]], [[9]]), "frequency must have one dimension"),
        (([], [], []), "no customer to learn from"),
    ],
)
def test_impossible_histories_are_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        BetaGeoModel().fit(*columns)


@pytest.mark.parametrize("weight", [[1, -1], [1], [0, 0], [1, np.nan]])
def test_impossible_weights_are_refused(weight: list[float]) -> None:
    with pytest.raises(ContractError):
        BetaGeoModel().fit([0, 1], [0, 2], [5, 5], sample_weight=weight)


@pytest.mark.parametrize("horizon", [-1, np.nan, np.inf, [1, 2, 3], "month"])
def test_impossible_horizons_are_refused(horizon: float) -> None:
    with pytest.raises(ContractError, match="horizon"):
        model_with(**PUBLISHED).p_purchase(horizon, [0, 1], [0, 2], [5, 5])


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"params": {"r": 1, "alpha": 1, "a": 1}},
        {"params": PUBLISHED | {"a": -1}},
        {"params": PUBLISHED | {"a": float("nan")}},
        {"model": "gamma_gamma", "params": PUBLISHED},
    ],
)
def test_unusable_parameters_are_refused(state: dict[str, object]) -> None:
    with pytest.raises(ContractError):
        BetaGeoModel.from_dict(state)


def test_an_unfitted_model_says_so() -> None:
    with pytest.raises(NotFittedError):
        BetaGeoModel().p_alive(0, 0, 1)
