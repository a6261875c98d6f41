"""A real shop scored by one champion on both engines; skipped where the machine has no such data."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import Engine, open_engine
from pipelines.published_runs import find_run
from pipelines.purchase_log import open_log
from pipelines.registry import Registry
from pipelines.scoring import features_of, piece_scorer
from tests.features.conftest import data_file

pytestmark = pytest.mark.heavy

AS_OF = date(2011, 11, 1)
SPARK = """\
[engine]
kind = "spark"
options = { "spark.sql.shuffle.partitions" = 2 }
"""


def features(config_file: Path) -> pd.DataFrame:
    """As the engine hands them to the scorer."""
    config = load_config(config_file)
    registry = Registry(config)
    champion = registry.champion()
    with open_engine(config) as engine:
        log = open_log(engine, config, Console(quiet=True))
        work = piece_scorer(log, config, registry.load(champion), champion.number, AS_OF)
        return work.frame(engine.frame(features_of(engine, log, work)))


def test_online_retail_gets_the_same_features_and_scores(spark: Engine, tmp_path: Path) -> None:
    config = tmp_path / "repurchase.toml"
    log = data_file("online_retail", "online_retail.parquet")
    found: dict[str, Any] = {}

    def run(*command: str) -> None:
        assert main(["--config", str(config), "--quiet", *command]) == 0

    run("init", str(log))
    text = config.read_text().replace('cutoffs = "auto"', "cutoffs = 4")
    for kind, engine in (("duckdb", ""), ("spark", SPARK)):
        config.write_text(text + engine)
        if kind == "duckdb":
            run("train", "--as-of", "2011-10-01")
            run("promote", "--force", "--reason", "a test")
        run("score", "--as-of", AS_OF.isoformat())
        found[kind] = find_run(tmp_path / "out", AS_OF.isoformat()), features(config)
    (here, seen_here), (there, seen_there) = found["duckdb"], found["spark"]
    pd.testing.assert_frame_equal(seen_here, seen_there, check_exact=True)
    assert len(seen_here) > 3_000
    one, other = here.scores(), there.scores()
    assert list(one["customer_id"]) == list(other["customer_id"]) == list(seen_here["customer_id"])
    numbers = one.select_dtypes("number").columns
    apart = np.abs(one[numbers] - other[numbers]).fillna(0.0).to_numpy().max(axis=1)
    assert (apart > 1e-9).mean() <= 0.0001
    assert there.manifest["content"] == here.manifest["content"]
    assert "config" in there.manifest["supersedes"]["because"]
    assert there.manifest["supersedes"]["probabilities_moved"] == 0
