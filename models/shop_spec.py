"""What a simulated shop is like."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import ContractError

Floats = npt.NDArray[np.float64]

_POSITIVE = ("n_customers", "days", "r", "alpha", "a", "b", "p", "q", "v", "n_products", "refund_delay")
_SHARES = ("season_amplitude", "refund_share", "anonymous_share")


@dataclass(frozen=True)
class ShopSpec:
    """What a simulated shop is like. The defaults are the published CDNOW parameters, in days.

    Parameters
    ----------
    n_customers : int
        Customers who buy at least once.
    start, days : str, int
        First day of the log (ISO date) and its length: ``[start, start + days)``.
    acquisition_days : float
        First purchases are spread over ``[start, start + acquisition_days)``; 0 puts all of them at the very
        start (a cohort), ``days`` spreads them over the whole log.
    r, alpha : float
        Purchase rates a day are Gamma(shape `r`, rate `alpha` in days); alpha in weeks times 7.
    a, b : float
        After each repeat purchase a customer leaves for good with a probability drawn from Beta(`a`, `b`).
    p, q, v : float
        An order is worth Gamma(`p`, rate nu), with nu the customer's own, drawn from Gamma(`q`, rate `v`).
    season_amplitude, season_peak : float
        The shop's pace is ``1 + amplitude * cos(2 pi (day of year - peak) / 365.25)``, constant within a day.
        It multiplies purchase rates, and the arrival of new customers.
    weekday_weights : tuple of float
        Monday to Sunday, rescaled to a mean of one; multiplies the pace.
    attribute_share, attribute_effect : float
        A share of the customers carries ``attribute = 1``; their purchase rate is multiplied by exp(effect).
    lines_per_order : float
        Mean lines an order: one plus a Poisson number.
    n_products : int
        Products on offer; low numbers sell more.
    refund_share, refund_delay : float
        Share of orders cancelled in full, after an exponential time of this mean in days.
    anonymous_share : float
        Share of the known lines' and anonymous lines' total that has no customer: orders of other people.

    Raises
    ------
    ContractError
        If a parameter is outside its range.

    Examples
    --------
    >>> ShopSpec(season_amplitude=1.5)
    Traceback (most recent call last):
    ...
    features.errors.ContractError: ShopSpec: season_amplitude must be in [0, 1); for example 1.5
    """

    n_customers: int = 1000
    start: str = "2024-01-01"
    days: int = 730
    acquisition_days: float = 365.0
    r: float = 0.243
    alpha: float = 30.9
    a: float = 0.793
    b: float = 2.426
    p: float = 6.25
    q: float = 3.74
    v: float = 15.44
    season_amplitude: float = 0.0
    season_peak: float = 340.0
    weekday_weights: tuple[float, ...] = (1.0,) * 7
    attribute_share: float = 0.5
    attribute_effect: float = 0.0
    lines_per_order: float = 1.0
    n_products: int = 200
    refund_share: float = 0.0
    refund_delay: float = 7.0
    anonymous_share: float = 0.0

    def __post_init__(self) -> None:
        self._require("start", "an ISO date", re.fullmatch(r"\d{4}-\d\d-\d\d", self.start) is not None)
        for name in _POSITIVE:
            self._require(name, "positive and finite", 0 < getattr(self, name) < np.inf)
        for name in _SHARES:
            self._require(name, "in [0, 1)", 0 <= getattr(self, name) < 1)
        self._require("attribute_share", "in [0, 1]", 0 <= self.attribute_share <= 1)
        self._require("attribute_effect", "finite", bool(np.isfinite(self.attribute_effect)))
        self._require("acquisition_days", "in [0, days]", 0 <= self.acquisition_days <= self.days)
        self._require("lines_per_order", "at least 1", 1 <= self.lines_per_order < np.inf)
        weights = self.weekday_weights
        self._require("weekday_weights", "7 positive weights", len(weights) == 7 and min(weights) > 0)

    def _require(self, name: str, what: str, holds: bool) -> None:
        if not holds:
            raise ContractError(f"ShopSpec: {name} must be {what}", example=getattr(self, name))

    def pace(self, days: int) -> Floats:
        """Cumulate the pace to the start of day 0, 1, …, `days`: the shop's clock, shape (days + 1,)."""
        dates = pd.date_range(self.start, periods=days, freq="D")
        angle = 2 * np.pi * (dates.day_of_year.to_numpy() - self.season_peak) / 365.25
        weights = np.asarray(self.weekday_weights) / np.mean(self.weekday_weights)
        daily = (1 + self.season_amplitude * np.cos(angle)) * weights[dates.day_of_week.to_numpy()]
        return np.concatenate([[0.0], np.cumsum(daily)])
