"""Judge whether the customers that are scored are spread as those were whom the champion learned from."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from models.drift import Distance, distances
from models.drift_words import column_words, drift_text
from models.findings import Finding
from models.reference import Reference
from models.scorer import Scorer
from pipelines.config import Config
from pipelines.reactions import react

SURE = 3.0
"""Standard errors by which a share must have grown to be no chance."""


def judge_drift(
    scorer: Scorer, counts: Mapping[str, Sequence[int]], config: Config, as_of: date
) -> tuple[dict[str, Any], list[Finding]]:
    """Hold the customers of a scoring against the champion's reference.

    Parameters
    ----------
    scorer : Scorer
        The champion.
    counts : Mapping[str, sequence of int]
        Of its ``reference.count``, for all customers; empty where it has none.
    config : Config
        For ``[limits]``.
    as_of : date
        Of the scoring.

    Returns
    -------
    table, findings
        For the manifest: ``customers``, ``days`` since the training, and of each column ``psi``, ``limit``,
        ``verdict`` and ``nearest``, the date of the look it is nearest to. And what is to be said.

    Raises
    ------
    NotReady
        If a limit is passed, and its key in ``[limits]`` says ``"fail"``.
    """
    reference, limits = scorer.reference, config.limits
    if reference is None:
        text = (
            "drift is not known: the champion was trained on fewer than 100 customers, or before drift was "
            "looked at"
        )
        return {"known": False, "columns": []}, [Finding("note", "drift", text)]
    found = distances(reference, counts, as_of, limits.max_psi)
    unseen = unseen_shares(reference, counts, limits.max_unseen)
    said = react(
        _about_unseen(unseen), limits.unseen_categories, "unseen_categories", "put them right, or train again"
    )
    drifted = [far for far in found if far.verdict == "drifted" and far.column not in unseen]
    said += react(_about_drift(reference, drifted, counts, found), limits.drift, "drift", "train again")
    table = {
        "known": True,
        "customers": max((sum(n) for n in counts.values()), default=0),
        "days": (as_of - date.fromisoformat(scorer.trained_until)).days,
        "columns": [_entry(far) for far in found],
    }
    return table, said


def _entry(far: Distance) -> dict[str, Any]:
    limit = None if far.limit is None else round(far.limit, 4)
    return {
        "column": far.column,
        "psi": round(far.psi, 4),
        "limit": limit,
        "verdict": far.verdict,
        "nearest": far.cutoff,
    }


def _about_drift(
    reference: Reference,
    drifted: Sequence[Distance],
    counts: Mapping[str, Sequence[int]],
    found: Sequence[Distance],
) -> Finding | None:
    if not drifted:
        return None
    judged = sum(far.verdict != "not judged" for far in found)
    text = drift_text(reference, drifted, counts, judged)
    return Finding("warning", "drift", text, {"columns": {far.column: round(far.psi, 4) for far in drifted}})


def unseen_shares(
    reference: Reference, counts: Mapping[str, Sequence[int]], most: float
) -> dict[str, tuple[float, float]]:
    """Find the text features of which more customers have a value that the model does not tell apart.

    Parameters
    ----------
    reference : Reference
        Of the training; it too had customers with rare values.
    counts : Mapping[str, sequence of int]
        Of all customers.
    most : float
        By so much the share may have grown.

    Returns
    -------
    dict of str to (float, float)
        Column to the share now, and the largest at any look of the training.
    """
    found = {}
    for name, now in counts.items():
        if reference.bins[name].values is None:
            continue
        then = max(reference.counts[name], key=lambda look: look[-2] / sum(look))
        n, m = sum(then), max(sum(now), 1)
        before, after = then[-2] / n, now[-2] / m
        pooled = (then[-2] + now[-2]) / (n + m)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        if after - before > max(most, SURE * error):
            found[name] = (after, before)
    return found


def _about_unseen(unseen: Mapping[str, tuple[float, float]]) -> Finding | None:
    if not unseen:
        return None
    worst = sorted(unseen, key=lambda name: unseen[name][1] - unseen[name][0])
    told = [
        f"{column_words(name)} ({name}): {unseen[name][0]:.0%} of the customers, "
        f"{unseen[name][1]:.0%} in the training"
        for name in worst[:3]
    ]
    more = f"; and {len(worst) - 3} more" if len(worst) > 3 else ""
    text = (
        f"values that the model does not tell apart, new ones or written otherwise: {'; '.join(told)}{more}"
    )
    return Finding("warning", "unseen_categories", text, {"shares": {n: list(unseen[n]) for n in worst}})
