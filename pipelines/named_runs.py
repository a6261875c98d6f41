"""Runs of before that list customers by their ids, where the config asks for pseudonyms now."""

from collections.abc import Iterator

from models.findings import Finding
from pipelines.config import Config
from pipelines.published_runs import RUNS, every_run


def named_runs(config: Config) -> Iterator[Finding]:
    """Say how many there are, and how to remove them: the current run of a date stays until somebody does."""
    if config.privacy.lists == "ids":
        return
    named = [run.run_id for run in every_run(config.output) if not run.has_pseudonyms]
    if named:
        one = len(named) == 1
        runs = "earlier run lists" if one else "earlier runs list"
        text = (
            f'[privacy] lists = "pseudonyms", but {len(named):,} {runs} customers by their ids, '
            f"in {config.output.name}/{RUNS}, such as {named[-1]}: once they are not needed, remove "
            "their folders, and their dates from tables of [sinks] (docs/security.md says how to find them)"
        )
        yield Finding("warning", "named_runs", text, {"runs": len(named)})
