"""Equal rows as one row with a weight: a million customers have some hundred thousand distinct histories."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.inputs import Floats

_SMALL = 2**20
"""Whole numbers below it are their own codes."""


SCOUTED = 3000
"""Distinct rows on which the starts of a fit are tried before the best of them is followed on all."""


def distinct_rows(columns: Sequence[Floats], weight: Floats) -> tuple[list[Floats], Floats]:
    """Sort the rows and merge equal ones into one that carries their weight; rows of weight 0 go."""
    some = weight > 0
    if not some.all():
        columns, weight = [column[some] for column in columns], weight[some]
    key = _key(columns)
    # Ties by weight: sums of floats must not depend on the order in which the rows came.
    is_plain = bool((weight == weight[0]).all())
    order = np.argsort(key) if is_plain else np.lexsort((weight, key))
    key = key[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    return [column[order[first]] for column in columns], np.add.reduceat(weight[order], first)


def once_each(columns: Sequence[Floats]) -> tuple[list[Floats], NDArray[np.intp]]:
    """Return the distinct rows, and for each row which of them it is."""
    _, first, which = np.unique(_key(columns), return_index=True, return_inverse=True)
    return [column[first] for column in columns], which


def thinned(columns: Sequence[Floats], weight: Floats, most: int) -> tuple[list[Floats], Floats]:
    """Draw up to `most` of the distinct rows, evenly along their sorted weights."""
    if len(weight) <= most:
        return list(columns), weight
    ends = np.cumsum(weight)
    marks = (np.arange(most) + 0.5) * (ends[-1] / most)
    chosen, times = np.unique(np.searchsorted(ends, marks), return_counts=True)
    return [column[chosen] for column in columns], times * (ends[-1] / most)


def _key(columns: Sequence[Floats]) -> NDArray[np.int64]:
    """Number the rows so that equal ones have equal numbers, in the order of the columns."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns if len(key) else ():
        codes = _codes(column)
        size = int(codes.max()) + 1
        if int(key.max()) * size + size > 2**62:
            key = _ranks(key)
        key = key * size + codes
    return key


def _codes(column: Floats) -> NDArray[np.int64]:
    if column.min() >= 0 and column.max() < _SMALL and (column == np.floor(column)).all():
        return column.astype(np.int64)
    return _ranks(column)


def _ranks(values: NDArray[np.generic]) -> NDArray[np.int64]:
    ranks: NDArray[np.int64] = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return ranks
