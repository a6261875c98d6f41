"""Closed rows: what a run promised each of its customers, and what the log says came."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.build import to_model_frame
from features.calendar import day_number
from features.history import make_history
from features.labels import add_labels, label_names
from models.outcomes import CLOSED
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.outcome_runs import Due
from pipelines.period_rows import window_end
from pipelines.published_runs import Run
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import RunCustomers

_TYPES = {
    "as_of": pa.date32(),
    "horizon": pa.int64(),
    "in_log": pa.bool_(),
    "bought": pa.int64(),
    "orders": pa.int64(),
    **dict.fromkeys(("p_purchase", "expected_orders", "expected_spend", "spend"), pa.float64()),
}
_SHARED = ["run", "model_version", "model_digest", "risk_tier", "customer_id"]
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in CLOSED])


def close_runs(engine: Engine, log: PurchaseLog, config: Config, due: Due) -> Iterator[pd.DataFrame]:
    """Close runs one by one: the rows of each horizon that is over, in order, sorted by customer.

    What came is what training calls a label (`features.labels`): orders placed in the window, net of the
    refunds known before its end. Everybody in the run has their rows. Who is in the log no more did not buy,
    as far as it says, and is marked (``in_log``).
    """
    entries = make_history(log.records, engine.keep).parts["entries"]
    customers = RunCustomers.of_log(engine, log, config)
    for run in due.runs:
        horizons = due.horizons(run)
        # Those whom the run speaks of, whoever the log shows on that date today.
        who = customers.of(run).mutate(cutoff=ibis.literal(day_number(run.as_of), "int64"))
        end_of = window_end(log.period, [run.as_of], horizons)
        labelled = add_labels(who, entries, [run.as_of], horizons, due.until, end_of)
        raw = engine.frame(_with_presence(labelled, customers.known))
        happened = to_model_frame(raw, (), horizons).merge(
            raw[["customer_id", "listed", "in_log"]], on="customer_id", validate="one_to_one"
        )
        happened["shown"] = customers.names(run, happened["customer_id"], happened["listed"])
        for horizon in horizons:
            yield _closed(run, horizon, happened, log)


def _with_presence(labelled: ir.Table, known: ir.Table) -> ir.Table:
    joined = labelled.left_join(known, "customer_id")
    return joined.mutate(in_log=joined.customer_id_right.notnull()).drop("customer_id_right")


def _closed(run: Run, horizon: int, happened: pd.DataFrame, log: PurchaseLog) -> pd.DataFrame:
    names = {
        "customer_id": "listed",
        f"p_purchase_{horizon}d": "p_purchase",
        f"expected_orders_{horizon}d": "expected_orders",
        f"expected_spend_{horizon}d": "expected_spend",
    }
    promised = run.scores([*names, "model_version", "risk_tier"]).rename(columns=names)
    came = dict(zip(label_names(horizon), ("bought", "orders", "spend"), strict=True))
    told = happened[["listed", "shown", "in_log", *came]].rename(columns={"shown": "customer_id", **came})
    rows = promised.merge(told, on="listed", how="left", validate="one_to_one")
    if not log.has_amounts:
        rows["spend"] = float("nan")
    digest = run.manifest["model"]["digest"]
    rows = rows.assign(run=run.run_id, as_of=run.as_of, horizon=horizon, model_digest=digest)
    rows = rows.astype({"model_version": "str", "bought": "int64", "orders": "int64"})
    return rows[CLOSED].sort_values("customer_id", ignore_index=True)


def write_closed(frames: Iterable[pd.DataFrame], path: Path) -> int:
    """Write closed rows as they come, so that memory holds those of one run; return their number."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for frame in frames:
            writer.write_table(pa.Table.from_pandas(frame, SCHEMA, preserve_index=False))
    return int(pq.read_metadata(path).num_rows)


def read_closed(path: Path, model: Mapping[str, Any]) -> pd.DataFrame:
    """Read the closed rows of one model and horizon (`models.outcomes.MODEL`), which are judged together.

    What many rows share is kept once: nights bring the same customers again.
    """
    filters = [(name, "==", value) for name, value in model.items()]
    rows: pd.DataFrame = pq.read_table(path, filters=filters, read_dictionary=_SHARED).to_pandas()
    return rows
