"""What MLflow keeps of a training: one run, with a run for every candidate and one for every fold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from features.wording import phrase
from models.findings import Finding
from models.folds import best_rule, measure
from models.importances import importances
from models.leaderboard import gains_over
from models.metrics import reliability
from models.purchase import RECIPES
from pipelines.board import board_measures, board_records
from pipelines.changes import flat
from pipelines.config import Config
from pipelines.markdown import table
from pipelines.model_files import digest
from pipelines.plots import (
    btyd_figures,
    gains_figure,
    importances_figure,
    lift_figure,
    reliability_figure,
)
from pipelines.registry import Registry
from pipelines.surroundings import code_version, environment
from pipelines.tracked_run import TrackedRun
from pipelines.training import Training, pseudonymised
from pipelines.verdict import Verdict, verdict_page
from pipelines.version import CUSTOMERS, EVIDENCE, EVIDENCE_FILES, LEAK_PROOF, Version


def record(
    registry: Registry,
    config: Config,
    training: Training,
    found: Verdict,
    data: Mapping[str, Any],
    assumptions: list[Finding],
) -> Version:
    """Track a training and register its scorer.

    No row of a customer is written but the folds' test rows, under running numbers.

    Parameters
    ----------
    registry : Registry
        Where to.
    config : Config
        Written down without secrets.
    training : Training
        What was found.
    found : Verdict
        Its boards and grade.
    data : mapping
        What is known of the data.
    assumptions : list of Finding
        What the buy-till-you-die models take for granted, and whether it holds.
    """
    recipe, scorer, board = training.recipe, training.scorer, found.board
    until = data["trained_until"]
    tags = {"kind": "training", "recipe": recipe.name, "trained_until": until}
    with registry.run(f"train until {until}", tags=tags) as run:
        code, around = code_version(), environment()
        run.params(flat(config.shown()))
        run.params({"python": around["python"], **{f"code_{k}": v for k, v in code.items()}})
        run.json(config.shown(), "config.json")
        run.json(data, "data.json")
        run.json(data["features"], "features.json")
        run.text(_in_words(scorer.features), "features.md")
        run.json(code, "code.json")
        run.json(around, "environment.json")
        run.json([asdict(finding) for finding in assumptions], "assumptions.json")
        _boards(run, training, found, until, data["judged_horizon"])
        _pictures(run, training, config.training.seed)
        run.metrics(board_measures(board)[recipe.name])
        run.metrics({f"spend_coverage_{third}": share for third, share in training.spend_coverage.items()})
        by_fold = _measured_folds(training.folds, config.training.seed, [str(name) for name in board.index])
        _track_candidates(registry, run, training.folds, board, by_fold)
        _track_folds(registry, run, by_fold)
        evidence = digest({path: run.read(path) or b"" for path in EVIDENCE_FILES})
        about = {
            **data["amounts"],
            LEAK_PROOF: "passed",
            CUSTOMERS: str(data["customers"]),
            EVIDENCE: evidence,
        }
        return registry.register(scorer, run, f"{recipe.name}, trained until {until}", about)


def _in_words(features: Sequence[str]) -> str:
    """Write the features that the model sees, and how a report says them."""
    rows = [(f"`{name}`", phrase(name, "en"), phrase(name, "vi")) for name in features]
    return table(("feature", "English", "Tiếng Việt"), rows) + "\n"


def _boards(run: TrackedRun, training: Training, found: Verdict, until: str, horizon: int) -> None:
    run.json(board_records(found.board), "leaderboard.json")
    for name, board in (("leaderboard", found.board), ("orders", found.orders), ("spend", found.spend)):
        run.text(board.to_csv(), f"{name}.csv")
    title = f"Trained until {until}, judged {horizon} days ahead"
    run.text(verdict_page(title, found, training.folds, [training.recipe.name]), "leaderboard.html")
    run.frame(pseudonymised(training.folds), "folds/folds.parquet")


def _pictures(run: TrackedRun, training: Training, seed: int) -> None:
    folds, scorer = training.folds, training.scorer
    shown = list(dict.fromkeys([training.recipe.name, "bgnbd", best_rule(folds).name]))
    inputs = importances(scorer, training.newest, seed)
    run.text(inputs.to_csv(index=False), "importances.csv")
    pictures = {
        "reliability": reliability_figure(folds, shown),
        "gains": gains_figure(folds, shown),
        "lift": lift_figure(folds, shown),
        "importances": importances_figure(inputs),
        **btyd_figures(scorer.purchase.btyd, training.newest, training.schedule.judged_horizon),
    }
    for name, figure in pictures.items():
        run.figure(figure, f"plots/{name}.png")


def _measured_folds(folds: pd.DataFrame, seed: int, names: list[str]) -> dict[str, pd.DataFrame]:
    """Fold by fold: every candidate's measures, and how much lower its log-loss is than the best rule's."""
    found, rule = {}, best_rule(folds).name
    for cutoff, rows in folds.groupby("cutoff", sort=True):
        found[str(pd.Timestamp(str(cutoff)).date())] = measure(rows, [f"p_{name}" for name in names]).assign(
            rows=len(rows),
            buyers=float(rows["bought"].sum()),
            **gains_over(rows, "over_rule", rule, names, seed),
        )
    return found


def _track_candidates(
    registry: Registry,
    parent: TrackedRun,
    folds: pd.DataFrame,
    board: pd.DataFrame,
    by_fold: Mapping[str, pd.DataFrame],
) -> None:
    """One child run a candidate: its measures over all folds, and fold by fold, in order of time."""
    measures = board_measures(board)
    kept = ("log_loss", "auc", "ece", "over_rule", "over_rule_lo", "over_rule_hi")
    for name in board.index:
        with registry.run(str(name), parent=parent, tags={"kind": "candidate"}) as run:
            if name in RECIPES:
                run.params({f"weight_{part}": w for part, w in RECIPES[str(name)].weights.items()})
            run.metrics(measures[str(name)])
            for step, fold in enumerate(by_fold.values()):
                run.metrics({f"fold_{k}": fold.loc[name, k] for k in kept}, step)
            run.text(_reliability(folds, str(name)), "reliability.csv")


def _reliability(folds: pd.DataFrame, name: str) -> str:
    """Write what was promised beside what happened; a picture of each would take longer than the training."""
    return reliability(folds["bought"].to_numpy(), folds[f"p_{name}"].to_numpy()).to_csv(index=False)


def _track_folds(registry: Registry, parent: TrackedRun, by_fold: Mapping[str, pd.DataFrame]) -> None:
    """One child run a fold: all candidates on it."""
    for cutoff, board in by_fold.items():
        with registry.run(f"fold {cutoff}", parent=parent, tags={"kind": "fold"}) as run:
            run.params({"cutoff": cutoff, "rows": board["rows"].iloc[0], "buyers": board["buyers"].iloc[0]})
            run.text(board.to_csv(), "leaderboard.csv")
            said = {
                f"{k}/{name}": board.loc[name, k] for k in ("log_loss", "auc", "ece") for name in board.index
            }
            run.metrics(said)
