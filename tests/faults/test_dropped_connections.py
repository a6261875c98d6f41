"""Connections to a real PostgreSQL that are cut while a sink writes: all of a run is there, or none."""

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.config import Config
from pipelines.postgres_address import connect, parse_place
from pipelines.published_runs import current_run
from pipelines.sinks import deliver
from tests.faults.full_jobs import command, score
from tests.faults.reader import links, whole
from tests.pipelines.conftest import AS_OF
from tests.pipelines.deliveries import Delivery, assert_whole, configured, publish, scores
from tests.pipelines.postgres_server import (  # noqa: F401
    PASSWORD,
    Server,
    address_in_the_environment,
    postgres_server,
)

DROPS = 40
ROWS = 30_000
MONDAY = date(2026, 3, 2)
SINK = 'postgres = "postgres://SHOP_DB#cut.scores"'
CUT = """
select pg_terminate_backend(pid)::text from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid()
"""
SLOW = """
create function cut.f() returns trigger language plpgsql as
'begin perform pg_sleep(0.01); return new; end';
create trigger slow before insert on cut.scores for each row execute function cut.f();
"""
AT_WORK = "select pid::text from pg_stat_activity where query ilike 'copy %' and wait_event = 'PgSleep'"

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("shop_db", "cut")]


@pytest.fixture(name="cut")
def a_schema_of_its_own(server: Server) -> Iterator[None]:
    server.sql("create schema cut;")
    yield
    server.sql("drop schema cut cascade;")


def query(sql: str) -> list[tuple[object, ...]]:
    with connect(parse_place("postgres://SHOP_DB#x")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def shown(config: Config, *, of: list[str]) -> str:
    """Name the run that the table shows, which is to be whole and one of these."""
    with connect(parse_place("postgres://SHOP_DB#x")) as connection, connection.cursor() as cursor:
        cursor.execute("select run_id, as_of, rows from cut.scores_runs")
        register = cursor.fetch_arrow_table().to_pandas()
        cursor.execute("select * from cut.scores")
        table = cursor.fetch_arrow_table().to_pandas()
    run = current_run(config.output, MONDAY)
    [name] = register["run_id"]
    assert name in of
    if run is not None and run.run_id == name:
        assert_whole(table, register, [run])
    else:
        assert set(table["run_id"]) == {name}
        assert len(table) == register["rows"].sum()
    return str(name)


def test_connections_cut_at_random_moments(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    config, chance = configured(tmp_path, SINK), random.Random(9)  # noqa: S311 - no secret
    start = time.monotonic()
    deliver(config, publish(config.output, "m0", scores(ROWS, MONDAY, 0)))
    lasts = time.monotonic() - start
    before, endings = "m0", {"not yet open": 0, "cut, nothing there": 0, "cut, all there": 0, "done": 0}
    for number in range(1, DROPS + 1):
        run = publish(config.output, f"m{number}", scores(ROWS + number, MONDAY, number))
        process = Delivery(config, run, "postgres")
        process.go()
        time.sleep(chance.uniform(0, 1.3 * lasts))
        was_cut = len(query(CUT)) > 0
        said = process.said()
        process.process.join()
        name = shown(config, of=[before, run.run_id])
        assert (whole(config.output / "scores" / f"as_of={MONDAY}"))["run_id"] == run.run_id
        if said == "done":
            assert name == run.run_id
            endings["done" if not was_cut else "not yet open"] += 1
        else:
            assert "a retry is safe" in said
            assert "is published, but a sink does not show it" in said
            assert PASSWORD not in said
            endings["cut, all there" if name == run.run_id else "cut, nothing there"] += 1
            [again] = deliver(config, run)
            assert again.is_new == (name != run.run_id)
        assert shown(config, of=[run.run_id]) == run.run_id
        before = run.run_id
    with capsys.disabled():
        print(f"\n{DROPS} connections to cut: {endings}; every next delivery recovered")
    assert endings["cut, nothing there"] > DROPS / 5


def test_a_job_whose_connection_is_cut(own_shop, server, capsys):
    """The whole command: it says so, its run stays, and the same command again delivers it."""
    out = own_shop.parent / "out"
    own_shop.write_text(own_shop.read_text() + f"[sinks]\n{SINK}\n")
    shutil.rmtree(out)
    first = score(own_shop, "2025-02-01")
    assert first.returncode == 0, first.stderr
    server.sql(SLOW)
    job = subprocess.Popen(
        command(own_shop, AS_OF), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    while not query(AT_WORK):
        assert job.poll() is None
        time.sleep(0.1)
    assert query(CUT)
    said = job.communicate()[1]
    assert job.returncode == 7, said
    assert "is published, but a sink does not show it" in said
    assert "Traceback" not in said
    assert PASSWORD not in said
    assert [str(day) for [day] in query("select as_of::text from cut.scores_runs")] == ["2025-02-01"]
    published = [whole(link)["run_id"] for link in links(out)]
    server.sql("drop trigger slow on cut.scores;")
    again = score(own_shop, AS_OF)
    assert again.returncode == 0, again.stderr
    assert [whole(link)["run_id"] for link in links(out)] == published
    rows = query("select as_of::text, run_id from cut.scores_runs order by 1")
    assert [run for _day, run in rows] == published[:2]
    with capsys.disabled():
        print(
            "\n1 job with its connection cut: exit 7, its run whole, its table as before; the rerun delivered"
        )
