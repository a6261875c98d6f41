"""What comes from a PostgreSQL server, and what goes wrong with one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import ContractError
from pipelines.engine import open_engine
from pipelines.failures import EnvironmentFailed
from pipelines.postgres import stage_postgres
from pipelines.sources import open_other, open_transactions
from tests.pipelines.conftest import CONFIG
from tests.pipelines.postgres_server import (  # noqa: F401
    PASSWORD,
    Server,
    address_in_the_environment,
    postgres_server,
)
from tests.pipelines.test_sources import configured

pytestmark = pytest.mark.usefixtures("shop_db")


def fetched(source: str, columns: list[str], folder: Path) -> pd.DataFrame:
    stage_postgres(source, columns, folder / "t.parquet")
    return pq.read_table(folder / "t.parquet").to_pandas()


TYPES = """
create domain moment as timestamptz; create type mood as enum ('glad');
create table types (big bigint, price numeric, fee money, id uuid, note text, code char(6), feeling mood,
  extra jsonb, tags int[], at timestamptz, known moment, wall timestamp, day date);
insert into types values
 (9223372036854775807, 12345678901234567.1234, '1,234.50', '6f2cbe52-8f5c-4b2a-9a3e-0d8a3c1b7e55',
  'ghế — 椅子', 'ab', 'glad', '{"a": 1}', '{1,2}',
  '2024-06-01 02:00+07', '2024-06-01 02:00+07', '2024-06-01 02:00', '2024-06-01'),
 (null, 'NaN', null, null, '', null, null, null, null,
  'infinity', null, '-infinity', '0044-03-15 BC'),
 (null, null, null, null, null, null, null, null, null, null, null, null, null);
"""
TEXTS = ["price", "fee", "id", "note", "code", "feeling", "extra", "tags"]
TIMES = ["at", "known", "wall", "day"]


@pytest.fixture(scope="module")
def types(server: Server) -> None:
    server.sql(TYPES)


def test_every_type_arrives_as_it_would_from_a_file(types, tmp_path):
    stage_postgres("postgres://SHOP_DB#types", ["big", *TEXTS, *TIMES], tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    kinds = {field.name: str(field.type) for field in table.schema}
    assert {kinds.pop(name) for name in TEXTS} == {"string"}
    utc = "timestamp[us, tz=UTC]"
    assert kinds == {"big": "int64", "at": utc, "known": utc, "wall": "timestamp[us]", "day": "date32[day]"}
    full, odd, empty = table.to_pylist()
    assert [full[name] for name in ["big", *TEXTS]] == [
        9223372036854775807, "12345678901234567.1234", "1234.50", "6f2cbe52-8f5c-4b2a-9a3e-0d8a3c1b7e55",
        "ghế — 椅子", "ab", "glad", '{"a": 1}', "{1,2}",
    ]  # fmt: skip
    assert full["at"].isoformat() == full["known"].isoformat() == "2024-05-31T19:00:00+00:00"
    assert (odd["price"], odd["note"], odd["known"]) == ("NaN", "", None)
    assert set(empty.values()) == {None}


def test_infinite_times_stay_at_the_ends_of_time(types, tmp_path):
    """Read as they are, they wrap around: what is never known would be known from the start."""
    odd = fetched("postgres://SHOP_DB#types", TIMES, tmp_path).astype(str).iloc[1]
    assert odd[["at", "wall", "day"]].str[:10].tolist() == ["9999-12-31", "0001-01-01", "0001-01-01"]


def test_text_of_a_database_that_is_not_in_utf8(server, tmp_path, monkeypatch):
    server.sql("create database latin encoding 'LATIN1' locale 'C' template template0;")
    server.sql("create table t as select 'Müller' as name;", "latin")
    monkeypatch.setenv("SHOP_DB", server.address(database="latin"))
    assert fetched("postgres://SHOP_DB#public.t", ["name"], tmp_path)["name"].tolist() == ["Müller"]


GROWTH = """
import resource, sys
from pathlib import Path
from pipelines.postgres import stage_postgres
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
stage_postgres('postgres://SHOP_DB#few', ['id', 'note'], Path(sys.argv[1]))
before = peak()
stage_postgres('postgres://SHOP_DB#wide', ['id', 'note'], Path(sys.argv[1]))
print(peak() - before)
"""


def test_a_table_is_never_held_whole(server, tmp_path):
    """About 250 MB of rows go through a process that grows by far less."""
    server.sql(
        "create view wide as select g id, repeat(md5(g::text), 6) note from generate_series(1, 1200000) g;"
    )
    server.sql("create view few as select * from wide limit 1;")
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, tmp_path / "t.parquet"], stdout=subprocess.PIPE, text=True, check=True
    )
    assert pq.read_metadata(tmp_path / "t.parquet").num_rows == 1_200_000
    assert int(done.stdout) < 130


def test_events_bring_what_the_config_names_and_leave_no_file(server, tmp_path, orders):
    server.sql(
        "create schema web; create table web.clicks (who text, at timestamptz, what text, ip inet);"
        "insert into web.clicks values ('u1', '2024-01-01 10:00Z', 'search', '10.0.0.1');"
    )
    shutil.copy(orders, tmp_path / "orders.parquet")
    columns = '{ customer_id = "who", occurred_at = "at", event_type = "what" }'
    events = f'[tables.events]\nsource = "postgres://SHOP_DB#web.clicks"\ncolumns = {columns}\n'
    config = configured(tmp_path, CONFIG + events)
    with open_engine(config) as engine:
        open_transactions(engine, config)
        open_other(engine, config, "events")
        table, _ = open_other(engine, config, "events")  # fetched once
        assert engine.frame(table).columns.tolist() == ["who", "at", "what"]
        assert len(list(engine.folder.glob("postgres-*"))) == 1
    assert not engine.folder.exists()


SALES = f"""
create table sales (customer_id int, amount numeric, note text);
insert into sales values (1, 2, 'x');
create role reader login password '{PASSWORD}';
create role guest login password '{PASSWORD}';
grant select (customer_id, amount) on sales to reader;
"""  # noqa: S608


@pytest.fixture(scope="module")
def sales(server: Server) -> None:
    server.sql(SALES)


@pytest.mark.parametrize(
    ("source", "column", "said"),
    [
        ("postgres://NO_DB#sales", "amount", "variable NO_DB is not set; hint: NO_DB=postgresql"),
        ("postgres://SHOP_DB#sale", "amount", r"no table 'public.sale' among \d+; hint: .*'public.sales'"),
        ("postgres://SHOP_DB#sales", "amounts", "'amounts' is missing among 3 columns.*mean 'amount'"),
        ("postgres://SHOP_DB", "amount", "wrong form; hint: postgres://ENV_NAME#schema.table"),
    ],
)
def test_a_source_that_is_wrong(source, column, said, sales, tmp_path):
    with pytest.raises(ContractError, match=said):
        fetched(source, [column], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_permission_is_needed_for_the_fetched_columns_only(server, sales, tmp_path, monkeypatch):
    source = "postgres://SHOP_DB#sales"
    monkeypatch.setenv("SHOP_DB", server.address("reader"))
    assert fetched(source, ["customer_id", "amount"], tmp_path)["amount"].tolist() == ["2"]
    monkeypatch.setenv("SHOP_DB", server.address("guest"))
    with pytest.raises(ContractError, match="no permission to read the table; hint: grant select"):
        fetched(source, ["customer_id"], tmp_path)


AWAY, WRONG, UNREADABLE = EnvironmentFailed, ContractError, "SHOP_DB does not hold an address"


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [
        ("postgresql://owner:{password}@127.0.0.1:1/shop", AWAY, "Connection refused"),
        ("host={folder}/none user=owner password={password}", AWAY, "No such file"),
        ("postgresql://owner:{password}@db.invalid/shop", AWAY, "could not translate host name"),
        ("postgresql://owner:not-{password}@/postgres?host={folder}", WRONG, "password authentication"),
        ("postgresql://owner:{password}@/none?host={folder}", WRONG, "does not exist"),
        ("postgresql://owner:%{password}@/postgres", WRONG, UNREADABLE),
        ("{password} is the password", WRONG, UNREADABLE),
        ("postgresql+psycopg2://owner:{password}@/shop", WRONG, UNREADABLE),
    ],
)
def test_an_address_that_is_wrong_is_never_shown(address, kind, said, server, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_DB", address.format(password=PASSWORD, folder=server.folder))
    with pytest.raises(kind, match=said) as error:
        fetched("postgres://SHOP_DB#sales", ["amount"], tmp_path)
    assert PASSWORD not in str(error.value)
    assert "SHOP_DB" in str(error.value)


def test_a_connection_that_is_lost_midway_leaves_nothing(server, tmp_path):
    server.sql(
        "create view breaking as select g as customer_id, repeat('x', 200) as note, "
        "case when g = 200000 then pg_terminate_backend(pg_backend_pid()) end as stop "
        "from generate_series(1, 300000) g;"
    )
    with pytest.raises(EnvironmentFailed, match=r"stopped midway.*a retry is safe"):
        fetched("postgres://SHOP_DB#breaking", ["customer_id", "note", "stop"], tmp_path)
    assert list(tmp_path.iterdir()) == []
