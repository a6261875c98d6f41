"""A table that shows one whole run of each date, beside a register that says which.

All of a delivery is one transaction: readers see the rows of the run before or those of the new one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ContractError
from pipelines.failures import Refused
from pipelines.published_runs import Run, faults
from pipelines.sink_places import REGISTER
from pipelines.sql_names import quoted

Kind = Literal["text", "whole number", "number", "date", "moment", "truth value"]
SCORES = "scores.parquet"
RUN_ID = "run_id"
ROWS_AT_A_TIME = 20_000

ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole number": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "moment": pa.timestamp("us", "UTC"),
    "truth value": pa.bool_(),
}
_REGISTERED: dict[str, Kind] = {
    RUN_ID: "text",
    "as_of": "date",
    "created_at": "moment",
    "model_version": "text",
    "model_digest": "text",
    "hindsight": "truth value",
    "rows": "whole number",
    "content": "text",
}


class Session(ABC):
    """An open transaction in the database of a sink.

    Parameters
    ----------
    name : str
        What messages call the sink.
    table : str
        Its table, taken literally.

    Attributes
    ----------
    types : dict
        From a kind of column to the type that a new column gets.
    known : dict
        From each type that will do, as the database calls it, to its kind.
    has_keys : bool
        Whether new tables get a primary key.
    """

    types: ClassVar[Mapping[Kind, str]]
    known: ClassVar[Mapping[str, Kind]]
    has_keys: ClassVar[bool]

    def __init__(self, name: str, table: str) -> None:
        self.name, self.table = name, table

    @abstractmethod
    def run(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        """Carry out a statement; its values are ``$1``, ``$2``, …."""

    @abstractmethod
    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Fetch what a query finds."""

    @abstractmethod
    def columns(self, table: str) -> dict[str, str]:
        """Name the columns of a table and their types; empty where there is no such table."""

    @abstractmethod
    def path(self, table: str) -> str:
        """Quote a table's name."""

    @abstractmethod
    def hold(self, what: str) -> None:
        """Keep other deliveries out until the end of the transaction."""

    @abstractmethod
    def fill(self, run: Run) -> None:
        """Add the rows of a run."""


def bring_up_to_date(session: Session, as_of: str, current: Callable[[], Run]) -> tuple[Run, bool]:
    """Make a table show the current run of a date.

    Parameters
    ----------
    session : Session
        Its transaction is the caller's to end.
    as_of : str
        The date.
    current : callable
        Finds the run that is current now; asked once others are kept out, so that no older run follows a
        newer one.

    Returns
    -------
    run, is_new
        What the table shows, and whether it did not before.

    Raises
    ------
    ContractError
        If a table has columns of other types, or does not keep what it is given.
    Refused
        If the run is no longer as it was published.
    """
    session.hold(as_of)
    run = current()
    schema = pq.read_schema(run.folder / SCORES)
    _require_table(session, session.table, {**score_kinds(schema), RUN_ID: "text"}, ("as_of", "customer_id"))
    _require_table(session, session.table + REGISTER, _REGISTERED, ("as_of",))
    if _shows(session, run):
        return run, False
    _refuse_damaged(run)
    scores, register = session.path(session.table), session.path(session.table + REGISTER)
    session.run(f"delete from {scores} where as_of = $1", (run.as_of,))  # noqa: S608
    session.fill(run)
    session.run(f"delete from {register} where as_of = $1", (run.as_of,))  # noqa: S608
    places = ", ".join(f"${place}" for place in range(1, len(_REGISTERED) + 1))
    names = ", ".join(map(quoted, _REGISTERED))
    session.run(f"insert into {register} ({names}) values ({places})", _entry(run))  # noqa: S608
    if not _shows(session, run):
        raise ContractError(
            f"{session.name}: table {session.table!r} does not keep the rows as they are",
            hint="look for triggers and rules of the table, or name another one",
        )
    return run, True


def score_kinds(schema: pa.Schema) -> dict[str, Kind]:
    """Say of each column of the scores what kind it is."""
    return {field.name: _kind(field.type) for field in schema}


def score_batches(run: Run) -> pa.RecordBatchReader:
    """Read the rows of a run, some at a time, each with its run's id."""
    file = pq.ParquetFile(run.folder / SCORES)
    kinds = score_kinds(file.schema_arrow)
    schema = pa.schema([*((name, ARROW[kind]) for name, kind in kinds.items()), (RUN_ID, pa.string())])

    def pieces() -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(ROWS_AT_A_TIME):
            columns = [batch.column(name).cast(schema.field(name).type) for name in kinds]
            yield pa.record_batch([*columns, pa.repeat(run.run_id, len(batch))], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, pieces())


def rows_of(run: Run) -> int:
    """How many customers a run scored."""
    return int(run.manifest["files"][SCORES]["rows"])


def _kind(of: pa.DataType) -> Kind:
    if pa.types.is_integer(of):
        return "whole number"
    if pa.types.is_floating(of):
        return "number"
    if pa.types.is_date(of):
        return "date"
    if pa.types.is_timestamp(of):
        return "moment"
    return "truth value" if pa.types.is_boolean(of) else "text"


def _require_table(session: Session, table: str, wanted: Mapping[str, Kind], unique: tuple[str, ...]) -> None:
    """Make a table, or give it the columns that it lacks; what it has beside them stays as it is."""
    there = session.columns(table)
    if wanted.keys() - there.keys():
        session.hold("columns")
        there = session.columns(table)
    for name in wanted.keys() & there.keys():
        if session.known.get(there[name]) != wanted[name]:
            raise ContractError(
                f"{session.name}: column {name!r} of table {table!r} has the type {there[name]}, and a run "
                f"has a {wanted[name]} there",
                hint=f"name another table, or make the column {session.types[wanted[name]]}",
            )
    new = [f"{quoted(n)} {session.types[kind]}" for n, kind in wanted.items() if n not in there]
    if not there:
        key = [f"primary key ({', '.join(unique)})"] if session.has_keys else []
        session.run(f"create table {session.path(table)} ({', '.join(new + key)})")
        return
    for column in new:
        session.run(f"alter table {session.path(table)} add column {column}")


def _shows(session: Session, run: Run) -> bool:
    scores, register = session.path(session.table), session.path(session.table + REGISTER)
    named = session.rows(f"select run_id, content from {register} where as_of = $1", (run.as_of,))  # noqa: S608
    # Registers of before have the digest of the scores alone under that name, and are put right.
    if named != [(run.run_id, _content(run))]:
        return False
    counts = f"select count(*), count(case when run_id = $2 then 1 end) from {scores} where as_of = $1"  # noqa: S608
    return session.rows(counts, (run.as_of, run.run_id)) == [(rows_of(run), rows_of(run))]


def _refuse_damaged(run: Run) -> None:
    damage = [fault for fault in faults(run) if fault.startswith(SCORES)]
    if damage:
        raise Refused(f"run {run.run_id} is not as it was published: {damage[0]}; hint: score its date again")


def _entry(run: Run) -> tuple[Any, ...]:
    model = run.manifest["model"]
    created = datetime.fromisoformat(run.manifest["created_at"])
    return (
        run.run_id,
        run.as_of,
        created,
        str(model["version"]),
        str(model["digest"]),
        run.is_hindsight,
        rows_of(run),
        _content(run),
    )


def _content(run: Run) -> str:
    """What the manifest calls so."""
    return str(run.manifest["content"])
