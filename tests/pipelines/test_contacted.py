"""A training after lists: it knows who was to be contacted, and can leave them out."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.contacted import Contacted
from pipelines.config import Config, load_config
from pipelines.console import Console
from pipelines.contacted import listed_before, without_contacted
from pipelines.engine import open_engine
from pipelines.purchase_log import open_log
from pipelines.training import load_panel
from tests.pipelines.conftest import AS_OF, copy_shop
from tests.pipelines.test_measure import add_orders, listed
from tests.pipelines.test_outcomes import by_hand, put_run, say

UNTIL, HORIZON = date(2025, 6, 1), 90


@pytest.fixture
def own(run_shop: Path, tmp_path: Path) -> Path:
    """Those whom the list of 1 March had to contact order in April; another list of the campaign follows."""
    config = copy_shop(run_shop, tmp_path / "own")
    rows = listed(config)
    add_orders(config, rows.index[rows["group"] == "contact"].tolist(), "2025-04-02", 40.0)
    put_run(config, "2025-04-10")
    return config


def with_policy(config: Path, policy: str) -> None:
    text = config.read_text("utf-8")
    assert "[training]\n" in text
    config.write_text(text.replace("[training]\n", f'[training]\ncontacted = "{policy}"\n'), "utf-8")


def panels(config: Config) -> tuple[pd.DataFrame, pd.DataFrame, Contacted, pd.DataFrame]:
    """Before and after, the count, and the lists."""
    with open_engine(config) as engine:
        log = open_log(engine, config, Console(quiet=True))
        panel, _ = load_panel(engine, log, config, [date(2025, 1, 15), date(2025, 3, 1), UNTIL], UNTIL)
        found, counted = without_contacted(engine, log, config, panel, HORIZON, UNTIL)
        return panel, found, counted, listed_before(engine, log, config, UNTIL).drawn


def test_labels_with_contacts_are_counted_and_stay_where_nothing_else_is_said(own: Path) -> None:
    panel, found, counted, lists = panels(load_config(own))
    pd.testing.assert_frame_equal(found, panel)
    rows = listed(own)
    assert sorted(lists["customer_id"]) == sorted(rows.index)
    assert set(lists["start"]) == {pd.Timestamp(AS_OF)}  # the first of both
    assert set(lists["end"]) == {pd.Timestamp(UNTIL)}
    has_label = panel["cutoff"] <= "2025-03-03"
    group = panel["customer_id"].map(rows["group"])[has_label]
    assert (counted.labels, counted.undrawn) == (has_label.sum(), 0)
    assert counted.contacts == (group == "contact").sum()
    assert counted.controls == (group == "control").sum()
    assert counted.contacts > 100


def test_left_out_they_are_spoken_for_by_those_left_alone(own: Path) -> None:
    log = pd.read_parquet(own.parent / "orders.parquet")
    with_policy(own, "leave_out")
    panel, found, _, _ = panels(load_config(own))
    rows = listed(own)
    then = found[found["cutoff"] == AS_OF]
    assert not then["customer_id"].isin(rows.index[rows["group"] == "contact"]).any()
    times = then["customer_id"].value_counts()
    assert set(times.reindex(rows.index[rows["group"] == "control"])) == {10}
    others = panel[(panel["cutoff"] == AS_OF) & ~panel["customer_id"].isin(rows.index)]
    assert set(times.reindex(others["customer_id"])) == {1}
    # The base rate is again that of a shop in which nobody was contacted.
    before = log[~log["order_id"].str.startswith("more")]
    would = by_hand(before, AS_OF, HORIZON).reindex(panel[panel["cutoff"] == AS_OF]["customer_id"])
    y = f"y_purchased_{HORIZON}d"
    wanted = would["buyers"].notna().mean()
    assert panel[panel["cutoff"] == AS_OF][y].mean() > wanted + 0.1
    assert then[y].mean() == pytest.approx(wanted, abs=0.06)
    newest = found[found["cutoff"] == str(UNTIL)]
    assert len(newest) == (panel["cutoff"] == str(UNTIL)).sum()
    assert newest["customer_id"].is_unique


@pytest.mark.parametrize("policy", ["keep", "leave_out"])
def test_train_says_so_and_goes_on_to_a_model(own: Path, capsys: Any, policy: str) -> None:
    with_policy(own, policy)
    code, said, _ = say(capsys, own, "train", "--as-of", str(UNTIL))
    assert code == 0
    assert said["contacted"]["contacts"] > 0.05 * said["contacted"]["labels"]
    told = [warning["code"] for warning in said["warnings"] if warning["code"] == "contacted_labels"]
    assert told == (["contacted_labels"] if policy == "keep" else [])
    assert np.isfinite([row["log_loss"] for row in said["leaderboard"]]).all()


def test_lists_that_left_nobody_alone_are_counted_and_stay_in(own: Path) -> None:
    manifest = own.parent / "out" / "runs" / "copy-2025-04-10" / "manifest.json"
    facts = json.loads(manifest.read_text("utf-8"))
    facts["campaign"] |= {"id": "everyone", "share": 0}
    manifest.write_text(json.dumps(facts), "utf-8")
    with_policy(own, "leave_out")
    _, found, counted, lists = panels(load_config(own))
    assert set(lists["campaign"]) == {"list"}
    assert counted.undrawn > 0
    said = counted.finding(left_out=True)
    assert said is not None
    assert said.code == "nobody_left_alone"
    assert len(found) > 0


def test_a_list_that_cannot_be_read_is_said_and_does_not_end_the_training(own: Path, capsys: Any) -> None:
    (own.parent / "out" / "runs" / "copy-2025-04-10" / "risk_list.csv").write_text("x\n", "utf-8")
    code, said, _ = say(capsys, own, "train", "--as-of", str(UNTIL))
    assert code == 0
    [text] = [warning["text"] for warning in said["warnings"] if warning["code"] == "lists_left_out"]
    assert "risk_list.csv was changed" in text
