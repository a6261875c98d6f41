"""What published runs say of one customer: scores, place on the list, reasons, and groups from run to run."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from models.reason_words import reason_texts
from pipelines.card_person import Person
from pipelines.cell_text import original
from pipelines.config import Config
from pipelines.published_runs import LIST, REASONS, SEGMENTS, Run, runs_up_to
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import foreign_names
from pipelines.score_file import opened

_CLV = re.compile(r"clv_(\d+)d")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Groups:
    """Groups of a customer in each run, the oldest first; and how many runs cannot be told."""

    rows: Sequence[Row] = field(default_factory=list)
    foreign: int = 0


def row_of(file: Path, name: str, folder: Path) -> Row | None:
    """Read a customer's row of a table; what is no number is None."""
    rows = rows_of(file, name, folder)
    return rows[0] if rows else None


def rows_of(file: Path, name: str, folder: Path) -> list[Row]:
    """Read all rows of a customer."""
    with opened(folder, file) as (table,):
        return _rows(table, name)


def _rows(table: ir.Table, name: str | None) -> list[Row]:
    found = table.filter(table.customer_id == name).to_pyarrow().to_pylist() if name is not None else []
    return [{key: _known(value) for key, value in row.items()} for row in found]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def clv_days(score: Row) -> int | None:
    """Read off the columns how far customer lifetime value looks."""
    found = (_CLV.fullmatch(name) for name in score)
    return next((int(match[1]) for match in found if match), None)


def place_on(run: Run, name: str) -> dict[str, str] | None:
    """Find a customer's row of the risk list, text as it was; None for who is not listed."""
    with (run.folder / LIST).open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if original(row["customer_id"]) == name:
                return {key: original(text) for key, text in row.items()}
    return None


def told_reasons(
    run: Run, score: Row, name: str, log: PurchaseLog, config: Config, folder: Path
) -> list[dict[str, Any]]:
    """Say the reasons of a run in the reader's language of today; none for who is not on its list."""
    if REASONS not in run.manifest["files"]:
        return []
    told = pd.DataFrame(rows_of(run.folder / REASONS, name, folder))
    units = {f.name: f.unit for f in log.features(config.target.horizons)}
    was = run.manifest.get("config", {}).get("target", {}).get("horizons", [])
    units |= {f.name: f.unit for f in log.features(was)}
    told = told[told["feature"].isin([*units])] if len(told) else told  # a table may be gone from the config
    if told.empty:
        return []
    told = told.sort_values("place").assign(
        text=told["text"].fillna(""), value=told["value"].astype("float64")
    )
    texts = reason_texts(told, pd.DataFrame([score]), units, config.project.language, config.project.currency)
    kept = told[["place", "group", "feature", "contribution", "actionable"]].assign(said=texts)
    return [{str(name): value for name, value in row.items()} for row in kept.to_dict("records")]


def find_groups(config: Config, run: Run, person: Person, folder: Path) -> Groups:
    """Follow a customer through the current runs up to a run's date: what is later was not known on it."""
    runs = [one for one in runs_up_to(config.output, run.as_of) if SEGMENTS in one.manifest["files"]]
    runs.sort(key=lambda one: one.as_of)
    own = [one for one in runs if foreign_names(one, config) is None]
    with opened(folder, *(one.folder / SEGMENTS for one in own)) as tables:
        found = [_rows(table, person.name_in(one)) for one, table in zip(own, tables, strict=True)]
    rows = [
        {**row, "run_id": one.run_id, "before": one.manifest["segments"]["before"]}
        for one, of in zip(own, found, strict=True)
        for row in of
    ]
    return Groups(rows, len(runs) - len(own))
