"""The project's own build: the one file here that calls its functions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from benchmarks.fixed_set import FIXED
from benchmarks.stages import Stages
from features.build import build_features, build_panel
from features.catalogue import visible_features
from features.contracts import MONEY_UNITS, Cancellation, TransactionsContract
from features.door import at_the_door, keep_lines
from features.history import make_history
from features.records import Records
from features.snapshot import sample_customers, take_snapshot
from pipelines.duckdb_store import DuckdbStore

COLUMNS = ("customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price")
CONTRACT = TransactionsContract(
    {name: name for name in COLUMNS}, name="benchmark", cancellation=Cancellation("order_id", "C")
)
HORIZONS = (7, 14, 28, 90)


def fixed(folder: Path, cutoff: date, out: Path, spill: Path, threads: int, stages: Stages) -> None:
    """Build the fixed set, money in currency units, from the log's Parquet files into a Parquet file."""
    with _engine(spill, threads) as engine:
        keep = _keeper(engine, spill, stages)
        history = make_history(_records(engine, folder, keep), keep, cutoff)
        with stages("features"):
            built = build_features(take_snapshot(history, [cutoff]), names=FIXED)
            money = {f.name for f in visible_features(has=CONTRACT.has) if f.unit == "money"}
            columns = {n: built[n] / MONEY_UNITS if n in money else built[n] for n in FIXED}
            engine.to_parquet(built.select("customer_id", **columns), out)


def full(folder: Path, cutoff: date, out: Path, spill: Path, threads: int, stages: Stages) -> None:
    """Build every feature of every customer at one cutoff, from Parquet to Parquet."""
    with _engine(spill, threads) as engine:
        keep = _keeper(engine, spill, stages)
        history = make_history(_records(engine, folder, keep), keep, cutoff)
        with stages("features"):
            engine.to_parquet(build_features(take_snapshot(history, [cutoff]), HORIZONS), out)


def panel(
    folder: Path,
    cutoffs: Sequence[date],
    customers: int,
    out: Path,
    spill: Path,
    threads: int,
    stages: Stages,
) -> None:
    """Build every feature and the labels of a sample of customers at many cutoffs."""
    with _engine(spill, threads) as engine:
        keep = _keeper(engine, spill, stages)
        records = _records(engine, folder, keep)
        share = customers / records.lines.customer_id.nunique().execute()
        sample = records.changed(
            lambda table, name: keep(sample_customers(table, share, 7), f"sample_{name}")
        )
        history = make_history(sample, keep)
        with stages("panel"):
            engine.to_parquet(build_panel(history, cutoffs, HORIZONS, max(cutoffs)), out)


@contextmanager
def _engine(spill: Path, threads: int) -> Iterator[Any]:
    engine = ibis.duckdb.connect(threads=threads, temp_directory=str(spill))
    engine.raw_sql("set enable_progress_bar = false")
    yield engine
    engine.disconnect()


def _records(engine: Any, folder: Path, keep: Any) -> Records:
    door = at_the_door(engine.read_parquet(str(folder / "*.parquet")), CONTRACT)
    lines = keep_lines(door, CONTRACT, keep)
    return Records(lines, has=CONTRACT.has, cancellation_prefix=CONTRACT.cancellation_prefix)


def _keeper(engine: Any, spill: Path, stages: Stages) -> Any:
    store = DuckdbStore(engine, spill)  # as pipelines.engine does it

    def keep(table: ir.Table, name: str) -> ir.Table:
        with stages(name):
            return store.keep(table, name, in_order=False)

    return keep
