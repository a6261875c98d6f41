"""What models with a closed-form likelihood have in common once they are fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from features.errors import ContractError
from models.diagnosis import diagnose
from models.inputs import Floats, check_level
from models.likelihood import Optimum


def half_width(level: float) -> float:
    """Return how many standard errors an interval of this level reaches to each side."""
    return float(-ndtri((1 - check_level(level)) / 2))


class LikelihoodModel(BaseEstimator):  # type: ignore[misc]
    """A model whose fitted state is a handful of named positive parameters.

    Its subclasses say in ``_runaways`` what it means when a parameter runs to 0 or to infinity.
    """

    _kind: ClassVar[str]
    _names: ClassVar[tuple[str, ...]]
    _runaways: ClassVar[Mapping[str, tuple[str, str]]] = {}
    _extras: ClassVar[tuple[str, ...]] = (
        "loglik", "converged", "n_customers", "log_covariance", "diagnosis",
    )  # fmt: skip

    params_: dict[str, float]
    loglik_: float
    converged_: bool
    n_customers_: float
    log_covariance_: list[list[float]] | None
    diagnosis_: list[str]

    @property
    def covariance_(self) -> Floats | None:
        """Covariance of the parameters, in their order; None where the data do not identify them.

        Built in log space, where the likelihood is nearest to a parabola: ``V_ij theta_i theta_j``.
        """
        log_covariance = getattr(self, "log_covariance_", None)
        if log_covariance is None:
            return None
        values = self._values()
        return np.asarray(np.asarray(log_covariance) * np.outer(values, values))

    def params_interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Return an interval for each parameter, above zero (Wald's, in log space).

        In large samples they hold the truth as often as they say; in small ones less. Of 6,742 simulated
        shops of 100 to 600 customers, 4,669 had intervals. Those of 95 % held the truth in 96 % under BG/NBD
        with a up to 2 and b up to 8; in 94 % with a up to 8 and b up to 40; and in 93 % under MBG/NBD with a
        up to 2 and b up to 8, where b is the worst with 86 %, and 80 % where the smallest eigenvalue of the
        information is 1 to 3. The truth then lies above the interval: towards large a and b the likelihood
        falls more slowly than its curvature says, and the shops where they run away have no interval at all.
        So take the upper ends of a and b for too low there. It is not the limit of identification that does
        it: with an eigenvalue of 0.1 to 0.3 the intervals are so wide that they held 95 to 98 %.

        Raises
        ------
        ContractError
            If the level is not between 0 and 1, or the data do not identify the parameters.
        """
        half = half_width(level) * np.sqrt(np.diag(self.log_covariance()))
        low, high = self._values() * np.exp(-half), self._values() * np.exp(half)
        return {name: (float(low[k]), float(high[k])) for k, name in enumerate(self._names)}

    def log_covariance(self) -> Floats:
        """Return the covariance of the log-parameters, shape (k, k).

        Raises
        ------
        ContractError
            If the data do not identify the parameters, saying why.
        """
        check_is_fitted(self, "params_")
        found = getattr(self, "log_covariance_", None)
        if found is None:
            why = getattr(self, "diagnosis_", []) or ["the model was made from bare parameters"]
            raise ContractError(f"these parameters have no covariance: {'; '.join(why)}")
        return np.asarray(found, dtype=np.float64)

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

    def with_values(self, values: ArrayLike) -> Self:
        """Return a model of this kind with other parameters, in the order of ``params_``."""
        return type(self).from_dict({"params": dict(zip(self._names, np.asarray(values), strict=True))})

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
        self.log_covariance_, self.diagnosis_ = None, []
        if optimum.converged:  # the logarithm of a rescaled parameter has the same variance
            inverse = np.linalg.inv(optimum.information)
            self.log_covariance_ = ((inverse + inverse.T) / 2).tolist()
        else:
            self.diagnosis_ = diagnose(optimum, self._names, self._runaways)
