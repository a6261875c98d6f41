"""The reference: how customers were spread over features and scores at each look of a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from models.bins import Bins, number_bins, text_bins
from models.categories import Categories

Counts = dict[str, list[int]]
"""Column to its customers by bin."""

LEAST = 100
"""Customers a look needs: below, chance alone moves a column about as far as `[limits] max_psi`."""
COMPARABLE = 0.25
"""Of the newest look's customers an earlier one needs: a shop in its first weeks is another shop."""
ENOUGH = 10_000
"""Customers of a look that are counted: chance then moves a column by less than 0.01."""


@dataclass(frozen=True)
class Reference:
    """Counts of customers by bins, for each column, at each look of a training.

    It holds no customer's value: edges of bins are rounded and lie between many customers, or on a value that
    a tenth of them share.

    Parameters
    ----------
    cutoffs : tuple of str
        ISO dates of the looks, rising; the last is the end of the training.
    history : int
        Days of the log before the last of them.
    bins : Mapping[str, Bins]
        Column to how it is binned.
    counts : Mapping[str, tuple of tuple of int]
        Column to its customers by bin, at each of the looks.
    scores : tuple of str
        Those of the columns that are scores; the others are features.
    """

    cutoffs: tuple[str, ...]
    history: int
    bins: Mapping[str, Bins]
    counts: Mapping[str, tuple[tuple[int, ...], ...]]
    scores: tuple[str, ...] = ()

    def count(self, features: pd.DataFrame, scores: pd.DataFrame) -> Counts:
        """Count customers by bin.

        Parameters
        ----------
        features, scores : DataFrame
            One row per customer. Counts of pieces of the customers can be added up (`added`).

        Returns
        -------
        dict of str to list of int
            Of the columns that are there.
        """
        frames = {name: scores if name in self.scores else features for name in self.bins}
        return {n: self.bins[n].count(frame[n]) for n, frame in frames.items() if n in frame.columns}

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain JSON values; the counts of a look as one text, for its size."""
        columns = {
            name: bins.to_dict() | {"counts": [" ".join(map(str, look)) for look in self.counts[name]]}
            for name, bins in self.bins.items()
        }
        plain = {"cutoffs": [*self.cutoffs], "history": self.history, "scores": [*self.scores]}
        return plain | {"columns": columns}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Reference":
        """Read what `to_dict` wrote."""
        columns = state["columns"]
        return cls(
            cutoffs=tuple(state["cutoffs"]),
            history=state["history"],
            bins={name: Bins.from_dict(column) for name, column in columns.items()},
            counts={
                name: tuple(tuple(map(int, look.split())) for look in column["counts"])
                for name, column in columns.items()
            },
            scores=tuple(state["scores"]),
        )


def learn_reference(
    features: pd.DataFrame, scores: pd.DataFrame, categories: Categories, first_day: date
) -> Reference | None:
    """Count customers by bin at every look of a training that has enough of them.

    Parameters
    ----------
    features : DataFrame
        One row per customer and ``cutoff`` (`some_of_each`).
    scores : DataFrame
        Score columns of the same rows.
    categories : Mapping[str, Sequence[str]]
        Values of text that the model tells apart; other text is left alone.
    first_day : date
        Of the log.

    Returns
    -------
    Reference or None
        None if the newest look has fewer than `LEAST` customers.
    """
    sizes = features["cutoff"].value_counts().sort_index()
    if sizes.iloc[-1] < LEAST:
        return None
    kept = [
        pd.Timestamp(str(cutoff)) for cutoff in sizes.index[sizes >= max(LEAST, COMPARABLE * sizes.iloc[-1])]
    ]
    newest = features["cutoff"] == kept[-1]
    every = pd.concat([features, scores], axis=1)
    numbers = every.select_dtypes("number")
    bins = {str(name): number_bins(column[newest], column) for name, column in numbers.items()}
    bins |= {name: text_bins(values) for name, values in categories.items() if name in features.columns}
    looks = [every[features["cutoff"] == cutoff] for cutoff in kept]
    return Reference(
        cutoffs=tuple(cutoff.date().isoformat() for cutoff in kept),
        history=(kept[-1].date() - first_day).days,
        bins=bins,
        counts={name: tuple(tuple(b.count(look[name])) for look in looks) for name, b in bins.items()},
        scores=tuple(map(str, scores.columns)),
    )


def some_of_each(panel: pd.DataFrame, until: date, seed: int) -> pd.DataFrame:
    """Draw `ENOUGH` customers at each cutoff up to the end of the training, or all where there are fewer."""
    seen = panel[panel["cutoff"] <= pd.Timestamp(until)]
    return seen.sample(frac=1, random_state=seed).groupby("cutoff").head(ENOUGH).sort_index()


def added(one: Counts, other: Counts) -> Counts:
    """Add the counts of two pieces.

    Examples
    --------
    >>> added({"T": [1, 2]}, {"T": [0, 5]})
    {'T': [1, 7]}
    """
    return {name: [a + b for a, b in zip(one[name], other[name], strict=True)] for name in one}
