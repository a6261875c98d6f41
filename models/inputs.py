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
    _refuse(_not_a_count(x), "frequency is negative or not a whole number", shown)
    _refuse(t_x < 0, "recency is negative", shown)
    _refuse(
        t_x > age,
        "recency is larger than T",
        shown,
        "recency is the age at the last purchase, not the gap since",
    )
    _refuse((x == 0) & (t_x > 0), "recency is above 0 without a repeat purchase", shown)
    _refuse((x > 0) & (t_x == 0), "frequency is above 0 but recency is 0", shown, "count days, not orders")
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
    _refuse(_not_a_count(x), "frequency is negative or not a whole number", shown)
    hint = "a repeat purchase day has a positive net amount"
    _refuse((x > 0) & (m <= 0), "monetary_value of repeat buyers is not above 0", shown, hint)
    return x, m


def check_weight(sample_weight: ArrayLike | None, n_rows: int) -> Floats:
    """Return one weight a row (ones by default); refuse negative ones, and a sample that weighs nothing."""
    weight = np.ones(n_rows) if sample_weight is None else _columns(sample_weight=sample_weight)[0]
    if len(weight) != n_rows:
        raise ContractError(f"sample_weight has {len(weight)} values for {n_rows} customers")
    _refuse(weight < 0, "sample_weight is negative", {"sample_weight": weight})
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
    if length.ndim and length.shape[-1] not in (1, n_rows):
        raise ContractError(f"horizon of shape {length.shape} does not broadcast over {n_rows} customers")
    return length


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
        _refuse(~np.isfinite(array), f"{name} is missing or infinite", {name: array})
    return arrays


def _floats(name: str, values: ArrayLike) -> Floats:
    array = np.atleast_1d(_numbers(name, values))
    if array.ndim != 1:
        raise ContractError(f"{name} must have one dimension, not {array.ndim}")
    return array


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ContractError(f"{name} is not numeric or has missing values", hint=str(error)) from None


def _not_a_count(x: Floats) -> NDArray[np.bool_]:
    return np.asarray((x < 0) | (x != np.floor(x)))


def _refuse(bad: NDArray[np.bool_], what: str, shown: Mapping[str, Floats], hint: str | None = None) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        example = {"position": first} | {name: float(column[first]) for name, column in shown.items()}
        raise ContractError(
            f"{what} for {int(bad.sum())} of {len(bad)} customers", example=example, hint=hint
        )
