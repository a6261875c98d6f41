"""Are these purchase histories possible? Every model asks here, once, before it computes anything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from features.contracts import did_you_mean
from features.errors import ContractError

Floats = NDArray[np.float64]


Column = ArrayLike | None
"""A column, or None where the first argument is a frame that has all of them."""

OF_CUSTOMERS, OF_VALUES = " for {} of {} customers", ": {} of {}"
"""How many rows a complaint is about, where each row is a customer, and where it is a mere number."""

_NO_DATES = "dates: give the time since one origin, in the model's unit, as (dates - origin).dt.days"


def check_history(
    frequency: ArrayLike | pd.DataFrame, recency: Column = None, T: Column = None
) -> tuple[Floats, Floats, Floats]:
    """Return purchase histories as three float arrays of one length, or say what is wrong with them.

    Parameters
    ----------
    frequency : array_like of shape (n,), or DataFrame
        Repeat purchase days, whole and not negative; or a frame with ``frequency, recency, T``.
    recency, T : array_like of shape (n,), optional
        Age at the last purchase and age now, in one unit of time; ``0 <= recency <= T``, and recency is
        0 exactly where frequency is.

    Raises
    ------
    ContractError
        Naming the rule, how many customers break it, and the first of them.
    """
    x, t_x, age = _columns(**_named(("frequency", "recency", "T"), frequency, recency, T))
    shown = {"frequency": x, "recency": t_x, "T": age}
    refuse(_not_a_count(x), "frequency is negative or not a whole number", shown)
    refuse(t_x < 0, "recency is negative", shown)
    refuse(
        t_x > age,
        "recency is larger than T",
        shown,
        "recency is the age at the last purchase, not the gap since",
    )
    refuse((x == 0) & (t_x > 0), "recency is above 0 without a repeat purchase", shown)
    refuse((x > 0) & (t_x == 0), "frequency is above 0 but recency is 0", shown, "count days, not orders")
    return x, t_x, age


def check_spend(frequency: ArrayLike | pd.DataFrame, monetary_value: Column = None) -> tuple[Floats, Floats]:
    """Return repeat counts and mean spends as two float arrays, or say what is wrong with them.

    Parameters
    ----------
    frequency : array_like of shape (n,), or DataFrame
        Repeat purchase days, whole and not negative; or a frame with ``frequency, monetary_value``.
    monetary_value : array_like of shape (n,), optional
        Mean spend of the repeat purchase days; positive where there are any, ignored elsewhere.

    Raises
    ------
    ContractError
        Naming the rule, how many customers break it, and the first of them.
    """
    x, m = _columns(**_named(("frequency", "monetary_value"), frequency, monetary_value))
    shown = {"frequency": x, "monetary_value": m}
    refuse(_not_a_count(x), "frequency is negative or not a whole number", shown)
    hint = "a repeat purchase day has a positive net amount"
    refuse((x > 0) & (m <= 0), "monetary_value of repeat buyers is not above 0", shown, hint)
    return x, m


def check_weight(sample_weight: ArrayLike | None, n_rows: int) -> Floats:
    """Return one weight a row (ones by default); refuse negative ones, and a sample that weighs nothing."""
    weight = np.ones(n_rows) if sample_weight is None else _columns(sample_weight=sample_weight)[0]
    if len(weight) != n_rows:
        raise ContractError(f"sample_weight has {len(weight)} values for {n_rows} customers")
    refuse(weight < 0, "sample_weight is negative", {"sample_weight": weight})
    if not weight.any():
        raise ContractError(
            "there is no customer to learn from", hint="all weights are 0, or no rows came in"
        )
    return weight


def check_horizon(horizon: ArrayLike, n_rows: int) -> Floats:
    """Return the horizon as a float array that broadcasts against `n_rows` customers."""
    length = _numbers("horizon", horizon)
    if not (np.isfinite(length) & (length >= 0)).all():
        raise ContractError("horizon must be finite and not negative", example=horizon)
    return _beside("horizon", length, n_rows)


def check_probability(probability: ArrayLike, n_rows: int) -> Floats:
    """Return probabilities as a float array that broadcasts against `n_rows` customers."""
    share = _numbers("probability", probability)
    if not ((share >= 0) & (share <= 1)).all():
        raise ContractError("probability must lie between 0 and 1", example=probability)
    return _beside("probability", share, n_rows)


def check_level(level: float) -> float:
    """Return how much probability an interval shall hold, as a float, or say that no interval holds it."""
    if not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise ContractError(
            "the level of an interval lies between 0 and 1", example=level, hint="0.8 is 80 %"
        )
    return float(level)


def check_times(name: str, values: ArrayLike) -> Floats:
    """Return times as one float array, or say what is wrong with them."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim != 1 or not array.size:
        raise ContractError(
            f"{name} must be a list of numbers, not {array.dtype} of shape {array.shape}",
            hint=_NO_DATES,
        )
    times = array.astype(np.float64)
    refuse(~np.isfinite(times), f"{name} missing or infinite", {"value": times}, counted=OF_VALUES)
    return times


def check_length(name: str, value: float) -> float:
    """Return a length of time as a float, or say that it is none."""
    if not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
        raise ContractError(f"{name} must be a number above 0", example=value)
    return float(value)


def _named(names: tuple[str, ...], first: ArrayLike | pd.DataFrame, *others: Column) -> dict[str, ArrayLike]:
    """Take the columns from a frame, if the first argument is one, or as they were given."""
    if not isinstance(first, pd.DataFrame):
        given = dict(zip(names, (first, *others), strict=True))
        missing = [name for name, column in given.items() if column is None]
        if missing:
            raise ContractError(f"{' and '.join(missing)} are missing", hint="give every column, or a frame")
        return {name: column for name, column in given.items() if column is not None}
    lost = [name for name in names if name not in first.columns]
    if lost:
        raise ContractError(
            f"the frame lacks {', '.join(lost)} among {len(first.columns)} columns",
            hint=did_you_mean(lost[0], [str(column) for column in first.columns]),
        )
    return {name: first[name].to_numpy() for name in names}


def _columns(**columns: ArrayLike) -> list[Floats]:
    arrays = [_floats(name, values) for name, values in columns.items()]
    lengths = {name: len(array) for name, array in zip(columns, arrays, strict=True)}
    if len(set(lengths.values())) > 1:
        raise ContractError("columns differ in length", example=lengths)
    for name, array in zip(columns, arrays, strict=True):
        refuse(~np.isfinite(array), f"{name} is missing or infinite", {name: array})
    return arrays


def _floats(name: str, values: ArrayLike) -> Floats:
    array = np.atleast_1d(_numbers(name, values))
    if array.ndim != 1:
        raise ContractError(f"{name} must have one dimension, not {array.ndim}")
    return array


def _numbers(name: str, values: ArrayLike) -> Floats:
    if np.asarray(values).dtype.kind in "mM":  # numpy takes dates for nanoseconds
        raise ContractError(f"{name} must be numbers, not dates", hint=_NO_DATES)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ContractError(f"{name} is not numeric or has missing values") from None


def _not_a_count(x: Floats) -> NDArray[np.bool_]:
    return np.asarray((x < 0) | (x != np.floor(x)))


def refuse(
    bad: NDArray[np.bool_],
    what: str,
    shown: Mapping[str, Floats],
    hint: str | None = None,
    counted: str = OF_CUSTOMERS,
) -> None:
    """Raise a `ContractError` if any row is bad: what is wrong, with how many, and the first of them."""
    if bad.any():
        first = int(np.argmax(bad))
        example = {"position": first} | {name: float(column[first]) for name, column in shown.items()}
        raise ContractError(what + counted.format(int(bad.sum()), len(bad)), example=example, hint=hint)


def _beside(name: str, values: Floats, n_rows: int) -> Floats:
    if values.ndim and n_rows != 1 and values.shape[-1] not in (1, n_rows):
        raise ContractError(
            f"{name} of shape {values.shape} does not broadcast over {n_rows} customers",
            hint=f"one {name} for all, one a customer, or shape (k, 1) for one row a {name}",
        )
    return values
