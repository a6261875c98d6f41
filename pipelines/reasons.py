"""Reasons of the listed customers: three columns of the risk list, and a table for reports."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from joblib import cpu_count

from models.reason_words import reason_texts
from models.reasons import MOST, reasons
from models.scorer import Scorer
from pipelines.config import Config
from pipelines.purchase_log import PurchaseLog

MOST_CUSTOMERS = 20_000
"""Nobody reads further down a list, and reasons take longer than scores."""
PIECE = 2_500
"""Customers whose reasons are looked for at a time."""
TEXT_COLUMNS = [f"reason_{place}" for place in range(1, MOST + 1)]


def find_reasons(
    listed: pd.DataFrame, frame: pd.DataFrame, scorer: Scorer, config: Config, log: PurchaseLog
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find why the listed customers are as likely to buy as they are.

    Parameters
    ----------
    listed : DataFrame
        Of `pipelines.risk_list.risk_list`.
    frame : DataFrame
        Features of all customers.
    scorer : Scorer
        The champion.
    config : Config
        For the reader's language, the currency and what is sensitive.
    log : PurchaseLog
        For the units of the features.

    Returns
    -------
    listed : DataFrame
        With the columns ``reason_1`` to ``reason_3``, empty where there are fewer, and after the first
        `MOST_CUSTOMERS`.
    told : DataFrame
        A row a reason, sorted by customer and place (`models.reasons.reasons`).
    """
    # Sorted as the scores are, whatever order the engine gave.
    first = listed["customer_id"].head(MOST_CUSTOMERS)
    rows = frame[frame["customer_id"].isin(first)].sort_values("customer_id")
    told = _told(scorer, rows, config)
    units = {f.name: f.unit for f in log.features(scorer.horizons)}
    text = reason_texts(told, rows, units, config.project.language, config.project.currency)
    return with_texts(listed, told, text), told


def _told(scorer: Scorer, rows: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Find the reasons, some customers at a time: each core takes some."""
    customers = config.tables.customers
    sensitive = customers.sensitive if customers else ()
    pieces = [rows.iloc[start : start + PIECE] for start in range(0, max(len(rows), 1), PIECE)]
    with ThreadPoolExecutor(min(cpu_count(), len(pieces))) as threads:
        found = threads.map(lambda piece: reasons(scorer, piece, sensitive), pieces)
        return pd.concat(found, ignore_index=True)


def with_texts(listed: pd.DataFrame, told: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """Put the text of each row of `told` beside its customer, in the column of its place."""
    keys = zip(told["customer_id"], told["place"], strict=True)
    said = dict(zip(keys, texts, strict=True))
    first, rest = listed["customer_id"].head(MOST_CUSTOMERS), max(len(listed) - MOST_CUSTOMERS, 0)
    columns = {
        name: [said.get((customer, place), "") for customer in first] + [""] * rest
        for place, name in enumerate(TEXT_COLUMNS, start=1)
    }
    return listed.assign(**columns)


def write_reasons(told: pd.DataFrame, path: Path) -> int:
    """Write Parquet whose bytes depend on the content alone."""
    table = pa.Table.from_pandas(told, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
    return len(told)
