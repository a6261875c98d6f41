"""A shop with every table: orders with channels, visits, service, contacts, and what customers think."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.cli import main
from tests.pipelines.conftest import AS_OF, CONFIG

LATER = "2025-06-10"
"""Of the second run, by which the first one's windows of 90 days are over."""
TABLES = """
[tables.customers]
source = "customers.csv"
columns = { customer_id = "who", signed_up_at = "joined", acquisition_channel = "came_by", \
acquisition_cost = "cost", referred_by = "friend" }
attributes = ["nps", "points"]
static = ["nps", "points"]
[tables.events]
source = "events.csv"
columns = { customer_id = "who", occurred_at = "at", event_type = "kind", channel = "channel", \
session_id = "session", page = "page", duration_s = "seconds" }
[tables.contacts]
source = "contacts.csv"
columns = { customer_id = "who", sent_at = "at", campaign_id = "campaign", channel = "channel", \
cost = "cost" }
[economics]
margin = 0.4
save_rate = 0.1
acquisition_cost = 6.0
[campaign]
capacity = 300
cost = 0.5
control_share = 0.2
"""


def write_shop(folder: Path, orders: Path) -> Path:
    """Write the tables and the config."""
    rng = np.random.default_rng(4)
    log = pd.read_parquet(orders)
    log["channel"] = rng.choice(["web", "cửa hàng"], len(log))
    log.to_parquet(folder / "orders.parquet")
    first = log.dropna(subset="customer_id").groupby("customer_id")["ordered_at"].min()
    who, n = first.index.to_numpy(), len(first)
    joined = (first - pd.to_timedelta(rng.integers(1, 40, n), unit="D")).dt.strftime("%Y-%m-%d")
    pd.DataFrame(
        {
            "who": who,
            "joined": joined,
            "came_by": rng.choice(["facebook", "google", "zalo"], n),
            "cost": rng.choice([4.0, 8.0], n),
            "friend": np.where(rng.random(n) < 0.2, np.roll(who, 1), ""),
            "nps": rng.integers(0, 11, n),
            "points": rng.integers(0, 500, n),
        }
    ).to_csv(folder / "customers.csv", index=False)
    rows = 12_000
    whose = rng.integers(0, n, rows)
    at = first.to_numpy()[whose] + pd.to_timedelta(rng.integers(-30, 400, rows), unit="D").to_numpy()
    events = pd.DataFrame(
        {
            "who": who[whose],
            "at": pd.Series(at).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "kind": rng.choice(["page_view", "search", "cart", "ad_click", "support", "tracking"], rows),
            "channel": rng.choice(["facebook", "google", "zalo"], rows),
            "session": rng.integers(0, 4_000, rows),
            "page": rng.choice(["/", "/giay", "/ao"], rows),
            "seconds": rng.integers(1, 900, rows),
        }
    )
    events[events["at"] < "2025-06-20"].to_csv(folder / "events.csv", index=False)
    sent = pd.DataFrame(
        {
            "who": rng.choice(who, 3_000),
            "at": pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 470, 3_000), unit="D"),
            "campaign": "newsletter",
            "channel": rng.choice(["zalo", "email"], 3_000),
            "cost": 0.1,
        }
    )
    sent.to_csv(folder / "contacts.csv", index=False, date_format="%Y-%m-%d")
    text = CONFIG.replace('unit_price = "unit_price"\n', 'unit_price = "unit_price"\nchannel = "channel"\n')
    (folder / "repurchase.toml").write_text(text + TABLES, "utf-8")
    return folder / "repurchase.toml"


def run_all(config: Path) -> None:
    """Everything that a shop runs in its first months."""
    for command in (
        ["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF], ["score", "--as-of", LATER],
        ["outcomes", "--as-of", LATER], ["measure", "--as-of", LATER], ["report"],
    ):  # fmt: skip
        assert main(["--config", str(config), "--quiet", *command]) == 0, command
