"""What MLflow keeps of a scoring run: which model said what of how many, and no customer."""

from pipelines.console import Console
from pipelines.failures import first_line, is_store_failure
from pipelines.published_runs import Run
from pipelines.registry import Registry


def record_scoring(registry: Registry, run: Run, console: Console) -> None:
    """Track a published run; a store that fails now is warned of, for the run is out.

    Parameters
    ----------
    registry : Registry
        Where to.
    run : Run
        What was published.
    console : Console
        For the warning.
    """
    manifest, model = run.manifest, run.manifest["model"]
    tags = {
        "kind": "scoring",
        "as_of": manifest["as_of"],
        "published_run": run.run_id,
        "model_version": model["version"],
        "digest": model["digest"],
        "hindsight": str(run.is_hindsight).lower(),
    }
    try:
        with registry.run(f"score as of {run.as_of}", tags=tags) as tracked:
            tracked.params({"key": manifest["key"], "content": manifest["content"], **manifest["key_parts"]})
            tracked.metrics(_measures(run))
            tracked.json(manifest, "manifest.json")
    except Exception as error:
        if not (isinstance(error, OSError) or is_store_failure(error)):
            raise
        console.warn(f"published, but not tracked in MLflow: {first_line(error)}")


def _measures(run: Run) -> dict[str, float]:
    manifest = run.manifest
    counted = {f"{name.partition('.')[0]}_rows": entry["rows"] for name, entry in manifest["files"].items()}
    expected = {f"expected_{k}": v for k, v in manifest["outlook"].items() if v is not None}
    aside = {
        f"quarantined_{table}": sum(rows["rows_quarantined"].values())
        for table, rows in manifest["inputs"].items()
    }
    return {**counted, **expected, **aside, "warnings": len(manifest["warnings"])}
