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
    if not 0 < level < 1:
        raise ContractError("level must be in (0, 1)", example=level)
    if draws < 1:
        raise ContractError("draws must be positive", example=draws)
    total, rows = _per_customer(customer_ids, _difference(loss_a, loss_b))
    rng = np.random.default_rng(seed)
    means = np.concatenate(list(_resampled_means(total, rows, draws, rng)))
    lo, hi = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(total.sum() / rows.sum()), float(lo), float(hi))


def _difference(loss_a: npt.ArrayLike, loss_b: npt.ArrayLike) -> Floats:
    a, b = np.asarray(loss_a, np.float64), np.asarray(loss_b, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ContractError("losses must be one-dimensional and equally long", example=(a.shape, b.shape))
    bad = ~(np.isfinite(a) & np.isfinite(b))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ContractError(f"{int(bad.sum())} rows have a missing or infinite loss", example=f"row {row}")
    return a - b


def _per_customer(customer_ids: npt.ArrayLike, difference: Floats) -> tuple[Floats, Floats]:
    """Sum of differences and number of rows, a customer each, in order of their ids."""
    ids: Any = np.asarray(customer_ids)
    if ids.shape != difference.shape:
        raise ContractError("customer_ids and losses differ in length", example=(ids.shape, difference.shape))
    code, customers = pd.factorize(ids, sort=True)
    if (code < 0).any():
        raise ContractError(f"{int((code < 0).sum())} rows have no customer_id")
    if len(customers) < 2:
        raise ContractError("an interval over customers needs at least 2 of them", example=len(customers))
    return np.bincount(code, difference).astype(np.float64), np.bincount(code).astype(np.float64)


def _resampled_means(total: Floats, rows: Floats, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Means of `draws` samples of as many customers, with replacement, a bounded chunk at a time."""
    chunk = max(1, _CELLS // total.size)
    for start in range(0, draws, chunk):
        shape = (min(chunk, draws - start), total.size)
        drawn = rng.integers(total.size, size=shape, dtype=np.int32)
        yield total[drawn].sum(axis=1) / rows[drawn].sum(axis=1)
