"""Between which chances the truth will lie: how far folds were off for customers who were given like ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
FEW = 20
"""Buyers, and others, that a fifth needs in a fold to tell its rate."""
_EDGE = 1e-6


@dataclass(frozen=True)
class ChanceRange:
    """How far the share that bought lay from the probability that was given, out of time.

    Nobody sees a customer's own chance. What can be seen is how many bought of all who were given about the
    same; that share is what the interval holds, in a period to come. It says nothing of how customers with
    one probability differ among themselves.

    Parameters
    ----------
    edges : tuple of float
        Probabilities of a purchase that separate the fifths, rising.
    middles : tuple of float
        Mean over folds of ``logit(share that bought) - logit(mean probability)``, for each fifth.
    spreads : tuple of float
        Standard deviation of the same over folds, beyond what chance makes of it.
    n_folds : int
        How many folds that is known from, at least 2.
    """

    edges: tuple[float, ...]
    middles: tuple[float, ...]
    spreads: tuple[float, ...]
    n_folds: int

    def interval(self, p: Floats, level: float = 0.8) -> tuple[Floats, Floats]:
        """Return the ends, shape (n,), between which the share that buys lies with probability `level`.

        The probability itself is always within.

        Raises
        ------
        ContractError
            If the level is not between 0 and 1.

        Examples
        --------
        >>> known = ChanceRange(edges=(0.5,), middles=(0.0, 0.0), spreads=(0.1, 0.4), n_folds=6)
        >>> low, high = known.interval(np.array([0.2, 0.8]))
        >>> low.round(2), high.round(2)
        (array([0.18, 0.68]), array([0.23, 0.88]))
        """
        if not 0 < level < 1:
            raise ContractError("the level of an interval lies between 0 and 1", example=level)
        place = np.searchsorted(self.edges, p, side="right")
        # One period more, and a middle that a few folds tell (Student's t for their number).
        width = student.ppf((1 + level) / 2, self.n_folds - 1) * np.sqrt(1 + 1 / self.n_folds)
        half = width * np.asarray(self.spreads)[place]
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
            "n_folds": self.n_folds,
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> ChanceRange:
        """Rebuild from `to_dict`."""
        return cls(
            tuple(state["edges"]), tuple(state["middles"]), tuple(state["spreads"]), int(state["n_folds"])
        )


def fit_chance_range(table: pd.DataFrame, recipe: str) -> ChanceRange | None:
    """Learn from the folds how far to trust a probability.

    Parameters
    ----------
    table : DataFrame
        Of `models.folds.fold_table`, several folds.
    recipe : str
        The one that was chosen: ``p_<recipe>`` is what it said.

    Returns
    -------
    ChanceRange or None
        None with fewer than two folds that can tell, for some fifth.

    Notes
    -----
    The spread is that of DerSimonian and Laird (1986, "Meta-analysis in clinical trials"): the variance of
    the folds' differences, less the mean of what chance gives each.
    """
    p = table[f"p_{recipe}"].to_numpy(np.float64)
    # Equal chances are not parted; where all are alike, one group is left.
    edges = np.unique(np.quantile(p, np.arange(1, GROUPS) / GROUPS))
    edges = edges[edges > p.min()]
    cells = pd.DataFrame(
        {
            "place": np.searchsorted(edges, p, side="right"),
            "cutoff": table["cutoff"].to_numpy(),
            "p": p,
            "bought": table["bought"].to_numpy(np.float64),
        }
    )
    sums = cells.groupby(["place", "cutoff"]).agg(n=("p", "size"), p=("p", "mean"), bought=("bought", "sum"))
    sums = sums[(sums["bought"] >= FEW) & (sums["n"] - sums["bought"] >= FEW)]
    share = sums["bought"] / sums["n"]
    sums["off"] = logit(share) - logit(sums["p"].clip(_EDGE, 1 - _EDGE))
    sums["by_chance"] = 1 / (sums["n"] * share * (1 - share))
    told = sums.groupby("place").agg(
        folds=("off", "size"), middle=("off", "mean"), var=("off", "var"), by_chance=("by_chance", "mean")
    )
    told = told[told["folds"] > 1]
    if told.empty:
        return None
    # A fifth that no fold can tell of, as few in it buy, or few do not, goes by the nearest that can.
    nearest = [int(np.abs(told.index.to_numpy() - place).argmin()) for place in range(len(edges) + 1)]
    spreads = (told["var"] - told["by_chance"]).clip(lower=0.0) ** 0.5
    return ChanceRange(
        tuple(map(float, edges)),
        tuple(float(told["middle"].iloc[one]) for one in nearest),
        tuple(float(spreads.iloc[one]) for one in nearest),
        int(told["folds"].min()),
    )
