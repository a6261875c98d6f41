"""What a run rests on: everyone who is known at a date, scored."""

import shutil
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import ibis.expr.types as ir
import pyarrow.parquet as pq

from features.build import build_features
from features.snapshot import take_snapshot
from models.reference import Counts
from models.scorer import Scorer
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.outlook import Outlook, outlook
from pipelines.piece_scorer import PieceScorer
from pipelines.pseudonyms import own_pseudonyms
from pipelines.publish import ASIDE, Writer
from pipelines.published_runs import SCORES
from pipelines.purchase_log import PurchaseLog
from pipelines.score_file import under_names, with_pseudonyms, write_scores

EXTRAS = ("first_order_value", "last_order_value_ratio", "was_referred")
"""Features that groups need beside the score columns, where the tables have them."""


@dataclass(frozen=True)
class Base:
    """All customers at a date, scored. Their scores lie in a file: of nothing in memory are there as many.

    Parameters
    ----------
    file : Path
        ``scores.parquet``, in the engine's folder.
    customers : int
        How many they are.
    outlook : dict
        What they are expected to do together (`pipelines.outlook.outlook`).
    counts : dict of str to list of int
        Customers by bin of the champion's reference; empty if it has none.
    extras : Path
        `EXTRAS` of the same customers, under the same names.
    own : Path
        The scores under the customers' own ids: `file` itself, unless that has pseudonyms.
    raw : ibis Table
        The features, as the engine holds them.
    work : PieceScorer
        What scored them.
    as_of : date
        Their day.
    """

    file: Path
    customers: int
    outlook: Outlook
    counts: Counts
    extras: Path
    own: Path
    raw: ir.Table
    work: PieceScorer
    as_of: date


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
    work = piece_scorer(log, config, scorer, version, as_of)
    file = engine.folder / SCORES
    with console.step(f"features of all customers as of {as_of}") as step:
        raw = engine.keep(features_of(engine, log, work), "features")
        customers = step.rows = engine.number(raw.count())
    if not customers:
        raise NotReady(f"no customer has a purchase before {as_of} that was not taken back")
    with console.step(f"scoring {customers:,} customers with version {version}") as step:
        step.rows = customers
        sums = write_scores(engine.pieces(work, raw, "customer_id"), file)
    own, extras = file, engine.folder / "extras.parquet"
    engine.write_parquet(raw.select("customer_id", *(n for n in EXTRAS if n in raw.columns)), extras)
    if config.privacy.lists == "pseudonyms":
        file = with_pseudonyms(file, own_pseudonyms(config), engine.folder)
        extras = under_names(extras, engine.folder)
    return Base(file, customers, outlook(sums, scorer), sums.counts, extras, own, raw, work, as_of)


def piece_scorer(log: PurchaseLog, config: Config, scorer: Scorer, version: str, as_of: date) -> PieceScorer:
    """Say what it takes to score customers of this log; arguments as those of `score_base`."""
    # What it cost to win a customer, and what groups go by, may be known and be no feature of the model.
    known = {f.name for f in log.features(scorer.horizons)} - {*scorer.features}
    names = (*scorer.features, *(name for name in ("acquisition_cost", *EXTRAS) if name in known))
    has, attributes = log.records.has, log.records.attributes
    return PieceScorer(scorer, config.economics.terms, names, has, attributes, version, as_of)


def features_of(engine: Engine, log: PurchaseLog, work: PieceScorer) -> ir.Table:
    """Build what scoring needs of every customer who is known at its date."""
    snapshot = take_snapshot(log.history(engine, work.as_of), [work.as_of])
    return build_features(snapshot, work.scorer.horizons, work.names)


def run_files(base: Base, engine: Engine, log: PurchaseLog, config: Config) -> dict[str, Writer]:
    """Say what writes the scores of a run and the rows set aside; the same content gives the same bytes."""
    found: dict[str, Writer] = {SCORES: partial(copy_table, base.file)}
    if config.privacy.lists == "pseudonyms":  # rows set aside hold what the shop wrote, ids and all
        return found
    for name, table in log.quarantine.items():
        found[f"{ASIDE}{name}.parquet"] = partial(_write_table, engine, table)
    return found


def copy_table(file: Path, path: Path) -> int:
    """Copy a Parquet file into a run, and count its rows."""
    shutil.copyfile(file, path)
    return int(pq.read_metadata(path).num_rows)


def _write_table(engine: Engine, table: ir.Table, path: Path) -> int:
    engine.write_parquet(table, path)
    return int(pq.read_metadata(path).num_rows)
