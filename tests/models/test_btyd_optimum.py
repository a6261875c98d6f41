"""Two hundred simulated shops, fitted from twenty more starts and by lifetimes: no better peak is found.

Every other shop is fitted as a large one is: its starts are tried on a sample of its rows.
"""

import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from models import beta_geo
from models.beta_geo_likelihood import objective, rows_of
from models.bgnbd import BetaGeoModel
from tests.models.story import drawn_histories

pytestmark = pytest.mark.heavy

SAMPLE = 200
"""Rows of the sample on which the starts are tried; nine in ten of the shops have more."""

EXCUSED = 0.1
"""Log-likelihood that a fit may lack in all, if it says that the data do not identify the parameters.

The largest that was seen is 0.083; six of the 200 shops lack more than 0.001.
"""


def shop(seed: int) -> pd.DataFrame:
    """A shop of any kind: from 200 customers to 3,000, from a month to three years, all parameters drawn."""
    rng = np.random.default_rng(1000 + seed)
    params = dict(zip(("r", "a", "b"), np.exp(rng.uniform(np.log(0.1), np.log(8), 3)), strict=True))
    span = float(np.exp(rng.uniform(np.log(30), np.log(1000))))
    params["alpha"] = params["r"] * span / np.exp(rng.uniform(np.log(0.2), np.log(20)))
    n = int(np.exp(rng.uniform(np.log(200), np.log(3000))))
    drawn = drawn_histories(params, n, span, 0.0, seed, leaves_at_once=False)
    late = rng.uniform(0, 0.7 * span, n)  # customers come one after another
    known = drawn["recency"] <= span - late
    return drawn[known].assign(T=(span - late)[known])


def best_of_random_starts(history: pd.DataFrame, seed: int) -> float:
    unit = history["T"].max()
    columns = [history["frequency"].to_numpy(), *(history[c].to_numpy() / unit for c in ("recency", "T"))]
    rows = rows_of(columns, np.ones(len(history)))
    best = -np.inf
    for start in np.random.default_rng(seed).uniform(-4, 4, (20, 4)):
        found = minimize(
            lambda theta: objective(theta, rows, 0), start, jac=True, method="L-BFGS-B",
            bounds=[(-12, 12)] * 4, options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10},
        )  # fmt: skip
        best = max(best, -found.fun)
    return float(best * len(history) - history["frequency"].sum() * np.log(unit))


def best_of_lifetimes(history: pd.DataFrame, lifetimes: ModuleType) -> float:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            theirs = lifetimes.BetaGeoFitter().fit(*(history[c] for c in ("frequency", "recency", "T")))
        except Exception:  # lifetimes gives up in its own ways; then it has found nothing
            return -np.inf
    values = {name: float(value) for name, value in theirs.params_.items()}
    if not all(0 < value < np.inf for value in values.values()):
        return -np.inf
    return float(BetaGeoModel.from_dict({"params": values}).loglik(history).sum())


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_nobody_finds_a_better_peak(
    first: int, lifetimes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    identified = excused = 0
    for seed in range(first, first + 20):
        history = shop(seed)
        if seed % 2:
            monkeypatch.setattr(beta_geo, "SCOUTED", SAMPLE)
        else:
            monkeypatch.undo()
        model = BetaGeoModel().fit(history)
        rival = max(best_of_random_starts(history, seed), best_of_lifetimes(history, lifetimes))
        loss = rival - model.loglik_
        assert loss <= (1e-6 if model.converged_ else EXCUSED), (seed, loss, model.diagnosis_)
        assert model.converged_ != bool(model.diagnosis_)
        identified += model.converged_
        excused += loss > 1e-6
    assert identified >= 10
    assert excused <= 6  # 20 of the 200 shops in all, and 5 in the worst twenty
