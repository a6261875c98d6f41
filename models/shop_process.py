"""How a simulated shop's people, orders and lines are drawn, a stage at a time."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.shop_spec import Floats, ShopSpec

Integers = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]

_DAY_US = 86_400_000_000


def draw_latent(spec: ShopSpec, rng: np.random.Generator) -> dict[str, Floats]:
    """Who the customers are: rate, dropout, mean spend, attribute."""
    n = spec.n_customers
    attribute = (rng.random(n) < spec.attribute_share).astype(float)
    return {
        "rate": rng.gamma(spec.r, 1 / spec.alpha, n) * np.exp(spec.attribute_effect * attribute),
        "dropout": np.maximum(rng.beta(spec.a, spec.b, n), 1e-12),
        "mean_spend": spec.p * spec.v / rng.gamma(spec.q, 1.0, n),
        "attribute": attribute,
    }


def draw_orders(
    spec: ShopSpec, latent: dict[str, Floats], rng: np.random.Generator
) -> tuple[Columns, Columns]:
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


def draw_lines(spec: ShopSpec, orders: Columns, mean_spend: Floats, rng: np.random.Generator) -> Columns:
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


def draw_refunds(spec: ShopSpec, time: Integers, lines: Columns, rng: np.random.Generator) -> Columns:
    """Lines of cancelled orders, negated and later; what would come after the end is not seen."""
    cancelled = rng.random(time.size) < spec.refund_share
    delay = 1 + (rng.exponential(spec.refund_delay, time.size) * _DAY_US).astype(np.int64)
    seen = cancelled & (time + delay < spec.days * _DAY_US)
    back = {name: values[seen[lines["number"]]] for name, values in lines.items()}
    return back | {"time": back["time"] + delay[back["number"]], "quantity": -back["quantity"]}


def draw_anonymous(spec: ShopSpec, n_orders: int, lines: Columns, rng: np.random.Generator) -> Columns:
    """One-line orders of people the shop does not know, made of lines it has sold."""
    n = round(lines["time"].size * spec.anonymous_share / (1 - spec.anonymous_share))
    copied = rng.integers(lines["time"].size, size=n)
    pace = spec.pace(spec.days)
    time = _microseconds(spec, rng.random(n) * pace[-1], pace)
    fresh = {"customer": np.full(n, -1), "number": n_orders + np.arange(n), "time": time}
    return {name: values[copied] for name, values in lines.items()} | fresh


def log_frame(spec: ShopSpec, parts: list[Columns]) -> pd.DataFrame:
    """The log as a shop would export it, in order of time."""
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


def truth_frame(spec: ShopSpec, latent: dict[str, Floats], life: Columns) -> pd.DataFrame:
    """What no shop knows: one row a customer."""
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
