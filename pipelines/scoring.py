"""What a run holds: everyone who is known at a date, scored, listed, and told why."""

import shutil
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.build import build_features
from features.snapshot import take_snapshot
from models.findings import Finding
from models.reference import Counts
from models.scorer import Scorer
from pipelines.campaign import campaign_list
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.outlook import Outlook, outlook
from pipelines.piece_scorer import PieceScorer
from pipelines.pseudonyms import as_listed, own_pseudonyms
from pipelines.publish import ASIDE, Writer
from pipelines.published_runs import LIST, SCORES
from pipelines.purchase_log import PurchaseLog
from pipelines.reasons import MOST_CUSTOMERS, find_reasons, write_reasons
from pipelines.risk_list import write_risk_list
from pipelines.risk_list_xlsx import write_risk_list_xlsx
from pipelines.score_file import ToActOn, to_act_on, under_names, with_pseudonyms, write_scores

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
    to_act_on : ToActOn
        Those to act on, and the first of them, ranked.
    counts : dict of str to list of int
        Customers by bin of the champion's reference; empty if it has none.
    listed : DataFrame
        Those of them whom the campaign reaches or leaves alone, with reasons in words.
    told : DataFrame
        The reasons, a row each.
    extras : Path
        `EXTRAS` of the same customers, under the same names.
    campaign : dict
        How many these are (`pipelines.campaign.CampaignList`).
    """

    file: Path
    customers: int
    outlook: Outlook
    to_act_on: ToActOn
    counts: Counts
    listed: pd.DataFrame
    told: pd.DataFrame
    extras: Path
    campaign: dict[str, Any] = field(default_factory=dict)

    def warnings(self) -> list[Finding]:
        """Say if not all those to act on are listed."""
        listed, all_of_them = len(self.to_act_on.listed), self.to_act_on.customers
        if listed == all_of_them:
            return []
        text = (
            f"{all_of_them:,} customers to act on are more than a spreadsheet opens: the list is made of the "
            f"first {listed:,} of them by value at risk, {SCORES} holds all"
        )
        return [Finding("warning", "list_cut", text, {"customers": all_of_them, "listed": listed})]


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
        found = to_act_on(file, scorer.primary_horizon, scorer.clv_horizon, engine.folder)
    plan = campaign_list(found.listed, config, scorer.primary_horizon, has_amounts=scorer.has_amounts)
    with console.step(f"reasons for the {len(plan.listed):,} customers on the list") as step:
        step.rows = len(plan.listed)
        first = work.frame(rows_of(engine, raw, plan.listed["customer_id"].head(MOST_CUSTOMERS)))
        listed, told = find_reasons(plan.listed, first, scorer, config, log)
        listed = listed.join(plan.columns)
    extras = engine.folder / "extras.parquet"
    engine.write_parquet(raw.select("customer_id", *(n for n in EXTRAS if n in raw.columns)), extras)
    if config.privacy.lists == "pseudonyms":
        file = with_pseudonyms(file, own_pseudonyms(config), engine.folder)
        extras = under_names(extras, engine.folder)
        listed = as_listed(listed, config)
        told = as_listed(told, config).sort_values(["customer_id", "place"], ignore_index=True)
    return Base(file, customers, outlook(sums, scorer), found, sums.counts, listed, told, extras, plan.facts)


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


def rows_of(engine: Engine, table: ir.Table, ids: "pd.Series[str]") -> pd.DataFrame:
    """Fetch the rows of some customers."""
    file = engine.folder / "customers.parquet"
    pq.write_table(pa.table({"customer_id": pa.array(ids, pa.string())}), file)
    return engine.frame(table.semi_join(engine.read_fetched(file), "customer_id"))


def run_files(base: Base, engine: Engine, log: PurchaseLog, config: Config) -> dict[str, Writer]:
    """Say what writes each file of a run; the same content gives the same bytes."""
    currency = config.project.currency
    found: dict[str, Writer] = {
        SCORES: partial(copy_table, base.file),
        LIST: lambda path: write_risk_list(base.listed, path, currency),
        "reasons.parquet": lambda path: write_reasons(base.told, path),
    }
    if config.sinks.xlsx:
        found["risk_list.xlsx"] = lambda path: write_risk_list_xlsx(base.listed, path, currency)
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
