"""`repurchase score`: the champion, one date, one published run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from features.calendar import day_number
from models.findings import Finding
from models.scorer import Scorer
from pipelines.amount_sizes import judge_against, middle_purchase
from pipelines.champion import judge_age, judge_ledger, trusted_champion
from pipelines.clean_up import clean_up
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.differences import difference_line, differences
from pipelines.drift import judge_drift
from pipelines.engine import Engine, open_engine
from pipelines.failures import Refused
from pipelines.fitness import date_warnings, half_said, refuse_other_target, refuse_strangers, refuse_unfit
from pipelines.listing import make_list
from pipelines.log_findings import log_warnings
from pipelines.measured import save_rate_line, save_rates
from pipelines.named_runs import named_runs
from pipelines.outcome_bias import judge_outcomes
from pipelines.outlook import outlook_lines
from pipelines.proof import prove_log
from pipelines.pseudonyms import how_listed
from pipelines.publish import date_lock, publish, put_links_right, require_places
from pipelines.published_runs import LIST, MANIFEST, PRIVACY, SCORES, Run, current_run, faults
from pipelines.purchase_log import PurchaseLog, fingerprints, open_log
from pipelines.reactions import react
from pipelines.registry import Registry
from pipelines.run_key import Parts, key_parts, run_key
from pipelines.scoring import run_files, score_base
from pipelines.scoring_contract import check_columns, judge_inputs
from pipelines.scoring_record import record_scoring
from pipelines.segments import groups_line, segment
from pipelines.sinks import Delivery, deliver, require_sinks
from pipelines.surroundings import code_version
from pipelines.table_records import FIRST_DAY, TRANSACTIONS, rows_by_month
from pipelines.version import Version
from pipelines.words import Voice

OF_SCORES = {"drift", "unseen_categories", "list_cut"}
"""Codes of what is found once customers are scored."""
SHOWN = 5
"""Warnings that a person is shown; programs get them all, and so does the manifest."""


@dataclass(frozen=True)
class _Found:
    """The current run of a date: where its rows went, what is to be said, and whether it is new."""

    run: Run
    rows: list[str]
    warnings: list[dict[str, Any]]
    is_new: bool


def score(config: Config, console: Console, as_of: date, *, wait: bool = False) -> Answer:
    """Score every customer with a purchase before `as_of`, and publish one immutable run.

    Where the same model, settings and rows have been published for the date already, nothing is done.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date
        Only rows known strictly before it are looked at.
    wait : bool
        Whether to wait for another run that is at work on the same date.

    Raises
    ------
    Locked
        If there is one, and there is no waiting.
    """
    require_sinks(config)
    require_places(config.output, as_of)
    registry = Registry(config)
    registry.champion()  # without one there is nothing to wait for, nor a folder to make for the lock
    with date_lock(config.output, as_of, wait=wait):
        # Not before: while we wait for another run, there may be another champion.
        with console.step("resolving and checking the champion"):
            champion = trusted_champion(config, registry)
            scorer = registry.load(champion)
            refuse_other_target(scorer, champion, config)
        with open_engine(config) as engine:
            found = _scored(engine, config, console, champion, scorer, as_of)
        record_scoring(registry, found.run, console)
    try:
        delivered = deliver(config, found.run)  # with the engine closed: the log may lie where a sink writes
    finally:
        _tidy(config, console)
    lines = [*found.rows, *_lines(found, scorer, config)]
    lines += [f"delivered to {one.sink}" for one in delivered if one.is_new]
    return Answer(_data(found, delivered), lines)


def _tidy(config: Config, console: Console) -> None:
    """Remove old runs; if that fails, the run is out all the same."""
    try:
        clean_up(config.output, config.limits.keep_runs)
    except OSError as error:
        console.warn(f"published, but what is not needed any more was not removed: {error}")


def _scored(
    engine: Engine, config: Config, console: Console, champion: Version, scorer: Scorer, as_of: date
) -> _Found:
    """Publish a run, unless it is there."""
    doubts = check_columns(engine, config, scorer)
    log = open_log(engine, config, console)
    refuse_unfit(log, scorer, config, as_of)
    with console.step("looking at what the log says") as step:
        step.rows = log.rows.rows_used
        doubts += judge_inputs(engine, log, config, scorer, champion.tags["digest"], as_of)
        warnings = [*_findings(engine, log, config, scorer, champion, as_of), *doubts]
        refuse_strangers(warnings, log, scorer)
        digests = fingerprints(engine, log.records, as_of)
    parts, before = key_parts(config, champion, as_of, digests), _readable(config, as_of, console)
    if before is not None and before.manifest.get("key") == run_key(parts) and not faults(before):
        put_links_right(config.output, before)
        return _Found(before, log.row_lines(), _said(warnings, before), is_new=False)
    with console.step("proving on a sample that no feature sees the future"):
        prove_log(engine, log, config, as_of, for_one_date=True)
    base = score_base(engine, log, config, scorer, champion.number, as_of, console)
    drift, moved = judge_drift(scorer, base.counts, config, as_of)
    for note in (finding for finding in moved if finding.severity == "note"):
        console.say(f"  note: {note.text}")
    warnings += [finding for finding in moved if finding.severity == "warning"]
    with console.step("putting customers into groups") as step:
        step.rows = base.customers
        groups = segment(engine, log, config, scorer, base, as_of, champion.tags["digest"])
    made = make_list(engine, log, config, scorer, base, groups, console)
    warnings += made.warnings()
    with console.step("publishing") as step:
        step.rows = base.customers
        facts = _facts(engine, log, config, scorer, champion, parts)
        facts |= {"drift": drift, "outlook": base.outlook, "to_act_on": made.to_act_on.summary}
        facts["segments"] = groups.facts()
        facts["campaign"] = made.campaign | {"save_rate": save_rates(config, as_of)}
        facts["supersedes"] = before and differences(
            before, base.file, parts, scorer.primary_horizon, engine.folder, facts[PRIVACY]
        )
        facts["warnings"] = _said(warnings)
        files = run_files(base, engine, log, config) | made.files(config) | groups.files()
        run = publish(config.output, as_of, facts, files)
    return _Found(run, log.row_lines(), facts["warnings"], is_new=True)


def _said(warnings: Sequence[Finding], before: Run | None = None) -> list[dict[str, Any]]:
    """Write down what is doubtful now and, of a run that is there, what its scores were found to be."""
    said: list[dict[str, Any]] = [{"code": w.code, "text": w.text, "numbers": w.numbers} for w in warnings]
    then = [] if before is None else before.manifest["warnings"]
    return said + [w for w in then if w["code"] in OF_SCORES and w not in said]


def _findings(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, champion: Version, as_of: date
) -> list[Finding]:
    """Say what is doubtful about the champion, the date and the rows."""
    middle = middle_purchase(engine, log, as_of)
    doubts = (
        judge_age(config, scorer.trained_until, as_of),
        judge_ledger(config, champion),
        judge_against(config, middle, champion.tags),
    )
    found = [*date_warnings(scorer, as_of), *half_said(config), *named_runs(config)]
    found += [finding for finding in doubts if finding is not None]
    missed = judge_outcomes(config, champion, as_of)
    found += react(missed, config.limits.outcomes, "outcomes", "train again")
    return found + log_warnings(engine, log, config, as_of, middle)


def _readable(config: Config, as_of: date, console: Console) -> Run | None:
    """Find the run whose place is taken; one that cannot be read is replaced like any other."""
    try:
        return current_run(config.output, as_of)
    except Refused as reason:
        console.warn(f"the run of before is replaced: {reason}")
        return None


def _facts(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, champion: Version, parts: Parts
) -> dict[str, Any]:
    as_of = date.fromisoformat(parts["as_of"])
    later = engine.number(log.lines.filter(log.lines.known_day >= day_number(as_of)).count())
    inputs: dict[str, Any] = {
        name: {
            **vars(rows),
            "rows_by_month": rows_by_month(engine, log, name, as_of),
            "fingerprint": parts[f"inputs.{name}"],
        }
        for name, rows in log.all_rows().items()
    }
    inputs[TRANSACTIONS] |= {"rows_not_yet_known": later, FIRST_DAY: str(log.first_day)}
    return {
        "key": run_key(parts),
        "key_parts": parts,
        "config": config.shown(),
        "code": code_version(),
        PRIVACY: how_listed(config),
        "model": {
            "name": config.mlflow.model,
            "version": champion.number,
            "digest": champion.tags["digest"],
            "recipe": scorer.purchase.recipe.name,
            "trained_until": scorer.trained_until,
        },
        "hindsight": date.fromisoformat(scorer.trained_until) > as_of,
        "inputs": inputs,
    }


def _data(found: _Found, delivered: list[Delivery]) -> dict[str, Any]:
    """What programs are told of a run, be it new or not."""
    run = found.run
    return {
        "run_id": run.run_id,
        "folder": str(run.folder),
        "already_published": not found.is_new,
        "customers": run.manifest["files"][SCORES]["rows"],
        "listed": run.manifest["files"][LIST]["rows"],
        "content": run.manifest["content"],
        "outlook": run.manifest["outlook"],
        "hindsight": run.is_hindsight,
        "supersedes": run.manifest["supersedes"],
        "warnings": found.warnings,
        "sinks": {one.sink: one.rows for one in delivered},
        "manifest": str(run.folder / MANIFEST),
    }


def _lines(found: _Found, scorer: Scorer, config: Config) -> list[str]:
    """What people are told of a run, be it new or not."""
    run, manifest = found.run, found.run.manifest
    expected, replaced, to_act_on = manifest["outlook"], manifest["supersedes"], manifest["to_act_on"]
    plan = manifest["campaign"]
    same = f"run {run.run_id} was made from the same model, settings and rows, and is whole: nothing to do"
    customers = manifest["files"][SCORES]["rows"]
    return [
        *_warning_lines(found.warnings),
        *([same] if not found.is_new else [difference_line(replaced)] if replaced else []),
        f"{customers:,} customers scored; about {expected['buyers']:,.0f} of them should buy within "
        f"{scorer.primary_horizon} days",
        *outlook_lines(expected, config.project.currency),
        f"{to_act_on['customers']:,} customers to act on, with "
        f"{money(to_act_on['value_at_risk'], config, scorer)} at risk",
        *([groups_line(manifest["segments"], config.project.language)] if "segments" in manifest else []),
        f"risk list: {run.folder / LIST}, with {plan['contacts']:,} customers to contact and "
        f"{plan['controls']:,} to leave alone" + _holds(plan),
        *_nobody(plan, to_act_on),
        *_save_rate(config, run.as_of),
        f"all scores: {run.folder / SCORES}",
    ]


def _holds(plan: Mapping[str, Any]) -> str:
    held = plan.get("holds", 0)
    return f"; {held:,} more were contacted too recently or too often" if held else ""


def _nobody(plan: Mapping[str, Any], to_act_on: Mapping[str, float]) -> list[str]:
    """Say why nobody is to be contacted though some could be."""
    if plan["contacts"] or not to_act_on["customers"]:
        return []
    return ["nobody is to be contacted: what [campaign] allows pays for none, or no contact pays its cost"]


def _save_rate(config: Config, as_of: date) -> list[str]:
    """Say what net values rest on, where there are any."""
    if config.economics.margin is None:
        return []
    voice = Voice(config.project.language, config.project.currency)
    line = save_rate_line(save_rates(config, as_of), voice)
    return [] if line is None else [line]


def _warning_lines(warnings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Show the first warnings; many of them would push the scores off the screen."""
    more = len(warnings) - SHOWN
    lines = [f"warning: {warning['text']}" for warning in warnings[:SHOWN]]
    return [*lines, f"{more:,} more warning{'s' * (more > 1)}, in the manifest"] if more > 0 else lines


def money(value: float, config: Config, scorer: Scorer) -> str:
    """Format an amount with the shop's currency, or as orders where the log has no amounts."""
    if not scorer.has_amounts:
        return f"{value:,.0f} orders"
    return f"{value:,.0f} {config.project.currency or ''}".strip()
