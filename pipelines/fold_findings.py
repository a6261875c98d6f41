"""What the folds of a training leave in doubt: too few to judge by, or too short for what matters."""

import pandas as pd

from models.findings import Finding
from models.readiness import judge_buyers
from models.schedule import Schedule


def fold_warnings(folds: pd.DataFrame, schedule: Schedule, primary_horizon: int) -> list[Finding]:
    """Return what a person should know before they trust what was chosen by these folds.

    Parameters
    ----------
    folds : DataFrame
        From `models.folds.fold_table`.
    schedule : Schedule
        What they were made by.
    primary_horizon : int
        Days that matter in lists.
    """
    judged = schedule.judged_horizon
    by_cutoff = folds.groupby("cutoff")["bought"]
    windows = pd.DataFrame({"known": by_cutoff.size(), "buyers": by_cutoff.sum()}).reset_index()
    windows = windows.assign(cutoff=pd.to_datetime(windows["cutoff"]).dt.date, horizon=judged, is_fold=True)
    found = [judge_buyers(windows, judged)]
    if judged != primary_horizon:
        text = (
            f"the history is too short to learn or judge {primary_horizon} days: the folds judge {judged}, "
            "and what is said of more is carried on by a formula"
        )
        found.append(Finding("warning", "judged_horizon", text, {"judged": judged}))
    return [finding for finding in found if finding.severity == "warning"]


def why_not_the_first(board: pd.DataFrame, recipe: str, *, is_rule: bool) -> str:
    """Say why the winner is not the first of the leaderboard; empty where it is."""
    losses = board["log_loss"].astype(float).to_dict()
    first = min(losses, key=lambda name: losses[name])
    if recipe == first or is_rule:
        return ""
    why = "a mean of models is seldom far off" if recipe == "blend" else "the simplest"
    return (
        f"{first} stands first over all folds, by {losses[recipe] - losses[first]:.4f}; on the newer half, "
        f"which decides, it is not clearly ahead, and {recipe} is taken ({why})"
    )
