"""Logs dated by the week, month or quarter through the commands."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines import score, train
from pipelines.cli import main
from tests.pipelines.conftest import everything
from tests.pipelines.period_shop import GRIDS, daily_log, dated, opened


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    return daily_log()


def command(config: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["--config", str(config), *words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def lay_out(folder: Path, log: pd.DataFrame, horizons: Sequence[int]) -> Path:
    with opened(folder, log, horizons):
        return folder / "repurchase.toml"


@pytest.mark.parametrize(
    ("grid", "horizons"),
    [
        ("week", [14, 30]),
        pytest.param("month, last day", [30, 90], marks=pytest.mark.heavy),
        pytest.param("quarter", [90, 180], marks=pytest.mark.heavy),
    ],
)
def test_the_whole_way(
    daily: Any, grid: str, horizons: list[int], tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(train, "prove_log", lambda *_: None)  # the same proof comes before scoring
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # to start helpers takes longer than so small a training
    config = lay_out(tmp_path, dated(daily, grid), horizons)
    kind, start = GRIDS[grid][0].kind, GRIDS[grid][0].floor(date(2025, 5, 15))
    inside = (start + timedelta(4)).isoformat()
    code, out, err = command(config, capsys, "check")
    assert code == 0
    assert f"the log is dated by the {kind}: rows lie on " in err
    assert "out-of-time fold" in out.splitlines()[-1]
    code, out, err = command(config, capsys, "train", "--as-of", inside)
    assert code == 0
    assert f"training sees rows before {start}" in err
    following = GRIDS[grid][0].next_start(start)
    assert f"not {inside}: that lies inside a {kind}" in err
    assert f"must lie where one starts, such as {start} or {following}" in err
    assert "where the log ends" not in err
    assert command(config, capsys, "promote")[0] == 0
    before = everything(tmp_path)
    code, out, err = command(config, capsys, "--quiet", "score", "--as-of", inside)
    assert (code, out) == (2, "")
    assert f"as-of date {inside} lies inside a {kind}" in err
    assert f"use {start} or " in err
    assert everything(tmp_path) == before
    code, out, err = command(config, capsys, "score", "--as-of", start.isoformat(), "--json")
    assert code == 0
    manifest = json.loads(Path(json.loads(out)["manifest"]).read_text(encoding="utf-8"))
    assert (manifest["as_of"], manifest["hindsight"]) == (start.isoformat(), False)
    scores = pd.read_parquet(tmp_path / "out" / "latest" / "scores.parquet")
    known = daily[(daily["ordered_at"] < pd.Timestamp(start)) & (daily["quantity"] > 0)][
        "customer_id"
    ].unique()
    assert 0.95 * len(known) < len(scores) <= len(known)
    assert scores["days_since_last_order"].min() > 0
    assert (scores["T"] >= scores["recency"]).all()
    code, out, _ = command(
        config, capsys, "--json", "show", scores.loc[scores["n_orders"].idxmax(), "customer_id"]
    )
    shown = json.loads(out)
    assert all(GRIDS[grid][0].floor(day) == day for day in _days(shown["orders"], "day"))
    looked_at = _days(shown["p_alive_by_todays_model"], "as_of")
    assert all(GRIDS[grid][0].floor(day) == day for day in looked_at)
    assert (looked_at[-1], shown["p_alive_by_todays_model"][-1]["p_alive"]) == (start, shown["p_alive"])
    _, out, _ = command(config, capsys, "--quiet", "show", shown["customer_id"])
    assert f"a date stands for the {kind} that begins on it" in out
    daily.to_parquet(tmp_path / "orders.parquet")
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: pytest.fail("a refusal needs no proof"))
    code, out, err = command(config, capsys, "--quiet", "score", "--as-of", start.isoformat())
    assert (code, out) == (6, "")
    assert f"trained on a log dated by the {kind}, and the log is dated by the day; hint: train again" in err


def _days(rows: list[dict[str, Any]], name: str) -> list[date]:
    return [date.fromisoformat(row[name]) for row in rows]


@pytest.mark.parametrize(
    ("grid", "horizons", "said"),
    [
        (
            "week",
            [2, 7],
            [
                "dated by the week",
                "within 2 days",
                "horizons = [7] would fit",
                "7 days are answered as 1 week",
            ],
        ),
        (
            "month",
            [7, 14, 30],
            ["within 7 and 14 days", "less than half a month", "horizons = [30] would fit"],
        ),
        ("quarter", [30], ["within 30 days", "horizons = [91, 183, 274] would fit"]),
    ],
)
def test_horizons_that_are_too_short(
    daily: Any, grid: str, horizons: list[int], said: list[str], tmp_path: Path, capsys: Any
) -> None:
    config = lay_out(tmp_path, daily, horizons)
    dated(daily, grid).to_parquet(tmp_path / "orders.parquet")
    for words in (["check"], ["train"]):
        code, out, err = command(config, capsys, "--quiet", *words)
        assert (code, out) == (2, "")
        for text in said:
            assert text in err
    assert not (tmp_path / "mlartifacts").exists()
