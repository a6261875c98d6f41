"""``scores.parquet``: written piece by piece, and asked without being in memory as a whole."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.engine import reading
from pipelines.outlook import Sums
from pipelines.piece_scorer import SUMS, sums_of
from pipelines.pieces import batches_of, cut
from pipelines.pseudonym_file import write_names
from pipelines.pseudonyms import Pseudonyms
from pipelines.risk_list import LISTED_TIERS, list_columns

CALLED = "called.parquet"
"""Beside the scores under pseudonyms: who is called what."""
ROWS = 100_000
"""Customers to a row group; whoever reads or writes the file has one in memory."""
MOST_LISTED = 1_000_000
"""Customers on a list at most: a spreadsheet opens hardly more rows."""
HISTORY = ("frequency", "recency", "T")
"""What the day to act by is computed from."""
_MEMORY = "2GB"
"""What a question to the file may take; beyond that it works on disk."""


@dataclass(frozen=True)
class ToActOn:
    """Those to act on.

    Parameters
    ----------
    customers : int
        How many they are.
    value_at_risk : float
        Of all of them.
    listed : DataFrame
        The first `MOST_LISTED` of them, ranked by value at risk, with `HISTORY`, which is not shown.
    """

    customers: int
    value_at_risk: float
    listed: pd.DataFrame

    @property
    def summary(self) -> dict[str, float]:
        """For the manifest."""
        return {"customers": self.customers, "value_at_risk": self.value_at_risk}


def write_scores(pieces: Iterable[pa.Table], path: Path) -> Sums:
    """Write scored pieces into one file, and add up what each of them adds up to.

    The bytes of the file follow from its rows, however these came in pieces.

    Parameters
    ----------
    pieces : iterable of pyarrow Table
        Of `pipelines.piece_scorer.PieceScorer`, at least one; sorted by customer, from one to the next, too.
    path : Path
        The file.
    """
    noted: list[Sums] = []
    _write(cut(_scores(pieces, noted), ROWS), path)
    return sum(noted, start=Sums())


def _write(groups: Iterator[pa.Table], path: Path) -> None:
    """Write tables of `ROWS` rows, at least one, as row groups."""
    first = next(groups)
    # Numbers that hardly repeat need no dictionary: without, the file is smaller and sooner written.
    texts = [field.name for field in first.schema if not pa.types.is_floating(field.type)]
    with pq.ParquetWriter(path, first.schema, compression="zstd", use_dictionary=texts) as writer:
        for group in chain([first], groups):
            writer.write_table(group.combine_chunks(), row_group_size=ROWS)


def _scores(pieces: Iterable[pa.Table], noted: list[Sums]) -> Iterator[pa.Table]:
    """Take the sums out of pieces, and see to it that every customer comes once and in order."""
    last = pa.scalar("")
    for piece in pieces:
        ids = pa.concat_arrays([pa.array([last.as_py()]), *piece["customer_id"].chunks])
        if not pc.all(pc.less(ids[:-1], ids[1:]), min_count=0).as_py():  # a piece may be empty
            raise RuntimeError("the engine gave customers twice or in disorder")
        last = ids[-1]
        noted += sums_of(piece)
        yield piece.drop_columns(SUMS)


def to_act_on(file: Path, horizon: int, clv_horizon: int, folder: Path) -> ToActOn:
    """Find those to act on.

    Parameters
    ----------
    file : Path
        Of `write_scores`.
    horizon, clv_horizon : int
        Days.
    folder : Path
        For what does not fit into memory.
    """
    with opened(folder, file) as (scores,):
        listed = scores.filter(scores.status == "scored", scores.risk_tier.isin(LISTED_TIERS))
        total = listed.aggregate(n=listed.count(), value=listed.value_at_risk.sum().fill_null(0.0))
        first = listed.order_by(ibis.desc("value_at_risk"), "customer_id").limit(MOST_LISTED)
        columns = [*list_columns(horizon, clv_horizon), *HISTORY]
        ranked = first.select(columns).to_pyarrow().to_pandas(date_as_object=False)
        [found] = total.to_pyarrow().to_pylist()
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return ToActOn(found["n"], found["value"], ranked)


def with_pseudonyms(file: Path, names: Pseudonyms, folder: Path) -> Path:
    """Write the scores again under pseudonyms, sorted by these: the order of before tells of the ids.

    Parameters
    ----------
    file : Path
        Of `write_scores`.
    names : Pseudonyms
        The shop's.
    folder : Path
        For the new file, and for what does not fit into memory.
    """
    called = folder / CALLED
    write_names(file, names, called)
    target, schema = folder / "pseudonyms.scores.parquet", pq.read_schema(file)
    with opened(folder, file, called) as (scores, by_id):
        named = scores.inner_join(by_id, scores.customer_id == by_id.own_id).order_by("listed")
        renamed = named.drop("customer_id").rename(customer_id="listed").select(*schema.names)
        _write(cut((batch.cast(schema) for batch in batches_of(renamed, ROWS)), ROWS), target)
    return target


def under_names(file: Path, folder: Path) -> Path:
    """Write another table of the customers under the pseudonyms that `with_pseudonyms` gave them."""
    target = folder / f"pseudonyms.{file.name}"
    with opened(folder, file, folder / CALLED) as (table, by_id):
        named = table.inner_join(by_id, table.customer_id == by_id.own_id)
        named = named.drop("customer_id", "own_id").rename(customer_id="listed")
        named.get_backend().to_parquet(named, target)
    return target


@contextmanager
def opened(folder: Path, *files: Path) -> Iterator[list[ir.Table]]:
    """Open Parquet files of this machine in a DuckDB of bounded memory, which spills into a folder."""
    connection = ibis.duckdb.connect(memory_limit=_MEMORY, temp_directory=str(folder / "scores"))
    try:
        with reading("the scores"):
            yield [connection.read_parquet(file) for file in files]
    finally:
        connection.disconnect()
