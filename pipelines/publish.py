"""Publish a run in one step: everything is written aside, then appears whole under ``out/runs``."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from features.errors import ContractError
from pipelines.durable import make_folder, on_disk, point, sync, sync_tree
from pipelines.locks import locked
from pipelines.published_runs import LATEST, LIST, MANIFEST, RUNS, SEGMENTS, Run, current_dates, date_link

Writer = Callable[[Path], int]
"""Writes one file and returns its number of rows."""
ASIDE = "quarantine/"
"""Folder, in a run, of the rows that were not used."""
LOCKS = ".locks"
LIST_NAME = LIST.removesuffix("csv")
"""How the names of the list begin, in each of its formats."""
STAGE, TRASH = ".stage-", ".trash-"
"""How names begin of what is not published yet, and not any more."""


def date_lock(output: Path, as_of: date, *, wait: bool = False) -> AbstractContextManager[None]:
    """Hold the lock of one date; whoever publishes a run of it must.

    Raises
    ------
    Locked
        If another process holds it and there is no waiting.
    """
    return locked(output / LOCKS / f"as_of={as_of.isoformat()}", wait=wait, remove=True)


def root_lock(output: Path) -> AbstractContextManager[None]:
    """Wait for the lock under which links are swapped and runs removed."""
    return locked(output / LOCKS / "root")


def require_places(output: Path, as_of: date) -> None:
    """Refuse, before any work is done, what stands where a link to the run is to go.

    Raises
    ------
    ContractError
        If a file or a folder does, as where somebody has copied a run with its links followed.
    """
    for place in (date_link(output, as_of), output / LATEST):
        if place.exists() and not place.is_symlink():
            raise ContractError(
                f"{place} is no link to a run, and one is to go there", hint="move it to another place"
            )


def publish(output: Path, as_of: date, facts: Mapping[str, Any], writers: Mapping[str, Writer]) -> Run:
    """Write a run's files aside, rename the whole into place, then swap the links.

    Parameters
    ----------
    output : Path
        The shop's output folder.
    as_of : date
        Which day the run speaks of; its `date_lock` is held.
    facts : Mapping
        For the manifest, beside ``run_id, as_of, created_at, content`` and ``files``.
    writers : Mapping of str to Writer
        File name (with folders) to what writes it.

    Raises
    ------
    EnvironmentFailed
        If the disk fails; readers go on seeing the run of before, and a retry is safe.
    """
    created = datetime.now(UTC)
    run_id = f"{as_of:%Y%m%d}-{created:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    stage = output / f"{STAGE}{run_id}"
    with on_disk(output):
        try:
            _sweep_stages(output, as_of)
            make_folder(stage)
            files = write_files(stage, writers)
            manifest = {
                "run_id": run_id,
                "as_of": as_of.isoformat(),
                "created_at": created.isoformat(timespec="milliseconds"),
                **facts,
                "content": content_hash(files),
                "files": files,
            }
            text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
            (stage / MANIFEST).write_text(text, "utf-8")
            sync_tree(stage)
            folder = output / RUNS / run_id
            with root_lock(output):
                make_folder(folder.parent)
                stage.rename(folder)
                sync(folder.parent)
                _swap_links(output, as_of, run_id)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return Run(folder.resolve(), manifest)


def put_links_right(output: Path, run: Run) -> None:
    """Finish what a publisher that was killed between its two links has left."""
    with on_disk(output), root_lock(output):
        _swap_links(output, run.as_of, run.run_id)


def content_hash(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Digest what a run says of its date: the names and checksums of its files.

    The rows set aside are not among them: they are those of the whole log, which goes on. Nor are the groups,
    which follow from the run before as well, and the list, which names them.

    Examples
    --------
    >>> one, two = {"sha256": "1"}, {"sha256": "2"}
    >>> content_hash({"a": one, "b": two}) == content_hash({"b": two, "a": one, "quarantine/c": one})
    True
    """
    listed = [
        f"{name}\0{entry['sha256']}\n"
        for name, entry in sorted(files.items())
        if not name.startswith((ASIDE, SEGMENTS, LIST_NAME))
    ]
    return "sha256:" + hashlib.sha256("".join(listed).encode()).hexdigest()


def _sweep_stages(output: Path, as_of: date) -> None:
    """Remove what runs of this date that were killed have written aside; its lock is ours."""
    for stage in output.glob(f"{STAGE}{as_of:%Y%m%d}-*"):
        shutil.rmtree(stage, ignore_errors=True)


def write_files(folder: Path, writers: Mapping[str, Writer]) -> dict[str, dict[str, Any]]:
    """Write the files of a run, and describe each as its manifest does."""
    found = {}
    for name, writer in writers.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = writer(path)
        with path.open("rb") as handle:
            checksum = hashlib.file_digest(handle, "sha256").hexdigest()
        found[name] = {"sha256": checksum, "bytes": path.stat().st_size, "rows": rows}
    return found


def _swap_links(output: Path, as_of: date, run_id: str) -> None:
    by_date = date_link(output, as_of)
    make_folder(by_date.parent)
    point(by_date, Path("..") / RUNS / run_id)
    newest = max(current_dates(output))  # never back in time by accident, and right again after a crash
    point(output / LATEST, date_link(output, newest).readlink().relative_to(".."))
