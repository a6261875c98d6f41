"""Figures that papers, package manuals and an independent fit give for CDNOW as a whole.

Sources: [paper] Fader, Hardie, Lee (2005), Marketing Science 24(2), 275-284: Table 3 and the fit of Figure 2;
[025] Fader, Hardie (2013), note 025; [RFM] Fader, Hardie, Lee (2005), "RFM and CLV"; [independent]: computed
with another implementation (L-BFGS in numpy, 2F1 in direct form) under the published parameters.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score, root_mean_squared_error

from models.bgnbd import BetaGeoModel
from models.gamma_gamma import GammaGammaModel
from models.mbgnbd import ModifiedBetaGeoModel

HORIZON = 39


@pytest.fixture(scope="module")
def bg(cdnow: pd.DataFrame) -> BetaGeoModel:
    return BetaGeoModel().fit(cdnow)


@pytest.fixture(scope="module")
def mbg(cdnow: pd.DataFrame) -> ModifiedBetaGeoModel:
    return ModifiedBetaGeoModel().fit(cdnow)


def test_fit_by_frequency_is_the_papers_chi_square(bg: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    """4.82 with three degrees of freedom [paper]: how many customers repeat 0, 1, ... 6, 7 times or more."""
    new = np.zeros(len(cdnow))
    expected = [bg.pmf(n, cdnow["T"], new, new, new).sum() for n in range(7)]
    expected.append(bg.p_at_least(7, cdnow["T"], new, new, new).sum())
    actual = cdnow["frequency"].clip(upper=7).value_counts().sort_index().to_numpy()
    assert sum(expected) == pytest.approx(2357)
    assert ((actual - expected) ** 2 / expected).sum() == pytest.approx(4.82, abs=0.005)


def test_holdout_correlation_is_the_papers(bg: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    """.626 between actual and expected holdout purchases [paper, Table 3]."""
    expected = bg.expected_purchases(HORIZON, cdnow)
    assert np.corrcoef(cdnow["holdout"], expected)[0, 1] == pytest.approx(0.626, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "total", "mae", "rmse", "auc"),
    [("bg", 1653.4, 0.785, 1.608, 0.7569), ("mbg", 1576.7, 0.765, 1.607, 0.7601)],
)
def test_holdout_errors(
    name: str, total: float, mae: float, rmse: float, auc: float, cdnow: pd.DataFrame,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """Sum, mean absolute and root mean squared error of purchases, AUC of P(at least one) [independent]."""
    model = request.getfixturevalue(name)
    expected, actual = model.expected_purchases(HORIZON, cdnow), cdnow["holdout"]
    assert expected.sum() == pytest.approx(total, abs=0.05)
    assert mean_absolute_error(actual, expected) == pytest.approx(mae, abs=5e-4)
    assert root_mean_squared_error(actual, expected) == pytest.approx(rmse, abs=5e-4)
    assert roc_auc_score(actual > 0, model.p_purchase(HORIZON, cdnow)) == pytest.approx(auc, abs=5e-5)


def test_log_loss_of_p_purchase(bg: BetaGeoModel, cdnow: pd.DataFrame) -> None:
    """.50555 [independent]."""
    assert log_loss(cdnow["holdout"] > 0, bg.p_purchase(HORIZON, cdnow)) == pytest.approx(0.50555, abs=5e-6)


def test_p_alive_is_no_churn_score(bg: BetaGeoModel, mbg: ModifiedBetaGeoModel, cdnow: pd.DataFrame) -> None:
    """AUC of P(alive) for who bought: BG/NBD .316, MBG/NBD .687; of silence, .771 [independent]."""
    bought = cdnow["holdout"] > 0
    assert roc_auc_score(bought, bg.p_alive(cdnow)) == pytest.approx(0.316, abs=5e-4)
    assert roc_auc_score(bought, mbg.p_alive(cdnow)) == pytest.approx(0.687, abs=5e-4)
    assert roc_auc_score(bought, cdnow["recency"] - cdnow["T"]) == pytest.approx(0.771, abs=5e-4)
    assert roc_auc_score(bought, bg.expected_purchases(HORIZON, cdnow)) == pytest.approx(0.773, abs=1e-3)


def test_spend_and_frequency_are_nearly_independent(cdnow: pd.DataFrame) -> None:
    """Correlation .11, .06 without the one largest, mean 35.08 [025, RFM]; the model's mean is 35.17."""
    repeat = cdnow[cdnow["frequency"] > 0]
    spend = repeat["monetary_value"]
    assert len(repeat) == 946
    assert spend.mean() == pytest.approx(35.08, abs=5e-3)
    assert np.corrcoef(repeat["frequency"], spend)[0, 1] == pytest.approx(0.11, abs=5e-3)
    rest = repeat.drop(spend.idxmax())
    assert np.corrcoef(rest["frequency"], rest["monetary_value"])[0, 1] == pytest.approx(0.06, abs=5e-3)
    assert GammaGammaModel().fit(cdnow).prior_mean_ == pytest.approx(35.17, abs=5e-3)


def test_spend_model_on_the_rounded_summary_lifetimes_ships() -> None:
    """p 6.2488, q 3.7446, v 15.4477, log-likelihood -4055.9232 [independent]."""
    package = find_spec("lifetimes")
    assert package is not None
    name = "cdnow_customers_summary_with_transactions.csv"
    table = pd.read_csv(Path(str(package.origin)).parent / "datasets" / name)
    model = GammaGammaModel().fit(table["x"], table["zbar"])
    assert model.params_ == pytest.approx({"p": 6.2488, "q": 3.7446, "v": 15.4477}, abs=5e-5)
    assert model.loglik_ == pytest.approx(-4055.9232, abs=5e-5)
