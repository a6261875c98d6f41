"""A Spark cluster on this machine whose executors are processes of their own, started once for all tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.config import Config
from pipelines.engine import Engine, open_engine
from tests.engines.both import Asked, drawn_logs
from tests.engines.texts import Read, texts
from tests.features.logs import Drawn

MASTER = "local-cluster[2,1,1024]"
# Short jobs on few rows: most of the time would go into compiling code that runs once.
_HASTE = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
OPTIONS: dict[str, str | int | float | bool] = {
    "spark.driver.extraJavaOptions": _HASTE,
    "spark.executor.extraJavaOptions": _HASTE,
    "spark.sql.shuffle.partitions": 2,
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def configured(kind: str, **engine: Any) -> Config:
    """A config that matters for its engine alone."""
    source = {"source": "orders.parquet", "columns": {}}
    return Config.model_validate(
        {"project": {"name": "x"}, "tables": {"transactions": source}, "engine": {"kind": kind, **engine}}
    )


@pytest.fixture(scope="session")
def spark_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spark as it is installed, in a folder in which its workers may write; the test skips without Java."""
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java on this machine: Spark needs version 17 or newer")
    home = tmp_path_factory.mktemp("spark")
    for part in Path(pyspark.__file__).parent.iterdir():
        (home / part.name).symlink_to(part)
    return home


@pytest.fixture(scope="session")
def spark(spark_home: Path) -> Iterator[Engine]:
    """The engine that starts the cluster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(spark_home))
        with open_engine(configured("spark", master=MASTER, options=OPTIONS)) as engine:
            yield engine


@pytest.fixture(scope="session")
def duckdb_engine() -> Iterator[Engine]:
    with open_engine(configured("duckdb")) as engine:
        yield engine


Opened = Callable[[Engine, str, Any], Any]


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Write a table to a Parquet file and open that on an engine."""
    folder = tmp_path_factory.mktemp("tables")

    def lay_out(engine: Engine, name: str, table: Any) -> Any:
        file = folder / f"{name}.parquet"
        pq.write_table(table, file)
        return engine.read_parquet([str(file)])

    return lay_out


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    return drawn_logs(8)


@pytest.fixture(scope="session")
def on_spark(spark: Engine, laid_out: Opened, drawn: Drawn) -> Asked:
    return Asked(spark, laid_out, drawn)


@pytest.fixture(scope="session")
def on_duckdb(duckdb_engine: Engine, laid_out: Opened, drawn: Drawn) -> Asked:
    return Asked(duckdb_engine, laid_out, drawn)


@pytest.fixture(scope="session")
def texts_on_spark(spark: Engine, laid_out: Opened) -> Read:
    return Read(spark, laid_out(spark, "texts", texts()))


@pytest.fixture(scope="session")
def texts_on_duckdb(duckdb_engine: Engine, laid_out: Opened) -> Read:
    return Read(duckdb_engine, laid_out(duckdb_engine, "texts", texts()))
