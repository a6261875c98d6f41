"""A SQLite store that was moved or copied: its addresses are put right.

MLflow keeps the absolute address of every artefact. Left as they are, a moved store would read from, and a
copied one write into, the place that it came from.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pipelines.failures import Locked
from pipelines.locks import locked

_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def bring_home(database: Path, artifacts: str, running: Path) -> list[str]:
    """Let the addresses of a store name the artefacts beside it; return those that they named before.

    Nothing is done where no artefacts lie beside the store, nor where it cannot be written.

    Parameters
    ----------
    database : Path
        The store.
    artifacts : str
        Address of the artefacts beside it, as ``file:`` URI.
    running : Path
        Folder with the locks of runs that are alive.

    Raises
    ------
    Locked
        If a run is at work, by the other address, on the same store.
    """
    folder = database.parent / artifacts.rpartition("/")[2]
    if not (database.exists() and folder.is_dir()):
        return []
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=60)) as store, store:
            before = [place for place in _places(store, folder.name) if place != artifacts]
            if before:
                _refuse_if_alive(database, running, before[0])
            for place in before:
                _rewrite(store, place, artifacts)
    except sqlite3.Error:  # no store yet, a broken or a read-only one: MLflow says so better
        return []
    return before


def _places(store: sqlite3.Connection, name: str) -> Iterator[str]:
    """Yield where experiments keep their artefacts, if they are of our making."""
    for (place,) in store.execute("select distinct artifact_location from experiments").fetchall():
        if str(place).startswith("file:") and str(place).rpartition("/")[2] == name:
            yield str(place)


def _refuse_if_alive(database: Path, running: Path, place: str) -> None:
    for path in running.glob("*.lock"):
        try:
            with locked(path, wait=False):
                continue
        except Locked:
            raise Locked(
                f"{database}: a run is at work on this store under another path ({place}); "
                "hint: wait for it, and let everybody reach the store by one path"
            ) from None


def _rewrite(store: sqlite3.Connection, before: str, after: str) -> None:
    for table, column in _ADDRESSES:
        store.execute(
            f"update {table} set {column} = ? || substr({column}, ?) "  # noqa: S608 - names of our own
            f"where {column} = ? or substr({column}, 1, ?) = ?",
            (after, len(before) + 1, before, len(before) + 1, f"{before}/"),
        )
