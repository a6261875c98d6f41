"""Where `repurchase measure` leaves its table, and how it is read back."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from models.uplift_table import COLUMNS
from pipelines.dated_files import newest_dated
from pipelines.published_runs import day_of

MEASURE, TABLE, RATES = "measure", "measure.csv", "save_rates.json"
_TEXTS = ("campaign", "by", "group", "measure", "verdict")


@dataclass(frozen=True)
class Measured:
    """What past lists brought before the day `by`: `table` is of `models.uplift_table.incremental`."""

    by: date
    table: pd.DataFrame


def newest_measured(output: Path, by: date) -> Measured | None:
    """Read the table of the newest date up to `by`; None without one, or if an older program wrote it."""
    path = newest_dated(output, MEASURE, by, TABLE)
    day = None if path is None else day_of(path.parent)
    if path is None or day is None or not path.exists():
        return None
    # A campaign may be called NA.
    numbers = {name: [""] for name in COLUMNS if name not in _TEXTS}
    table = pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, "str"), keep_default_na=False, na_values=numbers)
    return None if set(COLUMNS) - set(table.columns) else Measured(day, table)


def newest_save_rates(output: Path, by: date) -> dict[str, dict[str, float] | None]:
    """Read the share kept by each campaign (`models.save_rate`), as known on the newest date up to `by`."""
    path = newest_dated(output, MEASURE, by, RATES)
    try:
        found: dict[str, dict[str, float] | None] = (
            {} if path is None else json.loads(path.read_text("utf-8"))
        )
    except (OSError, ValueError):
        return {}
    return found
