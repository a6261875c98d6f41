"""What a run says differently from the one of the same date that it takes the place of."""

from pathlib import Path
from typing import Any

import ibis

from pipelines.published_runs import SCORES, Run, faults
from pipelines.run_key import Parts, changed_parts
from pipelines.score_file import opened

MOVED = 0.01
"""Difference of a probability that is worth counting."""
WHY = {
    "model": "another model",
    "config": "other settings",
    "code": "another release of repurchase",
    "pseudonyms": "another key of pseudonyms",
}


def differences(before: Run, file: Path, parts: Parts, horizon: int, folder: Path) -> dict[str, Any]:
    """Compare a run with its predecessor.

    Parameters
    ----------
    before : Run
        The current run of the date.
    file : Path
        The scores of the run that takes its place.
    parts : dict of str to str
        What that one follows from (`pipelines.run_key.key_parts`).
    horizon : int
        Days of the probability that is compared.
    folder : Path
        For what does not fit into memory.

    Returns
    -------
    dict
        ``run_id`` of the predecessor, ``because`` (the parts that changed), customers who came and went,
        those whose probability moved by more than `MOVED`, whose tier changed, and the largest move. The
        first two alone where its scores were damaged.
    """
    found = {"run_id": before.run_id, "because": changed_parts(before.manifest.get("key_parts", {}), parts)}
    if any(fault.startswith(SCORES) for fault in faults(before)):
        return found
    return found | _counted(before.folder / SCORES, file, f"p_purchase_{horizon}d", folder)


def _counted(was: Path, now: Path, p: str, folder: Path) -> dict[str, Any]:
    with opened(folder, was, now) as (before, after):
        known = before[p] if p in before.columns else ibis.null("float64")
        old = before.select(old_id="customer_id", old_tier="risk_tier", old_p=known)
        new = after.select("customer_id", "risk_tier", p=after[p])
        both = new.outer_join(old, new.customer_id == old.old_id)
        moved = (both.p - both.old_p).abs()
        counted = both.aggregate(
            customers_new=both.old_id.isnull().sum().fill_null(0),
            customers_gone=both.customer_id.isnull().sum().fill_null(0),
            probabilities_moved=(moved > MOVED).sum().fill_null(0),
            largest_move=moved.max(),
            tiers_changed=(both.risk_tier != both.old_tier).sum().fill_null(0),
        )
        [found] = counted.to_pyarrow().to_pylist()
    return dict(found)


def difference_line(found: dict[str, Any]) -> str:
    """Say it in one sentence."""
    because = [WHY.get(part, part.replace("inputs.", "other rows of ")) for part in found["because"]]
    replaced = f"takes the place of run {found['run_id']} ({', '.join(because) or 'its files were damaged'})"
    if "customers_new" not in found:
        return replaced
    moved = found["probabilities_moved"]
    return (
        f"{replaced}: {found['customers_new']:,} customers more, {found['customers_gone']:,} fewer, "
        f"{moved:,} probabilities moved by more than {MOVED}, {found['tiers_changed']:,} changed tier"
    )
