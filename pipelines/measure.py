"""`repurchase measure`: what past lists brought, against the customers who were left alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from models.save_rate import save_rate
from models.uplift import LEVEL
from models.uplift_table import incremental
from pipelines.config import Config
from pipelines.console import Answer, Console, table
from pipelines.dated_files import write_dated
from pipelines.engine import open_engine
from pipelines.list_results import list_results
from pipelines.measure_files import MEASURE, RATES, TABLE
from pipelines.measure_words import campaign_lines
from pipelines.past_lists import PastList, past_lists
from pipelines.purchase_log import open_log
from pipelines.words import Voice


def measure(config: Config, console: Console, as_of: date | None = None) -> Answer:
    """Measure every campaign on the customers that its lists held, up to a date.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date, optional
        Only rows known strictly before it are looked at; without it, the whole log.

    Raises
    ------
    Refused
        If nothing was published.
    NotReady
        If no list is old enough.
    """
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        by = as_of or log.end
        with console.step("looking at the published lists"):
            lists, left_out = past_lists(config, log, by)
        with console.step(f"counting what came of {len(lists):,} lists") as step:
            rows = list_results(engine, log, config, lists)
            step.rows = len(rows)
    found = incremental(rows)
    text = found.to_csv(index=False, float_format="%.12g", lineterminator="\n")
    rates = {str(campaign): save_rate(part) for campaign, part in rows.groupby("campaign", sort=True)}
    write_dated(config.output, MEASURE, by, RATES, json.dumps(rates, ensure_ascii=False, indent=1))
    path = write_dated(config.output, MEASURE, by, TABLE, text)
    return _answer(config, lists, rows, found, left_out, rates, path)


def _answer(
    config: Config,
    lists: list[PastList],
    rows: pd.DataFrame,
    found: pd.DataFrame,
    left_out: list[str],
    rates: dict[str, dict[str, float] | None],
    path: Path,
) -> Answer:
    voice = Voice(config.project.language, config.project.currency)
    lines = [
        *(f"warning: {text}" for text in left_out),
        *campaign_lines(rows, found, rates, voice),
        *_parts(found[found["by"] != "campaign"], voice),
        *_many(found, voice),
        f"as a table: {path}",
    ]
    data: dict[str, Any] = {
        "table": str(path),
        "runs": [one.run.run_id for one in lists],
        "customers": len(rows),
        "effects": found.astype(object).where(found.notna(), None).to_dict("records"),
        "save_rates": rates,
        "warnings": left_out,
    }
    return Answer(data, lines)


def _many(found: pd.DataFrame, voice: Voice) -> list[str]:
    """Say how many comparisons of groups there are, and what luck alone makes of so many."""
    told = int((found["low"].notna() & (found["by"] != "campaign")).sum())
    lucky = voice.number(max(round(told * (1 - LEVEL)), 1))
    return [voice("measure.many", n=voice.number(told), lucky=lucky)] if told > 1 else []


def _parts(found: pd.DataFrame, voice: Voice) -> list[str]:
    """Lay out tiers and channels; nothing where there are none."""
    if found.empty:
        return []
    texts, counts = ["campaign", "by", "group", "measure"], ["contacts", "controls"]
    totals = {"total": "total", "total_low": "low", "total_high": "high"}
    cells = [
        [
            *(str(row[name]) for name in texts),
            *(voice.number(row[name]) for name in counts),
            *("" if pd.isna(row[name]) else voice.number(row[name]) for name in totals),
            str(row["verdict"]),
        ]
        for row in found.to_dict("records")
    ]
    return table([*texts, *counts, *totals.values(), "verdict"], cells)
