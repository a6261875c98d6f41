"""How good a prediction is: probabilities, rankings and amounts.

Plain functions of arrays. `y` is 0 or 1, `p` a probability; `actual` and `predicted` are counts or amounts.
Rows with equal predictions are treated as one group throughout, so no result depends on the order of rows.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from features.errors import ContractError

Floats = npt.NDArray[np.float64]

CLIP = 1e-15
"""Probabilities are moved this far from 0 and 1 before their logarithm is taken: a row costs at most 34.5."""


def log_loss_rows(y: npt.ArrayLike, p: npt.ArrayLike) -> Floats:
    """Log-loss of every row, in nats: ``-log p`` where the event happened, ``-log(1 - p)`` where it did not.

    Parameters
    ----------
    y : array-like of shape (n,)
        What happened, 0 or 1.
    p : array-like of shape (n,)
        The probability that was given, clipped to ``[1e-15, 1 - 1e-15]``.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ContractError
        If lengths differ, there are no rows, `y` is not 0 or 1, or `p` is missing or outside [0, 1]; the same
        holds for every function here that takes `y` and `p`.

    Examples
    --------
    >>> log_loss_rows([1, 0], [0.5, 0.2]).round(4).tolist()
    [0.6931, 0.2231]
    """
    happened, given = _outcomes(y, p)
    given = np.clip(given, CLIP, 1 - CLIP)
    return np.where(happened == 1, -np.log(given), -np.log1p(-given))


def log_loss(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean of `log_loss_rows`, in nats; lower is better.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    return float(log_loss_rows(y, p).mean())


def brier(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean squared error of probabilities (Brier 1950), between 0 and 1; lower is better.

    Examples
    --------
    >>> brier([1, 0], [1.0, 0.5])
    0.125
    """
    happened, given = _outcomes(y, p)
    return float(np.mean((given - happened) ** 2))


def auc(y: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Probability that a buyer is ranked above a non-buyer, ties counting half (area under the ROC curve).

    Parameters
    ----------
    y : array-like of shape (n,)
        1 where the customer bought, else 0.
    score : array-like of shape (n,)
        Any finite number that ranks, such as a probability or minus the days of silence.

    Raises
    ------
    ContractError
        Also if all rows have the same outcome.

    Examples
    --------
    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    happened, given = _ranked(y, score)
    if happened.min() == happened.max():
        raise ContractError("AUC needs both outcomes, but all rows have one", example=int(happened[0]))
    return float(roc_auc_score(happened, given))


def pr_auc(y: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Mean precision over the buyers, from the highest score down (average precision); higher is better.

    The share of buyers among those ranked at least as high, averaged over the buyers: at random it is the
    share of buyers, so it is to be compared on the same customers only.

    Raises
    ------
    ContractError
        Also if nobody bought.

    Examples
    --------
    >>> round(pr_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    happened, given = _ranked(y, score)
    if happened.max() == 0:
        raise ContractError("PR-AUC needs at least one buyer", hint="choose a longer horizon")
    return float(average_precision_score(happened, given))


def reliability(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Compare what was promised with what happened, in bins of equally many rows.

    Rows are binned by the rank of `p`; equal probabilities share a bin, so there may be fewer bins than asked
    for. One row a bin, in order of `p`: `n`, `p_min`, `p_max`, `p_mean` (promised), `y_mean` (observed).

    Examples
    --------
    >>> reliability([0, 1, 1, 1], [0.1, 0.3, 0.8, 0.8], bins=2)[["n", "p_mean", "y_mean"]].values.tolist()
    [[2.0, 0.2, 0.5], [2.0, 0.8, 1.0]]
    """
    happened, given = _outcomes(y, p)
    if bins < 1:
        raise ContractError("the number of bins must be positive", example=bins)
    rows = pd.DataFrame({"bin": equal_mass_bins(given, bins), "p": given, "y": happened})
    table = rows.groupby("bin").agg(
        n=("p", "size"), p_min=("p", "min"), p_max=("p", "max"), p_mean=("p", "mean"), y_mean=("y", "mean")
    )
    return table.reset_index(drop=True)


def equal_mass_bins(values: npt.NDArray[np.floating], bins: int = 10) -> npt.NDArray[np.int64]:
    """Number the bins of equally many rows that values fall into, 0 for the lowest; equal ones share one.

    Examples
    --------
    >>> equal_mass_bins(np.array([0.1, 0.3, 0.8, 0.8]), bins=4).tolist()
    [0, 1, 3, 3]
    """
    place = (rankdata(values) - 0.5) * bins / max(values.size, 1)  # the middle rank, for ties
    return place.astype(np.int64)


def ece(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = 10) -> float:
    """Average ``|promised - observed|`` over the bins of `reliability`: the expected calibration error.

    Equal-mass bins (Nguyen & O'Connor 2015), weighted by their rows; between 0 and 1, lower is better. Chance
    alone gives a perfect model of n rows up to ``0.4 * sqrt(bins / n)``.

    Examples
    --------
    >>> round(ece([0, 1, 1, 1], [0.1, 0.3, 0.8, 0.8], bins=2), 4)
    0.25
    """
    table = reliability(y, p, bins)
    return float(np.average((table["p_mean"] - table["y_mean"]).abs(), weights=table["n"]))


def gains(y: npt.ArrayLike, p: npt.ArrayLike, points: int = 100) -> pd.DataFrame:
    """Share of the buyers reached by taking the top `share` of customers in order of `p`.

    `points` + 1 rows from (0, 0) to (1, 1), columns `share` and `captured`. Between equal predictions the
    curve is straight: the mean over all orders of them.

    Raises
    ------
    ContractError
        Also if nobody bought.

    Examples
    --------
    >>> gains([1, 0, 1, 0], [0.9, 0.2, 0.8, 0.1], points=4)["captured"].tolist()
    [0.0, 0.5, 1.0, 1.0, 1.0]
    """
    if points < 1:
        raise ContractError("the number of points must be positive", example=points)
    share = np.linspace(0, 1, points + 1)
    return pd.DataFrame({"share": share, "captured": np.interp(share, *_gain_curve(*_outcomes(y, p)))})


def lift(y: npt.ArrayLike, p: npt.ArrayLike, share: float = 0.1) -> float:
    """How many times more buyers the top `share` by `p` holds than as many customers taken at random.

    Examples
    --------
    >>> lift([1, 0, 0, 0], [0.9, 0.2, 0.8, 0.1], share=0.25)
    4.0
    """
    if not 0 < share <= 1:
        raise ContractError("share must be in (0, 1]", example=share)
    return float(np.interp(share, *_gain_curve(*_outcomes(y, p))) / share)


def normalised_gini(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """How well amounts are ranked: 1 as the truth does, about 0 at random.

    ``(2 * mean cumulative true share in order of falling prediction - 1)``, divided by the same in order of
    falling truth (Wang, Liu & Miao 2019, arXiv 1912.07753). Equal predictions: the mean over all orders.

    Parameters
    ----------
    actual, predicted : array-like of shape (n,)
        Amounts in one currency; only the order of `predicted` matters.

    Raises
    ------
    ContractError
        If lengths differ, there are no rows, values are not finite or `actual` sums to zero or less.

    Examples
    --------
    >>> round(normalised_gini([0, 1, 5], [1.0, 2.0, 9.0]), 4)
    1.0
    """
    true, guess = checked_amounts(actual, predicted)
    if true.sum() <= 0:
        raise ContractError("the actual amounts must sum to more than zero", example=float(true.sum()))
    return float(_cumulated_share(true, guess) / _cumulated_share(true, true))


def aggregate_bias(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Relative error of the total, ``sum(predicted) / sum(actual) - 1``; positive: too much was promised.

    Examples
    --------
    >>> aggregate_bias([1, 3], [2, 3])
    0.25
    """
    true, guess = checked_amounts(actual, predicted)
    if true.sum() == 0:
        raise ContractError("the actual total is zero, so nothing can be relative to it")
    return float(guess.sum() / true.sum() - 1)


def mae(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean absolute error, in the unit of `actual`. Never judge by it alone: it rewards promising too little.

    Examples
    --------
    >>> mae([1, 3], [2, 3])
    0.5
    """
    true, guess = checked_amounts(actual, predicted)
    return float(np.abs(guess - true).mean())


def rmse(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Root of the mean squared error, in the unit of `actual`.

    Examples
    --------
    >>> rmse([1, 3], [1, 5]) ** 2
    2.0...
    """
    true, guess = checked_amounts(actual, predicted)
    return float(np.sqrt(np.mean((guess - true) ** 2)))


def _ranked(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Floats, Floats]:
    happened, given = checked_amounts(y, score, ("y", "p"))
    _refuse_odd_outcomes(happened)
    return happened, given


def _outcomes(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[Floats, Floats]:
    happened, given = _ranked(y, p)
    refuse_rows((given < 0) | (given > 1), given, "probabilities outside [0, 1] in 'p'")
    return happened, given


def _refuse_odd_outcomes(happened: Floats) -> None:
    refuse_rows((happened != 0) & (happened != 1), happened, "outcomes other than 0 and 1 in 'y'")


def checked_amounts(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, names: tuple[str, str] = ("actual", "predicted")
) -> tuple[Floats, Floats]:
    """Return two equally long arrays of finite numbers, or refuse them."""
    first, second = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if first.ndim != 1 or first.shape != second.shape or first.size == 0:
        what = f"'{names[0]}' and '{names[1]}' must be one-dimensional, equally long and not empty"
        raise ContractError(what, example=(first.shape, second.shape))
    for values, name in zip((first, second), names, strict=True):
        refuse_rows(~np.isfinite(values), values, f"missing or infinite values in '{name}'")
    return first, second


def refuse_rows(bad: npt.NDArray[np.bool_], values: Floats, what: str) -> None:
    """Raise with the number of bad rows and the first of them, if there is any."""
    if bad.any():
        raise ContractError(f"{int(bad.sum())} {what}", example=float(values[bad][0]))


def _gain_curve(happened: Floats, given: Floats) -> tuple[Floats, Floats]:
    """Share of rows and of buyers at or above each distinct probability, from the highest down."""
    if happened.sum() == 0:
        raise ContractError("gains and lift need at least one buyer", hint="choose a longer horizon")
    _, group = np.unique(-given, return_inverse=True)
    rows, buyers = np.bincount(group), np.bincount(group, happened)
    share = np.concatenate([[0], np.cumsum(rows)]) / happened.size
    return share, np.concatenate([[0], np.cumsum(buyers)]) / happened.sum()


def _cumulated_share(true: Floats, by: Floats) -> float:
    _, group = np.unique(-by, return_inverse=True)  # sorted by falling prediction
    rows = np.bincount(group)
    fair = np.repeat(np.bincount(group, true) / rows, rows)
    return float(2 * np.mean(np.cumsum(fair)) / true.sum() - 1)
