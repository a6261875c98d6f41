"""What a run holds: everyone who is known at a date, scored, listed, and told why."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.build import build_features, to_model_frame
from features.history import make_history
from features.snapshot import take_snapshot
from models.economics import Economics
from models.scorer import Scorer, score_columns
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.publish import ASIDE, Writer
from pipelines.purchase_log import PurchaseLog
from pipelines.reasons import find_reasons, write_reasons
from pipelines.risk_list import risk_list, write_risk_list
from pipelines.risk_list_xlsx import write_risk_list_xlsx


@dataclass(frozen=True)
class Base:
    """All customers at a date, scored.

    Parameters
    ----------
    scores : DataFrame
        One row per customer, the columns of ``scores.parquet``.
    frame : DataFrame
        The features they were scored on.
    listed : DataFrame
        Those to act on, with reasons in words.
    told : DataFrame
        The reasons, a row each.
    """

    scores: pd.DataFrame
    frame: pd.DataFrame
    listed: pd.DataFrame
    told: pd.DataFrame


def score_base(
    engine: Engine,
    log: PurchaseLog,
    config: Config,
    scorer: Scorer,
    version: str,
    as_of: date,
    console: Console,
) -> Base:
    """Build the features of everyone who is known at a date, and score them.

    Parameters
    ----------
    engine, log : Engine, PurchaseLog
        The shop's tables.
    config : Config
        For the terms of trade and the reader's language.
    scorer : Scorer
        The model.
    version : str
        What it is called in the scores.
    as_of : date
        Only rows known strictly before it are looked at.
    console : Console
        Where progress goes.
    """
    with console.step(f"features of all customers as of {as_of}"):
        frame = features_of(engine, log, scorer, as_of)
    with console.step(f"scoring {len(frame):,} customers with version {version}"):
        scores = _scores(frame, scorer, version, as_of, config.economics.terms)
    listed = risk_list(scores, scorer.primary_horizon, scorer.clv_horizon)
    with console.step(f"reasons for the {len(listed):,} customers to act on"):
        listed, told = find_reasons(listed, frame, scorer, config, log)
    return Base(scores, frame, listed, told)


def run_files(base: Base, engine: Engine, log: PurchaseLog, config: Config) -> dict[str, Writer]:
    """Say what writes each file of a run; the same content gives the same bytes."""
    currency, language = config.project.currency, config.project.language
    found: dict[str, Writer] = {
        "scores.parquet": lambda path: _write_scores(base.scores, path),
        "risk_list.csv": lambda path: write_risk_list(base.listed, path, currency),
        "reasons.parquet": lambda path: write_reasons(base.told, path),
    }
    if config.sinks.xlsx:
        found["risk_list.xlsx"] = lambda path: write_risk_list_xlsx(base.listed, path, currency, language)
    for name, table in log.quarantine.items():
        found[f"{ASIDE}{name}.parquet"] = partial(_write_table, engine, table)
    return found


def features_of(engine: Engine, log: PurchaseLog, scorer: Scorer, as_of: date) -> pd.DataFrame:
    """Build what the scorer needs of every customer who is known at a date, in model form."""
    known = {f.name: f for f in log.features(scorer.horizons)}
    snapshot = take_snapshot(make_history(log.records, engine.keep, as_of), [as_of])
    own_cost = [name for name in known if name == "acquisition_cost" and name not in scorer.features]
    wanted = [*scorer.features, *own_cost]
    raw = engine.frame(build_features(snapshot, scorer.horizons, wanted))
    if raw.empty:
        raise NotReady(f"no customer has a purchase before {as_of} that was not taken back")
    return to_model_frame(raw, [known[name] for name in wanted])


def _scores(
    frame: pd.DataFrame, scorer: Scorer, version: str, as_of: date, economics: Economics
) -> pd.DataFrame:
    said = scorer.score(frame, economics)
    facts = frame.drop(columns="cutoff").assign(as_of=as_of, model_version=version)
    for count in ("frequency", "recency", "T", "days_since_last_order", "n_orders"):
        facts[count] = facts[count].astype("int64")
    if not scorer.has_amounts:
        facts[["monetary_value", "total_spend"]] = float("nan")
    columns = score_columns(scorer.horizons, scorer.clv_horizon)
    return pd.concat([facts, said], axis=1)[columns].sort_values("customer_id", ignore_index=True)


def _write_scores(scores: pd.DataFrame, path: Path) -> int:
    """Write Parquet whose bytes depend on the content alone."""
    dates = [c for c in scores.columns if c.startswith("next_order_")]
    table = pa.Table.from_pandas(scores, preserve_index=False).replace_schema_metadata(None)
    for name in dates:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.timestamp("s")).cast(pa.date32()))
    pq.write_table(table, path, compression="zstd")
    return len(scores)


def _write_table(engine: Engine, table: ir.Table, path: Path) -> int:
    engine.write_parquet(table, path)
    return int(pq.read_metadata(path).num_rows)
