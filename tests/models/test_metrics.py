"""Metrics: hand-made numbers, invariances, and refusals."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from features.errors import ContractError
from models import metrics

RNG = np.random.default_rng(3)
P = RNG.beta(0.8, 2.0, 5000)
Y = (RNG.random(5000) < P).astype(int)
TIED = np.round(P, 1)
ACTUAL = Y * RNG.gamma(2.0, 20.0, 5000)

OF_PROBABILITIES = [
    metrics.log_loss_rows,
    metrics.log_loss,
    metrics.brier,
    metrics.auc,
    metrics.pr_auc,
    metrics.ece,
    metrics.reliability,
    metrics.lift,
    metrics.gains,
]
OF_SCORES = [metrics.auc, metrics.pr_auc]
OF_AMOUNTS = [metrics.normalised_gini, metrics.aggregate_bias, metrics.mae, metrics.rmse]


def test_agrees_with_scikit_learn() -> None:
    assert metrics.log_loss(Y, P) == pytest.approx(sk.log_loss(Y, P), rel=1e-12)
    assert metrics.brier(Y, P) == pytest.approx(sk.brier_score_loss(Y, P), rel=1e-12)
    assert metrics.auc(Y, TIED) == pytest.approx(sk.roc_auc_score(Y, TIED), rel=1e-12)
    assert metrics.pr_auc(Y, TIED) == pytest.approx(sk.average_precision_score(Y, TIED), rel=1e-12)


def test_pr_auc_is_the_share_of_buyers_where_nothing_is_known() -> None:
    assert metrics.pr_auc(Y, np.full_like(P, 0.3)) == pytest.approx(Y.mean())
    assert metrics.pr_auc(Y, Y) == 1
    assert metrics.pr_auc(Y, P) > Y.mean() + 0.2


def test_log_loss_is_clipped_and_finite() -> None:
    rows = metrics.log_loss_rows([1, 0, 1, 0], [0.0, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(rows[:2], -np.log(metrics.CLIP), rtol=1e-2)
    np.testing.assert_allclose(rows[2:], 0, atol=1e-14)


def test_log_loss_rewards_the_truth() -> None:
    assert metrics.log_loss(Y, P) < metrics.log_loss(Y, np.full_like(P, Y.mean()))
    assert metrics.log_loss(Y, P) < metrics.log_loss(Y, P**2)


@pytest.mark.parametrize(
    "measure", [metrics.log_loss, metrics.brier, metrics.auc, metrics.pr_auc, metrics.ece, metrics.lift]
)
@pytest.mark.parametrize("given", [P, TIED, np.full_like(P, 0.3)], ids=["distinct", "tied", "constant"])
def test_row_order_does_not_matter(measure: Callable[..., float], given: np.ndarray) -> None:
    shuffle = np.random.default_rng(0).permutation(P.size)
    assert measure(Y[shuffle], given[shuffle]) == pytest.approx(measure(Y, given), rel=1e-12)


def test_row_order_does_not_matter_to_gini() -> None:
    shuffle = np.random.default_rng(0).permutation(P.size)
    want = metrics.normalised_gini(ACTUAL, TIED)
    assert metrics.normalised_gini(ACTUAL[shuffle], TIED[shuffle]) == pytest.approx(want, rel=1e-12)


def test_reliability_bins_hold_equally_many_rows() -> None:
    table = metrics.reliability(Y, P, bins=10)
    assert list(table.columns) == ["n", "p_min", "p_max", "p_mean", "y_mean"]
    assert table["n"].tolist() == [500] * 10
    assert (table["p_min"].to_numpy()[1:] >= table["p_max"].to_numpy()[:-1]).all()
    assert np.average(table["y_mean"], weights=table["n"]) == pytest.approx(Y.mean())


def test_equal_probabilities_share_a_bin() -> None:
    table = metrics.reliability(Y, TIED, bins=10)
    assert table["n"].sum() == Y.size
    assert (table["p_min"].to_numpy()[1:] > table["p_max"].to_numpy()[:-1]).all()
    assert len(metrics.reliability(Y, np.full_like(P, 0.3))) == 1


def test_ece_tells_calibrated_from_not() -> None:
    assert metrics.ece(Y, P) < 0.4 * np.sqrt(10 / Y.size) * 1.5
    assert metrics.ece(Y, np.sqrt(P)) > 0.1
    assert metrics.ece(Y, np.full_like(P, Y.mean())) == pytest.approx(0, abs=1e-12)


def test_gains_by_hand() -> None:
    curve = metrics.gains([1, 0, 1, 0, 0], [0.9, 0.5, 0.5, 0.2, 0.1], points=5)
    np.testing.assert_allclose(curve["share"], [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(curve["captured"], [0, 0.5, 0.75, 1, 1, 1])  # a tie is a straight line


def test_gains_rise_from_nothing_to_all() -> None:
    curve = metrics.gains(Y, TIED)
    assert len(curve) == 101
    assert curve.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert (np.diff(curve["captured"]) >= 0).all()
    assert metrics.lift(Y, TIED, 0.1) == pytest.approx(curve["captured"][10] / 0.1)


def test_lift_is_one_where_nothing_is_known() -> None:
    assert metrics.lift(Y, np.full_like(P, 0.3)) == pytest.approx(1)
    assert metrics.lift(Y, P, 1.0) == pytest.approx(1)
    top = np.argsort(-P)[: P.size // 10]
    assert metrics.lift(Y, P) == pytest.approx(Y[top].mean() / Y.mean())


def test_normalised_gini_by_definition() -> None:
    def gini(by: np.ndarray) -> float:
        return 2 * np.mean(np.cumsum(ACTUAL[np.argsort(-by)]) / ACTUAL.sum()) - 1

    noisy = ACTUAL + RNG.normal(0, 20, ACTUAL.size)
    assert metrics.normalised_gini(ACTUAL, noisy) == pytest.approx(gini(noisy) / gini(ACTUAL), rel=1e-12)
    assert metrics.normalised_gini(ACTUAL, 3 * ACTUAL) == pytest.approx(1)
    assert metrics.normalised_gini(ACTUAL, np.ones_like(ACTUAL)) == pytest.approx(0, abs=1e-3)
    assert metrics.normalised_gini(ACTUAL, -ACTUAL) < -0.9


def test_a_tie_is_worth_the_mean_of_its_orders() -> None:
    actual = np.array([4.0, 1.0, 0.0])
    both = [metrics.normalised_gini(actual, guess) for guess in ([2.1, 2.0, 1], [2.0, 2.1, 1])]
    assert metrics.normalised_gini(actual, [2, 2, 1]) == pytest.approx(np.mean(both))


def test_errors_of_amounts() -> None:
    assert metrics.aggregate_bias([10, 10], [5, 5]) == pytest.approx(-0.5)
    assert metrics.mae([0, 4], [1, 1]) == pytest.approx(2)
    assert metrics.rmse([0, 4], [1, 1]) == pytest.approx(np.sqrt(5))
    assert metrics.mae(ACTUAL, ACTUAL) == metrics.rmse(ACTUAL, ACTUAL) == 0


def test_series_with_any_index_are_taken_by_position() -> None:
    y, p = pd.Series([1, 0], index=[5, 9]), pd.Series([0.5, 0.2], index=[9, 5])
    assert metrics.log_loss(y, p) == pytest.approx(metrics.log_loss([1, 0], [0.5, 0.2]))
    assert metrics.brier(np.array([True, False]), p) == pytest.approx(0.145)


def test_inputs_are_not_changed() -> None:
    y, p = Y.copy(), P.copy()
    for measure in OF_PROBABILITIES:
        measure(y, p)
    assert (y == Y).all()
    assert (p == P).all()


@pytest.mark.parametrize("measure", OF_PROBABILITIES)
@pytest.mark.parametrize(
    ("y", "p", "what"),
    [
        ([1, 0], [0.5], "equally long"),
        ([], [], "not empty"),
        ([[1, 0]], [[0.5, 0.5]], "one-dimensional"),
        ([1, 0], [0.5, np.nan], "missing or infinite values in 'p'"),
        ([1, np.nan], [0.5, 0.5], "missing or infinite values in 'y'"),
        ([1, 2], [0.5, 0.5], "other than 0 and 1"),
    ],
)
def test_bad_outcomes_are_refused(
    measure: Callable[..., object], y: list[float], p: list[float], what: str
) -> None:
    with pytest.raises(ContractError, match=what):
        measure(y, p)


@pytest.mark.parametrize("measure", [m for m in OF_PROBABILITIES if m not in OF_SCORES])
@pytest.mark.parametrize("p", [[0.5, 1.01], [-0.1, 0.5]])
def test_bad_probabilities_are_refused(measure: Callable[..., object], p: list[float]) -> None:
    with pytest.raises(ContractError, match="outside"):
        measure([1, 0], p)


def test_auc_ranks_any_score() -> None:
    assert metrics.auc([0, 0, 1, 1], [-30, -5, -7, 400]) == metrics.auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])


@pytest.mark.parametrize("measure", OF_AMOUNTS)
@pytest.mark.parametrize(
    ("actual", "predicted"), [([1, 0], [0.5]), ([], []), ([1, np.inf], [1, 1]), ([1, 1], [np.nan, 1])]
)
def test_bad_amounts_are_refused(
    measure: Callable[..., object], actual: list[float], predicted: list[float]
) -> None:
    with pytest.raises(ContractError):
        measure(actual, predicted)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: metrics.auc([1, 1], [0.5, 0.6]), "both outcomes"),
        (lambda: metrics.pr_auc([0, 0], [0.5, 0.6]), "at least one buyer"),
        (lambda: metrics.gains([0, 0], [0.5, 0.6]), "at least one buyer"),
        (lambda: metrics.gains([0, 1], [0.5, 0.6], points=0), "points"),
        (lambda: metrics.lift([0, 1], [0.5, 0.6], share=0), "share"),
        (lambda: metrics.reliability([0, 1], [0.5, 0.6], bins=0), "bins"),
        (lambda: metrics.normalised_gini([0, 0], [1, 2]), "sum to more than zero"),
        (lambda: metrics.aggregate_bias([0, 0], [1, 2]), "total is zero"),
    ],
)
def test_undefined_measures_are_refused(call: Callable[[], object], what: str) -> None:
    with pytest.raises(ContractError, match=what):
        call()
