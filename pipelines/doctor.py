"""`repurchase doctor`: whether the model store is whole, and everyone agrees who is champion."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pipelines.champion import note_found, trusted_champion
from pipelines.clean_up import dead_stages
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.failures import EnvironmentFailed, Refused
from pipelines.leftovers import Problem, broken_versions, dead_runs, pending_models
from pipelines.promotions import last_champion, read_promotions
from pipelines.published_runs import current_dates, date_link, faults, read_run
from pipelines.registry import Registry
from pipelines.store_place import store_file
from pipelines.version import CHAMPION

DISK = "disk"
LEAST_FREE = 2**30
"""Bytes on the disk below which the next training may not find room."""


def doctor(config: Config, console: Console, *, repair: bool = False) -> Answer:
    """Look for what crashes leave behind, and mend it on request.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    repair : bool
        Whether to mend what can be mended.

    Returns
    -------
    Answer
        Exit code 0 if all is well or is so now, but for versions that are marked as broken; 7 if all that is
        wrong is the disk; 6 if anything else is.
    """
    with console.step("looking at the store, the models and the ledger"):
        found = list(_examine(config, repair=repair))
    left = [problem for problem in found if not (problem.mended or problem.marked)]
    lines = [f"{_state(problem, repair=repair)}: {problem.text}" for problem in found]
    if not left:
        others = "all else" if any(problem.marked for problem in found) else "all"
        now = " now" if any(problem.mended for problem in found) else ""
        lines.append(f"{others} is well{now}")
    elif not repair:
        lines.append("hint: `repurchase doctor --repair` mends what can be mended")
    of_the_disk = all(problem.code == DISK for problem in left)
    code = 0 if not left else EnvironmentFailed.exit_code if of_the_disk else Refused.exit_code
    return Answer({"healthy": not left, "problems": [asdict(problem) for problem in found]}, lines, code)


def _state(problem: Problem, *, repair: bool) -> str:
    if problem.mended:
        return "mended"
    if problem.marked:
        return "marked as broken, used by nobody"
    return "not mended" if repair else "to mend"


def _examine(config: Config, *, repair: bool) -> Iterator[Problem]:
    yield from _disk(config)
    yield from _runs(config.output, repair=repair)
    database = store_file(config)
    if database is not None:
        if not database.exists():
            yield from _lost(config, database)
            return
        broken = _integrity(database)
        if broken:
            yield Problem("store", f"{database}: {broken}; hint: bring it back from a backup", grave=True)
            return
    registry = Registry(config)
    yield from dead_runs(registry, repair=repair)
    yield from pending_models(registry, repair=repair)
    yield from broken_versions(registry, repair=repair)
    yield from _ledger(config, registry, repair=repair)


def _lost(config: Config, database: Path) -> Iterator[Problem]:
    """Without a store nothing was ever trained, unless the ledger knows better."""
    if read_promotions(config):
        text = f"{database} is gone, and a champion was promoted in it; hint: bring it back from a backup"
        yield Problem("store", text, grave=True)


def _disk(config: Config) -> Iterator[Problem]:
    database = store_file(config)
    for folder in {path for path in (config.output, database and database.parent) if path is not None}:
        there = next(parent for parent in [folder, *folder.parents] if parent.exists())
        free = shutil.disk_usage(there).free
        if free < LEAST_FREE:
            yield Problem(DISK, f"{there}: only {free / 2**20:,.0f} MB are free")


def _runs(output: Path, *, repair: bool) -> Iterator[Problem]:
    """Find what scoring runs that were killed have left, and current runs that are not as they were."""
    for stage in dead_stages(output):
        if repair:
            shutil.rmtree(stage, ignore_errors=True)
        yield Problem("stage", f"{stage} was never published", mended=repair)
    for as_of in current_dates(output):
        try:
            wrong = faults(read_run(date_link(output, as_of)))
        except Refused as reason:
            wrong = [str(reason)]
        if wrong:
            text = f"the run of {as_of} is not as it was published: {'; '.join(wrong[:3])}"
            yield Problem("run_files", f"{text}; hint: `repurchase score --as-of {as_of}` makes another")


def _integrity(database: Path) -> str:
    """Say what is wrong with a SQLite file; empty if nothing is."""
    try:
        store = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
        try:
            found = str(store.execute("pragma quick_check(1)").fetchone()[0])
        finally:
            store.close()
    except sqlite3.OperationalError as error:
        raise EnvironmentFailed(f"{database}: {error}") from None
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else found


def _ledger(config: Config, registry: Registry, *, repair: bool) -> Iterator[Problem]:
    """Compare who is champion with what was written down."""
    champion = registry.by_alias(CHAMPION)
    try:
        entries = read_promotions(config)
    except Refused as reason:
        yield Problem("ledger", str(reason), grave=True)
        return
    if champion is None:
        if entries:
            last = entries[-1].version
            text = f"version {last} was champion, and the alias is gone"
            yield Problem("champion", f"{text}; hint: `repurchase rollback --to {last}`", grave=True)
        return
    try:
        trusted_champion(config, registry)
        if last_champion(entries) != champion.number:
            if repair:
                note_found(config, registry)
            text = f"version {champion.number} is champion, and the promotion ledger does not say so"
            yield Problem("ledger", text, mended=repair)
    except Refused as reason:
        yield Problem("champion", str(reason), grave=True)
