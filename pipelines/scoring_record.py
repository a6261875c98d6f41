"""What MLflow keeps of a scoring run: which model said what of how many, and no customer."""

from collections.abc import Mapping
from typing import Any

from pipelines.console import Console
from pipelines.failures import first_line, is_store_failure
from pipelines.published_runs import Run
from pipelines.registry import Registry

PUBLISHED_RUN = "published_run"
"""Tag that says which run it is."""


def record_scoring(registry: Registry, run: Run, console: Console) -> None:
    """Track a published run, once; a store that fails now is warned of, for the run is out.

    A job that was killed after it had published is made up for by the next one of the date.

    Parameters
    ----------
    registry : Registry
        Where to.
    run : Run
        What was published.
    console : Console
        For the warning.
    """
    try:
        if not _is_tracked(registry, run):
            _track(registry, run)
    except Exception as error:
        if not _is_of_the_store(error):
            raise
        console.warn(f"published, but not tracked in MLflow: {first_line(error)}")


def _is_of_the_store(error: Exception) -> bool:
    """Tell what MLflow says from a bug; whatever it is that MLflow does not like, the run is out."""
    by_mlflow = any(kind.__name__ == "MlflowException" for kind in type(error).__mro__)
    return isinstance(error, OSError) or by_mlflow or is_store_failure(error)


def _is_tracked(registry: Registry, run: Run) -> bool:
    wanted = f"tags.{PUBLISHED_RUN} = '{run.run_id}' and attributes.status = 'FINISHED'"
    return bool(registry.client.search_runs([registry.experiment], wanted, max_results=1))


def _track(registry: Registry, run: Run) -> None:
    manifest, model = run.manifest, run.manifest["model"]
    tags = {
        "kind": "scoring",
        "as_of": manifest["as_of"],
        PUBLISHED_RUN: run.run_id,
        "model_version": model["version"],
        "digest": model["digest"],
        "hindsight": str(run.is_hindsight).lower(),
    }
    with registry.run(f"score as of {run.as_of}", tags=tags) as tracked:
        tracked.params({"key": manifest["key"], "content": manifest["content"], **manifest["key_parts"]})
        tracked.metrics(_measures(run))
        tracked.json(manifest, "manifest.json")


def _measures(run: Run) -> dict[str, float]:
    manifest = run.manifest
    counted = {f"{name.partition('.')[0]}_rows": entry["rows"] for name, entry in manifest["files"].items()}
    expected = {f"expected_{k}": v for k, v in manifest["outlook"].items() if v is not None}
    aside = {
        f"quarantined_{table}": sum(rows["rows_quarantined"].values())
        for table, rows in manifest["inputs"].items()
    }
    return {**counted, **expected, **aside, **_drift(manifest), "warnings": len(manifest["warnings"])}


def _drift(manifest: Mapping[str, Any]) -> dict[str, float]:
    """Count the columns that have drifted, and say how near the worst came to its limit, or how far beyond.

    Nothing where drift is not known: a zero would say that all is well.
    """
    columns = manifest["drift"]["columns"]
    judged = [column["psi"] / column["limit"] for column in columns if column["limit"]]
    if not judged:
        return {}
    drifted = sum(column["verdict"] == "drifted" for column in columns)
    return {"drifted": drifted, "drift_worst": max(judged)}
