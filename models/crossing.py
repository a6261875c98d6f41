"""When a path that never falls first reaches a level."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def first_reached(path: Floats, times: Sequence[int], level: Floats | float) -> Floats:
    """Return the time at which each path, 0 at time 0 and straight between its points, reaches a level.

    Parameters
    ----------
    path : ndarray, shape (n, k)
        Never falling along `times`.
    times : sequence of int, shape (k,)
        Rising, above 0.
    level : float or ndarray, shape (n,)
        Not negative, or NaN.

    Returns
    -------
    ndarray, shape (n,)
        NaN where the path does not reach it.

    Examples
    --------
    >>> first_reached(np.array([[4.0, 8.0], [1.0, 2.0]]), [10, 20], 6.0)
    array([15., nan])
    """
    grid = np.concatenate([[0.0], np.asarray(times, dtype=float)])
    padded = np.hstack([np.zeros((len(path), 1)), path])
    reached = padded >= np.reshape(level, (-1, 1))
    place = np.maximum(reached.argmax(axis=1), 1)
    rows = np.arange(len(path))
    low, high = padded[rows, place - 1], padded[rows, place]
    share = np.clip((level - low) / np.maximum(high - low, 1e-12), 0, 1)
    time = grid[place - 1] + share * (grid[place] - grid[place - 1])
    return np.where(reached.any(axis=1), time, np.nan)
