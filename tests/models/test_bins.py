"""Bins hold counts that add up, one value that many share has its own, and no edge is a customer's value."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bins import FEWEST, MOST, Bins, number_bins, shares, text_bins

NUMBERS = st.lists(
    st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, 7.5])),
    max_size=300,
)


@given(NUMBERS, st.integers(0, 300))
def test_every_customer_is_in_one_bin_and_pieces_add_up(values: list[float | None], place: int) -> None:
    column = pd.Series(values, dtype="float64")
    bins = number_bins(column)
    whole = bins.count(column)
    assert sum(whole) == len(column)
    assert whole[-1] == column.isna().sum()
    pieces = zip(bins.count(column[:place]), bins.count(column[place:]), strict=True)
    assert whole == [a + b for a, b in pieces]
    assert list(bins.edges) == sorted(set(bins.edges))
    assert Bins.from_dict(json.loads(json.dumps(bins.to_dict()))) == bins


@pytest.mark.parametrize("shared", [0.0, 12.5, -3.0])
def test_a_value_that_many_share_has_a_bin_of_its_own(shared: float) -> None:
    pick = np.random.default_rng(1)
    column = pd.Series(np.where(pick.random(1000) < 0.6, shared, pick.normal(0, 10, 1000)))
    bins = number_bins(column)
    others = np.append(np.delete(bins.count(column), bins.edges.index(shared)), 0)
    assert bins.count(column)[bins.edges.index(shared)] == (column == shared).sum()
    assert others.max() < 120  # and the rest is told apart all the same
    assert len(bins.edges) <= MOST + 1


def test_a_constant_is_told_from_what_lies_beside_it() -> None:
    bins = number_bins(pd.Series([5.0] * 200))
    assert bins.count(pd.Series([4.9, 5.0, 5.0, 5.1, None])) == [1, 2, 1, 1]


@pytest.mark.parametrize("n", [100, 150, 1000])
def test_edges_lie_between_many_customers_and_are_rounded(n: int) -> None:
    column = pd.Series(np.random.default_rng(2).lognormal(4, 1.5, n))
    bins = number_bins(column)
    assert not set(bins.edges) & set(column)
    assert bins.edges == tuple(float(f"{edge:.3g}") for edge in bins.edges)
    assert min(bins.count(column)[:-1]) >= FEWEST * 0.6  # rounding moves an edge past a few
    assert len(bins.edges) == min(MOST, n // FEWEST) - 1


def test_text_has_its_values_others_and_none() -> None:
    bins = text_bins(["web", "shop"])
    assert bins.count(pd.Series(["web", "fax", None, "shop", "web"], dtype="str")) == [2, 1, 1, 1]
    assert text_bins([]).count(pd.Series(["web", None], dtype="str")) == [1, 1]
    assert Bins.from_dict(json.loads(json.dumps(bins.to_dict()))) == bins


def test_no_share_is_zero() -> None:
    assert shares([0, 9]).tolist() == [0.05, 0.95]


def test_the_least_number_there_is_has_no_edge_below_it() -> None:
    least = -1.7976931348623157e308
    bins = number_bins(pd.Series([least] * 3))
    assert bins.edges == (least,)
    assert sum(bins.count(pd.Series([least, 0.0]))) == 2
