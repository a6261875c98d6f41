"""Measures of amounts, against scikit-learn, scipy and hands."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from features.errors import ContractError
from models.amount_metrics import decile_mape, rmsle, spearman

RNG = np.random.default_rng(3)
PREDICTED = RNG.gamma(0.5, 40.0, 3000)
ACTUAL = (RNG.random(3000) < 0.4) * PREDICTED * RNG.gamma(2.0, 1.25, 3000)
TIED = np.round(PREDICTED, -1)
ALL = [rmsle, spearman, decile_mape]


def test_agrees_with_scikit_learn_and_scipy() -> None:
    assert rmsle(ACTUAL, TIED) == pytest.approx(sk.root_mean_squared_log_error(ACTUAL, TIED), rel=1e-12)
    assert spearman(ACTUAL, TIED) == pytest.approx(stats.spearmanr(ACTUAL, TIED).statistic, rel=1e-12)


def test_decile_mape_by_definition() -> None:
    by = np.argsort(PREDICTED).reshape(10, -1)
    true, guess = ACTUAL[by].mean(axis=1), PREDICTED[by].mean(axis=1)
    assert decile_mape(ACTUAL, PREDICTED) == pytest.approx(np.mean(np.abs(guess - true) / true), rel=1e-12)


def test_equal_predictions_are_shared_out() -> None:
    """One value for all: every bin is the whole, whatever the order of rows and the number of them."""
    actual = np.array([0.0, 0, 3, 0, 4, 0, 7])
    assert decile_mape(actual, np.full(7, 4.0)) == pytest.approx(1)
    assert decile_mape(actual, np.full(7, 2.0)) == pytest.approx(0)


def test_a_decile_that_brought_nothing() -> None:
    assert decile_mape([0, 0, 4, 4], [1, 1, 4, 4], bins=2) == np.inf
    assert decile_mape([0, 0, 4, 4], [0, 0, 4, 4], bins=2) == 0


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize(
    "given", [PREDICTED, TIED, np.full_like(TIED, 9.0)], ids=["distinct", "tied", "same"]
)
def test_row_order_does_not_matter(measure: Callable[..., float], given: np.ndarray) -> None:
    shuffle = np.random.default_rng(0).permutation(given.size)
    assert measure(ACTUAL[shuffle], given[shuffle]) == pytest.approx(measure(ACTUAL, given), rel=1e-9)


def test_ranks() -> None:
    assert spearman([1, 2, 30], [5, 6, 7]) == 1
    assert spearman([1, 2, 30], [7, 6, 5]) == -1
    assert spearman([1, 2, 30], [4, 4, 4]) == 0


def test_rmsle_does_not_fall_for_whales() -> None:
    whale = np.append(ACTUAL, 1e6)
    assert rmsle(whale, np.append(ACTUAL, 2e6)) < 0.02


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize(
    ("actual", "predicted"), [([1, 0], [0.5]), ([], []), ([1, np.inf], [1, 1]), ([1, 1], [np.nan, 1])]
)
def test_bad_amounts_are_refused(
    measure: Callable[..., float], actual: list[float], predicted: list[float]
) -> None:
    with pytest.raises(ContractError):
        measure(actual, predicted)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: rmsle([1, -1], [1, 1]), "negative values in 'actual'"),
        (lambda: rmsle([1, 1], [1, -1]), "negative values in 'predicted'"),
        (lambda: spearman([2, 2], [1, 2]), "differ"),
        (lambda: decile_mape([1, 2], [1, 2], bins=0), "bins"),
    ],
)
def test_undefined_measures_are_refused(call: Callable[[], float], what: str) -> None:
    with pytest.raises(ContractError, match=what):
        call()
