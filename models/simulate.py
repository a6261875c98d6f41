"""Shops with known truth: purchase logs drawn from the BG/NBD and Gamma-Gamma stories."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ContractError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]

_DAY_US = 86_400_000_000
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


@dataclass(frozen=True)
class SimulatedShop:
    """A log, and the truth behind it; see `simulate_shop`.

    All three methods cover the customers known at the cutoff (first purchase before it), in the order of
    `truth`, and speak of orders *placed*: refunds are not part of the truth.
    """

    spec: ShopSpec
    transactions: pd.DataFrame
    truth: pd.DataFrame

    def alive_at(self, cutoff: str | pd.Timestamp) -> pd.Series:
        """Whether each customer is still one just before `cutoff`; boolean, indexed by customer_id."""
        instant = pd.Timestamp(cutoff)
        start = pd.Timestamp(self.spec.start)
        if not start <= instant <= start + pd.Timedelta(days=self.spec.days):
            raise ContractError("cutoff lies outside the simulated log", example=str(cutoff))
        known = self.truth[self.truth["first_at"] < instant].set_index("customer_id")
        return (known["died_at"].isna() | (known["died_at"] >= instant)).rename("alive")

    def p_purchase(self, cutoff: str | pd.Timestamp, horizon: float) -> pd.Series:
        """Probability of an order in ``[cutoff, cutoff + horizon)``, to one who knows rate and life.

        Zero for the departed, ``1 - exp(-rate * pace in the window)`` for the living (leaving comes after a
        purchase, so it cannot prevent the first). On average no model can beat it: it is the floor of
        log-loss. `horizon` in days, possibly past the end of the log; a Series indexed by customer_id.

        Examples
        --------
        >>> shop = simulate_shop(ShopSpec(n_customers=5, acquisition_days=0), seed=1)
        >>> bool(shop.p_purchase("2024-07-01", 90).between(0, 1).all())
        True
        """
        probability: pd.Series = -np.expm1(-self._expected_if_staying(cutoff, horizon))
        return probability.rename("p_purchase")

    def expected_orders(self, cutoff: str | pd.Timestamp, horizon: float) -> pd.Series:
        """Mean number of orders in the window to one who knows rate, life and dropout probability p.

        ``(1 - exp(-p m)) / p`` for the living, with m the mean were nobody to leave: the mean of the smaller
        of a Poisson(m) and a Geometric(p) number.
        """
        staying = self._expected_if_staying(cutoff, horizon)
        dropout = self.truth.set_index("customer_id")["dropout"].reindex(staying.index)
        orders: pd.Series = -np.expm1(-dropout * staying) / dropout
        return orders.rename("expected_orders")

    def _expected_if_staying(self, cutoff: str | pd.Timestamp, horizon: float) -> pd.Series:
        if not 0 < horizon < np.inf:
            raise ContractError("horizon must be a positive number of days", example=horizon)
        alive = self.alive_at(cutoff)
        begin = (pd.Timestamp(cutoff) - pd.Timestamp(self.spec.start)) / pd.Timedelta(days=1)
        pace = self.spec.pace(int(np.ceil(begin + horizon)))
        first, last = np.interp([begin, begin + horizon], np.arange(pace.size), pace)
        rate = self.truth.set_index("customer_id")["rate"].reindex(alive.index)
        return alive * rate * (last - first)


def simulate_shop(spec: ShopSpec, seed: int) -> SimulatedShop:
    """Draw a shop's log and keep the truth behind it.

    With season, weekdays, attribute, refunds and anonymous lines off, counts follow BG/NBD exactly (Fader,
    Hardie & Lee 2005, section 3): after the first purchase, exponential gaps at the customer's rate in
    continuous time, and a dropout coin after every repeat purchase. Order values follow Gamma-Gamma (Fader &
    Hardie 2013), to the cent and never below one cent a piece. A season bends the clock on which the gaps
    run. Each stage has a random stream of its own: switching refunds on leaves the purchases as they were.

    Parameters
    ----------
    spec : ShopSpec
        What the shop is like.
    seed : int
        Same spec and seed, same log to the last byte.

    Returns
    -------
    SimulatedShop
        ``transactions``, one row a line in order of time: `customer_id` (string, missing if anonymous),
        `order_id` (string; a refund's is "C" and the id of the order it cancels), `ordered_at` (microseconds,
        no zone), `product_id`, `quantity` (negative in refunds), `unit_price`. ``truth``, one row a customer:
        `customer_id`, `first_at`, `rate` (purchases a day at pace one), `dropout` (probability after each
        repeat purchase), `died_at` (the purchase after which the customer left; NaT if still there at the
        end), `mean_spend` (an order), `attribute` (0 or 1).

    Examples
    --------
    >>> shop = simulate_shop(ShopSpec(n_customers=3, days=90, acquisition_days=30), seed=7)
    >>> list(shop.transactions.columns)
    ['customer_id', 'order_id', 'ordered_at', 'product_id', 'quantity', 'unit_price']
    >>> shop.truth["customer_id"].tolist()
    ['u0000000', 'u0000001', 'u0000002']
    """
    people, purchases, baskets, refunds, strangers = np.random.default_rng(seed).spawn(5)
    latent = _latent(spec, people)
    orders, life = _orders(spec, latent, purchases)
    lines = _lines(spec, orders, latent["mean_spend"], baskets)
    back = _refunds(spec, orders["time"], lines, refunds)
    foreign = _anonymous(spec, orders["time"].size, lines, strangers)
    return SimulatedShop(spec, _log_frame(spec, [lines, back, foreign]), _truth_frame(spec, latent, life))


def _latent(spec: ShopSpec, rng: np.random.Generator) -> dict[str, Floats]:
    n = spec.n_customers
    attribute = (rng.random(n) < spec.attribute_share).astype(float)
    return {
        "rate": rng.gamma(spec.r, 1 / spec.alpha, n) * np.exp(spec.attribute_effect * attribute),
        "dropout": np.maximum(rng.beta(spec.a, spec.b, n), 1e-12),
        "mean_spend": spec.p * spec.v / rng.gamma(spec.q, 1.0, n),
        "attribute": attribute,
    }


def _orders(spec: ShopSpec, latent: dict[str, Floats], rng: np.random.Generator) -> tuple[Columns, Columns]:
    """Orders in order of time (`customer`, `time` in microseconds), and when each customer came and left."""
    pace, days = spec.pace(spec.days), np.arange(spec.days + 1)
    first = rng.random(spec.n_customers) * np.interp(spec.acquisition_days, days, pace)
    who, clock, died = _repeat_orders(first, latent["rate"], latent["dropout"], pace[-1], rng)
    customer = np.concatenate([np.arange(spec.n_customers), who])
    time = _microseconds(spec, np.concatenate([first, clock]), pace)
    order = np.argsort(time, kind="stable")
    left = np.where(np.isnan(died), np.iinfo(np.int64).min, _microseconds(spec, np.nan_to_num(died), pace))
    return {"customer": customer[order], "time": time[order]}, {"first": time[: first.size], "died": left}


def _repeat_orders(
    first: Floats, rate: Floats, dropout: Floats, end: float, rng: np.random.Generator
) -> tuple[Integers, Floats, Floats]:
    """One round a repeat purchase, over those who still buy: who, when on the clock, and when they left."""
    who, when, died = [], [], np.full(first.size, np.nan)
    active, now = np.arange(first.size), first
    while active.size:
        with np.errstate(over="ignore", divide="ignore"):  # a rate of almost zero: never
            now = now + rng.standard_exponential(active.size) / rate[active]
        active, now = active[now < end], now[now < end]
        who.append(active)
        when.append(now)
        leaves = rng.random(active.size) < dropout[active]
        died[active[leaves]] = now[leaves]
        active, now = active[~leaves], now[~leaves]
    return np.concatenate(who), np.concatenate(when), died


def _microseconds(spec: ShopSpec, clock: Floats, pace: Floats) -> Integers:
    """Clock time to microseconds since the start, never at or past the end."""
    days = np.interp(clock, pace, np.arange(pace.size))
    return np.minimum((days * _DAY_US).astype(np.int64), spec.days * _DAY_US - 1)


def _lines(spec: ShopSpec, orders: Columns, mean_spend: Floats, rng: np.random.Generator) -> Columns:
    """Order values split into lines; the number of an order is its rank in time."""
    n_orders = orders["time"].size
    value = rng.gamma(spec.p, 1.0, n_orders) * mean_spend[orders["customer"]] / spec.p
    number = np.repeat(np.arange(n_orders), 1 + rng.poisson(spec.lines_per_order - 1, n_orders))
    weight = rng.uniform(0.5, 1.5, number.size)
    amount = weight * (value / np.bincount(number, weight))[number]
    quantity = rng.integers(1, 4, number.size)
    return {
        "customer": orders["customer"][number],
        "number": number,
        "time": orders["time"][number],
        "product": (spec.n_products * rng.random(number.size) ** 2).astype(np.int64),
        "quantity": quantity,
        "price": np.maximum(np.round(amount / quantity, 2), 0.01),
    }


def _refunds(spec: ShopSpec, time: Integers, lines: Columns, rng: np.random.Generator) -> Columns:
    """Lines of cancelled orders, negated and later; what would come after the end is not seen."""
    cancelled = rng.random(time.size) < spec.refund_share
    delay = 1 + (rng.exponential(spec.refund_delay, time.size) * _DAY_US).astype(np.int64)
    seen = cancelled & (time + delay < spec.days * _DAY_US)
    back = {name: values[seen[lines["number"]]] for name, values in lines.items()}
    return back | {"time": back["time"] + delay[back["number"]], "quantity": -back["quantity"]}


def _anonymous(spec: ShopSpec, n_orders: int, lines: Columns, rng: np.random.Generator) -> Columns:
    """One-line orders of people the shop does not know, made of lines it has sold."""
    n = round(lines["time"].size * spec.anonymous_share / (1 - spec.anonymous_share))
    copied = rng.integers(lines["time"].size, size=n)
    pace = spec.pace(spec.days)
    time = _microseconds(spec, rng.random(n) * pace[-1], pace)
    fresh = {"customer": np.full(n, -1), "number": n_orders + np.arange(n), "time": time}
    return {name: values[copied] for name, values in lines.items()} | fresh


def _log_frame(spec: ShopSpec, parts: list[Columns]) -> pd.DataFrame:
    order = np.argsort(np.concatenate([part["time"] for part in parts]), kind="stable")
    lines = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
    customer = pc.if_else(pa.array(lines["customer"] < 0), None, _names("u", lines["customer"], 7))
    refund = pa.array(lines["quantity"] < 0)
    number = _names("", lines["number"] + 10_000_000, 8)
    return pd.DataFrame(
        {
            "customer_id": customer.to_pandas(),
            "order_id": pc.if_else(refund, _prefixed("C", number), number).to_pandas(),
            "ordered_at": _timestamps(spec, lines["time"]),
            "product_id": _names("p", lines["product"], 4).to_pandas(),
            "quantity": lines["quantity"],
            "unit_price": lines["price"],
        }
    )


def _truth_frame(spec: ShopSpec, latent: dict[str, Floats], life: Columns) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": _names("u", np.arange(spec.n_customers), 7).to_pandas(),
            "first_at": _timestamps(spec, life["first"]),
            "rate": latent["rate"],
            "dropout": latent["dropout"],
            "died_at": _timestamps(spec, life["died"]),
            "mean_spend": latent["mean_spend"],
            "attribute": latent["attribute"].astype(np.int64),
        }
    )


def _timestamps(spec: ShopSpec, microseconds: Integers) -> npt.NDArray[np.datetime64]:
    """Microseconds since the start, the smallest integer meaning NaT, as timestamps."""
    return np.datetime64(spec.start, "us") + microseconds.astype("timedelta64[us]")


def _names(prefix: str, numbers: Integers, width: int) -> pa.Array:
    return _prefixed(prefix, pc.utf8_lpad(pa.array(numbers).cast(pa.large_string()), width, "0"))


def _prefixed(prefix: str, names: pa.Array) -> pa.Array:
    text = pa.large_string()
    return pc.binary_join_element_wise(pa.scalar(prefix, text), names, pa.scalar("", text))
