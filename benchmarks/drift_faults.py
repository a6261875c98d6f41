"""What a broken feed makes of the features of a scoring."""

from collections.abc import Callable

import pandas as pd

from benchmarks.drift_scorings import Scoring
from features.wording import windows

RECENT = ("orders_", "spend_")
"""Features of these names, with a window, tell who has bought lately."""
SILENT = 28


def with_amounts(scoring: Scoring, factor: float) -> pd.DataFrame:
    """All amounts of the log times a factor."""
    money = [f.name for f in scoring.features if f.unit in ("money", "currency")]
    return scoring.frame.assign(**{name: scoring.frame[name] * factor for name in money})


def silent(scoring: Scoring) -> pd.DataFrame:
    """Nobody has bought for `SILENT` days."""
    return scoring.frame.assign(**dict.fromkeys(_recent(scoring), 0.0))


def active(scoring: Scoring) -> float:
    """Share of the customers who have bought within `SILENT` days."""
    bought = scoring.frame[[name for name in _recent(scoring) if name.startswith("orders_")]] > 0
    return float(bought.any(axis=1).mean())


def _recent(scoring: Scoring) -> list[str]:
    found = [f.name for f in scoring.features if f.name.startswith(RECENT) and f.unit in ("orders", "money")]
    return [name for name in found if len(windows(name)) == 1 and windows(name)[0] <= SILENT]


FAULTS: dict[str, Callable[[Scoring], pd.DataFrame]] = {
    "amounts times 100": lambda scoring: with_amounts(scoring, 100.0),
    "amounts divided by 25": lambda scoring: with_amounts(scoring, 1 / 25),
    "nobody has bought for four weeks": silent,
}
