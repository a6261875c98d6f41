"""A SQLite store that was moved or copied: the addresses of an experiment are put right.

MLflow keeps the absolute address of every artefact. Left as they are, a moved store would read from, and a
copied one write into, the place that it came from.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from pipelines.failures import EnvironmentFailed, Locked
from pipelines.locks import locked

_OF_THE_EXPERIMENT = (
    ("experiments", "artifact_location", "experiment_id = :of"),
    ("runs", "artifact_uri", "experiment_id = :of"),
    ("logged_models", "artifact_location", "experiment_id = :of"),
    ("model_versions", "source", "run_id in (select run_uuid from runs where experiment_id = :of)"),
    ("model_versions", "storage_location", "run_id in (select run_uuid from runs where experiment_id = :of)"),
)
_PASSED_OVER = ("no such table", "readonly", "read-only", "unable to open")
"""No store yet, or one that is only read: whoever reads looks beside the store first."""


def bring_home(database: Path, artifacts: str, experiment: str, running: Path) -> str | None:
    """Let the addresses of an experiment name the artefacts beside the store; return what they named before.

    None is returned, and nothing done, where they do so already, where the artefacts of its runs do not lie
    beside the store, and where the store cannot be written. Other experiments are left alone.

    Parameters
    ----------
    database : Path
        The store.
    artifacts : str
        Address of the artefacts beside it, as ``file:`` URI.
    experiment : str
        Its name.
    running : Path
        Folder with the locks of runs that are alive.

    Raises
    ------
    Locked
        If a run is at work, by the other address, on the same store.
    EnvironmentFailed
        If the store does not let itself be written, though it could be.
    """
    folder = database.parent / artifacts.rpartition("/")[2]
    if not (database.exists() and folder.is_dir()):
        return None
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=60)) as store, store:
            found = _elsewhere(store, artifacts, experiment, folder)
            if found is None:
                return None
            number, before = found
            _refuse_if_alive(database, running, before)
            _rewrite(store, number, before, artifacts)
            return before
    except sqlite3.OperationalError as error:
        if any(words in str(error) for words in _PASSED_OVER):
            return None
        raise EnvironmentFailed(
            f"{database}: its addresses could not be put right after it was moved: {error}"
        ) from None
    except sqlite3.DatabaseError:  # no database at all, of which MLflow says more
        return None


def _elsewhere(
    store: sqlite3.Connection, artifacts: str, experiment: str, folder: Path
) -> tuple[int, str] | None:
    """Return an experiment of our making, and where it says its artefacts are, if they are here instead."""
    question = "select experiment_id, artifact_location from experiments where name = ?"
    number, place = store.execute(question, (experiment,)).fetchone() or (0, "")
    is_ours = str(place).startswith("file:") and str(place).rpartition("/")[2] == folder.name
    if not is_ours or place == artifacts:
        return None
    runs = store.execute("select run_uuid from runs where experiment_id = ?", (number,))
    return (number, place) if any((folder / run).is_dir() for (run,) in runs) else None


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


def _rewrite(store: sqlite3.Connection, number: int, before: str, after: str) -> None:
    said = {"of": number, "before": before, "after": after, "under": f"{before}/"}
    for table, column, which in _OF_THE_EXPERIMENT:
        store.execute(
            f"update {table} set {column} = :after || substr({column}, length(:before) + 1) "  # noqa: S608 - ours
            f"where {which} and ({column} = :before or substr({column}, 1, length(:under)) = :under)",
            said,
        )
