"""Write down what a run sees of the input tables, and read what an earlier one saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis.expr.datatypes as dt
import pandas as pd

from features.calendar import day_number
from features.contracts import own_columns
from features.records import KNOWN_FROM
from models.scorer import Scorer
from models.table_record import TableRecord, TableRecords
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.published_runs import runs_up_to
from pipelines.purchase_log import PurchaseLog
from pipelines.sources import open_other, open_transactions

TRANSACTIONS = "transactions"
BY_MONTH = "rows_by_month"
"""Under this name a manifest keeps the rows of a table."""
FIRST_DAY = "first_day"
"""Under this name it keeps the day on which the purchases begin."""


@dataclass(frozen=True)
class Earlier:
    """What a run is held against.

    Parameters
    ----------
    until : date
        Rows known before it were seen.
    name : str
        What to call it: ``"the training"``.
    tables : Mapping[str, TableRecord]
        What it saw.
    """

    until: date
    name: str
    tables: TableRecords


def table_records(engine: Engine, log: PurchaseLog, config: Config, until: date) -> dict[str, TableRecord]:
    """Record every table as it is known before a date."""
    return {
        name: TableRecord(
            rows_in=rows.rows_in,
            rows_quarantined=dict(rows.rows_quarantined),
            rows_by_month=rows_by_month(engine, log, name, until),
            columns=source_columns(engine, config, name),
            first_day=str(log.first_day) if name == TRANSACTIONS else None,
        )
        for name, rows in log.all_rows().items()
    }


def rows_by_month(engine: Engine, log: PurchaseLog, name: str, until: date) -> dict[str, int]:
    """Count the used rows of a table that are known before a date, by the month they became known in.

    Returns
    -------
    dict of str to int
        ``"2025-03"`` to rows; ``""`` for rows without a date, as of undated customers.
    """
    key = "lines" if name == TRANSACTIONS else name
    table = log.records.tables()[key]
    days = engine.frame(table.group_by(day=table[KNOWN_FROM[key]]).agg(n=table.count()))
    days = days[days["day"].isna() | (days["day"] < day_number(until))]
    months = pd.to_datetime(days["day"].astype("float64"), unit="D").dt.strftime("%Y-%m").fillna("")
    return {str(month): int(n) for month, n in days["n"].groupby(months).sum().items()}


def source_columns(engine: Engine, config: Config, name: str) -> dict[str, str]:
    """Say of every column of a table's source what it holds."""
    opened = open_transactions(engine, config) if name == TRANSACTIONS else open_other(engine, config, name)
    raw = opened[0]
    return {column: _kind(raw[column].type()) for column in own_columns(raw)}


def _kind(dtype: dt.DataType) -> str:
    kinds = (
        ("boolean", dtype.is_boolean()),
        ("number", dtype.is_numeric()),
        ("text", dtype.is_string()),
        ("time", dtype.is_date() or dtype.is_timestamp()),
    )
    return next((kind for kind, fits in kinds if fits), "other")


def find_earlier(config: Config, scorer: Scorer, digest: str, as_of: date) -> Earlier | None:
    """Find what a scoring is held against: the newest run of the same model up to its date, or the training.

    Parameters
    ----------
    config : Config
        Names the output.
    scorer, digest
        The model. A run of another model is passed over: to train again is to accept the log as it is.
    as_of : date
        Of the scoring.

    Returns
    -------
    Earlier or None
        None where the model was trained before its tables were recorded, and has scored nothing since.
    """
    for run in runs_up_to(config.output, as_of):
        inputs: dict[str, Any] = run.manifest["inputs"]
        recorded = all(BY_MONTH in table for table in inputs.values())
        if run.manifest["model"]["digest"] == digest and recorded:
            tables = {name: _of_manifest(table) for name, table in inputs.items()}
            return Earlier(run.as_of, f"the run of {run.as_of}", tables)
    return the_training(scorer)


def the_training(scorer: Scorer) -> Earlier | None:
    """Return what the model was trained on; None where that was not recorded yet."""
    if not scorer.tables:
        return None
    return Earlier(date.fromisoformat(scorer.trained_until), "the training", scorer.tables)


def _of_manifest(table: Mapping[str, Any]) -> TableRecord:
    first_day = table.get(FIRST_DAY)
    return TableRecord(table["rows_in"], table["rows_quarantined"], table[BY_MONTH], first_day=first_day)
