"""Files open alike: kinds of Parquet columns, dialects of text, several files of different columns."""

import gzip
from datetime import time
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ContractError
from pipelines.engine import Engine, reading
from tests.engines.both import assert_same, fetched

TIMES = {
    "ns": pa.timestamp("ns"), "ns zoned": pa.timestamp("ns", "Asia/Tokyo"), "us": pa.timestamp("us"),
    "us zoned": pa.timestamp("us", "Europe/London"), "ms": pa.timestamp("ms"), "s": pa.timestamp("s"),
}  # fmt: skip
KINDS = {
    "day": pa.array([1, 19_000, None], pa.date32()),
    "byte": pa.array([1, -2, None], pa.int8()),
    "unsigned": pa.array([1, 2, 2**32 - 1], pa.uint32()),
    "decimal": pa.array([Decimal("1.10"), None, Decimal("-3.33")]),
    "short float": pa.array([1.1, float("inf"), None], pa.float32()),
    "dictionary": pa.array(["a", "b", None]).dictionary_encode(),
    "large text": pa.array(["a", "", None], pa.large_string()),
    "flag": pa.array([True, False, None]),
    "a.b`c": pa.array([1, 2, 3]),
    "Tên khách, ;{}()=": pa.array(["é", "Đ", None]),
}
TEXTS = {
    "quoted.csv": 'id;name;v\n1;"a;b ""q""";\n2;"line\nbreak";""\n3;\' v\';x\n',
    "windows.csv": "id,name,v\r\n1,a,2\r\n2,,3\r\n",
    "doubled.csv": "id,name,id\n1,2,3\n4,5,6\n",
    "tabs.tsv": "id\tname\n1\tx\n2\t\n",
    "other.csv": "v,id,more\n7,8,9\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name means something in a pattern, an address, or a quoted text."""
    folder = tmp_path_factory.mktemp("files") / "a [b]{c} d*'%20+ö"
    folder.mkdir()
    times = {
        name: pa.array([1_700_000_000, -1, None]).cast(pa.timestamp("s")).cast(kind)
        for name, kind in TIMES.items()
    }
    pq.write_table(pa.table(times | KINDS), folder / "kinds.parquet")
    pq.write_table(pa.table({"us": times["us"], "more": [1, 2, 3]}), folder / "more.parquet")
    pq.write_table(pa.table({"t": times["us"]}), folder / "old.parquet", use_deprecated_int96_timestamps=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8-sig", newline="")
    with gzip.open(folder / "packed.csv.gz", "wt", encoding="utf-8") as file:
        file.write(TEXTS["windows.csv"])
    return folder


def paths(folder: Path, *names: str) -> list[str]:
    return [str(folder / name) for name in names]


@pytest.mark.parametrize("names", [("kinds.parquet",), ("old.parquet",), ("kinds.parquet", "more.parquet")])
def test_parquet_opens_alike(
    spark: Engine, duckdb_engine: Engine, folder: Path, names: tuple[str, ...]
) -> None:
    column = "file" if len(names) > 1 else None
    here, there = (engine.read_parquet(paths(folder, *names), column) for engine in (duckdb_engine, spark))
    zones = {name: getattr(kind, "timezone", None) for name, kind in here.schema().items()}
    assert {name: getattr(kind, "timezone", None) for name, kind in there.schema().items()} == zones
    assert_same(plain(duckdb_engine, here), plain(spark, there)[sorted(here.columns)])


def plain(engine: Engine, table) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    """The table with its times as the wall clock's text, columns by name."""
    times = {
        n: table[n].cast("timestamp").cast("string")
        for n, kind in table.schema().items()
        if kind.is_timestamp()
    }
    return fetched(engine, table.mutate(**times).select(*sorted(table.columns)))


@pytest.mark.parametrize(
    "names", [*((name,) for name in TEXTS), ("packed.csv.gz",), ("windows.csv", "other.csv")]
)
def test_text_opens_alike(spark: Engine, duckdb_engine: Engine, folder: Path, names: tuple[str, ...]) -> None:
    column = "file" if len(names) > 1 else None
    here, there = (engine.read_csv(paths(folder, *names), column) for engine in (duckdb_engine, spark))
    assert_same(plain(duckdb_engine, here), plain(spark, there))


def test_what_is_kept_is_written_into_one_file_as_it_was(spark: Engine, folder: Path, tmp_path: Path) -> None:
    kept = spark.keep(spark.read_parquet(paths(folder, "kinds.parquet")), "written")
    spark.write_parquet(kept, tmp_path / "one.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["one.parquet"]
    schema = pq.read_schema(tmp_path / "one.parquet")
    assert {name: schema.field(name).type.tz for name in TIMES} == {
        name: "UTC" if kind.tz else None for name, kind in TIMES.items()
    }
    assert_same(plain(spark, kept), plain(spark, spark.read_fetched(tmp_path / "one.parquet")))


def test_an_empty_table_is_a_file_too(spark: Engine, folder: Path, tmp_path: Path) -> None:
    table = spark.read_parquet(paths(folder, "more.parquet"))
    spark.write_parquet(table.filter(table.more > 3), tmp_path / "none.parquet")
    assert pq.read_table(tmp_path / "none.parquet").shape == (0, 2)


def test_what_cannot_be_read_is_the_inputs_fault(spark: Engine, tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")
    (tmp_path / "short.csv").write_text("id,name,v\n1,2,3\n" + "4,5,6\n" * 30_000 + "7\n")
    pq.write_table(pa.table({"t": [time(10)]}), tmp_path / "time.parquet")
    for name, what in (("broken", "magic|footer|Parquet"), ("time", "UNSUPPORTED_TIME_TYPE")):
        with pytest.raises(ContractError, match=rf"orders: cannot be read: .*({what})"), reading("orders"):
            spark.read_parquet([str(tmp_path / f"{name}.parquet")])
    with pytest.raises(ContractError, match="cannot be read"):
        spark.frame(spark.read_csv([str(tmp_path / "short.csv")]))


def test_lines_before_the_header_are_refused(spark: Engine, tmp_path: Path) -> None:
    (tmp_path / "head.csv").write_text("Report of May\n\n" + "id,name,v\n" + "1,2,3\n" * 9)
    with pytest.raises(ContractError, match="2 lines before the header"):
        spark.read_csv([str(tmp_path / "head.csv")])
