"""Scorings of a shop some days after each of its trainings, on features alone: no model is fitted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from features.build import build_features, to_model_frame
from features.feature import Feature
from features.history import make_history
from features.snapshot import take_snapshot
from models.categories import learn_categories
from models.reference import Reference, learn_reference, some_of_each
from models.schedule import plan
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.purchase_log import PurchaseLog, open_log

TRAINED = (0.5, 0.65, 0.8)
"""Shares of the log after which the shop trains."""
DAYS = (1, 7, 14, 28, 60, 90, 180)
"""Days from a training to its scorings."""
SEED = 7


@dataclass(frozen=True)
class Scoring:
    """A scoring as far as drift looks at it.

    Parameters
    ----------
    shop : str
        Its name.
    until : date
        First day that the training did not see.
    days : int
        From there to the scoring.
    reference : Reference
        Of the training.
    features : tuple of Feature
        What the columns of the frame are.
    frame : DataFrame
        The features of all customers.
    """

    shop: str
    until: date
    days: int
    reference: Reference
    features: tuple[Feature, ...]
    frame: pd.DataFrame

    @property
    def as_of(self) -> date:
        """Date of the scoring."""
        return self.until + timedelta(self.days)


def scorings(shop: str, config: Path) -> Iterator[Scoring]:
    """Train and score, as far as the log goes; a shop too young or too small for a training has none."""
    read = load_config(config)
    with open_engine(read) as engine:
        log = open_log(engine, read, Console(quiet=True))
        horizons = read.target.horizons
        looks = dict(_trainings(log, horizons, read.target.primary_horizon))
        dates = sorted({day for until, some in looks.items() for day in (*some, *_after(until, log.end))})
        if not dates:
            return
        features = tuple(log.features(horizons))
        snapshot = take_snapshot(make_history(log.records, engine.keep), dates)
        built = engine.frame(build_features(snapshot, horizons, [f.name for f in features]))
        panel, first_day, end = to_model_frame(built, features), log.first_day, log.end
    for until, some in looks.items():
        seen = panel[panel["cutoff"].isin([pd.Timestamp(day) for day in some])].reset_index(drop=True)
        rows = some_of_each(seen, until, SEED).reset_index(drop=True)
        none = pd.DataFrame(index=rows.index)
        reference = learn_reference(rows, none, learn_categories(rows), first_day)
        for day in _after(until, end) if reference is not None else ():
            now = panel[panel["cutoff"] == pd.Timestamp(day)]
            yield Scoring(shop, until, (day - until).days, reference, features, now)


def _trainings(
    log: PurchaseLog, horizons: Sequence[int], primary: int
) -> Iterator[tuple[date, tuple[date, ...]]]:
    """Say when the shop trains, and at which dates it looks for that."""
    length = (log.end - log.first_day).days
    for share in TRAINED:
        until = log.first_day + timedelta(int(share * length))
        schedule = plan(log.first_day, until, horizons, primary, None, log.period)
        if schedule is not None:
            yield until, (*schedule.cutoffs, until)


def _after(until: date, end: date) -> list[date]:
    return [until + timedelta(days) for days in DAYS if until + timedelta(days) <= end]
