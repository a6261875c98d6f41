"""Peaks and what is none: curvature in closed form, and verdicts that hold for millions of customers."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from models import beta_geo_curvature, beta_geo_likelihood, gamma_gamma_likelihood
from models.bgnbd import BetaGeoModel
from models.likelihood import Surface, maximise
from tests.models.story import drawn_histories

POINTS = np.random.default_rng(3).uniform(-2.5, 2.5, (8, 4))


def by_differences(slope: Callable[[np.ndarray], np.ndarray], point: np.ndarray) -> np.ndarray:
    """Slopes a step apart, and two steps, so that the error is of the fourth order."""

    def rows(step: float) -> np.ndarray:
        sides = step * np.eye(len(point))
        return np.array([(slope(point + side) - slope(point - side)) / (2 * step) for side in sides])

    return (4 * rows(1e-3) - rows(2e-3)) / 3


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("point", POINTS)
def test_curvature_of_both_families(cdnow: pd.DataFrame, first: int, point: np.ndarray) -> None:
    columns = [cdnow["frequency"].to_numpy(), *(cdnow[c].to_numpy() / 39 for c in ("recency", "T"))]
    rows = beta_geo_likelihood.rows_of(columns, np.linspace(0.5, 2, len(cdnow)))
    slope = beta_geo_likelihood.objective(point, rows, first)[1]
    found = beta_geo_curvature.curvature(point, slope, rows, first)
    expected = by_differences(lambda at: beta_geo_likelihood.objective(at, rows, first)[1], point)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("point", POINTS[:, :3])
def test_curvature_of_the_spend(cdnow: pd.DataFrame, point: np.ndarray) -> None:
    buyers = cdnow[(cdnow["frequency"] > 0) & (cdnow["monetary_value"] > 0)]
    x, m = buyers["frequency"].to_numpy(), buyers["monetary_value"].to_numpy() / 30
    rows = gamma_gamma_likelihood.Rows(x, m, np.linspace(0.5, 2, len(buyers)))
    slope = gamma_gamma_likelihood.objective(point, rows)[1]
    found = gamma_gamma_likelihood.curvature(point, slope, rows)
    expected = by_differences(lambda at: gamma_gamma_likelihood.objective(at, rows)[1], point)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())


ALIKE = 1e7
"""So large a parameter that customers differ in nothing it could tell."""

RUNAWAYS = {
    "all leave with the same chance": {"r": 1.0, "alpha": 40.0, "a": 0.2 * ALIKE, "b": 0.8 * ALIKE},
    "all buy at the same rate": {"r": ALIKE, "alpha": 50 * ALIKE, "a": 1.0, "b": 4.0},
    "nobody leaves": {"r": 1.0, "alpha": 40.0, "a": 1e-9, "b": 1.0},
}


@pytest.mark.parametrize("params", RUNAWAYS.values(), ids=RUNAWAYS)
@pytest.mark.parametrize("weight", [1.0, 1e6])
def test_many_customers_make_no_peak_of_a_runaway(params: dict[str, float], weight: float) -> None:
    """The curvature of four thousand million customers is large in every direction, even along a ridge."""
    said = 0
    for seed in range(4):
        shop = drawn_histories(params, 4000, 300.0, 0.0, seed, leaves_at_once=False)
        model = BetaGeoModel().fit(shop, sample_weight=np.full(len(shop), weight))
        assert model.converged_ != bool(model.diagnosis_)
        said += not model.converged_
        if model.converged_:  # chance may make customers look different: then it is a peak for any number
            other = BetaGeoModel().fit(shop, sample_weight=np.full(len(shop), 1e3 * weight))
            assert other.params_ == pytest.approx(model.params_, rel=1e-4)
    assert said >= 1


def test_a_slope_that_many_feel_is_no_peak() -> None:
    """A likelihood that rises for ever, as a runaway's: it never has a peak, however curved it is."""
    for total in (1e3, 1e12):
        rising = Surface(
            lambda at: (float(np.exp(-at).sum()), -np.exp(-at)), lambda at, _: np.diag(np.exp(-at))
        )
        assert not maximise(rising, np.array([[1.0, 2.0]]), total).converged
    for total, identified in ((1e-2, False), (1e3, True), (1e12, True)):
        bowl = Surface(lambda at: (float(at @ at) / 2, at), lambda _at, _slope: np.eye(2))
        found = maximise(bowl, np.array([[3.0, 0.2]]), total)
        assert found.converged is identified
        np.testing.assert_allclose(found.log_params, 0, atol=1e-9)
