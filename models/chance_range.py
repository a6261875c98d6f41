"""Between which chances the truth will lie: how far folds were off for customers who were given like ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t as student

from features.errors import ContractError

Floats = NDArray[np.float64]

GROUPS = 5
"""Fifths of the base by probability, each with errors of its own."""
FEW = 10
"""Buyers, and others, to be expected of a fifth in a fold that is to tell of it."""
LEAST_FOLDS = 1.5
"""As many independent folds the folds must be worth; fewer say nothing of the next period."""
_EDGE = 1e-6


@dataclass(frozen=True)
class ChanceRange:
    """How far the share that bought lay from the probability that was given, out of time.

    Nobody sees a customer's own chance. What can be seen is how many bought of all who were given about the
    same, a fifth of the base; that share is what the interval holds, in a period to come. It says nothing of
    how customers with one probability differ among themselves.

    Parameters
    ----------
    edges : tuple of float
        Probabilities of a purchase that separate the fifths, rising.
    middles : tuple of float
        Mean over folds of ``logit(share that bought) - logit(mean probability)``, for each fifth.
    spreads : tuple of float
        Standard deviation of the same from period to period: seasons, and the luck of so many customers.
    n_folds : tuple of float
        As many independent folds these are known from, for each fifth, more than 1: folds whose labels share
        days count for less.
    """

    edges: tuple[float, ...]
    middles: tuple[float, ...]
    spreads: tuple[float, ...]
    n_folds: tuple[float, ...]

    def interval(self, p: Floats, level: float = 0.8) -> tuple[Floats, Floats]:
        """Return the ends, shape (n,), between which the share that buys lies with probability `level`.

        The probability itself is always within.

        Raises
        ------
        ContractError
            If the level is not between 0 and 1.

        Examples
        --------
        >>> known = ChanceRange(edges=(0.5,), middles=(0.0, 0.0), spreads=(0.1, 0.4), n_folds=(6.0, 6.0))
        >>> low, high = known.interval(np.array([0.2, 0.8]))
        >>> low.round(2), high.round(2)
        (array([0.18, 0.68]), array([0.23, 0.88]))
        """
        if not 0 < level < 1:
            raise ContractError("the level of an interval lies between 0 and 1", example=level)
        place = np.searchsorted(self.edges, p, side="right")
        n_folds = np.asarray(self.n_folds)
        # One period more, and a middle that a few folds tell (Student's t for their number).
        widths = student.ppf((1 + level) / 2, n_folds - 1) * np.sqrt(1 + 1 / n_folds)
        half = (widths * np.asarray(self.spreads))[place]
        middle = np.asarray(self.middles)[place]
        given = logit(np.clip(p, _EDGE, 1 - _EDGE))
        low, high = (
            expit(given + np.minimum(middle - half, 0.0)),
            expit(given + np.maximum(middle + half, 0.0)),
        )
        return np.minimum(low, p), np.maximum(high, p)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "edges": list(self.edges),
            "middles": list(self.middles),
            "spreads": list(self.spreads),
            "n_folds": list(self.n_folds),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> ChanceRange:
        """Rebuild from `to_dict`."""
        return cls(*(tuple(state[name]) for name in ("edges", "middles", "spreads", "n_folds")))


def fit_chance_range(table: pd.DataFrame, recipe: str, horizon: int) -> ChanceRange | None:
    """Learn from the folds how far to trust a probability.

    Parameters
    ----------
    table : DataFrame
        Of `models.folds.fold_table`, several folds. Rows that stand for several customers count once.
    recipe : str
        The one that was chosen: ``p_<recipe>`` is what it said.
    horizon : int
        Days of the labels.

    Returns
    -------
    ChanceRange or None
        None where no fifth is told by as much as `LEAST_FOLDS` independent folds.

    Notes
    -----
    Folds whose labels share days are alike: two that lie ``d`` days apart are taken to correlate by
    ``1 - d / horizon``, the share of days in both. With ``c`` the mean of that over pairs, ``n`` folds are
    worth ``n / (1 + (n - 1) c)``, and the variance between them shows ``1 - c`` of the variance from period
    to period (Kish 1965, "Survey Sampling", on the design effect of clusters).
    """
    once = table.drop_duplicates(["customer_id", "cutoff"])
    p = once[f"p_{recipe}"].to_numpy(np.float64)
    # Equal chances are not parted; where all are alike, one group is left.
    edges = np.unique(np.quantile(p, np.arange(1, GROUPS) / GROUPS))
    edges = edges[edges > p.min()]
    cells = pd.DataFrame(
        {
            "place": np.searchsorted(edges, p, side="right"),
            "cutoff": pd.to_datetime(once["cutoff"]).to_numpy(),
            "p": p,
            "bought": once["bought"].to_numpy(np.float64),
        }
    )
    sums = cells.groupby(["place", "cutoff"], as_index=False).agg(
        n=("p", "size"), p=("p", "mean"), bought=("bought", "sum")
    )
    sums["p"] = sums["p"].clip(_EDGE, 1 - _EDGE)
    sums["luck"] = 1 / (sums["n"] * sums["p"] * (1 - sums["p"]))
    # Half a buyer more and half a buyer less keep it finite; who is looked at does not depend on who bought.
    sums["off"] = logit((sums["bought"] + 0.5) / (sums["n"] + 1)) - logit(sums["p"])
    able = sums[(sums["n"] * np.minimum(sums["p"], 1 - sums["p"])) >= FEW]
    told = {place: _told(able[able["place"] == place], horizon) for place in range(len(edges) + 1)}
    found = {place: one for place, one in told.items() if one is not None}
    if not found:
        return None
    luck = sums.groupby("place")["luck"].mean()
    each = [_nearest(found, place, float(luck[place])) for place in range(len(edges) + 1)]
    return ChanceRange(
        tuple(map(float, edges)),
        tuple(told.middle for told in each),
        tuple(float(np.sqrt(told.variance)) for told in each),
        tuple(told.n_folds for told in each),
    )


@dataclass(frozen=True)
class _Told:
    """What folds tell of one fifth; `luck` is what so many customers make of the variance by chance."""

    middle: float
    variance: float
    luck: float
    n_folds: float


def _told(rows: pd.DataFrame, horizon: int) -> _Told | None:
    n, off = len(rows), rows["off"].to_numpy()
    if n < 2:
        return None
    days = (rows["cutoff"] - rows["cutoff"].min()).dt.days.to_numpy()
    alike = np.clip(1 - np.abs(days[:, None] - days) / horizon, 0, 1)
    shared = (alike.sum() - n) / (n * (n - 1))
    worth = n / (1 + (n - 1) * shared)
    if worth < LEAST_FOLDS:
        return None
    variance = off.var(ddof=1) / (1 - shared)
    return _Told(float(off.mean()), float(variance), float(rows["luck"].mean()), float(worth))


def _nearest(found: Mapping[int, _Told], place: int, luck: float) -> _Told:
    """Let a fifth that no folds tell of, for few buyers or others, go by the nearest, with its own luck."""
    if place in found:
        return found[place]
    told = found[min(found, key=lambda one: abs(one - place))]
    return replace(told, variance=max(told.variance - told.luck, 0.0) + luck)
