"""Publish a run in one step: everything is written aside, then appears whole under ``out/runs``."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.failures import EnvironmentFailed
from pipelines.locks import locked

MANIFEST = "manifest.json"
Writer = Callable[[Path], int]
"""Writes one file and returns its number of rows."""


@dataclass(frozen=True)
class Published:
    """A run that has been published.

    Parameters
    ----------
    run_id : str
        Unique for each attempt.
    folder : Path
        Immutable.
    manifest : dict
        As written.
    """

    run_id: str
    folder: Path
    manifest: dict[str, Any]


def publish(output: Path, as_of: date, facts: Mapping[str, Any], writers: Mapping[str, Writer]) -> Published:
    """Write a run's files aside, rename the whole into place, then swap the links.

    Parameters
    ----------
    output : Path
        The shop's output folder.
    as_of : date
        Which day the run speaks of.
    facts : Mapping
        For the manifest, beside ``run_id, as_of, created_at`` and ``files``.
    writers : Mapping of str to Writer
        File name (with folders) to what writes it.

    Raises
    ------
    EnvironmentFailed
        If the disk fails; nothing is visible then, and a retry is safe.
    """
    created = datetime.now(UTC)
    run_id = f"{as_of:%Y%m%d}-{created:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    stage = output / f".stage-{run_id}"
    try:
        stage.mkdir(parents=True)
        manifest = {
            "run_id": run_id,
            "as_of": as_of.isoformat(),
            "created_at": created.isoformat(timespec="seconds"),
            **facts,
            "files": {name: _written(stage / name, writer) for name, writer in writers.items()},
        }
        (stage / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
        _sync_tree(stage)
        folder = output / "runs" / run_id
        folder.parent.mkdir(exist_ok=True)
        stage.rename(folder)
        _sync(folder.parent)
        with locked(output / ".lock"):
            _swap_links(output, as_of, run_id)
    except OSError as error:
        shutil.rmtree(stage, ignore_errors=True)
        raise EnvironmentFailed(f"{output}: cannot publish: {error}") from error
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    return Published(run_id, folder, manifest)


def _written(path: Path, writer: Writer) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = writer(path)
    with path.open("rb") as handle:
        checksum = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"sha256": checksum, "bytes": path.stat().st_size, "rows": rows}


def _sync_tree(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap_links(output: Path, as_of: date, run_id: str) -> None:
    by_date = output / "scores" / f"as_of={as_of.isoformat()}"
    by_date.parent.mkdir(exist_ok=True)
    _point(by_date, Path("..") / "runs" / run_id)
    if as_of >= _newest_as_of(output):  # never back in time by accident
        _point(output / "latest", Path("runs") / run_id)


def _newest_as_of(output: Path) -> date:
    try:
        manifest = json.loads((output / "latest" / MANIFEST).read_text("utf-8"))
        return date.fromisoformat(manifest["as_of"])
    except (OSError, ValueError, KeyError):
        return date.min


def _point(link: Path, target: Path) -> None:
    """Replace a link by a rename, which readers see as one step."""
    fresh = link.with_name(f".{link.name}-{secrets.token_hex(3)}")
    fresh.symlink_to(target)
    fresh.replace(link)
    _sync(link.parent)
