"""The fixed set of features in SQL written by hand for this log and for DuckDB."""

from datetime import date
from pathlib import Path

import duckdb

QUERY = Path(__file__).with_name("by_hand.sql")


def fixed(folder: Path, cutoff: date, out: Path, spill: Path, threads: int) -> None:
    """Run the query from the log's Parquet files into a Parquet file."""
    query = QUERY.read_text().format(files=folder / "*.parquet", cutoff=cutoff.isoformat())
    options: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=options) as engine:
        engine.execute("set enable_progress_bar = false")
        engine.execute(f"copy ({query}) to '{out}' (format parquet)")
