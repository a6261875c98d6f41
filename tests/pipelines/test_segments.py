"""Groups of published runs, week by week: they add up, are explained, and hardly anybody moves to and fro."""

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from models.segments import AXES
from pipelines.cli import main
from tests.pipelines.conftest import AS_OF, copy_shop

WEEKS = [(date.fromisoformat(AS_OF) + timedelta(7 * week)).isoformat() for week in range(4)]


@pytest.fixture(scope="module")
def weeks(run_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = copy_shop(run_shop, tmp_path_factory.mktemp("weeks") / "shop")
    for as_of in WEEKS[1:]:
        assert main(["--config", str(config), "--quiet", "score", "--as-of", as_of]) == 0
    return config


def run_of(config: Path, as_of: str) -> Path:
    return config.parent / "out" / "scores" / f"as_of={as_of}"


def facts_of(config: Path, as_of: str) -> dict:
    return json.loads((run_of(config, as_of) / "manifest.json").read_text("utf-8"))["segments"]


def groups_of(config: Path, as_of: str) -> pd.DataFrame:
    return pd.read_parquet(run_of(config, as_of) / "segments.parquet").set_index("customer_id")


def test_everybody_is_in_one_group_of_each_kind(weeks: Path) -> None:
    for as_of in WEEKS:
        found, scores = groups_of(weeks, as_of), pd.read_parquet(run_of(weeks, as_of) / "scores.parquet")
        assert found.index.tolist() == scores["customer_id"].tolist()
        assert found[[*AXES]].notna().all().all()
        days = scores.set_index("customer_id")["days_since_last_order"]
        groups = pd.cut(days, [-1, 7, 14, 28, 10_000], labels=["0-7", "8-14", "15-28", "29+"])
        assert (found["recency_group"] == groups.astype(str)).all()
        counts = facts_of(weeks, as_of)["counts"]
        for axis in AXES:
            assert counts[axis] == found[axis].value_counts().to_dict()


def test_moves_of_a_week_add_up_and_each_has_a_reason(weeks: Path) -> None:
    before, now = groups_of(weeks, WEEKS[0]), groups_of(weeks, WEEKS[1])
    facts = facts_of(weeks, WEEKS[1])
    assert facts["before"] == run_of(weeks, WEEKS[0]).resolve().name
    moves = pd.DataFrame(facts["migration"])
    for axis in AXES:
        part = moves[moves["axis"] == axis]
        assert part.loc[part["after"] != "-", "customers"].sum() == len(now)
        assert part.loc[part["before"] != "-", "customers"].sum() == len(before)
        both = before[[axis]].add_suffix("_then").join(now[[axis, f"why_{axis}"]], how="inner")
        moved = both[both[f"{axis}_then"] != both[axis]]
        assert set(moved[f"why_{axis}"]) <= {"behaviour", "time"}
        assert (both.loc[both[f"{axis}_then"] == both[axis], f"why_{axis}"] == "").all()
    arrived = moves[(moves["axis"] == "lifecycle") & (moves["why"] == "arrived")]["customers"].sum()
    assert arrived == len(now.index.difference(before.index)) > 0


def test_who_moved_by_behaviour_has_ordered_or_taken_back(weeks: Path) -> None:
    """Against the raw log."""
    now = groups_of(weeks, WEEKS[1])
    moved = now[now["why_recency_group"] == "behaviour"]
    log = (weeks.parent / "orders.parquet").as_posix()
    active = duckdb.sql(
        f"select distinct customer_id from '{log}' where ordered_at >= '{WEEKS[0]}' "  # noqa: S608
        f"and ordered_at < '{WEEKS[1]}'"
    ).fetchall()
    assert len(moved) > 0
    assert set(moved.index) <= {customer for (customer,) in active}


def test_hardly_anybody_moves_to_and_fro_but_by_what_they_do(weeks: Path) -> None:
    """Over four weekly runs, of those who did not order: fewer than two in a hundred come back to a group."""
    runs = [groups_of(weeks, as_of) for as_of in WEEKS]
    everybody = runs[0].index
    for other in runs[1:]:
        everybody = everybody.intersection(other.index)
    quiet = [run.loc[everybody, "n_orders"] for run in runs]
    is_quiet = (quiet[0] == quiet[-1]) & (
        runs[0].loc[everybody, "last_order"] == runs[-1].loc[everybody, "last_order"]
    )
    for axis in AXES:
        path = pd.concat([run.loc[everybody, axis] for run in runs], axis=1)[is_quiet]
        codes = path.apply(lambda row: [a for a, b in zip(row, [None, *row], strict=False) if a != b], axis=1)
        back = codes.map(lambda steps: len(steps) > len(set(steps)))
        assert back.mean() < 0.02


def test_rules_are_kept_from_run_to_run_and_learned_again_when_asked_otherwise(
    weeks: Path, tmp_path: Path
) -> None:
    first, second = (facts_of(weeks, as_of)["rules"] for as_of in WEEKS[:2])
    assert first == second
    assert 2 < first["loyal_orders"] < 50
    assert first["new_days"] < first["churned_days"]
    config = copy_shop(weeks, tmp_path / "copy")
    config.write_text(config.read_text("utf-8") + "[segments]\nloyal_orders = 2\n", "utf-8")
    later = (date.fromisoformat(WEEKS[-1]) + timedelta(7)).isoformat()
    assert main(["--config", str(config), "--quiet", "score", "--as-of", later]) == 0
    facts = facts_of(config, later)
    assert facts["rules"]["loyal_orders"] == 2
    moves = pd.DataFrame(facts["migration"])
    into = moves[(moves["axis"] == "lifecycle") & (moves["after"] == "loyal") & (moves["before"] != "loyal")]
    assert "model" in set(into["why"])


def test_a_run_with_groups_is_replayed(weeks: Path) -> None:
    assert main(["--config", str(weeks), "--quiet", "replay", WEEKS[2]]) == 0
