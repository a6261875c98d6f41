"""The engines that run the feature expressions: DuckDB, on one machine and out of core, or Spark."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from joblib import cpu_count

from features.errors import ContractError
from pipelines.config import Config
from pipelines.duckdb_store import DuckdbStore
from pipelines.failures import EnvironmentFailed
from pipelines.pieces import PIECE, Work, batches_of, cut, in_threads
from pipelines.plain_words import words_of
from pipelines.scratch import scratch_folder
from pipelines.text_faults import text_fault

LEAST_ROOM, ROOM_A_BYTE = 1 << 30, 200
"""Bytes of memory for any input and, if that is more, for each byte of its files; four times that on disk."""

_NO_ROOM = ("no space left", "out of memory", "could not allocate", "failed to offload")

CSV_READING: dict[str, Any] = {"all_varchar": True, "header": True, "quote": '"', "comment": ""}
"""How delimited text is read. Left to guess, DuckDB drops the rows that begin with # and, where one quotation
mark is too many, takes all of them for text."""

MOST_THREADS = 1_024
_THREADS = {"threads", "worker_threads"}

Explain = Callable[[BaseException, str], Exception | None]
"""From an error and what was being read to a clear one; None for errors of another kind."""


class Engine(ABC):
    """What a command needs of an engine: to open files, to keep tables, to fetch results.

    Attributes
    ----------
    connection : ibis Backend
        For what only one engine can do.
    folder : Path
        On this machine, for what the command writes on its way; it goes when the engine does.
    """

    connection: Any
    folder: Path

    def expect(self, source: str, n_bytes: int) -> None:  # noqa: B027 - few engines have to know
        """Be told what is about to be read, and how large its files are."""

    def reading(self, what: str) -> AbstractContextManager[None]:
        """Turn the engine's errors into clear ones (`reading`)."""
        return reading(what)

    @abstractmethod
    def keep(self, expression: ir.Table, name: str, *, in_order: bool = False) -> ir.Table:
        """Compute a table once and keep it for the rest of the command; `in_order` if rows are to stay so."""

    @abstractmethod
    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Compute a table into one file."""

    @abstractmethod
    def read_parquet(self, files: Sequence[str], file_column: str | None = None) -> ir.Table:
        """Open Parquet files as one table, columns matched by name; `file_column` tells a row's file."""

    def read_fetched(self, file: Path) -> ir.Table:
        """Open a Parquet file that was fetched to this machine for the command."""
        return self.read_parquet([str(file)])

    @abstractmethod
    def read_csv(self, files: Sequence[str], file_column: str | None = None) -> ir.Table:
        """Open delimited text files, with a header line, as one table of text columns."""

    @abstractmethod
    def parsed(self, text: ir.Value, pattern: str) -> ir.Value:
        """Read text as times written as a strptime pattern says; null where it does not fit."""

    @abstractmethod
    def digest(self, text: ir.Value) -> ir.Value:
        """Whole numbers that tell texts apart: 64 bits, the same in every run."""

    @abstractmethod
    def pieces(self, work: Work, table: ir.Table, by: str) -> Iterator[pa.Table]:
        """Do the work on a kept table, piece by piece, and yield what it makes in order of a text column.

        Work, wherever it is done, is on few pieces at a time, and so is what is in memory here.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back what the engine holds."""

    def number(self, expression: ir.IntegerScalar) -> int:
        """Compute one whole number."""
        with self.reading("the log"):
            return int(expression.execute())

    def frame(self, expression: ir.Table) -> pd.DataFrame:
        """Compute a table and hand it over to pandas."""
        with self.reading("the log"):
            frame: pd.DataFrame = expression.to_pandas()
        return frame


class DuckdbEngine(Engine):
    """A DuckDB connection, and what it keeps while a command runs.

    Parameters
    ----------
    config : Config
        For the engine's options: settings of DuckDB.
    spill : Path
        Where work that does not fit into memory goes.
    """

    def __init__(self, config: Config, spill: Path) -> None:
        if config.engine.master is not None:
            raise ContractError(
                "[engine] master is for Spark", example=config.engine.master, hint='kind = "spark"'
            )
        _refuse_threads(config.engine.options)
        self.folder = spill
        options = {"temp_directory": str(spill), **config.engine.options}
        try:
            self.connection = ibis.duckdb.connect(**options)
        except duckdb.Error as error:
            raise ContractError(f"[engine] options: {first_line(error)}") from None
        self._store = DuckdbStore(self.connection, spill)
        self._may_limit = not {"memory_limit", "max_memory"} & set(config.engine.options)
        self._sizes: dict[str, int] = {}
        self._texts: list[str] = []

    def expect(self, source: str, n_bytes: int) -> None:
        """Take memory in proportion to the input: kilobytes that unpack to gigabytes do not fill the machine.

        Less memory makes no result another one, as what does not fit goes to the disk; what cannot go there,
        or is too much for it, is refused. A limit that the config sets stays.
        """
        self._sizes[source] = n_bytes
        if self._may_limit:
            room = max(LEAST_ROOM, ROOM_A_BYTE * sum(self._sizes.values()))
            self._store.limit(room)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turn the engine's errors into clear ones, which name the sources."""
        with _looked_at(self._texts), reading(", ".join(self._sizes) or what):
            try:
                yield
            except duckdb.OutOfMemoryException as error:
                if not self._store.is_limited:
                    raise
                raise ContractError(
                    f"{', '.join(self._sizes)}: {sum(self._sizes.values()):,} bytes that unpack to more than "
                    f"can be held: {first_line(error)}",
                    hint="[engine] options = { memory_limit = '8GB' } allows more, if that is right",
                ) from None

    def keep(self, expression: ir.Table, name: str, *, in_order: bool = False) -> ir.Table:
        """Compute a table once and keep it for the rest of the command."""
        with self.reading(name):
            return self._store.keep(expression, name, in_order=in_order)

    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Compute a table into one file."""
        with reading(str(path)):
            self.connection.to_parquet(expression, path)

    def read_parquet(self, files: Sequence[str], file_column: str | None = None) -> ir.Table:
        """Open Parquet files as one table, columns matched by name."""
        opened: ir.Table = self.connection.read_parquet(list(files), **_named(file_column))
        # Nanoseconds with a zone, which older pandas writes: Ibis has no name for them, DuckDB few casts.
        instants = [name for name, kind in opened.schema().items() if "TIMESTAMPTZ_NS" in str(kind)]
        return opened.mutate(**{name: opened[name].cast("timestamp('UTC')") for name in instants})

    def read_csv(self, files: Sequence[str], file_column: str | None = None) -> ir.Table:
        """Open delimited text files as one table of text columns."""
        self._texts[:] = files  # a table is kept before the next is opened
        opened: ir.Table = self.connection.read_csv(list(files), **CSV_READING, **_named(file_column))
        return opened

    def parsed(self, text: ir.Value, pattern: str) -> ir.Value:
        """Read text as times; null where it does not fit."""
        return try_strptime(text, pattern)

    def digest(self, text: ir.Value) -> ir.Value:
        """Whole numbers that tell texts apart."""
        return text.hash()

    def pieces(self, work: Work, table: ir.Table, by: str) -> Iterator[pa.Table]:
        """Do the work in threads of this process."""
        with reading("the features"):
            raw = cut(batches_of(table.order_by(by), PIECE), PIECE)
            yield from in_threads(work, raw, cpu_count())

    def close(self) -> None:
        """Disconnect."""
        self.connection.disconnect()


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def try_strptime(text: str, format: str) -> dt.timestamp:
    """Parse a text date; null where it does not fit."""


def _named(file_column: str | None) -> dict[str, Any]:
    return {"union_by_name": True, "filename": file_column} if file_column else {}


@contextmanager
def open_engine(config: Config) -> Iterator[Engine]:
    """Open the configured engine, and close it and remove what it spilled when done."""
    with scratch_folder() as spill:
        engine = _engine(config, spill)
        try:
            yield engine
        finally:
            engine.close()


def _engine(config: Config, spill: Path) -> Engine:
    if config.engine.kind == "duckdb":
        return DuckdbEngine(config, spill)
    try:
        from pipelines.spark import SparkEngine
    except ModuleNotFoundError as missing:
        raise ContractError(
            f"[engine] kind = 'spark' needs {missing.name}, which is not installed",
            hint="install repurchase[spark]",
        ) from None
    return SparkEngine(config, spill)


def _refuse_threads(options: Mapping[str, object]) -> None:
    """Refuse more threads than a machine can start: DuckDB ends the process in trying."""
    for name in _THREADS & options.keys():
        text = str(options[name]).strip()
        if text.isdecimal() and (len(text) > len(str(MOST_THREADS)) or int(text) > MOST_THREADS):
            raise ContractError(
                f"[engine] options: {name} = {text} is more than {MOST_THREADS:,}",
                hint="as many as the machine has cores are the fastest; they are the default",
            )


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn the engine's errors into a clear one: bad input, or a machine at its limits."""
    try:
        yield
    except Exception as error:
        clear = next(filter(None, (explain(error, what) for explain in EXPLAIN)), None)
        if clear is None:
            raise
        raise clear from None


def _explain(error: BaseException, what: str) -> Exception | None:
    """Explain DuckDB's errors, and those of memory."""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return EnvironmentFailed(f"{what}: out of memory: {first_line(error)}")
    if isinstance(error, RecursionError):
        return unreadable(what, "it is nested too deep")
    if not isinstance(error, duckdb.Error):
        return None
    message = first_line(error)
    if any(sign in message.lower() for sign in _NO_ROOM):
        return EnvironmentFailed(f"{what}: {message}")
    return unreadable(what, message)


class Unreadable(ContractError):
    """An engine cannot read its input."""


@contextmanager
def _looked_at(texts: Sequence[str]) -> Iterator[None]:
    """Say where a text is broken, if one is: DuckDB's words for it are cut with the values in them."""
    try:
        yield
    except Unreadable as error:
        raise (text_fault(texts) or error) from None


def unreadable(what: str, message: str) -> ContractError:
    """Say that an engine cannot read its input, without what it shows of the rows."""
    return Unreadable(
        f"{what}: cannot be read: {words_of(message)}",
        hint="is the file complete, and of the kind its name says?",
    )


EXPLAIN: list[Explain] = [_explain]
"""Who explains errors; an engine that is loaded later adds itself."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, cut to what fits a screen."""
    return str(error).strip().split("\n")[0][:300]
