"""The money of a contact, against sums by hand and a simulation, and where a list ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.net_value import highest_offer, list_length, most_contacts, net_value

MARGIN, SAVE, COST = 0.4, 0.2, 1.5


def test_the_chance_to_leave_counts_once() -> None:
    p, kept = np.array([0.25, 1.0]), np.array([100.0, 50.0])
    expected = p * kept * MARGIN * SAVE - COST
    np.testing.assert_allclose(net_value(p * kept, MARGIN, SAVE, COST), expected)


def profit_of(offer: float, p: float, kept: float, contacted: bool, rng: np.random.Generator) -> float:
    """Mean profit of a customer, played out: who stays buys and redeems the voucher."""
    n = 400_000
    leaves = rng.random(n) < p
    saved = leaves & (rng.random(n) < SAVE) & contacted
    buys = ~leaves | saved
    return float((buys * kept * MARGIN - contacted * (COST + buys * offer)).mean())


@pytest.mark.parametrize(("p", "kept"), [(0.5, 300.0), (0.9, 200.0)])
def test_the_highest_offer_is_where_contacting_and_leaving_alone_come_to_the_same(
    p: float, kept: float
) -> None:
    [offer] = highest_offer(np.array([p * kept]), np.array([p]), MARGIN, SAVE, COST)
    rng = np.random.default_rng(7)
    alone = profit_of(0.0, p, kept, False, rng)
    assert profit_of(offer, p, kept, True, rng) == pytest.approx(alone, abs=0.4)
    assert profit_of(offer * 0.5, p, kept, True, rng) > alone + 0.5
    assert profit_of(offer * 1.5, p, kept, True, rng) < alone - 0.5


def test_nothing_can_be_offered_where_not_even_the_contact_pays() -> None:
    found = highest_offer(np.array([10.0, 0.0]), np.array([0.9, 1.0]), MARGIN, 0.0, COST)
    assert found.tolist() == [0.0, 0.0]


@given(st.floats(0, 1), st.floats(0, 1e4), st.floats(0, 1), st.floats(0, 50))
def test_an_offer_is_never_more_than_the_margin_on_what_is_kept(
    p: float, kept: float, save: float, cost: float
) -> None:
    [offer] = highest_offer(np.array([p * kept]), np.array([p]), MARGIN, save, cost)
    assert 0 <= offer <= kept * MARGIN * (1 + 1e-9)


@pytest.mark.parametrize(
    ("capacity", "budget", "cost", "expected"),
    [
        (None, None, 1.0, None),
        (5, None, 1.0, 5),
        (None, 2.9, 1.0, 2),
        (2, 100.0, 1.0, 2),
        (None, 0.5, 1.0, 0),
        (None, 1_000_000.0, 0.1, 10_000_000),
        (7, 1.0, 0.0, 7),
    ],
)
def test_the_tighter_of_capacity_and_budget_limits(
    capacity: int | None, budget: float | None, cost: float, expected: int | None
) -> None:
    assert most_contacts(capacity, budget, cost) == expected


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 30), st.none() | st.integers(0, 30))
def test_a_list_is_as_long_as_its_contacts_allow(control: list[bool], paying: int, most: int | None) -> None:
    is_control, pays = np.array(control, dtype=bool), np.arange(len(control)) < paying
    kept = list_length(is_control, pays, most)
    contacts, wanted = (~is_control[:kept]).sum(), (~is_control & pays).sum()
    assert contacts == (wanted if most is None else min(wanted, most))
    assert pays[:kept].all()
    if most is not None and wanted > most and kept:
        assert not is_control[kept - 1]
