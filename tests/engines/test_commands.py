"""The commands on Spark: the same answers, the same scores."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models.simulate import simulate_shop
from pipelines import listing, proof, score, score_file
from pipelines.cli import main
from pipelines.engine import Engine
from pipelines.published_runs import Run, find_run
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


@pytest.fixture(scope="module")
def scored(spark: Engine, shops: dict[str, Path]) -> dict[str, Run]:
    """The same shop, trained and scored with each engine."""
    for folder in shops.values():
        for command in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
            assert main(["--config", str(folder / "repurchase.toml"), "--quiet", *command]) == 0
    return {kind: find_run(folder / "out", AS_OF) for kind, folder in shops.items()}


def test_train_and_score_give_the_same_run(scored: dict[str, Run]) -> None:
    """To the byte; of what the manifest tells, the fingerprints are of each engine, and times and names."""
    here, there = scored["duckdb"], scored["spark"]
    assert here.manifest["files"]["scores.parquet"]["rows"] > 500
    assert there.manifest["content"] == here.manifest["content"]
    assert list(there.manifest) == list(here.manifest)
    assert there.manifest["outlook"] == pytest.approx(here.manifest["outlook"], rel=1e-12)
    keys = ["order_id", "product_id", "ordered_at", "quantity"]
    one, other = (
        pd.read_parquet(run.folder / "quarantine" / "transactions.parquet").sort_values(
            keys, ignore_index=True
        )
        for run in (here, there)
    )
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_on_spark_the_same_again_is_nothing_to_do_and_a_run_is_rebuilt(
    scored: dict[str, Run], shops: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    again = said(shops["spark"], capsys, "score", "--as-of", AS_OF)
    assert (again["already_published"], again["run_id"]) == (True, scored["spark"].run_id)
    rebuilt = said(shops["spark"], capsys, "replay", "latest")
    assert (rebuilt["reproduced"], rebuilt["content"]) == (True, scored["spark"].manifest["content"])


def test_the_card_of_a_customer_is_the_same(
    scored: dict[str, Run], shops: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    customer = scored["duckdb"].scores().sort_values("n_orders")["customer_id"].iloc[-1]
    here, there = (said(shops[kind], capsys, "show", customer) for kind in ("duckdb", "spark"))
    for found in (here, there):
        for named in (found, *found["segments"]):
            assert named.pop("run_id")  # each engine's own
    assert there == here


def test_on_spark_the_base_never_comes_to_the_driver(
    scored: dict[str, Run], shops: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No customers are collected but those listed, which are cut, and those of the proof, a sample."""
    from pyspark.sql.classic.dataframe import DataFrame

    for module, most in ((score_file, "MOST_LISTED"), (listing, "MOST_CUSTOMERS")):
        monkeypatch.setattr(module, most, 40)
    monkeypatch.setattr(score, "prove_log", partial(proof.prove_log, customers=40))
    collected: list[int] = []
    for name in ("collect", "toPandas", "toArrow"):
        whole = getattr(DataFrame, name)

        def counted(self: Any, whole: Any = whole) -> Any:
            found = whole(self)
            if "customer_id" in self.columns:  # counts by day and the like have other rows
                collected.append(len(found))
            return found

        monkeypatch.setattr(DataFrame, name, counted)
    config = shops["spark"] / "repurchase.toml"
    config.write_text(config.read_text().replace('"EUR"', '"USD"'))
    assert main(["--config", str(config), "--quiet", "score", "--as-of", AS_OF]) == 0
    run = find_run(shops["spark"] / "out", AS_OF)
    assert run.manifest["files"]["scores.parquet"]["rows"] > 500
    assert run.manifest["files"]["risk_list.csv"]["rows"] == 40
    assert "list_cut" in [warning["code"] for warning in run.manifest["warnings"]]
    assert len(collected) > 10
    assert max(collected) < 400


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
