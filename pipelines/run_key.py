"""What a run of scores depends on: where all of it is the same, there is nothing to score again."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from pipelines.config import Config
from pipelines.pseudonyms import how_listed
from pipelines.surroundings import code_version
from pipelines.version import DIGEST, Version

NOT_CONTENT = {"sinks": {"duckdb", "postgres"}, "limits": {"keep_runs"}}
"""Settings that say where a run goes and how long it stays, and not what it says."""

Parts = dict[str, str]


def key_parts(config: Config, champion: Version, as_of: date, fingerprints: Mapping[str, str]) -> Parts:
    """Digest, one by one, what the content of a run follows from.

    Parameters
    ----------
    config : Config
        All of it counts but `NOT_CONTENT`.
    champion : Version
        By its digest.
    as_of : date
        The day of the run.
    fingerprints : mapping of str to str
        Of the tables, as they were known on that day.

    Returns
    -------
    dict of str to str
        Part to its digest, to be shown in the manifest and held against those of another run.
    """
    settings = config.shown()
    for section, keys in NOT_CONTENT.items():
        settings[section] = {k: v for k, v in settings[section].items() if k not in keys}
    listed = how_listed(config)
    # The config names the key's file at most: with another key in it, everybody has another name.
    names = {"pseudonyms": _digest(listed["key_id"])} if "key_id" in listed else {}
    return {
        "as_of": as_of.isoformat(),
        "model": champion.tags[DIGEST],
        "config": _digest(settings),
        "code": code_version()["sha256"],
        **names,
        **{f"inputs.{name}": digest for name, digest in fingerprints.items()},
    }


def run_key(parts: Parts) -> str:
    """Put the parts together into one digest."""
    return _digest(parts)


def changed_parts(before: Mapping[str, Any], now: Parts) -> list[str]:
    """Name the parts that are not as they were.

    Examples
    --------
    >>> changed_parts({"model": "a", "config": "c"}, {"model": "b", "config": "c", "inputs.events": "e"})
    ['inputs.events', 'model']
    """
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
