"""What a report rests on, gathered once: counts of the log, sums of the scores, the list, the outcomes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from features.calendar import day_number
from features.leads import leading
from features.shop_counts import (
    cohort_counts,
    dated_steps,
    gap_counts,
    largest_parts,
    month_counts,
    place_counts,
    product_steps,
    two_periods,
    window_sums,
)
from models.cohorts import MONEY_UNITS
from models.grade import Grade, grade
from models.outcomes import COLUMNS
from models.silences import Silences
from models.simple_clv import SimpleClv, simple_clv
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.failures import Failure, NotReady
from pipelines.log_profile import LogProfile, profile_log
from pipelines.measure_files import Measured, newest_measured
from pipelines.outcome_files import newest_outcomes
from pipelines.published_runs import SCORES, Run
from pipelines.purchase_log import PurchaseLog
from pipelines.registry import Registry
from pipelines.report_group_facts import GroupFacts, group_facts
from pipelines.report_list_facts import ListFacts, list_facts
from pipelines.report_person_facts import PersonFacts, person_facts
from pipelines.run_customers import RunCustomers
from pipelines.score_file import opened
from pipelines.statuses import SHARED

PLACES, WINDOWS, PAIRS = 5, 8, 10
"""Purchases of the funnel, windows beside the forecast, pairs of products."""


@dataclass(frozen=True)
class LogFacts:
    """What the log says, up to the run's date.

    Parameters
    ----------
    profile : LogProfile
        Days and silences.
    months, cohorts, places, gaps, windows : DataFrame
        Of `features.shop_counts`.
    formula : SimpleClv or None
        The parts of the simple formula.
    products : DataFrame or None
        First and second products; None where products are not known.
    has_amounts : bool
        False for a log without money.
    """

    profile: LogProfile
    months: pd.DataFrame
    cohorts: pd.DataFrame
    places: pd.DataFrame
    gaps: pd.DataFrame
    windows: pd.DataFrame
    formula: SimpleClv | None
    products: pd.DataFrame | None
    has_amounts: bool

    @property
    def span(self) -> int:
        """Days from the first purchase on."""
        return len(self.profile.daily)

    @property
    def silences(self) -> Silences:
        """Of all purchases."""
        return self.profile.silences["all"]


@dataclass(frozen=True)
class ScoreFacts:
    """Sums of a run's scores.

    Parameters
    ----------
    groups : DataFrame
        ``status, risk_tier, customers, p_churn`` (mean), ``spend, orders`` (expected) and ``at_risk``.
    past, expected : DataFrame
        Of `features.shop_counts.largest_parts`: by spend so far, by expected spend. Empty without amounts.
    means : dict of str to float
        ``customers, clv, clv_to_cac, payback_days, paid_back, with_cost`` and ``north_star``, a sum, where
        the config names a score.
    """

    groups: pd.DataFrame
    past: pd.DataFrame
    expected: pd.DataFrame
    means: dict[str, float]


@dataclass(frozen=True)
class Facts:
    """All of it."""

    config: Config
    run: Run
    log: LogFacts
    scores: ScoreFacts
    list: ListFacts
    groups: GroupFacts | None
    people: PersonFacts
    outcomes: pd.DataFrame | None
    measured: Measured | None
    grade: Grade | None

    @property
    def horizon(self) -> int:
        """Days of the primary horizon, as the run had it."""
        return int(self.run.manifest["outlook"]["days"])


def log_facts(
    engine: Engine, log: PurchaseLog, run: Run, profile: LogProfile, dated: ir.Table, leads: ir.Table | None
) -> LogFacts:
    """Count the log as it was known before the run's date.

    Parameters
    ----------
    engine, log, run
        The shop's tables, and the run.
    profile : LogProfile
        Of the log up to the run's date.
    dated : ibis Table
        Of `features.shop_counts.dated_steps`.
    leads : ibis Table or None
        Of `features.leads.leading`; None where products are not known.
    """
    until, within = day_number(run.as_of), int(run.manifest["outlook"]["days"])
    return LogFacts(
        profile=profile,
        months=engine.frame(month_counts(dated, until, within)),
        cohorts=engine.frame(cohort_counts(dated, until, within)),
        places=engine.frame(place_counts(dated, until, within, PLACES)),
        gaps=engine.frame(gap_counts(dated, PLACES)),
        windows=engine.frame(window_sums(dated, until, within, WINDOWS)),
        formula=_formula(engine, dated, profile, until),
        products=None if leads is None else engine.frame(product_steps(leads, SHARED, PAIRS)),
        has_amounts=log.has_amounts,
    )


def _leads(engine: Engine, profile: LogProfile, log: PurchaseLog) -> ir.Table | None:
    """First, second and third products, kept; None where products are not known."""
    if "product_id" not in log.records.has:
        return None
    bought = profile.lines.filter(~profile.lines.is_refund)
    return engine.keep(leading(bought, bought, ("product_id",)), "report_leads")


def _formula(engine: Engine, dated: ir.Table, profile: LogProfile, until: int) -> SimpleClv | None:
    """Use a year and the one before it, or the two halves of a younger log."""
    days = min(365, len(profile.daily) // 2)
    if not days:
        return None
    row = engine.frame(two_periods(dated, until, days)).iloc[0]
    revenue = int(row["amount"]) / MONEY_UNITS
    counts = {name: int(row[name]) for name in ("buyers", "orders", "before", "both")}
    return simple_clv(days, revenue=revenue, **counts)


def score_facts(run: Run, config: Config, folder: Path, *, has_amounts: bool) -> ScoreFacts:
    """Add the scores up where they lie: they are as many as the customers."""
    horizon, clv = int(run.manifest["outlook"]["days"]), config.target.clv_horizon
    with opened(folder, run.folder / SCORES) as (scores,):
        groups = scores.group_by("status", "risk_tier").agg(
            customers=scores.count(),
            p_churn=scores[f"p_churn_{horizon}d"].mean(),
            orders=scores[f"expected_orders_{horizon}d"].sum(),
            spend=scores[f"expected_spend_{horizon}d"].sum(),
            at_risk=scores.value_at_risk.sum(),
        )
        means = _means(scores, config, clv)
        parts = ("total_spend", f"expected_spend_{horizon}d") if has_amounts else ()
        held = [_fetched(largest_parts(scores, name)) for name in parts]
        return ScoreFacts(
            groups=_fetched(groups).sort_values(["status", "risk_tier"], ignore_index=True),
            past=held[0] if held else pd.DataFrame(),
            expected=held[1] if held else pd.DataFrame(),
            means=means,
        )


def _means(scores: ir.Table, config: Config, clv: int) -> dict[str, float]:
    asked: dict[str, Any] = {"customers": scores.count()}
    if f"clv_{clv}d" in scores.columns:
        asked["clv"] = scores[f"clv_{clv}d"].mean()
        # NaN, not null, where the cost is not known.
        ratio = scores.clv_to_cac.isnan() | scores.clv_to_cac.isnull()
        asked["with_cost"] = (~ratio).cast("int64").sum()
        asked["clv_to_cac"] = ratio.ifelse(None, scores.clv_to_cac).mean()
        unpaid = scores.payback_days.isnan() | scores.payback_days.isnull()
        asked["paid_back"] = (~unpaid).cast("int64").sum()
        asked["payback_days"] = unpaid.ifelse(None, scores.payback_days).median()
    if config.project.north_star in scores.columns:
        asked["north_star"] = scores[config.project.north_star].sum()
    row = _fetched(scores.aggregate(**asked)).iloc[0]
    return {str(name): float(value) for name, value in row.items() if pd.notna(value)}


def _fetched(table: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame


def read_outcomes(config: Config, run: Run) -> pd.DataFrame | None:
    """Read the newest ledger up to the run's date; None where there is none, or an older program wrote it."""
    path = newest_outcomes(config.output, run.as_of)
    if path is None:
        return None
    table = pd.read_csv(path, dtype={"run": str, "as_of": str, "group": str, "model_version": str})
    if set(COLUMNS) - set(table.columns):
        return None
    return table.fillna({"run": "", "as_of": ""})


def find_grade(config: Config, run: Run) -> Grade | None:
    """Grade the run's model by the leaderboard of its training; None where the store does not have it."""
    model: dict[str, Any] = run.manifest["model"]
    try:
        registry = Registry(config)
        version = registry.version(str(model["version"]))
        if version.tags.get("digest") != model["digest"]:
            return None
        logged = registry.reopen(version.run_id).read("leaderboard.json")
        board = pd.DataFrame([] if logged is None else json.loads(logged))
        return grade(board.set_index("candidate"), str(model["recipe"]))
    except (Failure, KeyError):
        return None


def gather(engine: Engine, log: PurchaseLog, config: Config, run: Run, folder: Path) -> Facts:
    """Gather all that a report rests on.

    Raises
    ------
    NotReady
        If the log holds no purchase before the run's date.
    """
    profile = profile_log(engine, log, run.as_of)
    if profile is None:
        raise NotReady(f"the log has no purchase before {run.as_of}")
    dated = engine.keep(dated_steps(profile.steps), "report_steps")
    leads = _leads(engine, profile, log)
    customers = RunCustomers.of_log(engine, log, config)
    return Facts(
        config=config,
        run=run,
        log=log_facts(engine, log, run, profile, dated, leads),
        scores=score_facts(run, config, folder, has_amounts=log.has_amounts),
        list=list_facts(run, config),
        groups=group_facts(engine, log, config, run, customers),
        people=person_facts(engine, log, run, customers, dated, leads),
        outcomes=read_outcomes(config, run),
        measured=newest_measured(config.output, run.as_of),
        grade=find_grade(config, run),
    )
