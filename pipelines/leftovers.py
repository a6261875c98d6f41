"""What a crash leaves in the model store: runs that never ended, models without their files."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.failures import Locked, Refused
from pipelines.locks import locked
from pipelines.registry import Registry
from pipelines.version import BROKEN, CHALLENGER, CHAMPION, ROLLED_BACK, Version, is_of_this_schema

GRACE = 60.0
"""Seconds that a run may take from its beginning to its lock."""
OVERDUE = 24 * 3600.0
"""Seconds after which a run on another machine is worth a question."""


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be.

    Parameters
    ----------
    code : str
        What was looked at.
    text : str
        For people.
    mended : bool
        Whether it is so no more.
    marked : bool
        Whether it cannot be mended, but is known and stands in nobody's way: a version that nothing uses.
    grave : bool
        Whether nothing can be scored until it is mended.
    """

    code: str
    text: str
    mended: bool = False
    grave: bool = False
    marked: bool = False


def dead_runs(registry: Registry, *, repair: bool) -> Iterator[Problem]:
    """Find runs that are RUNNING although nobody runs them; they become KILLED.

    A living run holds a lock, which the kernel takes back when its process dies, however it does. In a store
    that other machines use, their locks cannot be seen: a run of more than a day is told, and nothing mended.
    """
    for run in _running(registry):
        run_id, age = run.info.run_id, time.time() - run.info.start_time / 1000
        named = f"run {run.info.run_name!r} ({run_id})"
        if not registry.is_local:
            if age > OVERDUE:
                yield Problem("run", f"{named} has been running for {age / 3600:,.0f} hours: is it alive?")
            continue
        path = registry.run_lock(run_id)
        if _is_held(path) if path.exists() else age < GRACE:
            continue
        if registry.client.get_run(run_id).info.status != "RUNNING":  # it has ended meanwhile
            continue
        if repair:
            registry.client.set_terminated(run_id, "KILLED")
            path.unlink(missing_ok=True)
        yield Problem("run", f"{named} never ended: its process is gone", mended=repair)


def _running(registry: Registry) -> list[Any]:
    return list(registry.client.search_runs([registry.experiment], "attributes.status = 'RUNNING'"))


def _is_held(path: Path) -> bool:
    try:
        with locked(path, wait=False):
            return False
    except Locked:
        return True


def pending_models(registry: Registry, *, repair: bool) -> Iterator[Problem]:
    """Find models whose files were never all written; they become FAILED."""
    alive = {run.info.run_id for run in _running(registry)}
    for model in _pages(registry):
        if str(model.status.value) == "PENDING" and model.source_run_id not in alive:
            if repair:
                registry.client.finalize_logged_model(model.model_id, "FAILED")
            yield Problem("model", f"model {model.model_id} was never written whole", mended=repair)


def _pages(registry: Registry) -> Iterator[Any]:
    token = None
    while True:
        page = registry.client.search_logged_models([registry.experiment], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def broken_versions(registry: Registry, *, repair: bool) -> Iterator[Problem]:
    """Find versions whose files are not those that were registered; they are marked, and lose their alias.

    The champion keeps its own: which version scores is for a person to say. A mark goes when the files are
    whole again. Versions that another release of repurchase made are left alone.
    """
    away = registry.artifacts_away()
    if away is not None:
        yield Problem("models", f"{away} is not there, and all models with it", grave=True)
        return
    aliases = {name: registry.by_alias(name) for name in (CHAMPION, CHALLENGER)}
    holders = {name: version.number for name, version in aliases.items() if version is not None}
    for version in registry.versions():
        if not is_of_this_schema(version):
            continue
        wrong, known = _wrong(registry, version), BROKEN in version.tags
        if wrong is None:
            if known:
                yield _unmarked(registry, version, holders, repair=repair)
        elif holders.get(CHAMPION) == version.number:
            text = f"the champion cannot be used: {wrong}; hint: `repurchase rollback`, or train again"
            yield Problem("champion", text, grave=True)
        else:
            was = "; it was challenger" if holders.get(CHALLENGER) == version.number else ""
            if repair and not known:
                registry.set_tag(version, BROKEN, wrong)
            if repair and was:
                registry.drop_alias(CHALLENGER)
                was += ", and is so no more"
            yield Problem("version", f"{wrong}{was}", marked=known or repair)


def _unmarked(registry: Registry, version: Version, holders: dict[str, str], *, repair: bool) -> Problem:
    """Take the mark off; the newest version is challenger again where there is none."""
    text = f"version {version.number} is marked as broken, and its files are whole again"
    if repair:
        registry.drop_tag(version, BROKEN)
        is_newest = registry.versions()[0].number == version.number and ROLLED_BACK not in version.tags
        if is_newest and version.number not in holders.values() and CHALLENGER not in holders:
            registry.challenge(version)
            text += "; it is challenger again"
    return Problem("version", text, mended=repair)


def _wrong(registry: Registry, version: Version) -> str | None:
    try:
        registry.verified(version)
    except Refused as reason:
        return str(reason)
    return None
