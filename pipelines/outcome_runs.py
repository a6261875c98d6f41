"""Which published runs can be held to account by a date, and which of their windows are over."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from features.errors import ContractError
from features.periods import Period
from models.outcomes import MODEL
from pipelines.config import Config
from pipelines.failures import NotReady, Refused
from pipelines.published_runs import SCORES, Run, current_dates, date_link, faults, read_run
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import foreign_names

_PROMISE = re.compile(r"p_purchase_(\d+)d")


@dataclass(frozen=True)
class Window:
    """What a run says of one horizon.

    Parameters
    ----------
    run : Run
        Whose promise it is.
    horizon : int
        Days.
    end : date
        First day after it: `horizon` days on, or so many whole weeks or months.
    """

    run: Run
    horizon: int
    end: date


@dataclass(frozen=True)
class Due:
    """What can be closed.

    Parameters
    ----------
    until : date
        First day that is not looked at: the date that was asked for, or the end of the log.
    closed, waiting : list of Window
        Those that are over by then, and the others, runs in the order of their dates.
    left_out : list of str
        Which runs are not held to account, and why.
    """

    until: date
    closed: list[Window]
    waiting: list[Window]
    left_out: list[str]

    @property
    def runs(self) -> list[Run]:
        """Those with something to close."""
        return list({window.run.run_id: window.run for window in self.closed}.values())

    def horizons(self, run: Run) -> list[int]:
        """Which of a run's horizons are over."""
        return [window.horizon for window in self.closed if window.run.run_id == run.run_id]

    @property
    def models(self) -> list[dict[str, Any]]:
        """Whose promises are over, horizon by horizon, with the names of `models.outcomes.MODEL`."""
        found = [
            (window.horizon, str(model["version"]), str(model["digest"]))
            for window in sorted(self.closed, key=lambda window: window.horizon)
            for model in [window.run.manifest["model"]]
        ]
        return [dict(zip(MODEL, one, strict=True)) for one in dict.fromkeys(found)]

    @property
    def next(self) -> Window | None:
        """The first to close after this; None where nothing is waiting."""
        return min(self.waiting, key=lambda window: window.end, default=None)


def honest_runs(
    config: Config, as_of: date, needed: Collection[str] | None = None
) -> tuple[list[Run], list[str]]:
    """Find the current run of every date before `as_of` that can be held to account, and say which cannot.

    Left out are runs in hindsight, whose model had seen what came; runs that are not as they were published;
    those of a model of another name, and those under pseudonyms that the present key does not give. Of a run,
    all files are checked, or those alone that are `needed`.

    Raises
    ------
    Refused
        If nothing was ever published.
    """
    dates = current_dates(config.output)
    if not dates:
        raise Refused(
            f"{config.output}: no run has been published; hint: `repurchase score --as-of D` publishes one"
        )
    runs: list[Run] = []
    left_out: list[str] = []
    for day in dates:
        if day < as_of:
            try:
                run = read_run(date_link(config.output, day))
                why = why_not(run, config, needed)
            except Refused as reason:
                left_out.append(f"the run of {day} is left out: {reason}")
                continue
            if why is None:
                runs.append(run)
            else:
                left_out.append(f"run {run.run_id} of {day} is left out: {why}")
    return runs, left_out


def why_not(run: Run, config: Config, needed: Collection[str] | None = None) -> str | None:
    """Say why a run cannot be held to account; None if it can."""
    if run.is_hindsight:
        return "its model had seen what came after that date (hindsight)"
    wrong = faults(run, needed)
    if wrong:
        return f"it is not as it was published: {'; '.join(wrong[:3])}"
    name = run.manifest["model"]["name"]
    if name != config.mlflow.model:
        return f"it is of model {name!r}, and [mlflow] model is {config.mlflow.model!r}"
    return foreign_names(run, config)


def due(config: Config, log: PurchaseLog, as_of: date) -> Due:
    """Find what is over by `as_of`, as far as the log goes.

    Raises
    ------
    Refused
        If nothing was ever published.
    NotReady
        If nothing is over yet, naming the date on which the first will be.
    """
    runs, left_out = honest_runs(config, as_of)
    until = min(as_of, log.end)
    windows: list[Window] = []
    for run in runs:
        try:
            windows += _windows(run, log.period)
        except ContractError as reason:  # the log told its dates otherwise when it was scored
            left_out.append(f"run {run.run_id} of {run.as_of} is left out: {reason}")
    closed = [window for window in windows if window.end <= until]
    found = Due(until, closed, [window for window in windows if window.end > until], left_out)
    if not closed:
        raise NotReady(_nothing(found, as_of, log))
    return found


def _windows(run: Run, period: Period) -> Iterator[Window]:
    horizons = promised(run.folder / SCORES)
    period.check_horizons(horizons)
    for horizon in horizons:
        yield Window(run, horizon, period.end_of(run.as_of, horizon))


def promised(scores: Path) -> list[int]:
    """Read off the columns of a run's scores which horizons it speaks of."""
    found = map(_PROMISE.fullmatch, pq.read_schema(scores).names)
    return sorted(int(match[1]) for match in found if match)


def _nothing(found: Due, as_of: date, log: PurchaseLog) -> str:
    said = "; ".join(found.left_out)
    if found.next is None:
        return f"no run before {as_of} can be held to account" + (f": {said}" if said else "")
    first = found.next
    short = f", and the log ends before {log.end}" if log.end < min(as_of, first.end) else ""
    text = (
        f"nothing has matured by {as_of}{short}: the first to do so are the {first.horizon} days from "
        f"{first.run.as_of} on, with `--as-of {first.end}` and a log that goes up to it"
    )
    return f"{text}; {said}" if said else text
