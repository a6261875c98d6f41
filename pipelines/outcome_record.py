"""The outcome ledger in MLflow: a run of its own, and a word with each version that was judged."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from features.calendar import day_number
from models.outcomes import MODEL, outside
from pipelines.outcome_files import PAGE, TABLE
from pipelines.registry import Registry
from pipelines.version import DIGEST


def record_outcomes(registry: Registry, table: pd.DataFrame, as_of: date, csv: str, page: str) -> list[str]:
    """Track a ledger: sums by group alone, and no customer.

    Parameters
    ----------
    registry : Registry
        Where versions and runs are kept.
    table : DataFrame
        Of `models.outcomes.expected_against_actual`.
    as_of : date
        Its date.
    csv, page : str
        What was written, to be kept with the run.

    Returns
    -------
    list of str
        Versions that the store does not know, or knows with another digest: they have their metrics in the
        ledger's run alone.
    """
    whole = table[(table["run"] == "") & (table["by"] == "model_version")]
    with registry.run(f"outcomes {as_of}", tags={"kind": "outcomes", "as_of": as_of.isoformat()}) as run:
        beyond, compared = outside(table)
        run.metrics({"comparisons": compared, "beyond_chance": beyond})
        for (horizon, number, _), rows in whole.groupby(MODEL, sort=False):
            run.metrics(dict(_metrics(rows, f"v{number}_{horizon}d")))
        run.text(csv, TABLE)
        run.text(page, PAGE)
    return list(_tell_versions(registry, whole, as_of))


def _tell_versions(registry: Registry, whole: pd.DataFrame, as_of: date) -> Iterator[str]:
    """Put metrics on the training of each version, a step a date, and a sentence on the version."""
    known = {(v.number, v.tags.get(DIGEST)): v for v in registry.versions()}
    for (horizon, number, digest), rows in whole.groupby(MODEL, sort=False):
        version = known.get((str(number), str(digest)))
        if version is None:
            yield f"version {number} with digest {str(digest)[:19]}…"
            continue
        metrics = dict(_metrics(rows, f"outcome_{horizon}d"))
        registry.reopen(version.run_id).metrics(metrics, step=day_number(as_of))
        registry.set_tag(version, f"outcome_{horizon}d", _sentence(rows, as_of))


def _metrics(rows: pd.DataFrame, prefix: str) -> Iterator[tuple[str, float]]:
    for row in rows.to_dict("records"):
        for name in ("expected", "actual", "low", "high"):
            if pd.notna(row[name]):
                yield f"{prefix}_{row['measure']}_{name}", float(row[name])


def _sentence(rows: pd.DataFrame, as_of: date) -> str:
    row = rows[rows["measure"] == "buyers"].iloc[0]
    return f"{row['expected']:,.0f} buyers expected, {row['actual']:,.0f} came by {as_of}: {row['verdict']}"
