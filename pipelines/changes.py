"""What changed from one registered version to another: data, config, features, code, measures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from pipelines.console import table
from pipelines.registry import Registry
from pipelines.version import DIGEST, VERDICT, Version

MEASURES = ("log_loss", "auc", "ece", "lift_10")


@dataclass(frozen=True)
class Facts:
    """What is on record of one version.

    Parameters
    ----------
    version : Version
        Which.
    data, config, code : mapping
        As its training wrote them; empty where it did not.
    measures : mapping of str to float
        Of its recipe over its own folds, which differ where the log has gone on: no ground to compare.
    """

    version: Version
    data: Mapping[str, Any]
    config: Mapping[str, Any]
    code: Mapping[str, Any]
    measures: Mapping[str, float]


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Parameters
    ----------
    what, name : str
        ``data``, ``config``, ``features``, ``code``, ``model`` or ``measures of its own folds``, and of
        these which.
    before, after : str
        In the one version and in the other.
    """

    what: str
    name: str
    before: str
    after: str


Between = dict[tuple[str, str], list[Change]]
"""Two versions' numbers to what differs between them."""
MOST = 40
"""Letters of a value that a terminal shows."""


def facts_of(registry: Registry, version: Version) -> Facts:
    """Read what is on record of a version."""
    run = registry.reopen(version.run_id)

    def logged(path: str) -> Any:
        found = run.read(path)
        return {} if found is None else json.loads(found)

    data, board = logged("data.json"), logged("leaderboard.json") or []
    own: dict[str, Any] = next((row for row in board if row["candidate"] == version.tags.get("recipe")), {})
    measures = {name: float(own[name]) for name in MEASURES if own.get(name) is not None}
    return Facts(version, data, logged("config.json"), logged("code.json"), measures)


def changes(before: Facts, after: Facts) -> list[Change]:
    """List what differs between two versions; their measures are of folds of their own."""
    found = [*_differing("model", *(_of_model(f.version) for f in (before, after)))]
    found += _differing("data", *(_of_data(f.data) for f in (before, after)))
    found += _differing("config", *(flat(f.config) for f in (before, after)))
    found += _features(before.data.get("features", []), after.data.get("features", []))
    found += _differing("code", before.code, after.code)
    measures = [{k: f"{v:.4f}" for k, v in f.measures.items()} for f in (before, after)]
    return found + _differing("measures of its own folds", *measures)


def changes_between(registry: Registry, stored: list[Version]) -> Between:
    """What changed from each of the versions to the next."""
    facts = [facts_of(registry, version) for version in stored]
    return {(a.version.number, b.version.number): changes(a, b) for a, b in pairwise(facts)}


def change_tables(changed: Between) -> dict[str, pd.DataFrame]:
    """Lay them out for a page: heading to table."""
    return {
        f"What changed from version {a} to {b}": pd.DataFrame(map(asdict, of)).set_index("what")
        for (a, b), of in changed.items()
        if of
    }


def change_records(changed: Between) -> list[dict[str, Any]]:
    """Return them as plain JSON values."""
    return [{"from": a, "to": b, "changes": [asdict(c) for c in of]} for (a, b), of in changed.items()]


def change_lines(changed: Between) -> list[str]:
    """Lay them out for a terminal."""
    lines = []
    for (a, b), of in changed.items():
        rows = [[f"{c.what}: {c.name}", _short(c.before), _short(c.after)] for c in of]
        lines += [f"from version {a} to version {b}:"]
        lines += (
            table(["what changed", f"version {a}", f"version {b}"], rows) if rows else ["nothing changed"]
        )
        lines += [""]
    return lines


def _short(text: str) -> str:
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def _of_model(version: Version) -> dict[str, str]:
    tags = version.tags
    named = {"recipe": "recipe", "trained until": "trained_until", "verdict": VERDICT, "digest": DIGEST}
    return {name: str(tags.get(key, "-"))[:26] for name, key in named.items()}


def _of_data(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("source", "first_day", "rows_in", "rows_used", "rows_netted", "panel_rows", "folds", "cutoffs")
    found = {k: len(data[k]) if isinstance(data[k], list) else data[k] for k in kept if k in data}
    return found | {f"fingerprint of {k}": v for k, v in data.get("fingerprints", {}).items()}


def _features(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    gone, new = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    return [Change("features", n, "yes", "no") for n in gone] + [
        Change("features", n, "no", "yes") for n in new
    ]


def _differing(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    names = list(dict.fromkeys([*before, *after]))
    return [
        Change(what, name, _said(before.get(name)), _said(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _said(value: Any) -> str:
    return "-" if value is None else str(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name nested values by their path, with dots; what is empty or None is left out."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return {k: v for k, v in found.items() if v not in (None, [], {})}
