"""A small simulated shop with all its tables: events, contacts and customers made from its truth."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from datetime import date
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from features.build import build_features
from features.history import make_history
from features.snapshot import take_snapshot
from models.simulate import ShopSpec, simulate_shop
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import Engine, open_engine
from pipelines.other_tables import OtherTables, open_others
from pipelines.purchase_log import PurchaseLog, open_log

SPEC = ShopSpec(n_customers=300, start="2024-01-01", days=300, acquisition_days=180, r=1.0, alpha=40.0, a=0.5)
TABLES = ("orders", "events", "contacts", "customers")
CONFIG = """\
[project]
name = "cửa hàng"
currency = "VND"
[tables.transactions]
source = "orders.parquet"
[tables.transactions.columns]
customer_id = "customer_id"
order_id = "order_id"
ordered_at = "ordered_at"
product_id = "product_id"
quantity = "quantity"
unit_price = "unit_price"
[tables.events]
source = "events.parquet"
[tables.events.columns]
customer_id = "Khách"
occurred_at = "lúc"
event_type = "việc"
channel = "kênh"
session_id = "phiên"
duration_s = "giây"
[tables.contacts]
source = "contacts.csv"
formats = { sent_at = "%d/%m/%Y" }
[tables.contacts.columns]
customer_id = "customer"
sent_at = "sent"
campaign_id = "campaign"
cost = "cost"
arm = "arm"
[tables.customers]
source = "customers.csv"
attributes = ["Hạng thẻ", "điểm", "newsletter", "gender", "age", "trống"]
sensitive = ["age"]
[tables.customers.columns]
customer_id = "id"
valid_from = "since"
signed_up_at = "joined"
acquisition_channel = "came_by"
acquisition_cost = "won_for"
referred_by = "friend"
[target]
horizons = [30, 60]
primary_horizon = 60
[training]
cutoffs = 2
"""


CUSTOMERS = 'attributes = ["Hạng thẻ", "điểm", "newsletter", "gender", "age", "trống"]\nsensitive = ["age"]'


def attributes(text: str) -> str:
    """The config with other attributes."""
    return CONFIG.replace(CUSTOMERS, text)


def without(table: str, config: str = CONFIG) -> str:
    """The config without a table."""
    before, after = config.split(f"[tables.{table}]\n")
    rest = after.split(f"[tables.{table}.columns]\n")[1]
    return before + rest[rest.index("[t") :]


def write_shop(folder: Path, config: str = CONFIG, seed: int = 5) -> Path:
    """Write the tables and the config; return the config's path.

    The tables carry what shops' tables carry: visitors without a name, dates that are none, words for
    nothing, numbers and truths as text.
    """
    shop = simulate_shop(SPEC, seed=seed)
    pick = np.random.default_rng(seed)
    shop.transactions.to_parquet(folder / "orders.parquet")
    events(shop.transactions, pick).to_parquet(folder / "events.parquet")
    contacts(shop.truth, pick).to_csv(folder / "contacts.csv", index=False)
    customers(shop.transactions, pick).to_csv(folder / "customers.csv", index=False)
    (folder / "repurchase.toml").write_text(config, encoding="utf-8")
    return folder / "repurchase.toml"


def events(orders: pd.DataFrame, pick: np.random.Generator) -> pd.DataFrame:
    """A visit that leads to each order, and as many that lead to none; one in ten is nobody's."""
    bought = orders.drop_duplicates("order_id")[["customer_id", "ordered_at"]]
    idle = bought.assign(
        ordered_at=bought["ordered_at"] + pd.to_timedelta(pick.exponential(20, len(bought)), "D")
    )
    visits = pd.concat([bought.assign(last="Thanh toán"), idle.assign(last="Giỏ hàng")], ignore_index=True)
    visits["customer_id"] = visits["customer_id"].where(pick.random(len(visits)) > 0.1)
    steps = []
    for minutes, word in ((30, "Trang chủ"), (20, "Xem sản phẩm"), (5, "last")):
        steps.append(
            pd.DataFrame(
                {
                    "Khách": visits["customer_id"],
                    "lúc": visits["ordered_at"] - pd.Timedelta(minutes=minutes),
                    "việc": visits["last"] if word == "last" else word,
                    "kênh": pick.choice(["quảng cáo", "Email", "NULL"], len(visits)),
                    "phiên": visits.index,
                    "giây": pick.exponential(60, len(visits)).round(2),
                }
            )
        )
    return pd.concat(steps, ignore_index=True)


def contacts(truth: pd.DataFrame, pick: np.random.Generator) -> pd.DataFrame:
    """A message a month to half of the customers, from May on; one in fifty has a date that is none."""
    sent = []
    for month in pd.date_range("2024-05-05", "2024-10-05", freq="MS"):
        who = truth["customer_id"][pick.random(len(truth)) < 0.5]
        arm = pick.choice(["treatment", "control"], len(who))
        date = np.where(pick.random(len(who)) < 0.02, "31/02/2024", month.strftime("%d/%m/%Y"))
        sent.append(
            pd.DataFrame({"customer": who, "sent": date, "campaign": f"{month:%B}", "cost": 0.15, "arm": arm})
        )
    return pd.concat(sent, ignore_index=True)


def customers(orders: pd.DataFrame, pick: np.random.Generator) -> pd.DataFrame:
    """A row from the first order on and another from two months later; a few without an id, one slip."""
    first = orders.groupby("customer_id")["ordered_at"].min().dt.floor("D").reset_index()
    n = len(first)
    row = pd.DataFrame(
        {
            "id": first["customer_id"],
            "since": first["ordered_at"],
            "joined": first["ordered_at"],
            "came_by": pick.choice(["bạn bè", "quảng cáo", "N/A"], n),
            "won_for": pick.choice(["12.5", "NULL", ""], n),
            "friend": pick.choice(["u0000001", "None", ""], n),
            "Hạng thẻ": "Đồng",
            "điểm": pick.integers(0, 100, n).astype(str),
            "newsletter": pick.choice(["true", "false", ""], n),
            "gender": pick.choice(["nữ", "nam"], n),
            "age": pick.integers(18, 80, n),
            "trống": "",
        }
    )
    later = row.assign(
        since=row["since"] + pd.Timedelta(days=60),
        **{"Hạng thẻ": "Vàng", "điểm": pick.integers(100, 999, n).astype(str)},
    )
    later.loc[later.index[:5], "điểm"] = ["N/A", "n/a", "", "NULL", "nhiều"]
    later.loc[later.index[:3], "id"] = ""
    return pd.concat([row, later], ignore_index=True)


@contextmanager
def opened(shop: Path, config: str) -> Iterator[tuple[Engine, PurchaseLog, str]]:
    """The tables behind the door, and what was said on the way."""
    own, said = shop.with_name("own.toml"), StringIO()
    own.write_text(config, encoding="utf-8")
    read = load_config(own)
    with open_engine(read) as engine, redirect_stderr(said):
        log = open_log(engine, read, Console())
        yield engine, log, said.getvalue()


def others(shop: Path, config: str) -> tuple[OtherTables, str]:
    """What the other tables bring, and what was said on the way."""
    own, said = shop.with_name("own.toml"), StringIO()
    own.write_text(config, encoding="utf-8")
    read = load_config(own)
    with open_engine(read) as engine, redirect_stderr(said):
        return open_others(engine, read, Console()), said.getvalue()


def features(shop: Path, config: str, names: Sequence[str], day: str) -> pd.DataFrame:
    """Some features of every customer, by customer."""
    with opened(shop, config) as (engine, log, _):
        snapshot = take_snapshot(make_history(log.records), [date.fromisoformat(day)])
        frame = engine.frame(build_features(snapshot, (), names))
    return frame.set_index("customer_id")[list(names)].sort_index()
