"""What a run says differently from the one of the same date that it takes the place of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from pipelines.published_runs import PRIVACY, SCORES, Run, faults
from pipelines.run_key import Parts, changed_parts
from pipelines.score_file import opened

MOVED = 0.01
"""Difference of a probability that is worth counting."""
SHIFTED = 0.0005
"""Share by which a sum must have moved to be said: what rounds to 0.1%."""
WHY = {
    "model": "another model",
    "config": "other settings",
    "code": "another release of repurchase",
    "pseudonyms": "another key of pseudonyms",
}


BY_ID = {"lists": "ids"}
"""How runs list customers that do not say how (`pipelines.pseudonyms.how_listed`)."""


def differences(
    before: Run, file: Path, parts: Parts, horizon: int, folder: Path, listed: Mapping[str, str] = BY_ID
) -> dict[str, Any]:
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
    listed : Mapping
        How the run lists customers.

    Returns
    -------
    dict
        ``run_id`` of the predecessor, ``because`` (the parts that changed), customers who came and went,
        those whose probability moved by more than `MOVED`, whose tier changed, and the largest move; under
        ``sums``, what columns of money and orders added up to, and do now. Where customers have other names
        than before, ``names_changed`` and how many they were and are, in place of what is said of each. The
        first two alone where the scores were damaged.
    """
    found: dict[str, Any] = {"run_id": before.run_id}
    found["because"] = changed_parts(before.manifest.get("key_parts", {}), parts)
    if any(fault.startswith(SCORES) for fault in faults(before)):
        return found
    with opened(folder, before.folder / SCORES, file) as (old, new):
        if before.manifest.get(PRIVACY, BY_ID) == listed:
            found |= _counted(old, new, f"p_purchase_{horizon}d")
        else:  # nobody would be the same, and nobody has come or gone
            found |= {"names_changed": True, "customers_before": _number(old), "customers": _number(new)}
        columns = (f"expected_spend_{horizon}d", f"expected_orders_{horizon}d", "value_at_risk")
        found["sums"] = {column: [_sum(table, column) for table in (old, new)] for column in columns}
    return found


def _number(scores: ir.Table) -> int:
    return int(scores.count().to_pyarrow().as_py())


def _sum(scores: ir.Table, column: str) -> float | None:
    """Add up a column; None where there is none, or nobody has a value.

    Rounded, as a sum depends in its last digits on the order in which threads are done.
    """
    if column not in scores.columns:
        return None
    found = scores[column].cast("float64").sum().to_pyarrow().as_py()
    return None if found is None else round(found, 2)


def _counted(before: ir.Table, after: ir.Table, p: str) -> dict[str, Any]:
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
    if "names_changed" in found:
        return (
            f"{replaced}: customers have other names than in it, so that none can be told to be the same; "
            f"{found['customers']:,} customers, and {found['customers_before']:,} in it{_sums_said(found)}"
        )
    if "customers_new" not in found:
        return replaced
    moved = found["probabilities_moved"]
    return (
        f"{replaced}: {found['customers_new']:,} customers more, {found['customers_gone']:,} fewer, "
        f"{moved:,} probabilities moved by more than {MOVED}, {found['tiers_changed']:,} changed tier"
        f"{_sums_said(found)}"
    )


def _sums_said(found: Mapping[str, Any]) -> str:
    """Say which sums have moved; nothing of runs of before that kept none.

    Examples
    --------
    >>> _sums_said({"sums": {"value_at_risk": [1000.0, 1100.0], "expected_orders_90d": [5.0, 5.0]}})
    '; value_at_risk adds up to 1,100 (was 1,000, +10.0%)'
    >>> _sums_said({"sums": {"value_at_risk": [None, 7.0]}})
    ''
    """
    said = [
        f"{column} adds up to {now:,.0f} (was {was:,.0f}{f', {now / was - 1:+.1%}' if was else ''})"
        for column, (was, now) in found.get("sums", {}).items()
        if was is not None and now is not None and abs(now - was) > SHIFTED * abs(was)
    ]
    return f"; {', '.join(said)}" if said else ""
