"""Pareto/NBD under given parameters: the chance of a purchase, as integrals that are always finite.

The likelihood of a history whose silence goes on for t more days, over that of the history, is the chance
that it does go on: ``P(no purchase) = L(x, t_x, T + t) / L(x, t_x, T)``, in this model as in any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.distinct import once_each
from models.inputs import Floats, check_history

_PANELS = 0.5 ** np.arange(12.0, -1.0, -1.0)
"""Ends of the panels, as shares of the way: halved towards the start, where heavy buyers' integrands fall."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_CHUNK = 10_000
"""Histories integrated at a time, so that memory is bounded."""


@dataclass(frozen=True)
class ParetoNbd:
    """Customers buy at rates that differ as Gamma(r, alpha) and leave at rates that differ as Gamma(s, beta).

    Unlike in BG/NBD they may leave at any time, one-time buyers too.

    Parameters
    ----------
    r, alpha, s, beta : float
        Positive; `alpha` and `beta` in days.

    References
    ----------
    Schmittlein, Morrison, Colombo (1987), "Counting Your Customers", Management Science 33(1), 1-24.

    Examples
    --------
    >>> model = ParetoNbd(r=0.553, alpha=74.0, s=0.606, beta=81.7)
    >>> customers = pd.DataFrame({"frequency": [2, 0], "recency": [213, 0], "T": [272, 272]})
    >>> model.predict(customers, 90).round(3)
    array([0.365, 0.033])
    """

    r: float
    alpha: float
    s: float
    beta: float

    def predict(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """P(at least one purchase day within `horizon` days), shape (n,)."""
        histories, which = once_each(check_history(frame))
        pieces = [
            self._p_purchase(float(horizon), *(column[k : k + _CHUNK] for column in histories))
            for k in range(0, len(histories[0]), _CHUNK)
        ]
        return np.concatenate([np.empty(0), *pieces])[which]

    def _p_purchase(self, horizon: float, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """One minus the ratio, with the difference of the likelihoods taken under the integral.

        lifetimes takes it between two hypergeometric functions, which for heavy buyers overflow or cancel.
        Here every term is positive: the next purchase at u, against alive now or gone at some u since t_x.
        All are in units of "alive now", so that none underflows.
        """
        rate, m = self.r + x, min(self.alpha, self.beta)
        now_a, now_b = np.log(self.alpha + age), np.log(self.beta + age)

        def next_at(u: Floats) -> Floats:
            bought = np.log(self.alpha + u)
            stayed = self.s * (np.log(self.beta + u) - now_b)
            return np.asarray(np.log(rate) - bought - rate * (bought - now_a) - stayed)

        def gone_at(u: Floats) -> Floats:
            left = np.log(self.beta + u)
            bought = rate * (np.log(self.alpha + u) - now_a)
            return np.asarray(np.log(self.s) - left - bought - self.s * (left - now_b))

        buys = _log_integral(next_at, age, age + horizon, m)
        gone = _log_integral(gone_at, t_x, age, m)
        p: Floats = np.exp(np.minimum(buys - np.logaddexp(0.0, gone), 0.0))
        return p

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"r": self.r, "alpha": self.alpha, "s": self.s, "beta": self.beta}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> ParetoNbd:
        """Rebuild from `to_dict`."""
        return cls(**{name: float(state[name]) for name in ("r", "alpha", "s", "beta")})


def _log_integral(log_value: Callable[[Floats], Floats], start: Floats, end: Floats, scale: float) -> Floats:
    """Integrate over u from `start` to `end`, in log(scale + u), by Gauss and Legendre on halving panels."""
    low, way = np.log(scale + start), np.log1p((end - start) / (scale + start))
    total = np.full(len(start), -np.inf)
    for left, right in zip(np.concatenate([[0.0], _PANELS[:-1]]), _PANELS, strict=True):
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            at = low + way * (left + (right - left) * (1 + node) / 2)
            piece = log_value(np.exp(at) - scale) + at + np.log(weight * (right - left) / 2)
            total = np.logaddexp(total, piece)
    with np.errstate(divide="ignore"):  # no way at all: nothing to add
        found: Floats = total + np.log(way)
    return found
