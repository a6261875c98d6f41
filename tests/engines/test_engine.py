"""How an engine is opened, what it refuses, and what it leaves behind."""

from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from features.errors import ContractError
from pipelines.engine import Engine, open_engine
from pipelines.failures import EnvironmentFailed
from tests.engines.conftest import Opened, configured


def test_a_master_is_for_spark() -> None:
    with (
        pytest.raises(ContractError, match=r"\[engine\] master is for Spark; .*'local'"),
        open_engine(configured("duckdb", master="local")),
    ):
        pass


def test_a_cluster_of_several_machines_needs_a_common_folder(spark_home: Path, tmp_path: Path) -> None:
    from pipelines.spark import scratch_of

    assert scratch_of("local[*]", None, tmp_path) == str(tmp_path)
    assert scratch_of("yarn", "hdfs:///tmp", tmp_path) == "hdfs:///tmp"
    with pytest.raises(ContractError, match=r"'spark://host:7077'.*spark.repurchase.scratch"):
        scratch_of("spark://host:7077", None, tmp_path)


def tables_of(session: Any) -> set[str]:
    return {row.tableName for row in session.sql("show tables").collect()}


def test_a_session_that_runs_is_used_and_left_running(
    spark: Engine, laid_out: Opened, tmp_path: Path
) -> None:
    scratch = {"spark.repurchase.scratch": tmp_path.as_uri(), "spark.sql.session.timeZone": "Asia/Tokyo"}
    session = spark.connection._session
    with open_engine(configured("spark", options=scratch)) as beside:
        assert beside.connection._session.conf.get("spark.sql.session.timeZone") == "UTC"
        kept = beside.keep(laid_out(beside, "beside", pa.table({"x": [1, 2]})), "beside")
        assert beside.number(kept.x.sum()) == 3
        assert [file for file in tmp_path.rglob("*.parquet") if file.is_file()]
        theirs, own = (tables_of(of) for of in (session, beside.connection._session))
        assert {name for name in own if name.startswith("beside")} - theirs == {"beside_1"}
    assert list(tmp_path.iterdir()) == []
    assert session.range(3).count() == 3


def test_a_kept_table_takes_the_place_of_its_namesake(spark: Engine, laid_out: Opened) -> None:
    one = spark.keep(laid_out(spark, "namesake", pa.table({"x": [1, 2]})), "namesake")
    two = spark.keep(one.mutate(x=one.x + 10), "namesake")
    assert spark.number(two.x.sum()) == 23
    with pytest.raises(ContractError, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.number(one.x.sum())


def test_an_option_that_spark_refuses_is_the_configs_fault(spark: Engine) -> None:
    wrong = configured("spark", options={"spark.sql.shuffle.partitions": "many"})
    with pytest.raises(ContractError, match=r"\[engine\] master or options: .*many"), open_engine(wrong):
        pass


def test_digests_tell_texts_apart_and_stay(spark: Engine, duckdb_engine: Engine, laid_out: Opened) -> None:
    table = pa.table({"text": [f"é{n}" for n in range(1000)]})
    for engine in (spark, duckdb_engine):
        raw = laid_out(engine, "digests", table)
        told = engine.frame(raw.select(d=engine.digest(raw.text)))["d"]
        assert told.nunique() == 1000
        assert told.abs().max() > 2**60
        assert engine.frame(raw.select(d=engine.digest(raw.text)))["d"].sum() == told.sum()


def test_what_breaks_within_spark_is_the_environments_fault(spark: Engine) -> None:
    from pyspark.errors import SparkRuntimeException

    from pipelines.engine import reading

    with pytest.raises(EnvironmentFailed, match=r"the log: Spark failed: outofmemory"), reading("the log"):
        raise SparkRuntimeException("java.lang.OutOfMemoryError: Java heap space")
    with pytest.raises(ibis.common.exceptions.IbisError), reading("the log"):
        raise ibis.common.exceptions.IbisError("not of the engine")
