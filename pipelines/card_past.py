"""What the log tells of one customer: their orders, and how they stood at dates of the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.build import build_features
from features.calendar import day_from_number, day_number
from features.contracts import MONEY_UNITS
from features.history import make_history
from features.one_customer import known_orders
from features.periods import Period
from features.records import Records
from features.snapshot import take_snapshot
from pipelines.engine import Engine

POINTS, RECENT = 60, 30
"""Dates at which the past is looked at, evenly; and the latest orders at which it is looked at closely."""
STANDING = ("frequency", "recency", "T")


@dataclass(frozen=True)
class Order:
    """An order as it was known at the run's date.

    Parameters
    ----------
    day : date
        Of the order; of a log told by periods, the first day of the period.
    number : str
        As the log has it.
    amount, refunded : float
        Net, and what was taken back of it, in the log's currency.
    is_refund : bool
        A refund of which no order is known.
    """

    day: date
    number: str
    amount: float
    refunded: float
    is_refund: bool


@dataclass(frozen=True)
class Past:
    """All of it, up to the run's date.

    Parameters
    ----------
    orders : list of Order
        The oldest first.
    standing : DataFrame
        ``cutoff`` (date), ``frequency, recency, T``: by what was known before each cutoff, as features
        are, the last cutoff being the run's date.
    """

    orders: list[Order]
    standing: pd.DataFrame

    @property
    def bought(self) -> bool:
        """Whether there was a purchase at the run's date that had not been taken back."""
        return not self.standing.empty


def find_past(engine: Engine, records: Records, period: Period, as_of: date) -> Past:
    """Look at a customer's rows.

    Parameters
    ----------
    engine : Engine
        Where they are.
    records : Records
        Of `features.one_customer.rows_of_one`.
    period : Period
        What a date of the log stands for.
    as_of : date
        Rows known on it or later are not seen.
    """
    history = make_history(records, engine.keep)
    found = engine.frame(known_orders(history.parts["entries"], day_number(as_of)))
    orders = [_order(row, period) for row in found.to_dict("records")]
    days = engine.frame(history.parts["days"])
    known = [day_from_number(int(day)) for day in sorted(days["known_from"]) if day < day_number(as_of)]
    if not known:
        return Past(orders, pd.DataFrame(columns=["cutoff", *STANDING]))
    cutoffs = grid(known, as_of, period)
    rows = engine.frame(build_features(take_snapshot(history, cutoffs), names=STANDING))
    rows = rows.sort_values("cutoff", ignore_index=True)
    rows["cutoff"] = rows["cutoff"].map(lambda number: day_from_number(int(number)))
    if rows.empty or rows["cutoff"].iloc[-1] != as_of:  # all was taken back meanwhile
        rows = rows.head(0)
    return Past(orders, rows[["cutoff", *STANDING]])


def grid(known: Sequence[date], as_of: date, period: Period) -> list[date]:
    """Choose the dates at which to look: evenly, and before and after the latest orders.

    Between two orders P(alive) falls, and it rises with each: dates that lie evenly alone would cut off
    the peaks. Of a log told by periods, dates lie where one starts, as no other is ever scored.

    Parameters
    ----------
    known : sequence of date
        Rising: days on which orders became known.
    as_of : date
        The last of the dates.
    period : Period
        Of the log.

    Examples
    --------
    >>> from features.periods import DAY
    >>> [str(day) for day in grid([date(2024, 1, 1)], date(2024, 1, 4), DAY)]
    ['2024-01-02', '2024-01-03', '2024-01-04']
    """
    first = known[0]
    steps = np.linspace(0, (as_of - first).days, POINTS + 1).round().astype(int)
    evenly = [first + timedelta(int(step)) for step in steps]
    closely = [day + timedelta(after) for day in known[-RECENT:] for after in (0, 1)]
    placed = {period.floor(day) for day in [*evenly, *closely]}
    return sorted({day for day in placed if first < day < as_of} | {as_of})


def _order(row: dict[object, object], period: Period) -> Order:
    amounts = {name: int(str(row[name])) / MONEY_UNITS for name in ("amount", "refunded")}
    day = period.floor(day_from_number(int(str(row["day"]))))
    return Order(day, str(row["order_id"]), **amounts, is_refund=bool(row["is_balance"]))
