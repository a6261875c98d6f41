"""What a log looks like, counted on the engine: plain numbers and small frames for `models` to judge."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from features.calendar import day_from_number, day_number
from features.door import at_the_door
from features.grains import order_ledger, purchase_days
from features.history import History
from features.periods import Period, label_ends
from features.profile import (
    amount_bins,
    daily_copies,
    daily_purchases,
    delay_counts,
    file_rows,
    largest_days,
    purchase_steps,
    shared_by_files,
    silence_counts,
    step_totals,
    window_counts,
)
from features.snapshot import take_snapshot
from models.schedule import Schedule
from models.silences import Silences
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.purchase_log import PurchaseLog
from pipelines.sources import FILE_COLUMN, open_transactions

TOP = 5


@dataclass(frozen=True)
class LogProfile:
    """A log in numbers, as it was known before `until`.

    Parameters
    ----------
    steps, lines : ibis Table
        Of `features.profile.purchase_steps`, kept on the engine; the lines of the same days.
    customers, one_time, orders : int
        Customers with a purchase, those with one purchase day only, and all orders.
    daily : DataFrame
        One row for every day, a DatetimeIndex: ``buyers, newcomers, orders, amount`` (1/10,000 units),
        ``rows, distinct_rows, copied_rows``.
    period : Period
        The grain of the dates.
    silences : dict of str to Silences
        Of ``"all"``, after the ``"first_purchase"``, after a ``"repeat"``.
    """

    steps: ir.Table
    lines: ir.Table
    customers: int
    one_time: int
    orders: int
    daily: pd.DataFrame
    period: Period
    silences: dict[str, Silences]

    @property
    def until(self) -> date:
        """First day that is not looked at."""
        last: date = self.daily.index[-1].date()
        return last + timedelta(1)


def profile_log(engine: Engine, log: PurchaseLog, until: date) -> LogProfile | None:
    """Count a log from its first day until before `until`; None if there is no purchase."""
    steps = engine.keep(purchase_steps(_purchase_days(engine, log, until)), "profile_steps")
    totals = engine.frame(step_totals(steps)).iloc[0]
    if not int(totals["customers"]):
        return None
    lines = _lines(log, until)
    daily = _daily(engine, steps, lines, log.first_order_day, until)
    return LogProfile(
        steps=steps,
        lines=lines,
        customers=int(totals["customers"]),
        one_time=int(totals["one_time"]),
        orders=int(totals["orders"]),
        daily=daily,
        period=log.period,
        silences=_silences(engine, steps, log.first_order_day, until),
    )


def find_silences(engine: Engine, log: PurchaseLog, until: date) -> dict[str, Silences] | None:
    """Count the silences of a log's profile alone, from the history that scoring has made; None as there."""
    steps = purchase_steps(_seen_days(log.history(engine, until), log, until))
    found = _silences(engine, steps, log.first_order_day, until)
    return found if found["all"].at_risk.any() else None


def _purchase_days(engine: Engine, log: PurchaseLog, until: date) -> ir.Table:
    """``customer_id, day, amount, n_orders``, as known before `until`; stray dates left out."""
    records = log.records
    ledger = order_ledger(
        records.lines, records.cancellation_prefix, lambda table, name: engine.keep(table, f"profile_{name}")
    )
    history = History({"days": purchase_days(ledger, has_late="recorded_at" in records.has)}, records.has)
    return _seen_days(history, log, until)


def _seen_days(history: History, log: PurchaseLog, until: date) -> ir.Table:
    days = take_snapshot(history, [until]).grains["days"]
    return days.filter(days.day >= day_number(log.first_order_day)).drop("cutoff")


def copies_by_day(engine: Engine, log: PurchaseLog, until: date) -> pd.DataFrame:
    """Count the lines known before `until` and the copies among them, for `models.double_loads`."""
    copies = engine.frame(daily_copies(_lines(log, until))).sort_values("day")
    return copies.set_index(pd.DatetimeIndex(copies["day"].map(day_from_number))).drop(columns="day")


def _lines(log: PurchaseLog, until: date) -> ir.Table:
    """Lines known before `until`; those of stray dates left out."""
    known = log.lines.known_day < day_number(until)
    return log.lines.filter(known & (log.lines.day >= day_number(log.first_order_day)))


def _daily(engine: Engine, steps: ir.Table, lines: ir.Table, first: date, until: date) -> pd.DataFrame:
    purchases = engine.frame(daily_purchases(steps)).set_index("day")
    copies = engine.frame(daily_copies(lines)).set_index("day")
    span = range(day_number(first), day_number(until))
    daily = purchases.join(copies, how="outer").reindex(span).fillna(0).astype("int64")
    return daily.set_index(pd.date_range(first, until - timedelta(1)))


def _silences(engine: Engine, steps: ir.Table, first: date, until: date) -> dict[str, Silences]:
    counts = engine.frame(silence_counts(steps, day_number(until)))
    size = (until - first).days + 1

    def of(rows: pd.DataFrame) -> Silences:
        return Silences(
            *(
                np.bincount(part["days"], part["n"], size).astype(np.int64)
                for part in (rows[~rows["is_open"]], rows[rows["is_open"]])
            )
        )

    return {
        "all": of(counts),
        "first_purchase": of(counts[counts["is_first"]]),
        "repeat": of(counts[~counts["is_first"]]),
    }


def count_windows(
    engine: Engine, profile: LogProfile, schedule: Schedule, horizons: Sequence[int]
) -> pd.DataFrame:
    """Count customers and buyers at every cutoff of a schedule.

    Returns
    -------
    DataFrame
        ``cutoff, horizon, known, buyers, is_fold``; only horizons whose label is known by ``until``.
    """
    ends = label_ends(schedule.cutoffs, horizons, profile.period)
    windows = {day_number(c): {h: day_number(e) for h, e in of.items()} for c, of in ends.items()}
    row = engine.frame(window_counts(profile.steps, windows)).iloc[0]
    found = [
        {
            "cutoff": c, "horizon": h, "known": int(row[f"known_{day_number(c)}"]),
            "buyers": int(row[f"buyers_{day_number(c)}_{h}"]), "is_fold": c in schedule.folds,
        }
        for c, of in ends.items() for h, end in of.items() if end <= schedule.until
    ]  # fmt: skip
    return pd.DataFrame(found)


def find_amounts(engine: Engine, profile: LogProfile) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the bins of the amounts, and the highest purchases."""
    bins = engine.frame(amount_bins(profile.steps))
    top = engine.frame(largest_days(profile.steps, TOP))
    return bins, top.assign(day=top["day"].map(day_from_number)).drop(columns="customer_id")


def find_delays(engine: Engine, profile: LogProfile, config: Config) -> pd.DataFrame | None:
    """Count how late rows are recorded; None for a log that does not say, by the day."""
    if "recorded_at" not in config.tables.transactions.columns or profile.period.kind != "day":
        return None
    return engine.frame(delay_counts(profile.lines))


def find_shared_rows(engine: Engine, config: Config) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Look for the same rows under two files; None for a source that is one.

    Returns
    -------
    shared, files
        As `models.double_loads.judge_files` takes them; files by their names without the folder.
    """
    if "://" in config.tables.transactions.source or not glob.has_magic(config.tables.transactions.source):
        return None
    raw, columns = open_transactions(engine, config)
    if FILE_COLUMN not in raw.columns:
        return None
    door = at_the_door(raw, config.contract(columns))
    files = engine.frame(file_rows(door, FILE_COLUMN))
    shared = engine.frame(shared_by_files(door, FILE_COLUMN))
    short = {path: Path(path).name for path in files["file"]}
    if len(set(short.values())) < len(short):
        short = {path: path for path in short}
    return (
        shared.assign(
            one=shared["one"].map(short),
            other=shared["other"].map(short),
            first_day=shared["first_day"].map(day_from_number),
            last_day=shared["last_day"].map(day_from_number),
        ),
        files.assign(file=files["file"].map(short)),
    )
