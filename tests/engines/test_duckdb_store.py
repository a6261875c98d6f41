"""Where DuckDB keeps tables: in memory until that is a quarter full, then in a file."""

from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from pipelines import duckdb_store
from pipelines.duckdb_store import DuckdbStore

N = 200_000


@pytest.fixture
def connection() -> Any:
    opened = ibis.duckdb.connect(threads=2)
    yield opened
    opened.disconnect()


def numbers(connection: Any, n: int = N) -> Any:
    table = pa.table({"x": range(n), "name": [f"customer {x}" for x in range(n)]})
    return connection.create_table("raw", table, overwrite=True)


def databases(connection: Any) -> dict[str, str]:
    """Kept tables that are there, without the numbers in their names, and where."""
    found = connection.raw_sql("select table_name, database_name from duckdb_tables()").fetchall()
    return {name.rsplit("_", 1)[0]: place for name, place in found if name != "raw"}


def rows(connection: Any, kept: Any, what: str) -> list[tuple[Any, ...]]:
    """What lies in a kept table, in the order in which it lies there."""
    found: list[tuple[Any, ...]] = connection.raw_sql(
        f'select {what} from "{kept.get_name()}"'  # noqa: S608
    ).fetchall()
    return found


def test_small_tables_stay_in_memory(connection: Any, tmp_path: Path) -> None:
    store = DuckdbStore(connection, tmp_path)
    kept = store.keep(numbers(connection), "small", in_order=False)
    assert kept.count().execute() == N
    assert databases(connection) == {"small": "memory"}
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_moves_to_a_file_and_what_follows_goes_there(
    connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DuckdbStore(connection, tmp_path)
    first = store.keep(numbers(connection, 10), "first", in_order=False)
    monkeypatch.setattr(duckdb_store, "IN_MEMORY", 1e-4)
    large = store.keep(numbers(connection), "large", in_order=False)
    assert databases(connection) == {"first": "memory", "large": "kept"}
    assert large.inner_join(first, "x").count().execute() == 10
    monkeypatch.setattr(duckdb_store, "IN_MEMORY", 0)
    next_one = store.keep(large.filter(large.x < 7), "next", in_order=False)
    assert databases(connection) == {"first": "memory", "large": "kept", "next": "kept"}
    assert next_one.x.sum().execute() == 21
    assert [file.name for file in tmp_path.glob("*.duckdb")] == ["kept.duckdb"]


def test_what_the_engine_has_pushed_out_of_memory_counts(connection: Any, tmp_path: Path) -> None:
    connection.raw_sql(f"set temp_directory = '{tmp_path}'; set memory_limit = '100MB'")
    store = DuckdbStore(connection, tmp_path)
    for name in "abcdef":
        store.keep(numbers(connection, 400_000), name, in_order=False)
    assert set(databases(connection).values()) == {"memory", "kept"}


@pytest.mark.parametrize("in_order", [True, False])
def test_the_engines_own_setting_is_put_back(connection: Any, tmp_path: Path, in_order: bool) -> None:
    connection.raw_sql("set preserve_insertion_order = false")
    store = DuckdbStore(connection, tmp_path)
    store.keep(numbers(connection, 3), "kept", in_order=in_order)
    with pytest.raises(duckdb.Error):
        store.keep(
            numbers(connection, 3).mutate(x=ibis.literal("no number")).cast({"x": "int8"}),
            "no",
            in_order=True,
        )
    assert connection.raw_sql("select current_setting('preserve_insertion_order')").fetchall() == [(False,)]


@pytest.mark.parametrize("share", [0.25, 0])
def test_a_table_may_be_made_from_its_namesake_which_then_goes(
    connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(duckdb_store, "IN_MEMORY", share)
    store = DuckdbStore(connection, tmp_path)
    one = store.keep(numbers(connection, 3), "again", in_order=False)
    two = store.keep(one.mutate(x=one.x + 10), "again", in_order=False)
    assert two.x.sum().execute() == 33
    there = connection.raw_sql("select count(*) from duckdb_tables() where table_name <> 'raw'").fetchall()
    assert there == [(1,)]


def test_rows_stay_in_their_order_where_that_is_asked(connection: Any, tmp_path: Path) -> None:
    kept = DuckdbStore(connection, tmp_path).keep(numbers(connection), "ordered", in_order=True)
    assert sorted(rows(connection, kept, "x")) == rows(connection, kept, "x")
    assert connection.raw_sql("select current_setting('preserve_insertion_order')").fetchall() == [(True,)]


def test_sums_are_kept_in_64_bits(connection: Any, tmp_path: Path) -> None:
    raw = numbers(connection)
    kept = DuckdbStore(connection, tmp_path).keep(raw.aggregate(x=raw.x.sum()), "sums", in_order=False)
    assert rows(connection, kept, "typeof(x)") == [("BIGINT",)]
