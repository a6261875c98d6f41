"""The commands on Spark: the same answers, the same scores."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models.simulate import simulate_shop
from pipelines.cli import main
from pipelines.engine import Engine
from tests.pipelines.conftest import AS_OF, CONFIG, SPEC

pytestmark = pytest.mark.heavy

EVENTS = """\
[tables.events]
source = "events.csv"
columns = { customer_id = "who", occurred_at = "when", event_type = "what", session_id = "visit" }
formats = { occurred_at = "%d/%m/%Y %H:%M:%S" }
"""
SPARK = """\
[engine]
kind = "spark"
options = { "spark.sql.shuffle.partitions" = 2, "spark.sql.codegen.wholeStage" = false }
"""


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same shop with each engine: orders as Parquet, events as text with dates of their own."""
    orders = simulate_shop(SPEC, seed=11).transactions
    visits = orders.sample(frac=0.8, random_state=1)
    when = (visits["ordered_at"] - pd.Timedelta("90min")).dt.strftime("%d/%m/%Y %H:%M:%S")
    events = pd.DataFrame(
        {"who": visits["customer_id"], "when": when, "what": "view", "visit": visits["order_id"]}
    )
    folders = {}
    for kind, engine in (("duckdb", ""), ("spark", SPARK)):
        folders[kind] = folder = tmp_path_factory.mktemp(kind)
        orders.to_parquet(folder / "orders.parquet")
        events.to_csv(folder / "events.csv", index=False)
        text = CONFIG.replace('"EUR"', '"EUR"\ntimezone = "Europe/London"') + EVENTS + engine
        (folder / "repurchase.toml").write_text(text)
    return folders


def said(folder: Path, capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    assert main(["--config", str(folder / "repurchase.toml"), "--quiet", "--json", *command]) in (0, 3)
    return json.loads(capsys.readouterr().out)


def test_check_says_the_same(
    spark: Engine, shops: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = (said(shops[kind], capsys, "check") for kind in ("duckdb", "spark"))
    assert there == here
    assert here["rows"]["rows_in"] > 5000


def test_train_and_score_give_the_same_scores(
    spark: Engine, shops: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for kind, folder in shops.items():
        for command in (["train", "--as-of", AS_OF], ["promote"]):
            said(folder, capsys, *command)
        run = Path(said(folder, capsys, "score", "--as-of", AS_OF)["folder"])
        quarantine = pd.read_parquet(run / "quarantine" / "transactions.parquet")
        found[kind] = pd.read_parquet(run / "scores.parquet"), quarantine
    here, there = found["duckdb"], found["spark"]
    assert len(here[0]) > 500
    pd.testing.assert_frame_equal(here[0], there[0], check_exact=True)
    keys = ["order_id", "product_id", "ordered_at", "quantity"]
    one, other = (table.sort_values(keys, ignore_index=True) for table in (here[1], there[1]))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_a_command_starts_spark_and_stops_it(
    spark_home: Path, shops: dict[str, Path], tmp_path: Path
) -> None:
    """In a process of its own, as a scheduler would; all of its answer is on one stream."""
    command = [sys.executable, "-m", "pipelines.cli", "--config", str(shops["spark"] / "repurchase.toml")]
    command += ["--json", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ready"]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
