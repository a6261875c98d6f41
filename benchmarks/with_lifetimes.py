"""The four columns that `lifetimes` makes of a log."""

from datetime import date
from pathlib import Path

import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data


def four_columns(folder: Path, cutoff: date, out: Path) -> None:
    """Read the log, build frequency, recency, T and monetary_value, and write them as Parquet.

    Cancelled orders are left in and their refunds out: there a refund would be a purchase day of its own.
    Nothing is bought on the cutoff day, which `lifetimes` would include.
    """
    columns = ["customer_id", "ordered_at", "quantity", "unit_price"]
    visible = [("ordered_at", "<", pd.Timestamp(cutoff)), ("quantity", ">", 0)]
    log = pd.read_parquet(folder, columns=columns, filters=visible)
    log["amount"] = log.pop("quantity") * log.pop("unit_price")
    summary = summary_data_from_transaction_data(
        log, "customer_id", "ordered_at", "amount", observation_period_end=cutoff
    )
    summary.reset_index().to_parquet(out, index=False)
