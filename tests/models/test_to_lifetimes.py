"""A fitted model as a lifetimes fitter: the same predictions, errors and plots."""

import warnings
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from models.fitted import LikelihoodModel
from models.gamma_gamma import GammaGammaModel
from models.mbgnbd import ModifiedBetaGeoModel
from models.to_lifetimes import to_lifetimes

HISTORY = ["frequency", "recency", "T"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    mpl.use("Agg")
    with warnings.catch_warnings():  # lifetimes' own
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("kind", [BetaGeoModel, ModifiedBetaGeoModel])
def test_it_predicts_and_plots(kind: type[BetaGeoModel], cdnow: pd.DataFrame) -> None:
    model = kind().fit(cdnow)
    fitter = to_lifetimes(model, cdnow)
    columns = [cdnow[name] for name in HISTORY]
    assert np.asarray(fitter.predict(39, *columns)) == pytest.approx(
        model.expected_purchases(39, cdnow), rel=1e-9
    )
    errors = np.sqrt(np.diag(model.covariance_))
    assert fitter.summary["se(coef)"].to_numpy() == pytest.approx(errors, rel=1e-12)

    from lifetimes.plotting import plot_period_transactions, plot_probability_alive_matrix

    assert plot_probability_alive_matrix(fitter).get_images()
    assert plot_period_transactions(fitter).patches
    assert len(fitter.generate_new_data(size=50)) == 50


def test_the_spend_model_predicts(cdnow: pd.DataFrame) -> None:
    spend = cdnow[cdnow["frequency"] > 0].assign(monetary_value=lambda t: 20.0 + t["recency"] % 9)
    model = GammaGammaModel().fit(spend)
    fitter = to_lifetimes(model, spend)
    theirs = fitter.conditional_expected_average_profit(spend["frequency"], spend["monetary_value"])
    assert np.asarray(theirs) == pytest.approx(model.expected_spend(spend), rel=1e-9)


def test_a_stranger_is_refused(cdnow: pd.DataFrame) -> None:
    class Other(LikelihoodModel):
        _kind = "other"

    with pytest.raises(ContractError, match="no model like Other"):
        to_lifetimes(Other(), cdnow)
