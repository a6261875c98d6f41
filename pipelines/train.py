"""`repurchase train`: fit and judge every candidate out of time, track it, register the winner."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import pandas as pd

from features.calendar import day_number
from features.periods import Period
from models.btyd_assumptions import check_assumptions
from models.btyd_backtest import check_predictions
from models.findings import Finding, worst_first
from pipelines.amount_sizes import about_amounts, middle_purchase
from pipelines.board import board_records
from pipelines.champion import check_promoted
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.contacted import LEAVE_OUT
from pipelines.engine import Engine, open_engine
from pipelines.failures import Refused
from pipelines.fold_findings import fold_warnings, why_not_the_first
from pipelines.log_findings import log_warnings
from pipelines.promotions import Promotion, read_promotions
from pipelines.proof import prove_log
from pipelines.purchase_log import PurchaseLog, fingerprints, open_log
from pipelines.registry import Registry, check_store
from pipelines.training import Training, train_scorer
from pipelines.training_record import record
from pipelines.unfit import unfit
from pipelines.verdict import Verdict, verdict
from pipelines.version import CHAMPION, Version

PROVED = (
    "the leak proof has passed, so that no feature moves when the future is changed: look for a column that "
    "is filled in afterwards but dated before, or be glad of a shop that is easy to predict"
)
"""What is said of figures that are too good to be true; a proof that fails stops the training."""


def train(config: Config, console: Console, as_of: date | None = None) -> Answer:
    """Train on rows strictly before `as_of`.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date, optional
        Without it, the day after the newest row, which is printed.
    """
    check_store(config)
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        # Days that the log has not seen would look like churn, and a period that is not over like a lull.
        until = log.period.floor(min(as_of or log.end, log.end))
        console.say(f"  training sees rows before {until}" + _cut(as_of, until, log))
        middle = middle_purchase(engine, log, until)
        warnings = log_warnings(engine, log, config, until, middle)
        training = train_scorer(engine, log, config, until, console.step)
        with console.step("proving on a sample that no feature sees the future"):
            prove_log(engine, log, config, until)
        data = _data_card(engine, log, config, training)
        assumptions = _assumptions(training, log.period)
        warnings += fold_warnings(training.folds, training.schedule, config.target.primary_horizon)
        warnings += contacted_warnings(training, config)
        data["contacted"] = vars(training.contacted)
        data["warnings"] = [{"code": w.code, "text": w.text, "numbers": w.numbers} for w in warnings]
        data["amounts"] = about_amounts(middle, config.project.currency)
    with console.step("tracking in MLflow"):
        registry = Registry(config, create=True)
        champion = registry.by_alias(CHAMPION)
        if champion is not None:
            training = _with_champion(training, registry, champion, console, read_promotions(config))
        found = verdict(training.folds, training.recipe, [training.recipe.name], config.training.seed)
        data["warnings"] += [{"code": "too_good", "text": f"{s}; {PROVED}"} for s in found.suspicions]
        made = record(registry, config, training, found, data, assumptions)
    return _answer(made, found, training, log, data["warnings"], assumptions)


def contacted_warnings(training: Training, config: Config) -> list[Finding]:
    """Say what contacts make of the labels."""
    contacted = training.contacted
    found = contacted.finding(left_out=config.training.contacted == LEAVE_OUT)
    said = [] if found is None else [found]
    if found is None and contacted.contacts and config.training.contacted == LEAVE_OUT:
        text = (
            f"{contacted.contacts:,} of {contacted.labels:,} labels are left out, of customers whom lists "
            f"had to contact then; {contacted.controls:,} of customers who were left alone speak for them"
        )
        said.append(Finding("warning", "contacted_left_out", text, {"contacts": contacted.contacts}))
    if contacted.left_out:
        text = f"{len(contacted.left_out)} lists are not looked at for contacts: {contacted.left_out[0]}"
        said.append(Finding("warning", "lists_left_out", text, {"lists": len(contacted.left_out)}))
    return said


def _cut(as_of: date | None, until: date, log: PurchaseLog) -> str:
    """Say why it is not the date that was asked for."""
    if as_of is None or as_of <= until:
        return ""
    if as_of > log.end:
        return f", where the log ends, not {as_of}"
    kind, following = log.period.kind, log.period.next_start(as_of)
    return (
        f", not {as_of}: that lies inside a {kind}, and the log is dated by the {kind}; the date must lie "
        f"where one starts, such as {until} or {following}"
    )


def _assumptions(training: Training, period: Period) -> list[Finding]:
    """Check what the buy-till-you-die models take for granted, on the newest customers and past cutoffs."""
    scorer, horizon = training.scorer, training.schedule.judged_horizon
    btyd = scorer.purchase.btyd
    found = check_assumptions(
        training.newest,
        btyd.bg,
        has_amounts=scorer.has_amounts,
        gg=btyd.gg,
        period_days=period.mean_days,
    )
    return worst_first([*found, *check_predictions(training.panel, horizon)])


def _data_card(engine: Engine, log: PurchaseLog, config: Config, training: Training) -> dict[str, Any]:
    schedule = training.schedule
    return {
        "source": config.tables.transactions.source,
        **vars(log.rows),
        "other_tables": {name: vars(rows) for name, rows in log.other_rows.items()},
        "fingerprints": fingerprints(engine, log.records, schedule.until),
        "features": list(training.scorer.features),
        "first_day": log.first_day.isoformat(),
        "trained_until": schedule.until.isoformat(),
        "judged_horizon": schedule.judged_horizon,
        "cutoffs": [c.isoformat() for c in schedule.cutoffs],
        "folds": [c.isoformat() for c in schedule.folds],
        "panel_rows": len(training.panel),
        "customers": _customers(engine, log, schedule.until),
        "recipe": training.recipe.name,
    }


def _customers(engine: Engine, log: PurchaseLog, until: date) -> int:
    """Count the customers of the log, be the training on a sample of them."""
    known = log.lines.filter(log.lines.known_day < day_number(until))
    return int(engine.number(known.customer_id.nunique()))


def _with_champion(
    training: Training,
    registry: Registry,
    champion: Version,
    console: Console,
    entries: Sequence[Promotion] = (),
) -> Training:
    """Add the stored champion's predictions on the folds that come after all it has seen."""
    try:
        check_promoted(champion, entries)
        scorer = registry.load(champion)
    except Refused as reason:
        console.say(f"\n  the champion, version {champion.number}, cannot be loaded: {reason}")
        return training
    horizon, panel = training.schedule.judged_horizon, training.panel
    apart = unfit(scorer, panel, training.scorer.period)
    if apart is not None:
        console.say(f"\n  the champion, version {champion.number}, cannot be compared: {apart}")
        return training
    seen = pd.Timestamp(scorer.trained_until)
    later = panel[panel["cutoff"].isin(training.folds["cutoff"].unique()) & (panel["cutoff"] >= seen)]
    if later.empty or horizon not in scorer.purchase.parts:
        return training
    said = later[["cutoff", "customer_id"]].assign(
        **{f"p_champion_v{champion.number}": scorer.p_purchase(later, horizon)}
    )
    said = said.drop_duplicates(["cutoff", "customer_id"])  # who was left alone may stand for others
    folds = training.folds.merge(said, on=["cutoff", "customer_id"], how="left")
    return replace(training, folds=folds)


def _coverage_lines(training: Training) -> list[str]:
    shares = ", ".join(f"{share:.0%} ({third})" for third, share in training.spend_coverage.items())
    said = "the 80 % intervals held the spend of so many customers out of time, by third of expected spend"
    return [f"{said}: {shares}"] if shares else []


def _answer(
    made: Version,
    found: Verdict,
    training: Training,
    log: PurchaseLog,
    warnings: list[dict[str, Any]],
    assumptions: list[Finding],
) -> Answer:
    schedule, name = training.schedule, training.recipe.name
    judged = f"{len(schedule.folds)} fold{'s' if len(schedule.folds) > 1 else ''}"
    said = (
        f"{name} beats every dumb rule; it is registered"
        if not training.recipe.is_rule
        else f"no model beats the best dumb rule, {name}; that rule is registered"
    )
    why = why_not_the_first(found.board, name, is_rule=training.recipe.is_rule)
    lines = [
        *log.row_lines(),
        *(f"warning: {warning['text']}" for warning in warnings),
        f"judged on {judged}, {schedule.judged_horizon} days ahead, out of time:",
        *found.lines(),
        *(f"buy-till-you-die assumptions: {f.text}" for f in assumptions if f.severity == "warning"),
        *_coverage_lines(training),
        *([why] if why else []),
        f"{said} as version {made.number}, alias challenger. Next: repurchase promote",
    ]
    data = {
        "version": made.number,
        "recipe": name,
        "run_id": made.run_id,
        "digest": made.tags["digest"],
        "trained_until": schedule.until.isoformat(),
        "judged_horizon": schedule.judged_horizon,
        "contacted": vars(training.contacted),
        "spend_coverage": training.spend_coverage,
        "leaderboard": board_records(found.board),
        "orders": board_records(found.orders),
        "spend": board_records(found.spend),
        "grades": [asdict(g) | {"sentence": g.sentence} for g in found.grades],
        "warnings": warnings,
        "assumptions": [asdict(finding) for finding in assumptions],
    }
    return Answer(data, lines)
