"""How sure a difference between two models is: a paired bootstrap over customers."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import ContractError

Floats = npt.NDArray[np.float64]

_CELLS = 2_000_000  # customers times draws held in memory at once


class Interval(NamedTuple):
    """An estimate and the ends of its interval, in the unit of what was measured."""

    mean: float
    lo: float
    hi: float


def paired_interval(
    customer_ids: npt.ArrayLike,
    loss_a: npt.ArrayLike,
    loss_b: npt.ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """Mean of ``loss_a - loss_b`` over rows, with a percentile bootstrap interval over customers.

    Above zero means that b is better. Customers are drawn, not rows: one who appears in several folds comes
    with all of them, so what a customer's rows have in common is not counted as evidence several times (Efron
    & Tibshirani 1993, chapters 8 and 13). Memory is bounded whatever the number of customers and draws.

    Parameters
    ----------
    customer_ids : array-like of shape (n,)
        Whose row it is; at least two customers.
    loss_a, loss_b : array-like of shape (n,)
        Losses of two models on the same rows, finite.
    level : float
        Coverage of the interval, in (0, 1).
    draws : int
        Bootstrap samples.
    seed : int
        Same input in any order of rows, same seed: same interval, up to the rounding of sums.

    Returns
    -------
    Interval
        ``mean``, ``lo`` and ``hi``, in the unit of the losses.

    Raises
    ------
    ContractError
        If lengths differ, a customer or a loss is missing, there are fewer than two customers, or `level` or
        `draws` is out of range.

    Examples
    --------
    >>> better = paired_interval(["u1", "u2", "u3"], [0.9, 0.8, 0.7], [0.5, 0.5, 0.5])
    >>> round(better.mean, 2), better.lo > 0
    (0.3, True)
    """
    [interval] = paired_intervals(
        customer_ids,
        np.asarray(loss_a)[:, None],
        np.asarray(loss_b)[:, None],
        level=level,
        draws=draws,
        seed=seed,
    )
    return interval


def paired_intervals(
    customer_ids: npt.ArrayLike,
    losses_a: npt.ArrayLike,
    losses_b: npt.ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> list[Interval]:
    """Many comparisons on the same rows and the same draws, at little more than the cost of one.

    Parameters
    ----------
    customer_ids : array-like of shape (n,)
        Whose row it is.
    losses_a, losses_b : array-like of shape (n, k)
        One comparison a column; a single column on either side serves all.
    level, draws, seed
        As in `paired_interval`.

    Returns
    -------
    list of Interval
        One for each column, equal to what `paired_interval` says of it.

    Examples
    --------
    >>> two = paired_intervals([1, 2, 3], [[0.9], [0.8], [0.7]], [[0.5, 0.9], [0.5, 0.8], [0.5, 0.7]])
    >>> [round(interval.mean, 2) for interval in two]
    [0.3, 0.0]
    """
    if not 0 < level < 1:
        raise ContractError("level must be in (0, 1)", example=level)
    if draws < 1:
        raise ContractError("draws must be positive", example=draws)
    total, rows = _per_customer(customer_ids, _difference(losses_a, losses_b))
    rng = np.random.default_rng(seed)
    means = np.concatenate(list(_resampled_means(total, rows, draws, rng)))
    ends = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    middle = total.sum(axis=0) / rows.sum()
    return [Interval(float(m), float(lo), float(hi)) for m, lo, hi in zip(middle, *ends, strict=True)]


def _difference(loss_a: npt.ArrayLike, loss_b: npt.ArrayLike) -> Floats:
    a, b = np.asarray(loss_a, np.float64), np.asarray(loss_b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise ContractError("losses must be one-dimensional and equally long", example=(a.shape, b.shape))
    bad = ~(np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ContractError(f"{int(bad.sum())} rows have a missing or infinite loss", example=f"row {row}")
    return a - b


def _per_customer(customer_ids: npt.ArrayLike, difference: Floats) -> tuple[Floats, Floats]:
    """Sum of differences and number of rows, a customer each, in order of their ids."""
    ids: Any = np.asarray(customer_ids)
    if ids.shape != difference.shape[:1]:
        raise ContractError(
            "customer_ids and losses differ in length", example=(ids.shape, difference.shape[:1])
        )
    code, customers = pd.factorize(ids, sort=True)
    if (code < 0).any():
        raise ContractError(f"{int((code < 0).sum())} rows have no customer_id")
    if len(customers) < 2:
        raise ContractError("an interval over customers needs at least 2 of them", example=len(customers))
    total: Floats = np.column_stack([np.bincount(code, column) for column in difference.T]).astype(np.float64)
    return total, np.bincount(code).astype(np.float64)


def _resampled_means(total: Floats, rows: Floats, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Means of `draws` samples of as many customers, with replacement, a bounded chunk at a time."""
    size = len(total)
    chunk = max(1, _CELLS // size)
    for start in range(0, draws, chunk):
        drawn = rng.integers(size, size=(min(chunk, draws - start), size), dtype=np.int32)
        times = np.stack([np.bincount(row, minlength=size) for row in drawn]).astype(np.float64)
        yield (times @ total) / (times @ rows)[:, None]
