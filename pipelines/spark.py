"""Apache Spark as the engine: the same expressions on a cluster, for a shop that outgrows one machine."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
from py4j.protocol import Py4JError, Py4JNetworkError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import DataFrame, SparkSession

from features.errors import ContractError
from pipelines.config import Config
from pipelines.engine import EXPLAIN, Engine, first_line, reading, unreadable
from pipelines.failures import EnvironmentFailed
from pipelines.pieces import Work
from pipelines.plain_words import words_of
from pipelines.spark_files import csv_frame, parquet_frame, with_times
from pipelines.spark_pieces import run_pieces, ship_code
from pipelines.spark_sql import SparkBackend, as_typed
from pipelines.spark_store import Store
from pipelines.spark_times import java_pattern

SCRATCH = "spark.repurchase.scratch"
"""The option that names a folder which all machines of a cluster read and write; tables are kept there."""

# One way to read times and numbers, whatever the cluster's own settings are.
_ALWAYS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.csv.parser.columnPruning.enabled": "false",
}
_USUALLY = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.sql.catalogImplementation": "in-memory",
}
_ON_THIS_MACHINE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_AT_ITS_LIMITS = ("no space left", "outofmemory", "executorlostfailure", "connection refused", "shut down")


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def xxhash64(text: str) -> dt.int64:
    """64 bits that tell texts apart."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def try_to_timestamp(text: str, format: str) -> dt.timestamp:
    """Parse a text date; null where it does not fit."""


class SparkEngine(Engine):
    """A Spark session, and the tables it keeps while a command runs.

    A session that is there already (a notebook's) is used and left running; else one is started and stopped.

    Parameters
    ----------
    config : Config
        For ``[engine]``: ``master`` (all cores of this machine) and ``options``, settings of Spark.
    spill : Path
        Where tables are kept, unless the option `SCRATCH` names a place.

    Raises
    ------
    ContractError
        If a cluster of several machines has no such place.
    EnvironmentFailed
        If Spark does not start.
    """

    def __init__(self, config: Config, spill: Path) -> None:
        self.folder = spill
        options = {key: _text(value) for key, value in config.engine.options.items()}
        scratch, running = options.pop(SCRATCH, None), SparkSession.getActiveSession()
        self._is_ours = running is None
        self._views: dict[str, str] = {}
        self._numbers = count()
        master = str(running.sparkContext.master) if running else config.engine.master or "local[*]"
        place = scratch_of(master, scratch, spill)
        with _starting():
            self._session = _beside(running, options) if running else _start(master, options, spill)
            self._store = Store(self._session, place)
            self.connection: Any = SparkBackend().connect(self._session)

    def keep(self, expression: ir.Table, name: str, *, in_order: bool = False) -> ir.Table:  # noqa: ARG002
        """Compute a table once, into files, so that no later plan has to repeat its making."""
        view, before = f"{name}_{next(self._numbers)}", self._views.get(name)
        with reading(name):
            self._store.keep(self._frame(expression), view).createTempView(view)
            if before is not None:
                self._session.catalog.dropTempView(before)
                self._store.remove(before)
            kept: ir.Table = self.connection.table(view)
        self._views[name] = view
        return kept

    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Compute a table into one file."""
        with reading(str(path)):
            self._store.write_one_file(self._frame(expression), path)

    def pieces(self, work: Work, table: ir.Table, by: str) -> Iterator[pa.Table]:
        """Do the work on the executors, which get our code and the work with it."""
        with reading("the features"):
            context = self._session.sparkContext
            if not str(context.master).startswith("local["):
                ship_code(context)
            yield from run_pieces(work, self._frame(table), by, self._store, self.folder)

    def _frame(self, expression: ir.Table) -> DataFrame:
        frame: DataFrame = self.connection.raw_sql(self.connection.compile(expression))
        return as_typed(frame, expression.schema())

    def read_parquet(self, files: Sequence[str], file_column: str | None = None) -> ir.Table:
        """Open Parquet files as one table, columns matched by name."""
        return self._opened(parquet_frame(self._session, files, file_column))

    def read_fetched(self, file: Path) -> ir.Table:
        """Open a Parquet file that was fetched to this machine: wherever it works, Spark gets a copy."""
        brought = self._store.bring(file, f"{file.stem}_{next(self._numbers)}.parquet")
        return self._opened(with_times(brought, pq.read_schema(file)))

    def read_csv(self, files: Sequence[str], file_column: str | None = None) -> ir.Table:
        """Open delimited text files as one table of text columns."""
        return self._opened(csv_frame(self._session, files, file_column))

    def _opened(self, frame: DataFrame) -> ir.Table:
        view = f"opened_{next(self._numbers)}"
        frame.createTempView(view)
        opened: ir.Table = self.connection.table(view)
        return opened

    def parsed(self, text: ir.Value, pattern: str) -> ir.Value:
        """Read text as times; null where it does not fit."""
        return try_to_timestamp(text.strip(), java_pattern(pattern))

    def digest(self, text: ir.Value) -> ir.Value:
        """Whole numbers that tell texts apart."""
        return xxhash64(text)

    def close(self) -> None:
        """Remove what was kept, and stop the session if it was started here."""
        with suppress(Py4JError, PySparkException, ConnectionError):  # what broke it has been told already
            self._store.remove()
            if self._is_ours:
                self._session.stop()


def scratch_of(master: str, named: str | None, spill: Path) -> str:
    """Choose where tables are kept.

    Raises
    ------
    ContractError
        If the cluster has machines of its own and no folder is named that all of them see.
    """
    if named is None and not master.startswith("local"):
        raise ContractError(
            f"[engine] {master!r} has machines of its own, which need a folder that all of them see",
            hint=f'options = {{ "{SCRATCH}" = "hdfs:///tmp" }}; they must see the sources, too',
        )
    return named or str(spill)


@contextmanager
def _starting() -> Iterator[None]:
    """Turn the errors of a start into clear ones."""
    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        message = first_line(error)
        if "JAVA_" in message:
            raise EnvironmentFailed(f"Spark did not start: {message}; it needs Java 17 or newer") from None
        if isinstance(error, Py4JNetworkError | ConnectionError):
            raise EnvironmentFailed(f"Spark ended while it started: {message}") from None
        raise ContractError(f"[engine] master or options: {message}") from None


def _start(master: str, options: dict[str, str], spill: Path) -> SparkSession:
    """Start a session; a cluster on this machine needs to know where Spark and Python lie."""
    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warehouse = {"spark.sql.warehouse.dir": (spill / "warehouse").as_uri()}  # else one appears where we stand
    settings: dict[str, Any] = _USUALLY | warehouse | options | _ALWAYS
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings = _ON_THIS_MACHINE | settings
    builder = SparkSession.builder.master(master).appName("repurchase")
    session: SparkSession = builder.config(map=settings).getOrCreate()
    return session


def _beside(running: SparkSession, options: dict[str, str]) -> SparkSession:
    """Open a session beside the one that runs; of the settings, those that can still change are its own."""
    session = running.newSession()
    for key, value in (options | _ALWAYS).items():
        if session.conf.isModifiable(key):
            session.conf.set(key, value)
    return session


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _explain(error: BaseException, what: str) -> Exception | None:
    """Explain Spark's errors: a cluster at its limits, or input that cannot be read."""
    if not isinstance(error, PySparkException | Py4JError | ConnectionError | pa.ArrowException):
        return None
    message, whole = first_line(error), str(error).lower()
    is_cut_off = isinstance(error, Py4JNetworkError | ConnectionError)
    sign = next((sign for sign in _AT_ITS_LIMITS if sign in whole), None)
    if is_cut_off or sign is not None:
        return EnvironmentFailed(f"{what}: Spark failed: {sign or words_of(message)}")
    return unreadable(what, message)


EXPLAIN.append(_explain)
for _name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
    PySparkLogger.getLogger(_name).setLevel(logging.CRITICAL)  # they repeat each error as a page of JSON
