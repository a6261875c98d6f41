"""Runs in a table of a real PostgreSQL server: whole ones, whatever happens."""

import itertools
import logging
import random
import re
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.errors import ContractError
from pipelines import sink_postgres
from pipelines.config import Config, load_config
from pipelines.failures import EnvironmentFailed
from pipelines.postgres_address import connect, parse_place
from pipelines.published_runs import Run, current_run
from pipelines.sinks import deliver, require_sinks
from tests.pipelines.conftest import AS_OF
from tests.pipelines.deliveries import MONDAY, TUESDAY, Delivery, assert_whole, configured, publish, scores
from tests.pipelines.postgres_server import (  # noqa: F401
    PASSWORD,
    Server,
    address_in_the_environment,
    postgres_server,
)

pytestmark = pytest.mark.usefixtures("shop_db")

SCHEMAS = (f"shop_{number}" for number in itertools.count())


@pytest.fixture(name="schema")
def a_schema_of_its_own(server: Server) -> Iterator[str]:
    schema = next(SCHEMAS)
    server.sql(f"create schema {schema};")
    yield schema
    server.sql(f"drop schema {schema} cascade;")


@pytest.fixture(name="config")
def a_shop_with_a_server(tmp_path: Path, schema: str) -> Config:
    return configured(tmp_path, f'postgres = "postgres://SHOP_DB#{schema}.scores"')


def published(config: Config, name: str, as_of: date = MONDAY, customers: int = 50) -> Run:
    return publish(config.output, name, scores(customers, as_of, seed=len(name) + customers))


def query(sql: str) -> pd.DataFrame:
    with connect(parse_place("postgres://SHOP_DB#x")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table().to_pandas()


def assert_shows(schema: str, *runs: Run) -> None:
    register = query(f"select run_id, as_of, rows from {schema}.scores_runs")  # noqa: S608
    assert_whole(query(f"select * from {schema}.scores"), register, runs)  # noqa: S608
    assert sorted(register["run_id"]) == sorted(run.run_id for run in runs)


def test_a_rerun_replaces_and_each_date_has_its_run(config, schema):
    monday, tuesday = published(config, "m1"), published(config, "t1", TUESDAY)
    for run in (monday, tuesday):
        [delivery] = deliver(config, run)
        assert (delivery.run_id, delivery.rows, delivery.is_new) == (run.run_id, 50, True)
    assert_shows(schema, monday, tuesday)
    again = published(config, "m2", customers=40)
    assert deliver(config, again)[0].is_new
    assert not deliver(config, monday)[0].is_new  # it is no longer current
    assert_shows(schema, again, tuesday)


def test_what_is_shown_already_is_left_alone_and_what_is_lost_comes_back(config, schema, server):
    run = published(config, "m1")
    deliver(config, run)
    written = f"select min(xmin::text) as first, max(xmin::text) as last from {schema}.scores"  # noqa: S608
    before = query(written)
    assert not deliver(config, run)[0].is_new
    pd.testing.assert_frame_equal(query(written), before)
    server.sql(f"delete from {schema}.scores where customer_id = '00000007';")  # noqa: S608
    assert deliver(config, run)[0].is_new
    assert_shows(schema, run)


def test_the_register_says_which_run_and_which_model(config, schema):
    deliver(config, published(config, "m1"))
    [row] = query(f"select * from {schema}.scores_runs").to_dict("records")  # noqa: S608
    assert len(row.pop("content")) == len("sha256:") + 64
    assert row.pop("created_at") == pd.Timestamp("2026-03-04T05:06:07Z")
    assert row == {
        "run_id": "m1", "as_of": MONDAY, "model_version": "3", "model_digest": "sha256:abc",
        "hindsight": False, "rows": 50,
    }  # fmt: skip


def test_the_scores_of_a_real_run_keep_their_types(run_shop, tmp_path, server):
    shutil.copytree(run_shop.parent / "out", tmp_path / "out", symlinks=True)
    server.sql('create schema "Shop ""A"" x";')
    sinks = "\n[sinks]\npostgres = 'postgres://SHOP_DB#Shop \"A\" x.the T'\n"
    (tmp_path / "repurchase.toml").write_text(run_shop.read_text() + sinks)
    config = load_config(tmp_path / "repurchase.toml")
    run = current_run(config.output, date.fromisoformat(AS_OF))
    assert run is not None
    deliver(config, run)
    kinds = query(
        "select column_name::text, data_type::text from information_schema.columns "
        "where table_name = 'the T' order by ordinal_position"
    )
    kinds = dict(kinds.itertuples(index=False))
    assert kinds.pop("run_id") == "text"
    assert list(kinds) == list(run.scores().columns)
    assert {kinds["customer_id"], kinds["risk_tier"]} == {"text"}
    assert (kinds["T"], kinds["p_alive"], kinds["next_order_p20"]) == ("bigint", "double precision", "date")
    shown = query('select * from "Shop ""A"" x"."the T" order by customer_id collate "C"').drop(
        columns="run_id"
    )
    pd.testing.assert_frame_equal(shown, run.scores(), check_exact=True, check_dtype=False)


def test_other_horizons_add_columns_and_leave_the_old_ones_empty(config, schema):
    deliver(config, published(config, "m1"))
    other = scores(30, TUESDAY, 2).rename(columns={"p_churn_90d": 'p "30d"'})
    deliver(config, publish(config.output, "t1", other))
    shown = query(f"select * from {schema}.scores order by as_of, customer_id")  # noqa: S608
    counts = shown.groupby("as_of")[["p_churn_90d", 'p "30d"']].count()
    assert counts.to_numpy().tolist() == [[33, 0], [0, 20]]


BAD = "m@x.org"


def changed(column: str, value: object) -> pd.DataFrame:
    frame = scores(30, MONDAY, 2)
    return frame.assign(**{column: [value, *frame[column][1:]]})


FULL = (
    "alter table {0}.scores add note text not null default ''; alter table {0}.scores alter note drop default"
)
TRIGGER = """
create function {0}.f() returns trigger language plpgsql as 'begin return null; end';
create trigger t before insert on {0}.scores for each row execute function {0}.f()
"""
VIEW = f"drop table {{0}}.scores; create view {{0}}.scores as select '{BAD}' as customer_id"


@pytest.mark.parametrize(
    ("sql", "frame", "said"),
    [
        (
            'alter table {0}.scores alter "T" type text',
            changed("T", 7),
            "'T' .* type text, .* a whole number",
        ),
        (FULL, changed("T", 7), "may not be empty"),
        ("alter table {0}.scores add check (risk_tier <> 'x')", changed("risk_tier", "x"), "SQLSTATE 23514"),
        ("alter table {0}.scores alter risk_tier type varchar(6)", changed("risk_tier", BAD), "is too long"),
        ("select 1", changed("customer_id", f"{BAD}\0"), "a character that the database cannot hold"),
        (TRIGGER, changed("T", 7), "does not keep the rows"),
        (VIEW, changed("T", 7), "it is no table"),
    ],
    ids=["type", "not null", "check", "length", "zero byte", "trigger", "view"],
)
def test_a_table_that_a_run_does_not_fit_keeps_what_it_shows(config, schema, server, sql, frame, said):
    deliver(config, published(config, "m1"))
    server.sql(sql.format(schema) + ";")
    with pytest.raises(ContractError, match=said) as refused:
        deliver(config, publish(config.output, "m2", frame))
    assert "m2 is published, but a sink does not show it" in str(refused.value)
    assert BAD not in str(refused.value)
    assert list(query(f"select run_id from {schema}.scores_runs")["run_id"]) == ["m1"]  # noqa: S608


def test_what_the_user_may_not_do_is_named(server, schema, config, monkeypatch):
    deliver(config, published(config, "m1"))
    writer = f"writer_{schema}"
    server.sql(
        f"create role {writer} login password '{PASSWORD}'; grant usage on schema {schema} to {writer};"
        f"grant select on all tables in schema {schema} to {writer};"
    )
    run = published(config, "m2", customers=40)
    monkeypatch.setenv("SHOP_DB", server.address(writer))
    with pytest.raises(ContractError, match="may not do that; hint: grant select, insert and delete"):
        deliver(config, run)
    server.sql(f"grant insert, delete on all tables in schema {schema} to {writer};")
    deliver(config, run)
    monkeypatch.setenv("SHOP_DB", server.address())
    assert_shows(schema, run)
    server.sql(f"drop owned by {writer}; drop role {writer};")


def test_a_schema_that_is_not_there(tmp_path):
    config = configured(tmp_path, 'postgres = "postgres://SHOP_DB#nowhere.scores"')
    with pytest.raises(ContractError, match="no such schema; hint: create it"):
        deliver(config, published(config, "m1"))


def test_sinks_are_looked_at_before_any_work(tmp_path, monkeypatch):
    config = configured(tmp_path, 'postgres = "postgres://NO_DB#scores"')
    with pytest.raises(ContractError, match=r"variable NO_DB is not set"):
        require_sinks(config)
    monkeypatch.setenv("NO_DB", "postgresql://somewhere/else")
    require_sinks(config)


def test_the_address_stays_a_secret(config, schema, tmp_path, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    run = published(config, "m1")
    away, unreadable = f"owner:{PASSWORD}@127.0.0.1:1/shop", f"owner:{PASSWORD}x@h:y/z"
    for address in (away, unreadable):
        with monkeypatch.context() as patch:
            patch.setenv("SHOP_DB", f"postgresql://{address}")
            with pytest.raises((EnvironmentFailed, ContractError)) as failed:
                deliver(config, run)
        assert PASSWORD not in str(failed.value)
    deliver(config, run)
    assert PASSWORD not in str(config.shown()) + repr(config) + caplog.text + "".join(capfd.readouterr())
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 2
    assert not any(PASSWORD.encode() in content for content in written)


def test_a_lock_that_is_kept_is_given_up_and_a_retry_delivers(config, schema, monkeypatch):
    deliver(config, published(config, "m1"))
    run = published(config, "m2", customers=40)
    holder = Delivery(config, run, "postgres", "before")
    holder.go()
    assert holder.said() == "midway"
    with monkeypatch.context() as patch:
        patch.setattr(sink_postgres, "WAIT", 1)
        with pytest.raises(EnvironmentFailed, match=r"another transaction has kept it .* same command again"):
            deliver(config, run)
    holder.kill()
    assert deliver(config, run)[0].is_new
    assert_shows(schema, run)


def test_two_processes_at_once_leave_one_whole_run_a_date(config, schema):
    """From nothing: both of a date, and those of two dates, want to make the tables."""
    names = [("m1", MONDAY), ("m2", MONDAY), ("t1", TUESDAY)]
    runs = [published(config, name, day, 20_000) for name, day in names]
    processes = [Delivery(config, run, "postgres") for run in runs]
    for process in processes:
        process.go()
    assert [process.said() for process in processes] == ["done", "done", "done"]
    assert_shows(schema, *runs[1:])


WAITING = "select pid from pg_stat_activity where wait_event_type = 'Lock'"


def test_a_second_delivery_of_a_date_waits_for_the_first(config, schema):
    tuesday = published(config, "t1", TUESDAY)
    deliver(config, tuesday)
    first = Delivery(config, published(config, "m1"), "postgres", "after")
    first.go()
    assert first.said() == "midway"
    run = published(config, "m2", customers=40)
    second = Delivery(config, run, "postgres")
    second.go()
    while query(WAITING).empty:
        assert second.process.is_alive()
    first.pipe.send("go on")
    assert [first.said(), second.said()] == ["done", "done"]
    assert_shows(schema, run, tuesday)


@pytest.mark.parametrize("stop", ["before", "after"])
def test_a_kill_between_delete_and_commit_leaves_the_run_before(config, schema, stop):
    before, tuesday = published(config, "m1"), published(config, "t1", TUESDAY)
    for run in (before, tuesday):
        deliver(config, run)
    run = published(config, "m2", customers=20_000)
    process = Delivery(config, run, "postgres", stop)
    process.go()
    assert process.said() == "midway"
    process.kill()
    assert_shows(schema, before, tuesday)
    assert deliver(config, run)[0].is_new  # waits until the server has noticed
    assert_shows(schema, run, tuesday)


SLOW = """
create function {0}.f() returns trigger language plpgsql as
'begin
  if new.run_id = ''m2'' and new.customer_id = ''00000300'' then perform pg_sleep(60); end if;
  return new;
end';
create trigger slow before insert on {0}.scores for each row execute function {0}.f();
"""
BREAK = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"


def test_a_connection_that_is_lost_in_the_copy_is_a_failure_and_a_retry_delivers(config, schema, server):
    before = published(config, "m1")
    deliver(config, before)
    server.sql(SLOW.format(schema))
    run = published(config, "m2", customers=1000)
    process = Delivery(config, run, "postgres")
    process.go()
    while not len(query(BREAK)):
        assert process.process.is_alive()
    assert re.search(
        r"m2 is published, but .* the delivery stopped midway: .* retry is safe", said := process.said()
    )
    assert PASSWORD not in said
    assert_shows(schema, before)
    server.sql(f"drop trigger slow on {schema}.scores;")
    assert deliver(config, run)[0].is_new
    assert_shows(schema, run)


@pytest.mark.heavy
def test_kills_at_any_moment_leave_one_whole_run_a_date(config, schema, capsys):
    chance, survived = random.Random(5), []  # noqa: S311
    tuesday = published(config, "t1", TUESDAY)
    for run in (published(config, "first", customers=100_000), tuesday):
        deliver(config, run)
    shown = published(config, "m0", customers=100_000)
    process = Delivery(config, shown, "postgres")
    start = time.monotonic()  # of what is killed below: a process of its own that replaces a run
    process.go()
    assert process.said() == "done"
    duration = time.monotonic() - start
    for number in range(1, 33):
        run = published(config, f"m{number}", customers=100_000 + number)
        process = Delivery(config, run, "postgres")
        process.go()
        time.sleep(chance.uniform(0, 1.5 * duration))
        process.kill()
        time.sleep(0.2)  # until the server has carried out what had been sent
        names = set(query(f"select run_id from {schema}.scores_runs")["run_id"]) - {"t1"}  # noqa: S608
        assert names <= {shown.run_id, run.run_id}
        survived.append(names == {run.run_id})
        shown, lost = (run, shown) if survived[-1] else (shown, run)
        assert_shows(schema, shown, tuesday)
        shutil.rmtree(lost.folder)
    with capsys.disabled():
        print(f"\n{len(survived)} kills: whole runs only, {sum(survived)} of them the new one")
    assert 0 < sum(survived) < len(survived)  # both happened
