"""Two hundred simulated shops, fitted from twenty more starts and by lifetimes: no better peak is found."""

import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from models.beta_geo_likelihood import objective, rows_of
from models.bgnbd import BetaGeoModel
from tests.models.story import drawn_histories

pytestmark = pytest.mark.heavy


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
def test_nobody_finds_a_better_peak(first: int, lifetimes: ModuleType) -> None:
    identified = 0
    for seed in range(first, first + 20):
        history = shop(seed)
        model = BetaGeoModel().fit(history)
        rival = max(best_of_random_starts(history, seed), best_of_lifetimes(history, lifetimes))
        assert model.loglik_ >= rival - 1e-6 or model.diagnosis_, (seed, model.loglik_ - rival)
        assert model.converged_ != bool(model.diagnosis_)
        identified += model.converged_
    assert identified >= 10
