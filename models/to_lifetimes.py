"""Hand a fitted model to lifetimes: as one of its own fitters, for its plots and its users' code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from models.fitted import LikelihoodModel
from models.gamma_gamma import GammaGammaModel
from models.mbgnbd import ModifiedBetaGeoModel


def to_lifetimes(model: LikelihoodModel, customers: pd.DataFrame) -> Any:
    """Return a fitted ``lifetimes`` fitter with this model's parameters.

    Parameters
    ----------
    model : BetaGeoModel, ModifiedBetaGeoModel or GammaGammaModel
        Fitted.
    customers : DataFrame
        What it was fitted to: ``frequency, recency, T``, or ``frequency, monetary_value``; lifetimes' plots
        look at it.

    Returns
    -------
    lifetimes.BetaGeoFitter, ModifiedBetaGeoFitter or GammaGammaFitter
        With standard errors from our covariance, whose off-diagonals lifetimes gets wrong.

    Raises
    ------
    ContractError
        If lifetimes has no such model.
    """
    from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter

    if isinstance(model, GammaGammaModel):
        return _filled(GammaGammaFitter(), model, customers[["frequency", "monetary_value"]])
    if not isinstance(model, BetaGeoModel | ModifiedBetaGeoModel):
        raise ContractError(f"lifetimes has no model like {type(model).__name__}")
    theirs = BetaGeoFitter() if isinstance(model, BetaGeoModel) else ModifiedBetaGeoFitter()
    fitter = _filled(theirs, model, customers[["frequency", "recency", "T"]])
    fitter._scale = 1.0
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    fitter.generate_new_data = _generator(model, customers["T"])
    return fitter


def _filled(fitter: Any, model: LikelihoodModel, data: pd.DataFrame) -> Any:
    fitter.params_ = pd.Series(model.params_)
    fitter.data = data.astype("float64").assign(weights=1)
    if model.covariance_ is not None:
        names = list(model.params_)
        fitter.variance_matrix_ = pd.DataFrame(model.covariance_, index=names, columns=names)
        fitter.standard_errors_ = fitter._compute_standard_errors()
        fitter.confidence_intervals_ = fitter._compute_confidence_intervals()
    return fitter


def _generator(model: LikelihoodModel, T: pd.Series) -> Any:
    from lifetimes.generate_data import beta_geometric_nbd_model, modified_beta_geometric_nbd_model

    is_modified = isinstance(model, ModifiedBetaGeoModel)
    make = modified_beta_geometric_nbd_model if is_modified else beta_geometric_nbd_model
    params, ages = tuple(model.params_.values()), np.asarray(T, dtype=np.float64)
    return lambda size=1: make(ages[:size] if size < len(ages) else ages, *params, size=size)
