"""Work that goes over a table a piece at a time: in threads here, or on the machines of a cluster."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import ibis.expr.types as ir
import pyarrow as pa

PIECE = 50_000
"""Rows of a piece: so many fit into little memory, and each core takes some."""


class Work(Protocol):
    """What is made of a piece; it says the same of a row whatever other rows are beside it."""

    @property
    def schema(self) -> pa.Schema:
        """Of what it makes."""

    def __call__(self, piece: pa.Table, /) -> pa.Table:
        """Make a row of each row, in their order."""


def cut(pieces: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Cut tables anew, so that all have `rows` rows but the last, which has what is left; none is empty.

    Examples
    --------
    >>> three = [pa.table({"n": [1, 2]}), pa.table({"n": []}, schema=pa.schema([("n", "int64")])),
    ...          pa.table({"n": [3, 4, 5]})]
    >>> [piece["n"].to_pylist() for piece in cut(three, 3)]
    [[1, 2, 3], [4, 5]]
    """
    kept: list[pa.Table] = []
    for piece in pieces:
        kept.append(piece)
        while sum(map(len, kept)) >= rows:
            whole = pa.concat_tables(kept)
            yield whole.slice(0, rows)
            kept = [whole.slice(rows)]
    if sum(map(len, kept)):
        yield pa.concat_tables(kept)


def batches_of(query: ir.Table, rows: int) -> Iterator[pa.Table]:
    """Fetch a query of DuckDB in tables of at most so many rows, in its order."""
    database: Any = query.get_backend()
    # DuckDB 2.0 knows no more what Ibis 12.0 asks it for batches with.
    for batch in database.con.sql(database.compile(query)).to_arrow_reader(rows):
        yield pa.Table.from_batches([batch])


def in_threads(work: Work, pieces: Iterable[pa.Table], threads: int) -> Iterator[pa.Table]:
    """Do the work in threads and yield what it makes in order; few pieces are in memory at a time."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[pa.Table]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
