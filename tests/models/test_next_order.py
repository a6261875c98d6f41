"""The next order's date, read off a curve whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.next_order import next_order_dates, time_grid

CUTOFF = pd.Timestamp("2024-05-01")


def days(curve: np.ndarray, times: list[int], quantile: float) -> list[float]:
    """Whole days from the cutoff; NaN for never."""
    cutoff = pd.Series(CUTOFF, index=range(100, 100 + len(curve)))
    dates = next_order_dates(curve, times, cutoff, quantile)
    assert dates.index.equals(cutoff.index)
    assert dates.dtype == "datetime64[s]"
    return ((dates - cutoff) / pd.Timedelta(days=1)).tolist()


@pytest.mark.parametrize("rate", [0.5, 0.05, 0.01, 0.002])
@pytest.mark.parametrize("quantile", [0.2, 0.5, 0.8])
def test_exponential_waiting(rate: float, quantile: float) -> None:
    """P(within t) = 1 - exp(-rate t) reaches q at t = -ln(1 - q) / rate; that day is ceil(t) - 1 days off."""
    times = list(range(1, 1000))
    found = days(-np.expm1(-rate * np.array([times])), times, quantile)[0]
    assert found == np.ceil(-np.log1p(-quantile) / rate) - 1


def test_linear_between_the_times_asked() -> None:
    curve = np.array([[0.0, 0.4], [0.4, 0.4], [0.1, 0.9]])
    # 0.2 is halfway from day 10 to 20; halfway from day 0 to 10; an eighth of the way from 10 to 20
    assert days(curve, [10, 20], 0.2) == [14, 4, 11]


def test_the_first_day_is_the_cutoff_itself() -> None:
    assert days(np.array([[0.9, 0.95]]), [1, 2], 0.5) == [0]
    assert days(np.array([[1.0, 1.0]]), [1, 2], 0.8) == [0]
    assert days(np.array([[0.2, 0.5]]), [1, 2], 0.5) == [1]


def test_never() -> None:
    curve = np.array([[0.1, 0.49], [0.0, 0.0], [1e-12, 1e-9], [0.1, 0.5]])
    assert np.isnan(days(curve, [30, 700], 0.5)).tolist() == [True, True, True, False]
    # almost nothing on the first day must not overflow into a date of the year half a million
    assert np.isnan(days(np.array([[1e-9, 1e-9]]), [1, 730], 0.2)).all()


def test_each_customer_counts_from_their_own_cutoff() -> None:
    cutoffs = pd.Series([CUTOFF, CUTOFF + pd.Timedelta(days=50)])
    dates = next_order_dates(np.array([[0.0, 1.0]] * 2), [9, 10], cutoffs, 0.5)
    assert ((dates - cutoffs).dt.days == 9).all()


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=5),
    st.lists(st.integers(1, 2000), min_size=4, max_size=4, unique=True),
)
def test_ordered_and_never_in_the_past(steps: list[list[float]], times: list[int]) -> None:
    curve, times = np.maximum.accumulate(np.array(steps), axis=1), sorted(times)
    early, middle, late = (np.array(days(curve, times, q)) for q in (0.2, 0.5, 0.8))
    for q, found in ((0.2, early), (0.5, middle), (0.8, late)):
        assert (np.isnan(found) == (curve[:, -1] < q)).all()
        assert ((found >= 0) & (found < times[-1]))[~np.isnan(found)].all()
    assert not ((middle < early) | (late < middle)).any()
    assert (np.isnan(middle) >= np.isnan(early)).all()
    assert (np.isnan(late) >= np.isnan(middle)).all()


@given(st.lists(st.integers(1, 800), min_size=1, max_size=4), st.integers(2, 1500))
def test_the_grid_holds_every_horizon_within_its_limit(horizons: list[int], limit: int) -> None:
    grid = time_grid(horizons, limit)
    assert grid == sorted(set(grid))
    assert (grid[0], grid[-1]) == (1, limit)
    assert {h for h in horizons if h <= limit} <= set(grid)
    assert len(grid) <= 44
