"""What stands beside each customer of a list: recomputed from the tables and the other files of the run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.act_by import days_of_chance
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.registry import Registry

from .conftest import AS_OF, copy_shop
from .test_measure import with_config

DAY = pd.Timestamp(AS_OF)
TABLES = """
[tables.events]
source = "events.csv"
columns = { customer_id = "who", occurred_at = "at", event_type = "kind", channel = "channel" }
[tables.contacts]
source = "contacts.csv"
columns = { customer_id = "who", sent_at = "at", campaign_id = "campaign", channel = "channel" }
[campaign]
quiet_days = 10
most_contacts = 3
"""


def write_tables(config: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(9)
    scores = pd.read_parquet(config.parent / "out/latest/scores.parquet", columns=["customer_id"])
    who = scores["customer_id"].to_numpy()

    def drawn(rows: int, days: int) -> dict[str, Any]:
        back = pd.to_timedelta(rng.integers(1, days, rows), unit="D")
        return {
            "who": rng.choice(who, rows),
            "at": (DAY - back).strftime("%Y-%m-%d"),
            "channel": rng.choice(["web", "zalo", "cửa hàng"], rows),
        }

    events = pd.DataFrame(drawn(2_000, 700)).assign(kind="visit")
    contacts = pd.DataFrame(drawn(900, 200)).assign(campaign="older")
    events.to_csv(config.parent / "events.csv", index=False)
    contacts.to_csv(config.parent / "contacts.csv", index=False)
    return events, contacts


@pytest.fixture(scope="module")
def shop(run_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    config = copy_shop(run_shop, tmp_path_factory.mktemp("listed") / "own")
    events, contacts = write_tables(config)
    with_config(config, TABLES)
    assert main(["--config", str(config), "--quiet", "score", "--as-of", AS_OF]) == 0
    return config, events, contacts


@pytest.fixture(scope="module")
def listed(shop: Any) -> pd.DataFrame:
    path = shop[0].parent / "out/latest/risk_list.csv"
    dates = ["act_by", "next_order_p20"]
    texts = {"customer_id": str, "hold": str, "channel": str}
    found = pd.read_csv(path, dtype=texts, parse_dates=dates)
    return found.fillna({"hold": "", "channel": ""}).set_index("customer_id")


def test_the_channel_is_the_one_of_most_days_in_the_last_year(shop: Any, listed: pd.DataFrame) -> None:
    _, events, _ = shop
    recent = events[pd.to_datetime(events["at"]) >= DAY - pd.Timedelta(days=365)]
    days = recent.groupby(["who", "channel"])["at"].agg(["nunique", "max"]).reset_index()
    # Of equals, the first by its name: the last in this order.
    days["code"] = -days["channel"].map({"cửa hàng": 0, "web": 1, "zalo": 2})
    last = days.sort_values(["who", "nunique", "max", "code"]).groupby("who").tail(1)
    wanted = last.set_index("who")["channel"].reindex(listed.index).fillna("")
    assert (wanted == "").any()
    assert listed["channel"].tolist() == wanted.tolist()


def test_who_was_contacted_lately_or_often_is_held(shop: Any, listed: pd.DataFrame) -> None:
    _, _, contacts = shop
    ago = (DAY - pd.to_datetime(contacts["at"])).dt.days
    now = contacts[ago <= 10].groupby("who").size().reindex(listed.index, fill_value=0)
    late = contacts[ago <= 90].groupby("who").size().reindex(listed.index, fill_value=0)
    wanted = np.select([now > 0, late >= 3], ["contacted_recently", "contacted_often"], "")
    assert set(wanted) == {"", "contacted_recently", "contacted_often"}
    assert listed["hold"].tolist() == wanted.tolist()
    assert ((listed["group"] == "hold") == (listed["hold"] != "")).all()


def test_the_chance_lies_within_its_interval_which_is_the_champions(shop: Any, listed: pd.DataFrame) -> None:
    config = load_config(shop[0])
    registry = Registry(config)
    known = registry.load(registry.champion()).chance_range
    assert known is not None
    # The list's own chances are rounded, and one that is rounded over an edge is of another fifth.
    scores = pd.read_parquet(shop[0].parent / "out/latest/scores.parquet").set_index("customer_id")
    low, high = known.interval(scores.loc[listed.index, "p_purchase_90d"].to_numpy())
    np.testing.assert_allclose(listed["p_churn_90d_lo"], 1 - high, atol=2e-4)
    np.testing.assert_allclose(listed["p_churn_90d_hi"], 1 - low, atol=2e-4)
    assert (listed["p_churn_90d_lo"] <= listed["p_churn_90d"]).all()
    assert (listed["p_churn_90d"] <= listed["p_churn_90d_hi"]).all()
    assert (listed["p_churn_90d_hi"] > listed["p_churn_90d_lo"]).any()


def test_the_day_to_act_by_and_the_lifecycle(shop: Any, listed: pd.DataFrame) -> None:
    run = shop[0].parent / "out/latest"
    groups = pd.read_parquet(run / "segments.parquet").set_index("customer_id").loc[listed.index]
    assert listed["lifecycle"].tolist() == groups["lifecycle"].tolist()
    lost = json.loads((run / "manifest.json").read_text("utf-8"))["segments"]["rules"]["churned_days"]
    day = pd.Timedelta(days=1)
    scores = pd.read_parquet(run / "scores.parquet").set_index("customer_id").loc[listed.index]
    registry = Registry(load_config(shop[0]))
    btyd = registry.load(registry.champion()).btyd
    ends = DAY + pd.to_timedelta(days_of_chance(btyd, scores, 90) - 1, unit="D")
    ends = pd.Series(ends, index=listed.index)
    opens = (listed["next_order_p20"] - day).fillna(ends)
    last = DAY - pd.to_timedelta(listed["days_since_last_order"], unit="D")
    gone = (last + (lost - 1) * day).where(listed["days_since_last_order"] < lost, ends)
    wanted = pd.concat([opens, gone, ends], axis=1).min(axis=1).clip(lower=DAY)
    assert listed["act_by"].tolist() == wanted.tolist()
    assert listed["act_by"].nunique() > 5


def test_the_list_is_rebuilt_by_replay(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(shop[0]), "--quiet", "replay", "latest"]) == 0
    assert "the same content" in capsys.readouterr().out
