"""lifetimes' own fitter, run as a candidate beside ours in every comparison."""

from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd

from features.errors import ContractError
from models.bgnbd import BetaGeoModel

PENALTIES = (0.0, 0.001, 0.01, 0.1)
"""What its users try, in this sequence, when it does not converge."""


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
