"""Runs in a table of a DuckDB file: whole ones, whatever happens."""

import random
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from features.errors import ContractError
from pipelines import sink_duckdb
from pipelines.config import Config, load_config
from pipelines.failures import EnvironmentFailed, Refused
from pipelines.published_runs import Run, current_run
from pipelines.sinks import deliver, require_sinks
from tests.pipelines.conftest import AS_OF
from tests.pipelines.deliveries import (
    MONDAY,
    TUESDAY,
    Delivery,
    assert_whole,
    configured,
    make_current,
    publish,
    scores,
)


@pytest.fixture(name="config")
def a_shop_with_a_duckdb_sink(tmp_path: Path) -> Config:
    return configured(tmp_path, 'duckdb = "scores.duckdb"')


def published(config: Config, name: str, as_of: date = MONDAY, customers: int = 50) -> Run:
    return publish(config.output, name, scores(customers, as_of, seed=len(name) + customers))


def query(config: Config, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(config.folder / "scores.duckdb"), read_only=True) as connection:
        return connection.sql(sql).to_arrow_table().to_pandas()


def assert_shows(config: Config, *runs: Run) -> None:
    register = query(config, "select run_id, as_of, rows from scores_runs")
    assert_whole(query(config, "select * from scores"), register, runs)
    assert sorted(register["run_id"]) == sorted(run.run_id for run in runs)


def test_a_rerun_replaces_and_each_date_has_its_run(config):
    monday, tuesday = published(config, "m1"), published(config, "t1", TUESDAY)
    for run in (monday, tuesday):
        [delivery] = deliver(config, run)
        assert (delivery.run_id, delivery.rows, delivery.is_new) == (run.run_id, 50, True)
    assert_shows(config, monday, tuesday)
    again = published(config, "m2", customers=40)
    assert deliver(config, again)[0].is_new
    assert_shows(config, again, tuesday)


def test_what_is_shown_already_is_left_alone(config):
    run = published(config, "m1")
    deliver(config, run)
    before = (config.folder / "scores.duckdb").read_bytes()
    [delivery] = deliver(config, run)
    assert (delivery.rows, delivery.is_new) == (50, False)
    assert (config.folder / "scores.duckdb").read_bytes() == before


def test_rows_that_somebody_took_away_come_back(config):
    run = published(config, "m1")
    deliver(config, run)
    with duckdb.connect(str(config.folder / "scores.duckdb")) as connection:
        connection.execute("delete from scores where customer_id = '00000007'")
    assert deliver(config, run)[0].is_new
    assert_shows(config, run)


def test_an_older_run_of_a_date_never_follows_a_newer_one(config):
    older, newer = published(config, "m1"), published(config, "m2", customers=40)
    assert deliver(config, newer)[0].is_new
    [delivery] = deliver(config, older)
    assert (delivery.run_id, delivery.is_new) == ("m2", False)
    assert_shows(config, newer)
    make_current(config.output, older.folder, MONDAY)  # somebody went back
    assert deliver(config, newer)[0].run_id == "m1"
    assert_shows(config, older)


def test_a_run_that_is_replaced_while_it_is_delivered_is_followed_by_the_newer(config, monkeypatch):
    first = published(config, "m1")
    fill = sink_duckdb.DuckdbSession.fill

    def meanwhile(session, run):
        fill(session, run)
        if run.run_id == "m1":
            published(config, "m2", customers=40)

    monkeypatch.setattr(sink_duckdb.DuckdbSession, "fill", meanwhile)
    assert deliver(config, first)[0].run_id == "m2"
    assert_shows(config, current_run(config.output, MONDAY))


def test_the_register_says_which_run_and_which_model(config):
    deliver(config, published(config, "m1"))
    [row] = query(config, "select * replace (created_at::varchar as created_at) from scores_runs").to_dict(
        "records"
    )
    assert row.pop("content") == f"sha256:{'c' * 64}"  # the manifest's
    assert pd.Timestamp(row.pop("created_at")) == pd.Timestamp("2026-03-04T05:06:07Z")
    assert row == {
        "run_id": "m1", "as_of": MONDAY, "model_version": "3", "model_digest": "sha256:abc",
        "hindsight": False, "rows": 50,
    }  # fmt: skip


def test_the_scores_of_a_real_run_keep_their_types(run_shop, tmp_path):
    shutil.copytree(run_shop.parent / "out", tmp_path / "out", symlinks=True)
    sinks = "\n[sinks]\nduckdb = 'duckdb:///scores.duckdb#the \"T\" table'\n"
    (tmp_path / "repurchase.toml").write_text(run_shop.read_text() + sinks)
    config = load_config(tmp_path / "repurchase.toml")
    run = current_run(config.output, date.fromisoformat(AS_OF))
    assert run is not None
    deliver(config, run)
    kinds = query(config, 'describe "the ""T"" table"').set_index("column_name")["column_type"].to_dict()
    assert kinds.pop("run_id") == "VARCHAR"
    assert list(kinds) == list(run.scores().columns)
    assert {kinds["customer_id"], kinds["risk_tier"]} == {"VARCHAR"}
    assert (kinds["T"], kinds["p_alive"], kinds["next_order_p20"], kinds["as_of"]) == (
        "BIGINT",
        "DOUBLE",
        "DATE",
        "DATE",
    )
    shown = query(config, 'select * exclude (run_id) from "the ""T"" table" order by customer_id')
    pd.testing.assert_frame_equal(shown, run.scores(), check_exact=True, check_dtype=False)


def test_other_horizons_add_columns_and_leave_the_old_ones_empty(config):
    deliver(config, published(config, "m1"))
    other = scores(30, TUESDAY, 2).rename(columns={"p_churn_90d": 'p "30d"'})
    deliver(config, publish(config.output, "t1", other))
    shown = query(config, "select * from scores order by as_of, customer_id")
    assert shown.groupby("as_of")[["p_churn_90d", 'p "30d"']].count().to_numpy().tolist() == [
        [33, 0],
        [0, 20],
    ]


def test_a_column_of_another_type_is_refused_and_nothing_changes(config):
    deliver(config, published(config, "m1"))
    other = scores(30, MONDAY, 2).assign(T="long")
    with pytest.raises(
        ContractError, match=r"m2 is published, but .*'T' of table 'scores' has the type BIGINT.*text.*hint"
    ):
        deliver(config, publish(config.output, "m2", other))
    assert list(query(config, "select distinct run_id from scores")["run_id"]) == ["m1"]


def test_scores_that_were_changed_since_are_not_delivered(config):
    run = published(config, "m1")
    pq = run.folder / "scores.parquet"
    scores(50, MONDAY, 99).to_parquet(pq)
    with pytest.raises(Refused, match=r"not as it was published: scores.parquet was changed"):
        deliver(config, run)


def test_a_file_of_another_kind_is_refused(config):
    (config.folder / "scores.duckdb").write_text("a note\n" * 100)
    with pytest.raises(ContractError, match="the file is no DuckDB database"):
        deliver(config, published(config, "m1"))
    assert (config.folder / "scores.duckdb").read_text().startswith("a note")


def test_the_file_is_there_once_it_is_whole(config, monkeypatch):
    """DuckDB makes a file in four writes, and cannot open one of which some are missing."""
    open_file, opened = duckdb.connect, []

    def recorded(path):
        opened.append((Path(path).name, Path(path).exists()))
        return open_file(path)

    monkeypatch.setattr(sink_duckdb.duckdb, "connect", recorded)
    deliver(config, published(config, "m1"))
    [(fresh, was_there), last] = opened
    assert fresh.startswith(".scores.duckdb-")
    assert (was_there, last) == (False, ("scores.duckdb", True))
    assert list(config.folder.glob(".*")) == []


def test_a_folder_that_cannot_be_made_is_the_environments_fault(tmp_path):
    (tmp_path / "a").write_text("a file where the folder should be")
    config = configured(tmp_path, 'duckdb = "a/scores.duckdb"')
    with pytest.raises(
        EnvironmentFailed, match=r"m1 is published, but .* a retry is safe; run the same command"
    ):
        deliver(config, published(config, "m1"))


def test_a_sink_that_fails_keeps_no_other_from_its_run(tmp_path):
    config = configured(tmp_path, 'duckdb = "scores.duckdb"\npostgres = "postgres://NO_DB#scores"')
    run = published(config, "m1")
    with pytest.raises(ContractError, match=r"m1 is published, but .* variable NO_DB is not set"):
        deliver(config, run)
    assert_shows(config, run)


def test_a_view_of_that_name_is_refused_without_a_word_of_its_rows(config):
    with duckdb.connect(str(config.folder / "scores.duckdb")) as connection:
        columns = "'m@x.org' as customer_id, date '2026-03-02' as as_of, '1' as model_version, 1::bigint as T"
        more = "1.0::double as p_churn_90d, current_date as next_order_p50, 'x' as risk_tier, 'r' as run_id"
        connection.execute(f"create view scores as select {columns}, {more}")
    with pytest.raises(ContractError, match=r"refuses the run .*name another one") as refused:
        deliver(config, published(config, "m1"))
    assert "m@x.org" not in str(refused.value)


HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.readline()"


def test_a_file_that_somebody_keeps_is_waited_for_and_then_given_up(config, monkeypatch):
    deliver(config, published(config, "m1"))
    run = published(config, "m2", customers=40)
    monkeypatch.setattr(sink_duckdb, "WAIT", 0.3)
    command = [sys.executable, "-c", HOLD, str(config.folder / "scores.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(EnvironmentFailed, match=r"m2 is published, but .* in use .* same command again"):
            deliver(config, run)
        monkeypatch.setattr(sink_duckdb, "WAIT", 60)
        holder.stdin.close()
        assert deliver(config, run)[0].is_new
    assert_shows(config, run)


def test_the_file_may_be_the_one_that_the_log_lies_in(config, monkeypatch):
    run = published(config, "m1")
    deliver(config, run)
    monkeypatch.setattr(sink_duckdb, "WAIT", 0.1)
    again = published(config, "m2", customers=40)
    with duckdb.connect() as engine:
        engine.execute(f"attach '{config.folder}/scores.duckdb' as source (read_only)")
        with pytest.raises(EnvironmentFailed, match="in use"):
            deliver(config, again)
    deliver(config, again)
    assert_shows(config, again)


def test_two_processes_at_once_leave_one_whole_run_a_date(config):
    runs = [
        published(config, name, day, 20_000)
        for name, day in [("m1", MONDAY), ("m2", MONDAY), ("t1", TUESDAY)]
    ]
    processes = [Delivery(config, run, "duckdb") for run in runs]
    for process in processes:
        process.go()
    assert [process.said() for process in processes] == ["done", "done", "done"]
    assert_shows(config, *runs[1:])


@pytest.mark.parametrize("stop", ["before", "after"])
def test_a_kill_between_delete_and_commit_leaves_the_run_before(config, stop):
    before, tuesday = published(config, "m1"), published(config, "t1", TUESDAY)
    for run in (before, tuesday):
        deliver(config, run)
    run = published(config, "m2", customers=20_000)
    process = Delivery(config, run, "duckdb", stop)
    process.go()
    assert process.said() == "midway"
    process.kill()
    assert_shows(config, before, tuesday)
    deliver(config, run)
    assert_shows(config, run, tuesday)


@pytest.mark.heavy
def test_kills_at_any_moment_leave_one_whole_run_a_date(config):
    chance, survived, shown = random.Random(5), [], published(config, "m0", customers=200_000)  # noqa: S311
    tuesday = published(config, "t1", TUESDAY)
    start = time.monotonic()
    deliver(config, shown)
    duration = time.monotonic() - start
    deliver(config, tuesday)
    for number in range(1, 33):
        run = published(config, f"m{number}", customers=200_000 + number)
        process = Delivery(config, run, "duckdb")
        process.go()
        time.sleep(chance.uniform(0, 1.5 * duration))
        process.kill()
        names = set(query(config, "select run_id from scores_runs")["run_id"]) - {"t1"}
        assert names <= {shown.run_id, run.run_id}
        survived.append(names == {run.run_id})
        shown, lost = (run, shown) if survived[-1] else (shown, run)
        assert_shows(config, shown, tuesday)
        shutil.rmtree(lost.folder)
    assert 0 < sum(survived) < len(survived)  # both happened


@pytest.mark.parametrize("form", ["{}/far/s.duckdb", "duckdb:///{}/far/s.duckdb#scores"])
def test_an_absolute_path_is_taken_as_it_is_and_its_folder_must_be_there(tmp_path, form):
    shop = tmp_path / "shop"
    shop.mkdir()
    config = configured(shop, f'duckdb = "{form.format(tmp_path)}"')
    run = published(config, "m1")
    for refusal in (lambda: require_sinks(config), lambda: deliver(config, run)):
        with pytest.raises(ContractError, match=f"there is no folder {tmp_path}/far.*begins without a /"):
            refusal()
    assert not (tmp_path / "far").exists()
    (tmp_path / "far").mkdir()
    require_sinks(config)
    assert deliver(config, run)[0].is_new
    with duckdb.connect(str(tmp_path / "far" / "s.duckdb"), read_only=True) as connection:
        assert connection.sql("select count(*) from scores").fetchall() == [(50,)]
    assert not list(shop.rglob("s.duckdb"))


def test_a_register_of_before_gets_the_content_of_the_manifest(config):
    """It had the digest of the scores alone, under the same name."""
    run = published(config, "m1")
    deliver(config, run)
    with duckdb.connect(str(config.folder / "scores.duckdb")) as connection:
        connection.execute("update scores_runs set content = 'sha256:of the scores'")
    assert deliver(config, run)[0].is_new
    assert_shows(config, run)
    assert list(query(config, "select content from scores_runs")["content"]) == [run.manifest["content"]]
