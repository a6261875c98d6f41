"""What a run says differently from the one of the same date that it takes the place of."""

from typing import Any

import numpy as np
import pandas as pd

from pipelines.published_runs import Run
from pipelines.run_key import Parts, changed_parts

MOVED = 0.01
"""Difference of a probability that is worth counting."""
WHY = {"model": "another model", "config": "other settings", "code": "another release of repurchase"}


def differences(before: Run, scores: pd.DataFrame, parts: Parts, horizon: int) -> dict[str, Any]:
    """Compare a run with its predecessor.

    Parameters
    ----------
    before : Run
        The current run of the date.
    scores : DataFrame
        Of the run that takes its place.
    parts : dict of str to str
        What that one follows from (`pipelines.run_key.key_parts`).
    horizon : int
        Days of the probability that is compared.

    Returns
    -------
    dict
        ``run_id`` of the predecessor, ``because`` (the parts that changed), customers who came and went,
        those whose probability moved by more than `MOVED`, whose tier changed, and the largest move.
    """
    name = f"p_purchase_{horizon}d"
    old = before.scores()
    columns = ["customer_id", "risk_tier", *([name] if name in old else [])]
    both = old[columns].merge(scores[["customer_id", "risk_tier", name]], on="customer_id", how="outer",
                              suffixes=("_before", ""), indicator=True)  # fmt: skip
    kept = both[both["_merge"] == "both"]
    moves = (
        np.abs(kept[name] - kept[f"{name}_before"]) if f"{name}_before" in kept else pd.Series(dtype=float)
    )
    return {
        "run_id": before.run_id,
        "because": changed_parts(before.manifest.get("key_parts", {}), parts),
        "customers_new": int((both["_merge"] == "right_only").sum()),
        "customers_gone": int((both["_merge"] == "left_only").sum()),
        "probabilities_moved": int((moves > MOVED).sum()),
        "largest_move": float(moves.max()) if len(moves) else None,
        "tiers_changed": int((kept["risk_tier"] != kept["risk_tier_before"]).sum()),
    }


def difference_line(found: dict[str, Any]) -> str:
    """Say it in one sentence."""
    because = [WHY.get(part, part.replace("inputs.", "other rows of ")) for part in found["because"]]
    moved = found["probabilities_moved"]
    return (
        f"takes the place of run {found['run_id']} ({', '.join(because) or 'its files were damaged'}): "
        f"{found['customers_new']:,} customers more, {found['customers_gone']:,} fewer, "
        f"{moved:,} probabilities moved by more than {MOVED}, {found['tiers_changed']:,} changed tier"
    )
