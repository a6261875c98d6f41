"""Real shops with several tables, through `check --leaks`; skipped where the machine has no such data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from pipelines.cli import main
from tests.features.conftest import data_file
from tests.pipelines.other_shop import opened, others

JOURNEY = """\
[project]
name = "complete journey"
[tables.transactions]
source = "lines.parquet"
[tables.transactions.columns]
customer_id = "customer_id"
order_id = "order_id"
ordered_at = "ts"
product_id = "product_id"
category = "department"
channel = "store_id"
amount = "amount"
quantity = "quantity"
discount = "retail_disc"
[tables.contacts]
source = "campaigns.parquet"
columns = { customer_id = "customer_id", sent_at = "start_date", campaign_id = "campaign_id" }
[tables.customers]
source = "demographics.parquet"
static = [
    "age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count",
]
columns = { customer_id = "customer_id" }
[target]
horizons = [7, 28]
primary_horizon = 28
"""
EVENTS = """\
[project]
name = "shop events"
[tables.transactions]
source = "purchases.csv"
columns = { customer_id = "customer_id", ordered_at = "ts", order_id = "session_id", channel = "channel" }
[tables.events]
source = "events.parquet"
[tables.events.columns]
customer_id = "customer_id"
occurred_at = "ts"
event_type = "event_type"
channel = "channel"
session_id = "session_id"
[target]
horizons = [14, 28]
primary_horizon = 28
"""


def complete_journey(folder: Path) -> Path:
    """Lines with what their products are, the campaigns each household was chosen for, and who they are."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_parquet(data_file("complete_journey", f"{name}.parquet"))

    products = read("products")[["product_id", "department"]]
    read("transactions").merge(products, on="product_id", how="left").to_parquet(folder / "lines.parquet")
    sent = read("campaign_targets").merge(read("campaign_descriptions"), on="campaign_id")
    sent.to_parquet(folder / "campaigns.parquet")
    read("demographics").to_parquet(folder / "demographics.parquet")
    (folder / "repurchase.toml").write_text(JOURNEY, encoding="utf-8")
    return folder / "repurchase.toml"


def shop_events(folder: Path) -> Path:
    """A clickstream, and the purchases in it as the log."""
    events = pd.read_parquet(data_file("shop_events", "events.parquet"))
    events.to_parquet(folder / "events.parquet")
    events[events["event_type"] == "purchase"].to_csv(folder / "purchases.csv", index=False)
    (folder / "repurchase.toml").write_text(EVENTS, encoding="utf-8")
    return folder / "repurchase.toml"


@pytest.mark.heavy
@pytest.mark.parametrize("lay_out", [complete_journey, shop_events])
def test_the_proof_holds(lay_out: Callable[[Path], Path], tmp_path: Path, capsys: Any) -> None:
    config = lay_out(tmp_path)
    text = config.read_text(encoding="utf-8").replace(
        "static = [", 'sensitive = ["age", "income"]\nstatic = ['
    )
    config.write_text(text, encoding="utf-8")
    code = main(["--config", str(config), "--quiet", "check", "--leaks", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == (0 if said["ready"] else 4)
    assert len(said["leak_proof"]) == 5
    assert all(proof["rows"] > 20 for proof in said["leak_proof"])


def test_demographics_are_off_unless_they_are_named(tmp_path: Path) -> None:
    config = complete_journey(tmp_path)
    found, said = others(config, JOURNEY)
    assert found.attributes == ()
    assert "demographics.parquet: age, income, home_ownership, marital_status, household_size, " in said
    assert (found.rows["customers"].rows_in, found.rows["customers"].rows_used) == (465, 465)
    assert (found.rows["contacts"].rows_in, found.rows["contacts"].rows_used) == (3910, 3910)
    found, _ = others(config, JOURNEY.replace("static = [", 'sensitive = ["kids_count"]\nstatic = ['))
    assert found.attributes == (("kids_count", "category"),)  # "3+" is no number
    assert found.static > {"kids_count"}


def test_the_kinds_of_a_real_clickstream(tmp_path: Path) -> None:
    config = shop_events(tmp_path)
    with opened(config, EVENTS) as (engine, log, _):
        kinds = engine.frame(log.records.events.group_by("kind").agg(n=ibis._.count()))
        assert log.rows.rows_in == 470
    found = kinds.set_index("kind")["n"]
    assert found["cart"] == 1346 + 1204
    assert found["search"] == 4011 + 2610
    assert found["checkout"] == 958 + 709
    assert found["order"] == 470
    assert found["support"] == 277
    assert found["page"] == 6851 + 6521 + 2762 + 796 + 659 + 406
    assert found.sum() == 31_106
