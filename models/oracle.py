"""lifetimes' own fitters, run as candidates beside ours in every comparison."""

from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from models.distinct import distinct_rows, thinned
from models.pareto_nbd import ParetoNbd

PENALTIES = (0.0, 0.001, 0.01, 0.1)
"""What its users try, in this sequence, when it does not converge."""

MOST_ROWS = 5000
"""Distinct histories that Pareto/NBD is fitted to: each costs it two hypergeometric functions."""


def fit_lifetimes_bgnbd(frame: pd.DataFrame) -> BetaGeoModel | None:
    """Fit ``lifetimes.BetaGeoFitter`` and hand over its parameters.

    lifetimes has no P(at least one purchase in a horizon), so that comes from our closed form under its
    parameters.

    Parameters
    ----------
    frame : DataFrame
        One row per customer, with ``frequency, recency, T`` in days.

    Returns
    -------
    BetaGeoModel or None
        None if it converges under no penalty.
    """
    from lifetimes import BetaGeoFitter
    from lifetimes.utils import ConvergenceError

    ordered = frame.sort_values(["frequency", "recency", "T"])
    for penalty in PENALTIES:
        fitter = BetaGeoFitter(penalizer_coef=penalty)
        try:
            with np.errstate(all="ignore"), redirect_stdout(StringIO()):  # it prints when it fails
                fitter.fit(ordered["frequency"], ordered["recency"], ordered["T"])
            return BetaGeoModel.from_dict({"params": {k: float(v) for k, v in fitter.params_.items()}})
        except (ConvergenceError, np.linalg.LinAlgError, ContractError):  # the last: a parameter at 0 or ∞
            continue
    return None


def fit_lifetimes_pareto_nbd(frame: pd.DataFrame) -> ParetoNbd | None:
    """Fit ``lifetimes.ParetoNBDFitter`` and hand over its parameters.

    Equal histories are one row with a weight. Of more than `MOST_ROWS` of them, a draw evenly along their
    order is fitted. It starts where lifetimes does, but for the noise that lifetimes adds to that.

    Parameters
    ----------
    frame : DataFrame
        One row per customer, with ``frequency, recency, T`` in days.

    Returns
    -------
    ParetoNbd or None
        None if under no penalty its likelihood, which is fragile, ends at a finite value.
    """
    from lifetimes import ParetoNBDFitter

    columns = [frame[name].to_numpy(np.float64) for name in ("frequency", "recency", "T")]
    rows, weight = thinned(*distinct_rows(columns, np.ones(len(frame))), MOST_ROWS)
    for penalty in PENALTIES:
        fitter = ParetoNBDFitter(penalizer_coef=penalty)
        try:
            with np.errstate(all="ignore"), redirect_stdout(StringIO()):
                fitter.fit(*rows, weights=weight, initial_params=np.ones(4))
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            continue
        params = {name: float(value) for name, value in fitter.params_.items()}
        usable = all(np.isfinite(v) and v > 0 for v in params.values())
        if usable and np.isfinite(fitter._negative_log_likelihood_):
            return ParetoNbd.from_dict(params)
    return None
