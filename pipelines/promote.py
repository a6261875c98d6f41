"""`repurchase promote`: the gate between challenger and champion."""

from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pandas as pd

from models.bootstrap import Interval
from models.folds import best_rule, log_loss_difference
from models.gate import Evidence, Verdict, judge
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.failures import NotPromoted, Refused
from pipelines.registry import CHALLENGER, CHAMPION, RECIPE, SCHEMA, TRAINED_UNTIL, Registry, Version


def promote(config: Config, console: Console, *, dry_run: bool = False) -> Answer:
    """Judge the challenger; make it champion if the gate lets it through.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    dry_run : bool
        Only say what would happen.
    """
    with console.step("reading the challenger's folds from MLflow"):
        registry = Registry(config)
        challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
        if challenger is None:
            raise Refused(f"model {registry.name!r} has no challenger; hint: run `repurchase train`")
        if champion is not None and champion.number == challenger.number:
            return _already(challenger)
        folds = _folds(registry, challenger)
    rival = champion if champion is None or _same_schema(champion, challenger) else None
    evidence = gather(folds, challenger, rival, config.training.seed)
    verdict = judge(evidence)
    if champion is not rival:
        gone = "the champion was made by another version of repurchase and cannot be loaded by this one"
        verdict = replace(verdict, reason=f"{verdict.reason}; {gone}")
    if not dry_run:
        _write_down(registry, challenger, champion, evidence, verdict)
    return _answer(challenger, champion, verdict, dry_run)


def _same_schema(one: Version, other: Version) -> bool:
    """Whether both were written in one form: names of recipes mean the same, and both can be loaded."""
    return one.tags.get(SCHEMA) == other.tags.get(SCHEMA)


def _already(challenger: Version) -> Answer:
    line = f"version {challenger.number} is champion already"
    return Answer({"version": challenger.number, "verdict": "none", "promoted": False}, [line])


def _folds(registry: Registry, challenger: Version) -> pd.DataFrame:
    data = registry.reopen(challenger.run_id).read("folds/folds.parquet")
    if data is None:
        raise Refused(f"the training of version {challenger.number} has no folds; hint: train again")
    return pd.read_parquet(BytesIO(data))


def gather(folds: pd.DataFrame, challenger: Version, champion: Version | None, seed: int) -> Evidence:
    """Compare the challenger's recipe with the best dumb rule and with the champion, paired.

    The champion's stored artefact stands for it on folds that come after all it has seen; where there are
    none, its recipe does, refitted before each fold like the challenger's.
    """
    mine, rule = challenger.tags[RECIPE], best_rule(folds).name
    over_rule = log_loss_difference(folds, f"p_{rule}", f"p_{mine}", seed)
    if champion is None:
        return Evidence(mine, rule, over_rule)
    theirs = champion.tags[RECIPE]
    stored = f"p_champion_v{champion.number}"
    rows, column = (folds[folds[stored].notna()], stored) if stored in folds else (folds, f"p_{theirs}")
    return Evidence(
        challenger=mine,
        rule=rule,
        over_rule=over_rule,
        champion=theirs,
        over_champion=log_loss_difference(rows, column, f"p_{mine}", seed),
        champion_over_rule=log_loss_difference(rows, f"p_{rule}", column, seed),
        days_newer=(_until(challenger) - _until(champion)).days,
    )


def _until(version: Version) -> date:
    return date.fromisoformat(version.tags[TRAINED_UNTIL])


def _write_down(
    registry: Registry, challenger: Version, champion: Version | None, evidence: Evidence, verdict: Verdict
) -> None:
    run = registry.reopen(challenger.run_id)
    run.json(
        {
            "version": challenger.number,
            "champion_before": None if champion is None else champion.number,
            "verdict": verdict.word,
            "reason": verdict.reason,
            "evidence": {k: _plain(v) for k, v in vars(evidence).items()},
        },
        "gate.json",
    )
    run.tags({"verdict": verdict.word, "verdict_reason": verdict.reason})
    if verdict.promotes:
        registry.promote(challenger, verdict.word, verdict.reason)
    else:
        registry.note_verdict(challenger, verdict.word, verdict.reason)


def _plain(value: Any) -> Any:
    return value._asdict() if isinstance(value, Interval) else value


def _answer(challenger: Version, champion: Version | None, verdict: Verdict, dry_run: bool) -> Answer:
    would = "would be" if dry_run else "is now"
    now = (
        f"version {challenger.number} {would} champion"
        if verdict.promotes
        else f"version {champion.number} stays champion"
        if champion
        else "there is no champion"
    )
    data = {
        "version": challenger.number,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "promoted": verdict.promotes and not dry_run,
        "champion_before": None if champion is None else champion.number,
    }
    judged = f"challenger: version {challenger.number}, trained until {challenger.tags[TRAINED_UNTIL]}"
    if champion is not None:
        judged += f"; champion: version {champion.number}, trained until {champion.tags[TRAINED_UNTIL]}"
    lines = [judged, f"verdict: {verdict.word}: {verdict.reason}", now]
    return Answer(data, lines, 0 if verdict.promotes else NotPromoted.exit_code)
