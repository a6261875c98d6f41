"""`repurchase compare`: the leaderboard of a training and, once the log has gone on, of the days after it."""

import json
from dataclasses import asdict
from datetime import date
from typing import Any

import pandas as pd

from models.by_segment import segment_board, segments_of
from models.grade import grade
from models.purchase import RECIPES
from pipelines.board import board_lines, board_records
from pipelines.board_page import board_page
from pipelines.champion import check_promoted
from pipelines.changes import change_lines, change_records, change_tables, changes_between
from pipelines.config import Config
from pipelines.console import Answer, Console, table
from pipelines.engine import open_engine
from pipelines.failures import Refused
from pipelines.promotions import read_promotions
from pipelines.purchase_log import open_log
from pipelines.registry import Registry
from pipelines.tracked_run import TrackedRun
from pipelines.training import load_panel, run_folds
from pipelines.unfit import unfit
from pipelines.verdict import verdict, verdict_page
from pipelines.version import CHALLENGER, CHAMPION, Version

LOOK = "look for the leak with `repurchase check --leaks`"


def compare(config: Config, console: Console, versions: list[str] | None = None) -> Answer:
    """Print the out-of-time folds of the last training, then the holdout that no training has seen.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    versions : list of str, optional
        Stored versions to measure on the holdout; without it, champion and challenger.
    """
    registry = Registry(config)
    stored = _stored(registry, versions)
    run = _training_run(registry, stored if versions else [])
    _refuse_other_target(_logged(run, "config.json"), config)
    data, folds = _logged(run, "data.json"), pd.DataFrame(_logged(run, "leaderboard.json"))
    changed = changes_between(registry, stored)
    lines = [
        *change_lines(changed),
        f"trained until {data['trained_until']}; {len(data['folds'])} out-of-time folds, "
        f"{data['judged_horizon']} days ahead:",
        *board_lines(folds.set_index("candidate")),
        *_grade_lines(folds.set_index("candidate"), data.get("recipe")),
    ]
    holdout = _holdout(config, console, registry, stored, data)
    if holdout is None:
        lines.append(
            f"no holdout yet: the log must go on for {data['judged_horizon']} days after the training, with "
            "some who buy and some who do not"
        )
        run.text(board_page("What changed", [], change_tables(changed), {}), "changes.html")
        return Answer(
            {"folds": board_records(folds), "holdout": None, "changes": change_records(changed)}, lines
        )
    start, tested = holdout
    names = [f"v{v.number}" for v in stored if f"p_v{v.number}" in tested]
    found = verdict(tested, RECIPES[data.get("recipe", "bgnbd")], names, config.training.seed)
    board, by_segment = found.board, segment_board(tested, names or [str(found.board.index[0])])
    title = f"holdout, {start} and {data['judged_horizon']} days on, which no training has seen"
    run.json({"cutoff": start.isoformat(), "board": board_records(board)}, "holdout.json")
    more = {"By segment": by_segment.set_index("segment")} | change_tables(changed)
    run.text(verdict_page(title, found, tested, names, more), "holdout.html")
    run.metrics({f"holdout_{name}_log_loss": row["log_loss"] for name, row in board.iterrows()})
    lines += [f"{title}:", *found.lines(), "by segment:", *_segment_lines(by_segment)]
    lines += [*(f"warning: {text}; {LOOK}" for text in found.suspicions)]
    grades = [asdict(g) | {"sentence": g.sentence} for g in found.grades]
    answer = {
        "folds": board_records(folds),
        "holdout": board_records(board),
        "orders": board_records(found.orders),
        "spend": board_records(found.spend),
        "grades": grades,
        "segments": json.loads(by_segment.to_json(orient="records")),
        "changes": change_records(changed),
        "warnings": [f"{text}; {LOOK}" for text in found.suspicions],
    }
    return Answer(answer, lines)


def _segment_lines(board: pd.DataFrame) -> list[str]:
    rows = [
        [
            f"{row['segment']}: {row['candidate']}",
            f"{row['customers']:,}",
            *(f"{row[name]:.3f}" for name in ("bought", "promised")),
            *("-" if pd.isna(row[name]) else f"{row[name]:.4f}" for name in ("log_loss", "auc", "ece")),
        ]
        for row in board.to_dict("records")
    ]
    return table(["segment", "customers", "bought", "promised", "log-loss", "AUC", "ECE"], rows)


def _grade_lines(board: pd.DataFrame, recipe: str | None) -> list[str]:
    """Grade the winner of the folds; a training of an earlier version does not say who it was."""
    return [grade(board, recipe).sentence] if recipe and recipe in board.index else []


def _stored(registry: Registry, versions: list[str] | None) -> list[Version]:
    if versions:
        return [registry.version(v) for v in versions]
    found = [v for v in (registry.by_alias(CHAMPION), registry.by_alias(CHALLENGER)) if v is not None]
    return list({v.number: v for v in found}.values())


def _training_run(registry: Registry, named: list[Version]) -> TrackedRun:
    run_id = named[-1].run_id if named else registry.last_training()
    if run_id is None:
        raise Refused("there is no finished training to compare; hint: run `repurchase train`")
    return registry.reopen(run_id)


def _logged(run: TrackedRun, path: str) -> Any:
    found = run.read(path)
    if found is None:
        raise Refused(f"training run {run.run_id} has no {path}; hint: train again")
    return json.loads(found)


def _refuse_other_target(trained: dict[str, Any], config: Config) -> None:
    mine = config.model_dump(mode="json")["target"]
    if trained["target"] != mine:
        apart = [
            f"{key} {trained['target'].get(key)}, now {mine[key]}"
            for key in mine
            if trained["target"].get(key) != mine[key]
        ]
        raise Refused(f"the training had another [target]: {'; '.join(apart)}; hint: train again")


def _holdout(
    config: Config, console: Console, registry: Registry, stored: list[Version], data: dict[str, Any]
) -> tuple[date, pd.DataFrame] | None:
    """Refit every candidate on what the training saw and test it, and the stored versions, on what came."""
    seen = [v.tags["trained_until"] for v in stored]
    start, horizon = date.fromisoformat(max([data["trained_until"], *seen])), int(data["judged_horizon"])
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        end = log.period.end_of(start, horizon)
        if end > log.end:
            return None
        cutoffs = [date.fromisoformat(c) for c in data["cutoffs"]]
        with console.step(f"features and labels up to {end}"):
            panel, _ = load_panel(engine, log, config, [*cutoffs, start], end)
    test = panel[panel["cutoff"] == pd.Timestamp(start)]
    if test[f"y_purchased_{horizon}d"].nunique() < 2:
        return None
    said, entries = {}, read_promotions(config)
    for version in stored:
        try:
            check_promoted(version, entries)
            scorer = registry.load(version)
            reason = unfit(scorer, panel, log.period.kind)
        except Refused as refused:
            reason = str(refused)
        if reason:
            console.say(f"\n  version {version.number} cannot be compared: {reason}")
        else:
            said[f"p_v{version.number}"] = scorer.p_purchase(test, horizon)
    with console.step("refitting every candidate on what the training saw"):
        tested = run_folds(panel, [start], horizon, config, log)
    return start, tested.assign(**said, segment=segments_of(test).to_numpy())
