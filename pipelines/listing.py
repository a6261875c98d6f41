"""The list of a run: whom to contact, why, by when, by which channel, and whom to leave alone."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.calendar import day_number
from features.reached import contacts_of_late, usual_channels
from models.act_by import act_by, days_of_chance
from models.findings import Finding
from models.holds import holds
from models.scorer import Scorer, with_ends
from pipelines.campaign import CAMPAIGN_COLUMNS, campaign_list
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.pseudonyms import as_listed
from pipelines.publish import Writer
from pipelines.published_runs import LIST, REASONS, SCORES
from pipelines.purchase_log import PurchaseLog
from pipelines.reasons import MOST_CUSTOMERS, TEXT_COLUMNS, find_reasons, write_reasons
from pipelines.risk_list import listed_columns, write_risk_list
from pipelines.risk_list_xlsx import NAME, write_risk_list_xlsx
from pipelines.score_file import HISTORY, ToActOn, opened, to_act_on
from pipelines.scoring import Base
from pipelines.segments import Segments

CHANNEL_DAYS = 365
"""So far back a customer's channel is looked for."""


@dataclass(frozen=True)
class Listing:
    """A list, with all that it says.

    Parameters
    ----------
    to_act_on : ToActOn
        Those to act on, and the first of them, ranked.
    listed : DataFrame
        Those of them whom the campaign reaches or leaves alone, with reasons in words.
    told : DataFrame
        The reasons, a row each.
    campaign : dict
        How many these are (`pipelines.campaign.CampaignList`).
    """

    to_act_on: ToActOn
    listed: pd.DataFrame
    told: pd.DataFrame
    campaign: dict[str, Any]

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

    def files(self, config: Config) -> dict[str, Writer]:
        """Say what writes each file of the list; the same content gives the same bytes."""
        currency = config.project.currency
        found: dict[str, Writer] = {
            LIST: partial(write_risk_list, self.listed, currency=currency),
            REASONS: partial(write_reasons, self.told),
        }
        if config.sinks.xlsx:
            found[NAME] = partial(write_risk_list_xlsx, self.listed, currency=currency)
        return found


def make_list(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, base: Base, groups: Segments,
    console: Console,
) -> Listing:  # fmt: skip
    """List those to act on of a scored base, as far as the campaign goes.

    Parameters
    ----------
    engine, log : Engine, PurchaseLog
        The shop's tables.
    config : Config
        For the campaign, the terms of trade and the reader's language.
    scorer : Scorer
        The model.
    base : Base
        Who was scored.
    groups : Segments
        The groups that they are in.
    console : Console
        Where progress goes.
    """
    horizon = scorer.primary_horizon
    found = to_act_on(base.own, horizon, scorer.clv_horizon, engine.folder)
    with console.step(f"whom to contact of {found.customers:,} customers to act on") as step:
        step.rows = len(found.listed)
        ranked = _with_plan(engine, log, config, scorer, found.listed, base.as_of, groups.rules.churned_days)
        plan = campaign_list(ranked, config, horizon, has_amounts=scorer.has_amounts)
    with console.step(f"reasons for the {len(plan.listed):,} customers on the list") as step:
        step.rows = len(plan.listed)
        first = base.work.frame(rows_of(engine, base.raw, plan.listed["customer_id"].head(MOST_CUSTOMERS)))
        listed, told = find_reasons(plan.listed, first, scorer, config, log)
    listed = as_listed(listed.join(plan.columns), config)
    if config.privacy.lists == "pseudonyms":
        told = as_listed(told, config).sort_values(["customer_id", "place"], ignore_index=True)
    columns = [*listed_columns(horizon, scorer.clv_horizon), *TEXT_COLUMNS, *CAMPAIGN_COLUMNS]
    return Listing(found, _with_lifecycle(listed, groups, engine)[columns], told, plan.facts)


def _with_plan(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, ranked: pd.DataFrame, as_of: date,
    churned_days: int,
) -> pd.DataFrame:  # fmt: skip
    """Add the interval of the chance, by when, by which channel, and who is to be let alone for now."""
    horizon, cutoff, ids = scorer.primary_horizon, day_number(as_of), ranked["customer_id"]
    silent, opens = ranked["days_since_last_order"], ranked["next_order_p20"]
    days = days_of_chance(scorer.btyd, ranked[[*HISTORY]], horizon)
    ranked = ranked.assign(
        **_chances(ranked[f"p_churn_{horizon}d"], scorer),
        act_by=act_by(as_of, days, silent, opens, churned_days),
        channel="",
        hold="",
    )
    channels = usual_channels(log.records, cutoff, CHANNEL_DAYS)
    if channels is not None:
        ranked["channel"] = _by_id(engine, channels, ids)["channel"].fillna("").to_numpy()
    plan, contacts = config.campaign, log.records.contacts
    if contacts is not None:
        late = _by_id(engine, contacts_of_late(contacts, cutoff, plan.quiet_days, horizon), ids).fillna(0)
        ranked["hold"] = holds(late["n_now"].to_numpy(), late["n_late"].to_numpy(), plan.most_contacts)
    return ranked.astype(dict.fromkeys(("channel", "hold"), "str"))


def _chances(p_churn: "pd.Series[float]", scorer: Scorer) -> dict[str, Any]:
    """Ends of the 80 % interval of the chance; missing where the champion does not know them."""
    names = with_ends(str(p_churn.name))[1:]
    if scorer.chance_range is None:
        return dict.fromkeys(names, float("nan"))
    low, high = scorer.chance_range.interval(np.asarray(1 - p_churn, dtype=np.float64))
    return dict(zip(names, (1 - high, 1 - low), strict=True))


def _with_lifecycle(listed: pd.DataFrame, groups: Segments, engine: Engine) -> pd.DataFrame:
    """Add each customer's group of the lifecycle."""
    ids = _ids_file(engine, listed["customer_id"])
    with opened(engine.folder, groups.file, ids) as (table, wanted):
        found = table.semi_join(wanted, "customer_id").select("customer_id", "lifecycle").to_pandas()
    of = found.set_index("customer_id")["lifecycle"]
    return listed.assign(lifecycle=listed["customer_id"].map(of).astype("str"))


def rows_of(engine: Engine, table: ir.Table, ids: "pd.Series[str]") -> pd.DataFrame:
    """Fetch the rows of some customers."""
    return engine.frame(table.semi_join(engine.read_fetched(_ids_file(engine, ids)), "customer_id"))


def _by_id(engine: Engine, table: ir.Table, ids: "pd.Series[str]") -> pd.DataFrame:
    """Fetch the rows of some customers in the order of their ids; empty where there is none."""
    return rows_of(engine, table, ids).set_index("customer_id").reindex(ids)


def _ids_file(engine: Engine, ids: "pd.Series[str]") -> Path:
    file = engine.folder / "customers.parquet"
    pq.write_table(pa.table({"customer_id": pa.array(ids, pa.string())}), file)
    return file
