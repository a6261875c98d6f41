"""Bins: into which few groups a column tells the customers apart, so that two counts can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST = 10
"""Bins of a column of numbers, the missing values not counted."""
MASS = 0.1
"""Share of the customers from which on a single value, such as 0, has a bin of its own."""
FEWEST = 20
"""Customers between two edges, when they are drawn."""
DIGITS = 3
"""To so many an edge is rounded: it tells of a size, and not what some customer has."""
MISSING, OTHER = "missing", "other"


@dataclass(frozen=True)
class Bins:
    """How one column is binned.

    Parameters
    ----------
    edges : tuple of float
        Of numbers, rising: the bin of a number ends at the first edge that is not below it.
    values : tuple of str, optional
        Of text: those with a bin of their own. The last bin of either kind is that of missing values; the one
        before it that of all numbers beyond the last edge, or of all other texts.

    Examples
    --------
    >>> Bins((0.0, 10.0)).count(pd.Series([0, 3, 10, 11, None]))
    [1, 2, 1, 1]
    >>> Bins(values=("web", "shop")).count(pd.Series(["shop", "fax", "web", None, "shop"]))
    [1, 2, 1, 1]
    """

    edges: tuple[float, ...] = ()
    values: tuple[str, ...] | None = None

    def count(self, column: "pd.Series[Any]") -> list[int]:
        """Count the customers in each bin; the counts of pieces add up to that of the whole."""
        missing = column.isna().to_numpy()
        size = len(self.edges if self.values is None else self.values) + 1
        places = self._places(column[~missing])
        return [*np.bincount(places, minlength=size).tolist(), int(missing.sum())]

    def _places(self, known: "pd.Series[Any]") -> NDArray[np.int64]:
        if self.values is None:
            return np.searchsorted(np.array(self.edges), known.to_numpy(float), side="left").astype(np.int64)
        found = pd.Index([*self.values], dtype="str").get_indexer(pd.Index(known, dtype="str"))
        return np.where(found < 0, len(self.values), found).astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain values."""
        return {"edges": [*self.edges]} if self.values is None else {"values": [*self.values]}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Bins":
        """Read what `to_dict` wrote."""
        values = state.get("values")
        return cls(tuple(state.get("edges", ())), None if values is None else tuple(values))


def number_bins(column: "pd.Series[Any]", every: "pd.Series[Any] | None" = None) -> Bins:
    """Draw edges by the quantiles of a column; values that many customers share get bins of their own.

    Parameters
    ----------
    column : Series
        Of numbers.
    every : Series, optional
        The column at other times as well: what many shared then gets a bin, too.

    Examples
    --------
    >>> number_bins(pd.Series([0.0] * 60 + list(range(1, 41)))).edges
    (-5e-324, 0.0, 20.5)
    """
    known = _known(column)
    shared = _shared(known) if every is None else np.union1d(_shared(known), _shared(_known(every)))
    others = known[~np.isin(known, shared)]
    n = min(MOST - len(shared), len(others) // FEWEST)
    between = np.quantile(others, np.arange(1, n) / n) if n > 1 else np.empty(0)
    rounded = [float(f"{edge:.{DIGITS}g}") for edge in between]
    with np.errstate(over="ignore"):  # below the least number there is none, and no edge is needed
        below = np.nextafter(shared, -np.inf)
    edges = np.unique(np.concatenate([rounded, shared, below[np.isfinite(below)]]))
    return Bins(tuple(edges.tolist()))


def _known(column: "pd.Series[Any]") -> NDArray[np.float64]:
    numbers = column.to_numpy(float)
    return np.asarray(numbers[np.isfinite(numbers)])


def _shared(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    values, counts = np.unique(numbers, return_counts=True)
    return np.asarray(values[counts >= MASS * max(len(numbers), 1)])


def text_bins(values: Sequence[str]) -> Bins:
    """Give the values that a model tells apart bins of their own."""
    return Bins(values=tuple(values))


def shares(counts: Sequence[int]) -> NDArray[np.float64]:
    """Return the share of each bin, with half a customer more in each so that none is empty."""
    more = np.asarray(counts, dtype=float) + 0.5
    return np.asarray(more / more.sum())
