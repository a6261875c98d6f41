"""What models with a closed-form likelihood share: distinct rows, one way to maximise, one way to be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from features.errors import ContractError
from models.inputs import Floats

Objective = Callable[[Floats], tuple[float, Floats]]

LARGEST_LOG = 12.0
"""A parameter stays within exp(±12) of one (time or money scaled): past that, data say nothing about it."""

_FLATTEST = 1e-7
"""Curvature of the mean log-likelihood (per squared log-parameter) below which a direction is a ridge."""


def distinct_rows(columns: Sequence[Floats], weight: Floats) -> tuple[list[Floats], Floats]:
    """Sort the rows and merge equal ones into one that carries their weight; rows of weight 0 go."""
    order = np.lexsort((weight, *reversed(columns)))
    order = order[weight[order] > 0]
    columns = [column[order] for column in columns]
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    first = np.flatnonzero(new)
    return [column[first] for column in columns], np.add.reduceat(weight[order], first)


# ---- the optimum -----------------------------------------------------------------------------------------


class Optimum(NamedTuple):
    """Where the mean log-likelihood is largest, and whether that is an inner, curved peak."""

    log_params: Floats
    mean_loglik: float
    converged: bool


def maximise(objective: Objective, starts: ArrayLike) -> Optimum:
    """Minimise the negative mean log-likelihood over log-parameters, from several starts; keep the best.

    L-BFGS-B finds the peak; a few Newton steps then remove what is left of the path, so that a change of
    units or of the order of rows does not show in the parameters.

    Parameters
    ----------
    objective : callable
        Maps log-parameters of shape (k,) to the negative mean log-likelihood and its gradient.
    starts : array_like of shape (s, k)
        Starting parameters, before the logarithm.

    Returns
    -------
    Optimum
        ``converged`` is False on a bound or on a ridge: the data do not identify every parameter.
    """
    with threadpool_limits(1, user_api="blas"):  # threads cost 10 times what 4 x 4 matrices do
        return _best_peak(objective, np.log(np.asarray(starts, dtype=np.float64)))


def _best_peak(objective: Objective, starts: Floats) -> Optimum:
    scouts = [_descend(objective, start, ftol=1e-7) for start in starts]
    peak = _descend(objective, min(scouts, key=lambda point: objective(point)[0]), ftol=1e-13)
    curvature = _hessian(objective, peak)
    identified = bool(np.linalg.eigvalsh(curvature)[0] > _FLATTEST)
    if identified:
        peak = _newton(objective, peak, curvature)
    value, gradient = objective(peak)
    inner = bool(np.all(np.abs(peak) < LARGEST_LOG - 1e-3))
    return Optimum(peak, -value, inner and identified and bool(np.abs(gradient).max() < 1e-6))


def _descend(objective: Objective, start: Floats, ftol: float) -> Floats:
    bounds = [(-LARGEST_LOG, LARGEST_LOG)] * len(start)
    found = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": ftol, "gtol": 1e-8},
    )
    return np.asarray(found.x, dtype=np.float64)


def _hessian(objective: Objective, point: Floats, step: float = 1e-4) -> Floats:
    steps = step * np.eye(len(point))
    rows = [(objective(point + h)[1] - objective(point - h)[1]) / (2 * step) for h in steps]
    return np.asarray(rows + np.transpose(rows)) / 2


def _newton(objective: Objective, point: Floats, curvature: Floats) -> Floats:
    best, slope = point, objective(point)[1]
    for _ in range(4):
        trial = np.clip(best - np.linalg.solve(curvature, slope), -LARGEST_LOG, LARGEST_LOG)
        trial_slope = objective(trial)[1]
        if np.abs(trial_slope).max() >= np.abs(slope).max():
            break
        best, slope = trial, trial_slope
    return best


# ---- the fitted thing ------------------------------------------------------------------------------------


class LikelihoodModel(BaseEstimator):  # type: ignore[misc]
    """A model whose fitted state is a handful of named positive parameters."""

    _kind: ClassVar[str]
    _names: ClassVar[tuple[str, ...]]
    _extras: ClassVar[tuple[str, ...]] = ("loglik", "converged", "n_customers")

    params_: dict[str, float]
    loglik_: float
    converged_: bool
    n_customers_: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fitted state as plain numbers, ready for JSON."""
        check_is_fitted(self, "params_")
        extras = {name: getattr(self, f"{name}_") for name in self._extras if hasattr(self, f"{name}_")}
        return {"model": self._kind, "params": dict(self.params_), **extras}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return a fitted model from what `to_dict` gave; ``{"params": {...}}`` alone is enough.

        Raises
        ------
        ContractError
            If it describes another model, or a parameter is absent, unknown, or not finite and positive.
        """
        if state.get("model", cls._kind) != cls._kind:
            raise ContractError(
                f"these are parameters of another model than {cls._kind}", example=state["model"]
            )
        params = {name: float(value) for name, value in state.get("params", {}).items()}
        if set(params) != set(cls._names) or not all(0 < value < np.inf for value in params.values()):
            raise ContractError(f"expected positive parameters {', '.join(cls._names)}", example=params)
        model = cls()
        model.params_ = {name: params[name] for name in cls._names}
        for name in set(cls._extras) & set(state):
            setattr(model, f"{name}_", state[name])
        return model

    def _values(self) -> Floats:
        check_is_fitted(self, "params_")
        return np.array([self.params_[name] for name in self._names])

    def _keep(self, optimum: Optimum, unit: Mapping[str, float], jacobian: float, total: float) -> None:
        """Take over an optimum found in scaled units; `jacobian` is what scaling added to the likelihood."""
        values = np.exp(optimum.log_params).tolist()
        self.params_ = {n: v * unit.get(n, 1.0) for n, v in zip(self._names, values, strict=True)}
        self.loglik_ = float(optimum.mean_loglik * total - jacobian)
        self.converged_ = optimum.converged
        self.n_customers_ = int(total) if float(total).is_integer() else float(total)
