"""The benchmarks compare like with like: on a small log every contender comes to the same features."""

import time
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import by_hand, logs, measure, ours, with_lifetimes, with_pandas
from benchmarks.fixed_set import FIXED, FOUR, disagreements
from benchmarks.stages import Stages


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> logs.Log:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "CUSTOMERS_PER_CHUNK", 150)
        return logs.make_log(tmp_path_factory.mktemp("bench"), 8000)


def test_the_log_is_as_large_as_asked_and_its_numbers_are_unique(log: logs.Log) -> None:
    lines = pd.read_parquet(log.folder)
    assert (len(lines), lines["customer_id"].nunique()) == (log.n_lines, log.n_customers)
    assert 6000 < len(lines) < 11000
    assert (lines.groupby("order_id")["customer_id"].nunique() == 1).all()
    refunds = lines[lines["order_id"].str.startswith("C")]
    assert 0.01 < len(refunds) / len(lines) < 0.06
    assert (refunds["quantity"] < 0).all()
    assert set(refunds["order_id"].str.removeprefix("C")) < set(lines["order_id"])


def test_the_same_seed_gives_the_same_log_and_what_is_there_is_reused(log: logs.Log, tmp_path: Path) -> None:
    again, other = logs.make_log(tmp_path, 1000, seed=1), logs.make_log(tmp_path / "b", 1000, seed=1)
    pd.testing.assert_frame_equal(pd.read_parquet(again.folder), pd.read_parquet(other.folder))
    assert logs.make_log(log.folder.parent, 8000) == log  # the seconds it took among the rest


@pytest.mark.parametrize("cutoff", [logs.END, date(2025, 3, 1)])
def test_every_contender_agrees_on_every_customer(log: logs.Log, tmp_path: Path, cutoff: date) -> None:
    sql = tmp_path / "sql"
    by_hand.fixed(log.folder, cutoff, sql, tmp_path, 1)
    ours.fixed(log.folder, cutoff, tmp_path / "ours", tmp_path, 1, Stages())
    with_pandas.plain(log.folder, cutoff, tmp_path / "plain")
    with_pandas.tuned(log.folder, cutoff, tmp_path / "tuned")
    with_lifetimes.four_columns(log.folder, cutoff, tmp_path / "four")
    built = pd.read_parquet(sql)
    assert set(built.columns) == {"customer_id", *FIXED}
    assert len(built) > 200
    found = {name: disagreements(sql, tmp_path / name) for name in ("ours", "plain", "tuned")}
    assert found == {"ours": {}, "plain": {}, "tuned": {}}
    assert disagreements(sql, tmp_path / "four", FOUR, "refund_share = 0") == {}
    assert disagreements(sql, tmp_path / "four", FOUR)["frequency"] > 0  # lifetimes knows no refunds


def test_a_difference_would_be_noticed(log: logs.Log, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    by_hand.fixed(log.folder, logs.END, one, tmp_path, 1)
    built = pd.read_parquet(one)
    changed = built.assign(
        n_products=built["n_products"] + 1,
        total_spend=built["total_spend"] * 1.00000001 + 1e-8,
        last_gap=float("nan"),
    )
    changed.iloc[1:].to_parquet(other)
    found = disagreements(one, other)
    assert found["customer_id"] == 1
    assert found["n_products"] == found["total_spend"] == len(built) - 1
    assert 0 < found["last_gap"] < len(built)
    assert len(found) == 4


def test_a_turn_is_measured_in_a_process_of_its_own(log: logs.Log, tmp_path: Path) -> None:
    job = measure.Job(log.folder, [logs.END], tmp_path, threads=1)
    turns = measure.run_rounds(["sql"], 1, job)
    assert 0 < turns["sql"][0].seconds < 60
    assert 20e6 < turns["sql"][0].peak_bytes < 2e9
    assert job.out("sql").is_file()
    assert "ratios to sql" in measure.table(turns, "sql")


def test_the_most_that_lay_on_disk_is_remembered(tmp_path: Path) -> None:
    peak, file = measure.PeakDisk(tmp_path, every=0.001), tmp_path / "deep" / "file"
    file.parent.mkdir()
    with peak:
        file.write_bytes(b"x" * 1_000_000)
        until = time.monotonic() + 10
        while peak.bytes < 1_000_000 and time.monotonic() < until:
            time.sleep(0.001)
        file.unlink()
    assert 1_000_000 <= peak.bytes < 2_000_000
