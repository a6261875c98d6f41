"""Purchase histories to fit to: a real sample with published answers, and simulated shops of any size."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from models.simulate import ShopSpec, simulate_shop

CALIBRATION_END = pd.Timestamp("1997-09-30")  # included, as in the papers
COLUMNS = ("frequency", "recency", "T", "monetary_value")


def cdnow() -> pd.DataFrame:
    """The 2,357 customers of the CDNOW sample that `lifetimes` installs, on the papers' last day."""
    package = find_spec("lifetimes")
    if package is None or package.origin is None:
        raise SystemExit("the CDNOW sample comes with lifetimes, which is not installed")
    lines = pd.read_csv(
        Path(package.origin).parent / "datasets" / "CDNOW_sample.txt",
        sep=r"\s+",
        header=None,
        names=["master_id", "customer", "date", "quantity", "amount"],
        dtype={"date": str},
    )
    lines["day"] = (pd.to_datetime(lines["date"], format="%Y%m%d") - CALIBRATION_END).dt.days
    return histories(lines[lines["day"] <= 0], end=0)


def spec(n_customers: int) -> ShopSpec:
    """A shop with the published CDNOW parameters: two years, new customers throughout the first."""
    return ShopSpec(n_customers=n_customers, days=730, acquisition_days=365.0)


def simulated(n_customers: int, seed: int) -> pd.DataFrame:
    """Customers drawn from the BG/NBD and Gamma-Gamma stories, their times cut to whole days like a log's."""
    shop = simulate_shop(spec(n_customers), seed)
    log = shop.transactions
    lines = pd.DataFrame(
        {
            "customer": log["customer_id"].astype("category").cat.codes,
            "day": (log["ordered_at"] - pd.Timestamp(shop.spec.start)).dt.days,
            "amount": log["quantity"] * log["unit_price"],
        }
    )
    return histories(lines, end=shop.spec.days)


def histories(lines: pd.DataFrame, end: int) -> pd.DataFrame:
    """One row a customer, in days: what every contender is given, and all that it is given."""
    days = lines.groupby(["customer", "day"], as_index=False)["amount"].sum()
    first = days.groupby("customer")["day"].min()
    is_repeat = days["day"].to_numpy() > days["customer"].map(first).to_numpy()
    repeats = days[is_repeat].groupby("customer")
    made = pd.DataFrame(
        {
            "frequency": repeats.size(),
            "recency": repeats["day"].max() - first,
            "T": end - first,
            "monetary_value": repeats["amount"].mean(),
        },
        index=first.index,
    )
    return made.fillna(0.0).astype("float64").reset_index(drop=True)
