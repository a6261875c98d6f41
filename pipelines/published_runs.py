"""What has been published, read back: runs, the current one of each date, and whether a run is whole."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import ContractError
from pipelines.failures import Refused

MANIFEST, SCORES, SEGMENTS = "manifest.json", "scores.parquet", "segments.parquet"
LIST, REASONS = "risk_list.csv", "reasons.parquet"
RUNS, BY_DATE, LATEST = "runs", "scores", "latest"
PRIVACY = "privacy"
"""Under which a manifest says how a run lists its customers (`pipelines.pseudonyms.how_listed`)."""
_DATE = "as_of="


@dataclass(frozen=True)
class Run:
    """A published run.

    Parameters
    ----------
    folder : Path
        Immutable.
    manifest : dict
        As it was written.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def run_id(self) -> str:
        """Unique for each attempt."""
        return str(self.manifest["run_id"])

    @property
    def as_of(self) -> date:
        """The day that it speaks of."""
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def is_hindsight(self) -> bool:
        """Whether its model had seen what came after its date."""
        return bool(self.manifest["hindsight"])

    @property
    def has_pseudonyms(self) -> bool:
        """Whether it lists its customers by pseudonym."""
        return bool(self.manifest.get(PRIVACY, {}).get("lists") == "pseudonyms")

    def scores(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read its scores, sorted by customer."""
        return pd.read_parquet(self.folder / SCORES, columns=None if columns is None else [*columns])


def date_link(output: Path, as_of: date) -> Path:
    """Path of the link to the current run of a date."""
    return output / BY_DATE / f"{_DATE}{as_of.isoformat()}"


def read_run(place: Path) -> Run:
    """Open a run by its folder, or by a link to it.

    Raises
    ------
    Refused
        If there is no run, or its manifest makes no sense.
    """
    folder = place.resolve()  # once: the link may move while we read
    try:
        run = Run(folder, json.loads((folder / MANIFEST).read_text("utf-8")))
        if run.run_id != folder.name or run.as_of is None:
            raise ValueError(f"it speaks of run {run.run_id}")
    except FileNotFoundError:
        raise Refused(f"{place}: no published run; hint: `repurchase score` publishes one") from None
    except (ValueError, KeyError, TypeError) as error:  # a disk that fails is no fault of the run
        raise Refused(f"{place / MANIFEST}: cannot be read: {error}") from None
    return run


def current_dates(output: Path) -> list[date]:
    """Find the dates that have a run, in order; what others have put beside their links is passed over."""
    links = [link for link in (output / BY_DATE).glob(f"{_DATE}*") if link.is_symlink() and link.exists()]
    return sorted(day for day in map(day_of, links) if day is not None)


def day_of(place: Path) -> date | None:
    """Read the date that a path ends with; None for another name, such as that of somebody's copy.

    Examples
    --------
    >>> day_of(Path("out/scores/as_of=2026-01-01"))
    datetime.date(2026, 1, 1)
    >>> day_of(Path("out/scores/as_of=2026-01-01.bak"))
    """
    try:
        day = date.fromisoformat(place.name.removeprefix(_DATE))
    except ValueError:
        return None
    # Python reads 20260101 as well, which we never write.
    return day if place.name == f"{_DATE}{day.isoformat()}" else None


def current_run(output: Path, as_of: date) -> Run | None:
    """Find the current run of a date; None where the date has none."""
    link = date_link(output, as_of)
    return read_run(link) if link.is_symlink() and link.exists() else None


def current_runs(output: Path) -> list[Run]:
    """Find the current run of every date, in order of the dates."""
    return [read_run(date_link(output, as_of)) for as_of in current_dates(output)]


def runs_up_to(output: Path, as_of: date) -> Iterator[Run]:
    """Yield the current runs of a date and of those before it, the newest first, but for broken ones."""
    for day in reversed(current_dates(output)):
        if day <= as_of:
            with suppress(Refused):
                yield read_run(date_link(output, day))


def every_run(output: Path) -> Iterator[Run]:
    """Yield all that was published and is still there, current or not, but for broken runs."""
    for folder in sorted((output / RUNS).glob("*")):
        with suppress(Refused, OSError):
            yield read_run(folder)


def find_run(output: Path, name: str) -> Run:
    """Find a run by its id, by its date (its current run), or by ``latest``.

    Raises
    ------
    ContractError
        If the name is a path.
    Refused
        If there is none of that name.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ContractError(f"{name!r} is no name of a run", hint="a run's id, a date, or latest")
    places = (output / RUNS / name, output / BY_DATE / f"{_DATE}{name}", output / name)
    found = next((place for place in places if (place / MANIFEST).exists()), None)
    if found is None:
        raise Refused(
            f"{output / RUNS}: no run {name!r}; hint: a run's id, a date that was scored, or latest"
        )
    return read_run(found)


def run_of(output: Path, as_of: date | None) -> Run:
    """Find the current run of a date; without one, the latest run.

    Raises
    ------
    Refused
        If the date has no run, or nothing was published.
    """
    if as_of is None:
        return find_run(output, LATEST)
    run = current_run(output, as_of)
    if run is None:
        raise Refused(f"no run of {as_of}; hint: `repurchase score --as-of {as_of}` publishes one")
    return run


def faults(run: Run, needed: Collection[str] | None = None) -> list[str]:
    """Say which files of a run, or of those `needed`, are not as its manifest says; empty where all are."""
    listed = {name: entry["sha256"] for name, entry in run.manifest["files"].items()}
    there = {str(p.relative_to(run.folder)) for p in run.folder.rglob("*") if not p.is_dir()} - {MANIFEST}
    if needed is not None:
        listed, there = {name: listed[name] for name in listed.keys() & set(needed)}, there & set(needed)
    found = [f"{name} is missing" for name in sorted(listed.keys() - there)]
    found += [f"{name} does not belong to it" for name in sorted(there - listed.keys())]
    for name in sorted(listed.keys() & there):
        with (run.folder / name).open("rb") as handle:
            if hashlib.file_digest(handle, "sha256").hexdigest() != listed[name]:
                found.append(f"{name} was changed")
    return found
