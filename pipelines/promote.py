"""`repurchase promote`: the gate between challenger and champion."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from io import BytesIO
from typing import Any

import pandas as pd

from features.errors import ContractError
from models.bootstrap import Interval
from models.folds import best_rule, log_loss_difference
from models.gate import Evidence, Quality, Verdict, judge
from models.metrics import ece
from pipelines.champion import crown, note_found, promotion
from pipelines.config import Config
from pipelines.console import Answer, Console, table
from pipelines.failures import NotPromoted, Refused
from pipelines.gate_page import gate_html, gate_markdown
from pipelines.model_files import digest
from pipelines.promotions import Action, Promotion, last_word, read_promotions
from pipelines.registry import Registry
from pipelines.tracked_run import DESCRIPTION
from pipelines.version import (
    CHALLENGER,
    CHAMPION,
    CUSTOMERS,
    DIGEST,
    EVIDENCE,
    EVIDENCE_FILES,
    FORCED,
    LEAK_PROOF,
    LEARNED,
    RECIPE,
    ROLLED_BACK,
    SCHEMA,
    TRAINED_UNTIL,
    Version,
)

UNSAID = "the champion stays, so the reason was not written down"


def promote(
    config: Config, console: Console, *, dry_run: bool = False, force: bool = False, reason: str | None = None
) -> Answer:
    """Judge the challenger; make it champion if the gate lets it through.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    dry_run : bool
        Only say what would happen.
    force : bool
        Make it champion whatever the gate says.
    reason : str, optional
        Why, for the promotion ledger; forcing needs one.

    Raises
    ------
    ContractError
        If it is forced without a reason.
    Refused
        If there is no challenger, its evidence was touched, or the promotion ledger is broken.
    """
    reason = (reason or "").strip()
    if force and not reason and not dry_run:
        raise ContractError("--force overrules the gate, and needs a --reason for the promotion ledger")
    with console.step("reading the challenger's folds from MLflow"):
        entries, registry = read_promotions(config), Registry(config)
        challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
        if challenger is None:
            raise Refused(f"model {registry.name!r} has no challenger; hint: run `repurchase train`")
        if champion is not None and champion.number == challenger.number:
            if not dry_run:
                note_found(config, registry)
            return _already(challenger, [UNSAID] if reason else [])
        folds, data = _evidence(registry, challenger)
    rival = champion if champion is None or _same_schema(champion, challenger) else None
    evidence = gather(folds, challenger, rival, config.training.seed, data)
    past = _rolled_back(registry, challenger, entries)
    evidence = replace(evidence, quality=replace(evidence.quality, rolled_back=past))
    verdict = judge(evidence, config.gate.limits)
    if champion is not rival:
        gone = "the champion was made by another version of repurchase and cannot be loaded by this one"
        verdict = replace(verdict, reason=f"{verdict.reason}; {gone}")
    crowned = verdict.promotes or force
    if not dry_run:
        if crowned:
            forced = force and not verdict.promotes
            said = f"forced: {reason}" if forced else reason
            why = f"{said}; the gate said: {verdict.reason}" if said else verdict.reason
            action: Action = "force" if forced else "promote"
            before = None if champion is None else champion.number
            entry = promotion(registry, action, challenger, before, verdict.word, why)
            crown(config, registry, challenger, entry)
            if forced:
                registry.set_tag(challenger, FORCED, reason)
            for version in _twins(registry, challenger):
                if ROLLED_BACK in version.tags:
                    registry.drop_tag(version, ROLLED_BACK)
        _write_down(registry, challenger, champion, evidence, verdict)
    answer = _answer(challenger, champion, verdict, dry_run=dry_run, crowned=crowned)
    more = _pinned(config, challenger) if crowned else [UNSAID] if reason else []
    return replace(answer, lines=[*answer.lines, *more])


def _twins(registry: Registry, version: Version) -> list[Version]:
    """List the versions, this one among them, that learned the same: training is deterministic."""
    learned = version.tags.get(LEARNED)
    return [v for v in registry.versions() if v.tags.get(LEARNED) == learned] if learned else [version]


def _rolled_back(registry: Registry, challenger: Version, entries: Sequence[Promotion]) -> str | None:
    """Say if the last word on what it learned was a rollback; with the ledger lost, by the versions' tags."""
    twins = {version.number: version for version in _twins(registry, challenger)}
    last = last_word(entries, twins)
    if last is None:
        found = next((v for v in twins.values() if ROLLED_BACK in v.tags), None)
        return (
            None
            if found is None
            else f"version {found.number}, which was rolled back {found.tags[ROLLED_BACK]}"
        )
    if last.action != "rollback" or last.before not in twins or last.version in twins:
        return None
    return f"version {last.before}, which was rolled back on {last.at[:10]} ({last.reason})"


def _pinned(config: Config, challenger: Version) -> list[str]:
    pinned, own = config.mlflow.champion_digest, challenger.tags.get(DIGEST, "")
    if pinned in (None, own):
        return []
    return [
        "the config pins another digest, and `score` refuses this version until it says: "
        f'champion_digest = "{own}"'
    ]


def _same_schema(one: Version, other: Version) -> bool:
    """Whether both were written in one form: names of recipes mean the same, and both can be loaded."""
    return one.tags.get(SCHEMA) == other.tags.get(SCHEMA)


def _already(challenger: Version, more: Sequence[str]) -> Answer:
    line = f"version {challenger.number} is champion already"
    return Answer({"version": challenger.number, "verdict": "none", "promoted": False}, [line, *more])


def _evidence(registry: Registry, challenger: Version) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the folds and the facts that the gate goes by, and hold them against their digest."""
    run = registry.reopen(challenger.run_id)
    files = {path: run.read(path) for path in EVIDENCE_FILES}
    found = {path: data for path, data in files.items() if data is not None}
    if len(found) < len(files):
        raise Refused(f"the training of version {challenger.number} has no folds; hint: train again")
    if digest(found) != challenger.tags.get(EVIDENCE):
        raise Refused(
            f"the folds or facts of version {challenger.number} are not those that its training wrote down: "
            "the gate cannot go by them; hint: train again"
        )
    folds, data = (found[path] for path in EVIDENCE_FILES)
    return pd.read_parquet(BytesIO(folds)), dict(json.loads(data))


def gather(
    folds: pd.DataFrame,
    challenger: Version,
    champion: Version | None,
    seed: int,
    data: Mapping[str, Any] | None = None,
) -> Evidence:
    """Compare the challenger's recipe with the best dumb rule and with the champion, paired.

    The champion's stored artefact stands for it on folds that come after all it has seen; where there are
    none, its recipe does, refitted before each fold like the challenger's.

    Parameters
    ----------
    folds : DataFrame
        Test rows of the challenger's training.
    challenger, champion : Version
        Who is judged, and who is champion, if anyone.
    seed : int
        For the bootstrap.
    data : mapping, optional
        What the challenger's training said of its data.
    """
    mine, rule = challenger.tags[RECIPE], best_rule(folds).name
    over_rule = log_loss_difference(folds, f"p_{rule}", f"p_{mine}", seed)
    quality = _quality(folds, challenger, champion, data or {})
    if champion is None:
        return Evidence(mine, rule, over_rule, quality=quality)
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
        quality=quality,
    )


def _quality(
    folds: pd.DataFrame, challenger: Version, champion: Version | None, data: Mapping[str, Any]
) -> Quality:
    bought, said = folds["bought"].to_numpy(), folds[f"p_{challenger.tags[RECIPE]}"].to_numpy()
    once = folds.drop_duplicates(["customer_id", "cutoff"])  # who was left alone may stand for others
    return Quality(
        rows=len(once),
        buyers=int(once["bought"].sum()),
        ece=ece(bought, said),
        bias=float(said.sum() / bought.sum() - 1) if bought.any() else None,
        customers=_count(challenger),
        champion_customers=None if champion is None else _count(champion),
        leak_proof=challenger.tags.get(LEAK_PROOF) == "passed",
        suspicions=[w["text"] for w in data.get("warnings", []) if w["code"] == "too_good"],
    )


def _count(version: Version) -> int | None:
    found = version.tags.get(CUSTOMERS)
    return None if found is None else int(found)


def _until(version: Version) -> date:
    return date.fromisoformat(version.tags[TRAINED_UNTIL])


def _write_down(
    registry: Registry, challenger: Version, champion: Version | None, evidence: Evidence, verdict: Verdict
) -> None:
    """Put the verdict with every number and limit where a reviewer finds it: artefacts and tags."""
    run = registry.reopen(challenger.run_id)
    facts = {
        "challenger": _named(challenger),
        "digest": challenger.tags.get(DIGEST, ""),
        "champion": "none" if champion is None else _named(champion),
    }
    run.json(
        {
            "version": challenger.number,
            "champion_before": None if champion is None else champion.number,
            "verdict": verdict.word,
            "reason": verdict.reason,
            "checks": [asdict(check) for check in verdict.checks],
            "doubts": list(verdict.doubts),
            "evidence": {k: _plain(v) for k, v in vars(evidence).items()},
        },
        "gate.json",
    )
    title = f"The gate's verdict on version {challenger.number}"
    page = gate_markdown(title, verdict, facts)
    run.text(page, "gate.md")
    run.text(gate_html(title, verdict, facts), "gate.html")
    run.tags({"verdict": verdict.word, "verdict_reason": verdict.reason, DESCRIPTION: page})
    registry.note_verdict(challenger, verdict.word, verdict.reason, page)


def _named(version: Version) -> str:
    return f"version {version.number}, {version.tags[RECIPE]}, trained until {version.tags[TRAINED_UNTIL]}"


def _plain(value: Any) -> Any:
    if isinstance(value, Interval):
        return value._asdict()
    return asdict(value) if isinstance(value, Quality) else value


def _answer(
    challenger: Version, champion: Version | None, verdict: Verdict, *, dry_run: bool, crowned: bool
) -> Answer:
    would = "would be" if dry_run else "is now"
    now = (
        f"version {challenger.number} {would} champion" + ("" if verdict.promotes else ", by force")
        if crowned
        else f"version {champion.number} stays champion"
        if champion
        else "there is no champion"
    )
    data = {
        "version": challenger.number,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "promoted": crowned and not dry_run,
        "forced": crowned and not verdict.promotes,
        "champion_before": None if champion is None else champion.number,
        "digest": challenger.tags.get(DIGEST),
        "checks": [asdict(check) for check in verdict.checks],
        "doubts": list(verdict.doubts),
    }
    judged = f"challenger: version {challenger.number}, trained until {challenger.tags[TRAINED_UNTIL]}"
    if champion is not None:
        judged += f"; champion: version {champion.number}, trained until {champion.tags[TRAINED_UNTIL]}"
    rows = [[c.name, c.value, c.limit, "yes" if c.passed else "NO"] for c in verdict.checks]
    lines = [
        judged,
        *table(["looked at", "found", "asked for", "holds"], rows),
        *(f"to look into: {doubt}" for doubt in verdict.doubts),
        f"verdict: {verdict.word}: {verdict.reason}",
        now,
    ]
    return Answer(data, lines, 0 if crowned else NotPromoted.exit_code)
