"""MBG/NBD against published numbers, lifetimes, its own mathematics and a simulation.

Sources: [lifetimes] its test_estimation.py; [closed form] the likelihood ratio.
"""

import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from models.bgnbd import BetaGeoModel
from models.mbgnbd import ModifiedBetaGeoModel
from tests.models.story import drawn_histories

HISTORY = ["frequency", "recency", "T"]


@pytest.fixture(scope="module")
def fitted(cdnow: pd.DataFrame) -> ModifiedBetaGeoModel:
    return ModifiedBetaGeoModel().fit(cdnow)


def test_parameters_match_lifetimes_test_estimation(fitted: ModifiedBetaGeoModel) -> None:
    assert fitted.params_ == pytest.approx({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, abs=1e-3)
    exact = {"r": 0.5248432, "alpha": 6.1830854, "a": 0.8913593, "b": 1.6140018}  # an independent MLE
    assert fitted.params_ == pytest.approx(exact, rel=2e-6)
    assert fitted.loglik_ == pytest.approx(-9582.13572, abs=1e-5)
    assert fitted.converged_


def test_p_purchase_over_the_cdnow_holdout(fitted: ModifiedBetaGeoModel, cdnow: pd.DataFrame) -> None:
    p = fitted.p_purchase(39, cdnow)
    assert p[:3] == pytest.approx([0.559940, 0.104910, 0.108803], abs=2e-6)
    assert p.sum() == pytest.approx(565.74, abs=0.01)
    assert fitted.expected_purchases(39, cdnow).sum() == pytest.approx(1576.7, abs=0.05)


def test_p_purchase_is_a_likelihood_ratio(fitted: ModifiedBetaGeoModel, cdnow: pd.DataFrame) -> None:
    x, t_x, age = (cdnow[name] for name in HISTORY)
    silent = np.exp(fitted.loglik(x, t_x, age + 39) - fitted.loglik(x, t_x, age))
    assert fitted.p_purchase(39, cdnow) == pytest.approx(1 - silent, abs=1e-12)


def test_predictions_agree_with_lifetimes(
    fitted: ModifiedBetaGeoModel, cdnow: pd.DataFrame, lifetimes: ModuleType
) -> None:
    columns = [cdnow[name] for name in HISTORY]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = lifetimes.ModifiedBetaGeoFitter().fit(*columns)
        assert fitted.params_ == pytest.approx(dict(oracle.params_), rel=2e-3)
        oracle.params_ = pd.Series(fitted.params_)
        alive = oracle.conditional_probability_alive(*columns)
        orders = oracle.conditional_expected_number_of_purchases_up_to_time(39, *columns)
    assert fitted.p_alive(cdnow) == pytest.approx(np.asarray(alive), abs=1e-12)
    assert fitted.expected_purchases(39, cdnow) == pytest.approx(np.asarray(orders), rel=1e-9)


def test_one_time_buyers_may_have_left(fitted: ModifiedBetaGeoModel, cdnow: pd.DataFrame) -> None:
    once = cdnow[cdnow["frequency"] == 0]
    assert fitted.p_alive(once).max() < 1
    assert (BetaGeoModel().fit(cdnow).p_alive(once) == 1).all()


def test_predictions_lie_within_a_simulations_error(fitted: ModifiedBetaGeoModel) -> None:
    """Chances to leave after each purchase, the first included; 400,000 customers."""
    shop = drawn_histories(fitted.params_, 400_000, 38.86, 39, seed=5, leaves_at_once=True)
    shop["p_off"] = (shop["later"] > 0) - fitted.p_purchase(39, shop)
    shop["orders_off"] = shop["later"] - fitted.expected_purchases(39, shop)
    for _, group in shop.groupby(shop["frequency"].clip(upper=5)):
        off = group[["p_off", "orders_off"]]
        assert (off.mean().abs() < 4 * off.std() / np.sqrt(len(off))).all()
