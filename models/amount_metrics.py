"""How good predicted counts and amounts are beside their mean errors (`models.metrics`): in ratios, in ranks.

Rows with equal predictions are treated as one group, so no result depends on the order of rows.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from features.errors import ContractError
from models.metrics import checked_amounts, refuse_rows

Floats = npt.NDArray[np.float64]


def rmsle(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Root of the mean squared error of ``log(1 + amount)``: relative errors, in which no whale decides.

    Raises
    ------
    ContractError
        Also if an amount is negative.

    Examples
    --------
    >>> round(rmsle([0, 3], [0, 7]), 4)  # log 2, for one of two
    0.4901
    """
    true, guess = checked_amounts(actual, predicted)
    for values, name in ((true, "actual"), (guess, "predicted")):
        refuse_rows(values < 0, values, f"negative values in '{name}'")
    return float(np.sqrt(np.mean((np.log1p(guess) - np.log1p(true)) ** 2)))


def spearman(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Correlation of the ranks (Spearman), from -1 to 1; equal values share their middle rank.

    A prediction that is the same for all ranks nobody: 0.

    Raises
    ------
    ContractError
        Also if all actual amounts are the same.

    Examples
    --------
    >>> spearman([1, 2, 30], [10, 20, 25])
    1.0
    """
    true, guess = (rankdata(values) for values in checked_amounts(actual, predicted))
    if np.ptp(true) == 0:
        raise ContractError("a rank correlation needs actual amounts that differ")
    return 0.0 if np.ptp(guess) == 0 else float(np.clip(np.corrcoef(true, guess)[0, 1], -1, 1))


def decile_mape(actual: npt.ArrayLike, predicted: npt.ArrayLike, bins: int = 10) -> float:
    """Mean over the deciles by prediction of ``|mean predicted - mean actual| / mean actual``; 0 is best.

    Equally many rows a bin (Wang, Liu & Miao 2019); equal predictions are shared out between the bins that
    they fall in. Infinite if a bin that was promised something brought nothing.

    Examples
    --------
    >>> round(decile_mape([1, 1, 4, 4], [1, 1, 5, 5], bins=2), 4)
    0.125
    """
    true, guess = checked_amounts(actual, predicted)
    if bins < 1:
        raise ContractError("the number of bins must be positive", example=bins)
    found, expected = (np.diff(_cumulated(values, guess, bins)) for values in (true, guess))
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(found == expected, 0.0, np.abs(expected - found) / np.abs(found))
    return float(off.mean())


def _cumulated(values: Floats, by: Floats, bins: int) -> Floats:
    """Sum of `values` in the lowest 0, 1, ... of `bins` equal parts by `by`, ties at their mean."""
    _, group = np.unique(by, return_inverse=True)
    rows = np.concatenate([[0], np.cumsum(np.bincount(group))])
    sums = np.concatenate([[0.0], np.cumsum(np.bincount(group, values))])
    ends: Floats = np.interp(np.linspace(0, by.size, bins + 1), rows, sums)
    return ends
