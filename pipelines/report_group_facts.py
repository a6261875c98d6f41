"""What a report knows of a run's groups: how many, who moved, what is expected, what came of earlier ones."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import ibis
import pandas as pd

from features.calendar import day_number
from features.errors import ContractError
from features.history import make_history
from features.labels import add_labels, label_names
from models.segments import AXES, Rules
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.outcome_runs import why_not
from pipelines.published_runs import SCORES, SEGMENTS, Run, runs_up_to
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import RunCustomers
from pipelines.score_file import opened


@dataclass(frozen=True)
class Came:
    """What came of the groups of an earlier run.

    Parameters
    ----------
    start, end : date
        Of the window: `end` is the first day after it.
    groups : DataFrame
        ``axis, group, customers, back`` (ordered in the window) and ``expected``: the mean chance of no order
        that the run had given them.
    """

    start: date
    end: date
    groups: pd.DataFrame


@dataclass(frozen=True)
class GroupFacts:
    """The groups of a run.

    Parameters
    ----------
    rules : Rules
        Where they begin.
    before : date or None
        Of the run that moves are counted from.
    moves : DataFrame
        Of `models.migration.migration`.
    outlook : DataFrame
        ``axis, group, customers, p_churn`` (mean), ``silent`` (no order for as long as the primary horizon).
    cells : DataFrame
        ``r, f, customers``.
    came : Came or None
        None where no earlier run's window is over.
    """

    rules: Rules
    before: date | None
    moves: pd.DataFrame
    outlook: pd.DataFrame
    cells: pd.DataFrame
    came: Came | None


def group_facts(
    engine: Engine, log: PurchaseLog, config: Config, run: Run, customers: RunCustomers
) -> GroupFacts | None:
    """Gather them; None for a run that has no groups, which an earlier version published."""
    told = run.manifest.get("segments")
    if told is None or not (run.folder / SEGMENTS).exists():
        return None
    outlook, cells = _sums(run, engine.folder)
    return GroupFacts(
        rules=Rules.from_dict(told["rules"]),
        before=None if told["before"] is None else _date_of(told["before"]),
        moves=pd.DataFrame(told["migration"], columns=["axis", "before", "after", "why", "customers"]),
        outlook=outlook,
        cells=cells,
        came=_came(engine, log, config, run, customers),
    )


def _date_of(run_id: str) -> date:
    """Read the date a run speaks of from its id: the run itself may have been replaced and cleaned up."""
    return datetime.strptime(run_id[:8], "%Y%m%d").date()


def _sums(run: Run, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up scores by group, where the files lie."""
    days = int(run.manifest["outlook"]["days"])
    with opened(folder, run.folder / SCORES, run.folder / SEGMENTS) as (scores, groups):
        both = groups.select("customer_id", *AXES, "r", "f").inner_join(
            scores.select("customer_id", "days_since_last_order", p_churn=f"p_churn_{days}d"), "customer_id"
        )
        parts = [
            both.group_by(group=both[axis])
            .agg(
                customers=both.count(),
                p_churn=both.p_churn.mean(),
                silent=(both.days_since_last_order >= days).cast("int64").sum(),
            )
            .to_pandas()
            .assign(axis=axis)
            for axis in AXES
        ]
        cells = both.group_by("r", "f").agg(customers=both.count()).order_by("r", "f").to_pandas()
    return pd.concat(parts, ignore_index=True), cells


def earlier_groups(config: Config, log: PurchaseLog, run: Run) -> tuple[Run, date] | None:
    """Find the newest honest run with groups whose window was over by a run's date, and where that ended."""
    days = int(run.manifest["outlook"]["days"])
    until = min(run.as_of, log.end)
    for earlier in runs_up_to(config.output, run.as_of):
        if SEGMENTS not in earlier.manifest["files"] or not _speaks_of(earlier, days):
            continue
        try:
            end = log.period.end_of(earlier.as_of, days)
        except ContractError:  # the log told its dates otherwise when it was scored
            continue
        if end <= until and why_not(earlier, config) is None:
            return earlier, end
    return None


def _speaks_of(run: Run, days: int) -> bool:
    return days in run.manifest["config"]["target"]["horizons"]


def _came(engine: Engine, log: PurchaseLog, config: Config, run: Run, customers: RunCustomers) -> Came | None:
    """Count who of an earlier run's groups ordered in its window, as training counts it."""
    found = earlier_groups(config, log, run)
    if found is None:
        return None
    (earlier, end), days = found, int(run.manifest["outlook"]["days"])
    entries = make_history(log.records, engine.keep).parts["entries"]
    groups = engine.read_fetched(earlier.folder / SEGMENTS).select("customer_id", *AXES)
    scores = engine.read_fetched(earlier.folder / SCORES)
    chances = scores.select("customer_id", p_churn=f"p_churn_{days}d")
    told = groups.inner_join(chances, "customer_id").rename(listed="customer_id")
    listed = customers.of(earlier).inner_join(told, "listed")
    who = listed.mutate(cutoff=ibis.literal(day_number(earlier.as_of), "int64"))
    last = ibis.literal(day_number(end), "int64")
    labelled = add_labels(who, entries, [earlier.as_of], [days], end, lambda _cutoff, _horizon: last)
    kept = engine.keep(labelled.select(*AXES, "p_churn", back=label_names(days)[0]), "report_came")
    parts = [
        engine.frame(
            kept.group_by(group=kept[axis]).agg(
                customers=kept.count(), back=kept.back.sum(), expected=kept.p_churn.mean()
            )
        ).assign(axis=axis)
        for axis in AXES
    ]
    return Came(earlier.as_of, end, pd.concat(parts, ignore_index=True))
