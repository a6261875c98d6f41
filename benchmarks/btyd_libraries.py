"""What each library is asked for, in the calls its own guide shows; time in days, for all alike."""

import warnings
from datetime import date
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

HORIZON = 90
YEARLY_RATE = 1.01**12 - 1  # lifetimes' own default, one per cent a month
START = date(2026, 1, 1)  # where the calendar months of a year begin
DAYS_OF_A_YEAR = 365.25

HISTORY = ["frequency", "recency", "T"]
PURCHASES = ("r", "alpha", "a", "b")
SPEND = ("p", "q", "v")


def rate_of(days: float) -> float:
    """The discount rate of a period that long, so that a year costs everyone the same."""
    return float((1 + YEARLY_RATE) ** (days / DAYS_OF_A_YEAR) - 1)


class Ours:
    """`models/`, as scoring calls it: the only one with P(≥1 purchase)."""

    module: ClassVar[str] = "models"

    def __init__(self, customers: pd.DataFrame) -> None:
        from models import bgnbd, clv, gamma_gamma

        self.customers, self.clv_path = customers, clv.clv_path
        self.new_bg, self.new_gg = bgnbd.BetaGeoModel, gamma_gamma.GammaGammaModel
        self.ends: list[float] = [float(end) for end in clv.period_ends(START, 12)]

    def fit(self) -> dict[str, float]:
        self.bg = self.new_bg().fit(self.customers)
        return self.bg.params_

    def fit_spend(self) -> dict[str, float]:
        self.gg = self.new_gg().fit(self.customers)
        return self.gg.params_

    def alive(self) -> Any:
        return self.bg.p_alive(self.customers)

    def orders(self) -> Any:
        return self.bg.expected_purchases(HORIZON, self.customers)

    def buys(self) -> Any:
        return self.bg.p_purchase(HORIZON, self.customers)

    def clv(self) -> Any:
        return self.clv_path(self.bg, self.gg, self.customers, self.ends, discount_rate=YEARLY_RATE)


class Lifetimes:
    """lifetimes on one row a customer; it has no P(≥1 purchase) for a customer with a history."""

    module: ClassVar[str] = "lifetimes"
    ends: ClassVar[list[float]] = [30.0 * month for month in range(1, 13)]  # its months have thirty days

    def __init__(self, customers: pd.DataFrame) -> None:
        warnings.simplefilter("ignore")
        import lifetimes

        self.library, self.customers = lifetimes, customers
        self.history = [customers[name] for name in HISTORY]

    def fit(self) -> dict[str, float]:
        self.bg = self.library.BetaGeoFitter().fit(*self.history)
        return _named(self.bg.params_, PURCHASES)

    def fit_spend(self) -> dict[str, float]:
        repeats = self.customers[self.customers["frequency"] > 0]
        self.gg = self.library.GammaGammaFitter().fit(repeats["frequency"], repeats["monetary_value"])
        return _named(self.gg.params_, SPEND)

    def alive(self) -> Any:
        return self.bg.conditional_probability_alive(*self.history)

    def orders(self) -> Any:
        return self.bg.conditional_expected_number_of_purchases_up_to_time(HORIZON, *self.history)

    def clv(self) -> Any:
        spend = self.customers["monetary_value"]
        return self.gg.customer_lifetime_value(
            self.bg, *self.history, spend, time=12, discount_rate=rate_of(30), freq="D"
        )


class LifetimesDedup(Lifetimes):
    """lifetimes in careful hands: equal histories once, with a weight, in the fit and in the predictions.

    To find which rows are equal is part of the fit. Spend differs from row to row, so its fit stays as it is.
    """

    def fit(self) -> dict[str, float]:
        groups = self.customers.groupby(HISTORY)
        self.row = groups.ngroup().to_numpy()
        distinct = groups.size().rename("weight").reset_index()
        self.distinct = [distinct[name] for name in HISTORY]
        self.bg = self.library.BetaGeoFitter().fit(*self.distinct, weights=distinct["weight"])
        return _named(self.bg.params_, PURCHASES)

    def alive(self) -> Any:
        return np.asarray(self.bg.conditional_probability_alive(*self.distinct))[self.row]

    def orders(self) -> Any:
        found = self.bg.conditional_expected_number_of_purchases_up_to_time(HORIZON, *self.distinct)
        return np.asarray(found)[self.row]

    def clv(self) -> Any:
        """Discounted purchases of each history (a spend of one), times each customer's expected spend."""
        bought = self.library.utils._customer_lifetime_value(
            self.bg, *self.distinct, 1.0, time=12, discount_rate=rate_of(30), freq="D"
        )
        spend = self.gg.conditional_expected_average_profit(
            self.customers["frequency"], self.customers["monetary_value"]
        )
        return np.asarray(bought)[self.row] * np.asarray(spend)


class Clvkit:
    """clvkit in weeks, as its guide has it: its CLV takes a step per unit of time, 52 instead of 365."""

    module: ClassVar[str] = "clvkit"
    ends: ClassVar[list[float]] = [7.0 * week for week in range(1, 53)]

    def __init__(self, customers: pd.DataFrame) -> None:
        import clvkit

        self.library = clvkit
        in_weeks = customers.assign(recency=customers["recency"] / 7, T=customers["T"] / 7)
        self.base = clvkit.CustomerBase(
            in_weeks,
            time_unit="W",
            collapse="D",
            observation_period_end=pd.Timestamp(START),
            has_monetary=True,
            on_negative="net",
        )

    def fit(self) -> dict[str, float]:
        self.bg = self.library.BGNBD().fit(self.base)
        params = _named(self.bg.params_, PURCHASES)
        return params | {"alpha": params["alpha"] * 7}

    def fit_spend(self) -> dict[str, float]:
        self.gg = self.library.GammaGamma().fit(self.base)
        return dict(zip(SPEND, map(float, self.gg.params_), strict=True))

    def alive(self) -> Any:
        return self.bg.probability_alive().to_pandas()["probability_alive"]

    def orders(self) -> Any:
        return self.bg.predict(t=HORIZON / 7).to_pandas()["expected_purchases"]

    def clv(self) -> Any:
        fitted = self.library.CLV(_fitted(self.bg), _fitted(self.gg), check_independence=False).fit(self.base)
        return fitted.predict(horizon=52, discount_rate=rate_of(7)).to_pandas()["clv"]


class PymcMarketing:
    """pymc-marketing's MAP under flat priors, which is maximum likelihood; its own priors pull away from it.

    Its ``expected_probability_no_purchase`` counts one-time buyers among those who may have left, which
    BG/NBD says they cannot have: no P(≥1 purchase) to compare with.
    """

    module: ClassVar[str] = "pymc_marketing"
    ends: ClassVar[list[float]] = [30.4375 * month for month in range(1, 13)]

    def __init__(self, customers: pd.DataFrame) -> None:
        warnings.simplefilter("ignore")
        from pymc_extras.prior import Prior
        from pymc_marketing import clv

        self.library, self.flat = clv, lambda names: {name: Prior("HalfFlat") for name in names}
        self.customers = customers.assign(customer_id=np.arange(len(customers)))

    def fit(self) -> dict[str, float]:
        self.bg = self.library.BetaGeoModel(model_config=self.flat(PURCHASES))
        # `method`, not the `fit_method` of its examples: that one is swallowed, and a sampler runs.
        self.bg.fit(self.customers, method="map", progressbar=False)
        return _named(self.bg.fit_result, PURCHASES)

    def fit_spend(self) -> dict[str, float]:
        self.gg = self.library.GammaGammaModel(model_config=self.flat(SPEND))
        repeats = self.customers[self.customers["frequency"] > 0]
        self.gg.fit(repeats, method="map", progressbar=False)
        return _named(self.gg.fit_result, SPEND)

    def alive(self) -> Any:
        return self.bg.expected_probability_alive(self.customers).squeeze()

    def orders(self) -> Any:
        return self.bg.expected_purchases(self.customers, future_t=HORIZON).squeeze()

    def clv(self) -> Any:
        return self.gg.expected_customer_lifetime_value(
            self.bg, self.customers, future_t=12, discount_rate=rate_of(30.4375), time_unit="D"
        ).squeeze()


LIBRARIES: dict[str, Any] = {
    "ours": Ours,
    "lifetimes": Lifetimes,
    "lifetimes-dedup": LifetimesDedup,
    "clvkit": Clvkit,
    "pymc-marketing": PymcMarketing,
}


def _named(values: Any, names: tuple[str, ...]) -> dict[str, float]:
    return {name: float(np.asarray(values[name]).item()) for name in names}


def _fitted(model: Any) -> Any:
    """Stand in for a model that is fitted already: clvkit's CLV would fit it once more."""
    return SimpleNamespace(fit=lambda _: model, predict=model.predict)
