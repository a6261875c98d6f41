"""A simulated shop's log, told by the day or by longer periods, and the shop behind the door."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from features.periods import Period
from models.simulate import ShopSpec, simulate_shop
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import Engine, open_engine
from pipelines.purchase_log import PurchaseLog, open_log

SPEC = ShopSpec(
    n_customers=250, start="2024-01-01", days=547, acquisition_days=300, r=1.0, alpha=40.0, refund_share=0.05
)
CONFIG = """\
[project]
name = "shop"
[tables.transactions]
source = "orders.parquet"
[tables.transactions.columns]
customer_id = "customer_id"
order_id = "order_id"
ordered_at = "ordered_at"
product_id = "product_id"
quantity = "quantity"
unit_price = "unit_price"
[policy]
cancellation = { column = "order_id", prefix = "C" }
[target]
horizons = [30, 90]
primary_horizon = 90
[training]
cutoffs = 2
"""
HORIZONS = {"week": [14, 30], "month": [30, 90], "quarter": [90, 180]}
GRIDS = {
    "week": (Period("week"), "W-SUN", "start"),
    "week from Saturday": (Period("week", 5), "W-FRI", "start"),
    "month": (Period("month"), "M", "start"),
    "month, last day": (Period("month", dated="last"), "M", "end"),
    "quarter": (Period("quarter"), "Q-DEC", "start"),
    "quarter from February, last day": (Period("quarter", 1, "last"), "Q-JAN", "end"),
}


def daily_log() -> pd.DataFrame:
    """The shop's log to the microsecond."""
    return simulate_shop(SPEC, seed=3).transactions


def dated(daily: pd.DataFrame, grid: str) -> pd.DataFrame:
    """The same log, told by the period."""
    _, freq, end = GRIDS[grid]
    periods = daily["ordered_at"].dt.to_period(freq)
    days = periods.dt.start_time if end == "start" else periods.dt.end_time.dt.floor("D")
    return daily.assign(ordered_at=days)


@contextmanager
def opened(
    folder: Path, log: pd.DataFrame, horizons: Sequence[int] = (30, 90)
) -> Iterator[tuple[Engine, PurchaseLog]]:
    log.to_parquet(folder / "orders.parquet")
    text = CONFIG.replace("[30, 90]", str([*horizons])).replace("horizon = 90", f"horizon = {horizons[-1]}")
    (folder / "repurchase.toml").write_text(text, encoding="utf-8")
    config = load_config(folder / "repurchase.toml")
    with open_engine(config) as engine:
        yield engine, open_log(engine, config, Console(quiet=True))
