"""The grain of a log's dates, and the horizons that it can answer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import ContractError
from features.periods import DAY, Period, detect_period
from pipelines.guess_dates import as_dates

PRIMARY = 90  # days
HORIZONS = {
    "day": (7, 14, 28, PRIMARY),
    "week": (7, 14, 28, PRIMARY),
    "month": (30, 60, PRIMARY),
    "quarter": (PRIMARY, 180),
}
"""Days ahead to predict by the grain of the log: of each kind those that are nearly whole periods."""


@dataclass(frozen=True)
class Grain:
    """What the dates of a log stand for, and what that asks of the config.

    Parameters
    ----------
    period : Period
        The grain.
    doubt : str
        What a person should look at; empty if nothing.
    """

    period: Period = DAY
    doubt: str = ""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Days ahead that such a log can answer; `PRIMARY` is among them."""
        return HORIZONS[self.period.kind]

    def said(self) -> str:
        """Say it for people; nothing of a log to the day, as most are."""
        if self.period.kind == "day":
            return ""
        said = self.period.said(self.horizons)
        return f"{said[0].upper()}{said[1:]}. The horizons under [target] are chosen to fit."


def find_grain(column: pd.Series, form: str | None) -> Grain:
    """
    Find the grain of the dates of the orders (`features.periods.detect_period`).

    Parameters
    ----------
    column : pandas.Series
        A sample of the column: the more of the log it holds, the surer the answer.
    form : str or None
        The format of dates written as text.

    Examples
    --------
    >>> firsts = [f"2024-{month:02}-01" for month in range(1, 9)]
    >>> find_grain(pd.Series(firsts), None).horizons, find_grain(pd.Series(["2024-01-05"]), None).horizons
    ((30, 60, 90), (7, 14, 28, 90))
    """
    dates = as_dates(column.dropna(), form).dropna()
    days, rows = np.unique(dates.to_numpy().astype("datetime64[D]").astype(np.int64), return_counts=True)
    try:
        return Grain(detect_period(days, rows.astype(np.int64)))
    except ContractError as reason:  # to write no config would hide what else was guessed
        return Grain(doubt=str(reason))
