"""The fixed set of features with pandas: whole columns at a time, no Python function a group.

Twice: as one writes it, and tuned for speed and memory.
"""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

COLUMNS = ["customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price"]


def plain(folder: Path, cutoff: date, out: Path) -> None:
    """Read the log, build the features grouped by the ids as they are, and write them as Parquet."""
    visible = [("ordered_at", "<", pd.Timestamp(cutoff))]
    log = pd.read_parquet(folder, columns=COLUMNS, filters=visible)
    lines = _lines(log, log["customer_id"], log["order_id"].str.removeprefix("C"), log["product_id"])
    products = lines[lines["bought"]].groupby("customer")["product"].nunique()
    days = _days(_sums(lines.groupby(["customer", "order"])).reset_index())
    _features(days, products, cutoff).reset_index(names="customer_id").to_parquet(out, index=False)


def tuned(folder: Path, cutoff: date, out: Path) -> None:
    """Do the same with numbers in place of text, from the file on, and let go of what is done with."""
    lines, customers = _numbered(folder, cutoff)
    bought = lines.loc[lines["bought"], ["customer", "product"]].astype("int64")
    n_products = bought["product"].max() + 1
    pairs = pd.unique(bought["customer"] * n_products + bought["product"])
    products = pd.Series(pairs // n_products).value_counts(sort=False)
    by_order = lines.groupby("order", sort=False)  # an order has one customer
    days = _days(_sums(by_order).assign(customer=by_order["customer"].first()))
    del lines, bought, pairs, by_order
    features = _features(days, products, cutoff)
    features.insert(0, "customer_id", customers[features.index])
    features.to_parquet(out, index=False)


def _numbered(folder: Path, cutoff: date) -> tuple[pd.DataFrame, Any]:
    """Read the ids as codes; the customers' ids come along."""
    visible = [("ordered_at", "<", pd.Timestamp(cutoff))]
    few = ["customer_id", "product_id"]  # many times each
    log = pq.read_table(folder, columns=COLUMNS, filters=visible, read_dictionary=few).to_pandas()
    order = pd.Series(pd.factorize(log["order_id"].str.removeprefix("C"))[0])
    lines = _lines(log, log["customer_id"].cat.codes, order, log["product_id"].cat.codes)
    return lines, log["customer_id"].cat.categories


def _lines(log: pd.DataFrame, customer: pd.Series, order: pd.Series, product: pd.Series) -> pd.DataFrame:
    bought = log["quantity"] > 0
    cents = (log["quantity"] * log["unit_price"] * 100).round().astype("int64")
    return pd.DataFrame(
        {
            "customer": customer,
            "order": order,
            "product": product,
            "day": log["ordered_at"].to_numpy().astype("datetime64[D]").astype("int64"),
            "cents": cents,
            "bought_cents": cents.where(bought, 0),
            "bought": bought,
        }
    )


def _sums(by_order: Any) -> pd.DataFrame:
    orders: pd.DataFrame = by_order.agg(
        day=("day", "min"),  # what is bought comes before what is taken back
        cents=("cents", "sum"),
        bought_cents=("bought_cents", "sum"),
        lines=("bought", "sum"),
    )
    return orders


def _days(orders: pd.DataFrame) -> pd.DataFrame:
    """From orders to days, in order."""
    sums = ["cents", "bought_cents", "lines", "orders"]
    counted = orders.assign(orders=orders["cents"] > 0)
    return counted.groupby(["customer", "day"])[sums].sum().reset_index()


def _features(days: pd.DataFrame, products: pd.Series, cutoff: date) -> pd.DataFrame:
    end = (cutoff - date(1970, 1, 1)).days
    purchases = days[days["cents"] > 0]
    parts = _parts(purchases)
    totals = days.groupby("customer")[["cents", "bought_cents", "lines"]].sum().loc[parts.index]
    repeats = parts["days"].where(parts["days"] > 1) - 1  # empty for one-time buyers
    recency, silence = parts["last_day"] - parts["first_day"], end - parts["last_day"]
    mean_gap = recency / repeats
    features = {
        "frequency": parts["days"] - 1,
        "recency": recency,
        "T": end - parts["first_day"],
        "monetary_value": ((parts["cents"] - parts["first_cents"]) / 100 / repeats).fillna(0.0),
        "n_orders": parts["orders"],
        "total_spend": totals["cents"] / 100,
        "average_order_value": parts["cents"] / 100 / parts["orders"],
        "days_since_last_order": silence,
        "mean_gap": mean_gap,
        "gap_spread": parts["gap_spread"],
        "last_gap": parts["last_gap"],
        "longest_gap": parts["longest_gap"],
        "silent_cycles": silence / mean_gap,
        "days_overdue": silence - mean_gap,
        **_windows(purchases, parts.index, end),
        "weekend_share": parts["weekend_days"] / parts["days"],
        "items_per_order": totals["lines"] / parts["orders"],
        "n_products": products.loc[parts.index],
        "refund_share": 1 - totals["cents"] / totals["bought_cents"],
        "first_order_value": parts["first_cents"] / 100,
    }
    return pd.DataFrame(features)


def _parts(purchases: pd.DataFrame) -> pd.DataFrame:
    purchases = purchases.assign(
        gap=purchases.groupby("customer")["day"].diff(),
        weekend=(purchases["day"] + 3) % 7 >= 5,  # day 0 was a Thursday
    )
    by_customer = purchases.groupby("customer")
    parts = by_customer.agg(
        days=("day", "size"),
        first_day=("day", "min"),
        last_day=("day", "max"),
        orders=("orders", "sum"),
        cents=("cents", "sum"),
        first_cents=("cents", "first"),
        last_gap=("gap", "last"),
        longest_gap=("gap", "max"),
        weekend_days=("weekend", "sum"),
    )
    return parts.assign(gap_spread=by_customer["gap"].std(ddof=0))


def _windows(purchases: pd.DataFrame, customers: pd.Index, end: int) -> dict[str, pd.Series]:
    found: dict[str, pd.Series] = {}
    for window in (28, 90, 365):
        recent = purchases[purchases["day"] >= end - window]
        sums = recent.groupby("customer")[["orders", "cents"]].sum().reindex(customers, fill_value=0)
        found |= {f"orders_{window}d": sums["orders"], f"spend_{window}d": sums["cents"] / 100}
    return found
