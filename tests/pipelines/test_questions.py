"""Every question of docs/questions.md is opened where the page says that its answer is."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.build import build_features
from features.catalogue import visible_features
from features.history import make_history
from features.snapshot import take_snapshot
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.purchase_log import open_log
from pipelines.report import report_path

from .full_shop import LATER, run_all, write_shop
from .report_shop import Page

PAGE = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("| question", "|---"))
]
PLACES = [(row[0], *found) for row in ROWS for found in re.findall(r"`([\w.]+): ([^`]+)`", row[1])]


@pytest.fixture(scope="module")
def config(orders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_shop(tmp_path_factory.mktemp("questions"), orders)
    run_all(path)
    return path


@pytest.fixture(scope="module")
def report(config: Path) -> Page:
    day = pd.Timestamp(LATER).date()
    return Page(report_path(config.parent / "out", day).read_text("utf-8"))


@pytest.fixture(scope="module")
def features(config: Path) -> pd.DataFrame:
    settings = load_config(config)
    day = pd.Timestamp(LATER).date()
    with open_engine(settings) as engine:
        log = open_log(engine, settings, Console(quiet=True))
        names = [
            f.name
            for f in visible_features(settings.target.horizons, log.records.has, log.records.attributes)
        ]
        snapshot = take_snapshot(make_history(log.records, engine.keep, day), [day])
        return engine.frame(build_features(snapshot, settings.target.horizons, tuple(names)))


def test_every_row_says_where() -> None:
    assert len(ROWS) == 38  # as many as were asked
    assert all(len(row) == 3 and "`" in row[1] for row in ROWS)
    assert {place[1] for place in PLACES} == {
        "scores.parquet", "risk_list.csv", "segments.parquet", "features", "report", "measure.csv",
        "outcomes.csv", "manifest.json",
    }  # fmt: skip


def _has_values(column: "pd.Series[Any]") -> bool:
    return bool(column.notna().any() and (column.astype("str") != "").any())


@pytest.mark.parametrize(("question", "where", "what"), PLACES, ids=lambda text: text[:40])
def test_the_answer_is_there(
    config: Path, report: Page, features: pd.DataFrame, question: str, where: str, what: str
) -> None:
    out = config.parent / "out"
    if where in ("scores.parquet", "segments.parquet"):
        assert _has_values(pq.read_table(out / "latest" / where, columns=[what]).to_pandas()[what])
    elif where == "risk_list.csv":
        assert _has_values(pd.read_csv(out / "latest" / where)[what])
    elif where == "features":
        assert _has_values(features[what])
    elif where == "measure.csv":
        found = pd.read_csv(out / "measure" / f"as_of={LATER}" / where)
        assert (found["by"] == what).any()
    elif where == "outcomes.csv":
        found = pd.read_csv(out / "outcomes" / f"as_of={LATER}" / where)
        assert found.loc[found["measure"] == what, "actual"].notna().any()
    elif where == "manifest.json":
        value = json.loads((out / "latest" / where).read_text("utf-8"))
        for key in what.split("."):
            value = value[key]
        assert value is not None
    elif what.startswith("figures "):
        assert any(what.removeprefix("figures ") in name for name in [*report.figures(), *report.texts])
    else:
        what = what.replace("…", "1 Mar 2025")  # the run before
        assert what in report.tables, sorted(report.tables)
        assert report.tables[what]
