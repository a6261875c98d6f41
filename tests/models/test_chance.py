"""What luck alone leaves: exact where few buyers decide, covering as often as said everywhere."""

import numpy as np
import pytest
from scipy.stats import binom

from features.errors import ContractError
from models.chance import FEW, STEADY, Spread, buyers_between, overlap_of

LEVELS = [0.8, 0.95]


def by_hand(p: np.ndarray, level: float) -> tuple[float, float]:
    """Add one customer's coin after the other to the distribution of their number."""
    chances = np.ones(1)
    for one in p:
        chances = np.convolve(chances, [1 - one, one])
    tail = (1 - level) / 2
    low, high = np.searchsorted(np.cumsum(chances), [tail, 1 - tail])
    return float(low), float(high)


def test_ten_coins() -> None:
    """P(X <= 1) = 0.0107, P(X <= 2) = 0.0547: eight of ten are within chance, nine are not."""
    assert buyers_between(np.full(10, 0.5)) == (2, 8)
    assert buyers_between(np.full(10, 0.5)) == (binom(10, 0.5).ppf(0.025), binom(10, 0.5).ppf(0.975))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("n", "mean"), [(1, 0.3), (30, 0.004), (40, 0.98), (300, 0.01), (300, 0.1)])
def test_few_buyers_are_told_exactly(n: int, mean: float, level: float) -> None:
    p = np.random.default_rng(n).beta(5 * mean, 5 * (1 - mean), n)
    assert (p * (1 - p)).sum() < STEADY
    assert buyers_between(p, level) == by_hand(p, level)


@pytest.mark.parametrize("mean", [0.03, 0.3, 0.9])
def test_many_buyers_are_told_to_one(mean: float) -> None:
    p = np.random.default_rng(3).beta(5 * mean, 5 * (1 - mean), 4000)
    assert (p * (1 - p)).sum() > STEADY
    assert buyers_between(p) == pytest.approx(by_hand(p, 0.95), abs=1)


def test_certainties_leave_no_room() -> None:
    assert buyers_between(np.array([0.0, 1.0, 1.0])) == (2, 2)
    assert buyers_between(np.zeros(5)) == (0, 0)
    assert buyers_between(np.array([])) == (0, 0)


def test_where_nobody_was_likely_nobody_is_no_surprise() -> None:
    p, expected = np.full(50, 0.01), np.full(50, 0.4)
    spread = Spread(np.array([0.2, 1.0, 5.0]), np.array([0.4, 0.4, 0.2]))
    assert buyers_between(p) == (0, 2)
    low, high = spread.between(p, expected)
    assert low == 0
    assert 20 < high < 1000  # one or two purchases, of 40 each on average


def test_fewer_than_enough_buyers_tell_no_spread() -> None:
    p = np.full(100, 0.5)
    bought = np.arange(100) < FEW - 1
    assert Spread.of(p, p, bought, bought * 1.0) is None
    bought[FEW - 1] = True
    spread = Spread.of(p, p, bought, bought * 3.0)
    assert spread is not None
    assert (spread.ratios, spread.weights.sum()) == (pytest.approx(1), pytest.approx(1))


def test_the_spread_is_that_of_the_ratios() -> None:
    """Half of the buyers bring 10, half 30, of 20 expected of a buyer: 1/2 and 3/2, whatever is expected."""
    p, bought = np.full(40, 0.25), np.ones(40, dtype=bool)
    for too_much in (1, 2):
        spread = Spread.of(p, p * 20 * too_much, bought, np.where(np.arange(40) < 20, 10.0, 30.0))
        assert spread is not None
        assert sorted({*spread.ratios.round(9)}) == [0.5, 1.5]
    moments = spread.moments(np.array([0.25]), np.array([5.0]))
    assert moments.variance == pytest.approx(0.25 * (10**2 + 30**2) / 2 - 5**2)
    assert moments.third == pytest.approx(0.125 * (10 - 5) ** 3 + 0.125 * (30 - 5) ** 3 + 0.75 * (-5) ** 3)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("sigma", [0.4, 1.2])
@pytest.mark.parametrize(("n", "buyers"), [(200, 3), (200, 20), (2000, 300)])
def test_sums_lie_between_the_ends_as_often_as_said(
    n: int, buyers: float, sigma: float, level: float
) -> None:
    """Amounts are lognormal, a tame shop's and one's with whales; the spread is learned from 2,000 others."""
    rng = np.random.default_rng(n + int(buyers))
    raw = rng.beta(0.5, 3, n)
    p, size = np.minimum(raw * buyers / raw.sum(), 0.98), np.exp(rng.normal(0, 0.7, n))

    def draw(rows: int) -> np.ndarray:
        return np.exp(rng.normal(-(sigma**2) / 2, sigma, rows))

    one = np.ones(2000)
    spread = Spread.of(one, one, one > 0, draw(2000))
    assert spread is not None
    low, high = spread.between(p, p * size, level)
    sums = []
    for _ in range(2000):
        bought = rng.random(n) < p
        sums.append(float((size[bought] * draw(int(bought.sum()))).sum()))
    below, above = np.mean(np.array(sums) < low), np.mean(np.array(sums) > high)
    tail, doubt = (1 - level) / 2, 0.02 * (1 + (sigma > 1))  # whales are rare among 2,000, too
    assert above == pytest.approx(tail, abs=doubt)
    assert below == (0 if low == 0 else pytest.approx(tail, abs=doubt))


def test_rows_of_one_customer_are_one_piece_of_evidence() -> None:
    twice = np.array([0, 0, 1, 1, 2, 2])
    copies = np.array([0.8, 0.8, -0.2, -0.2, -0.2, -0.2])
    independent = float((copies**2).sum())
    assert overlap_of(twice, copies, independent) == pytest.approx(2)
    assert overlap_of(np.arange(6), copies, independent) == 1
    assert overlap_of(twice, copies * [1, -1, 1, -1, 1, -1], independent) == 1
    p = np.full(6000, 0.2)
    alone, together = buyers_between(p), buyers_between(p, overlap=4.0)
    assert together[1] - 1200 == pytest.approx(2 * (alone[1] - 1200), abs=2)


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(ContractError, match="lies between 0 and 1"):
        buyers_between(np.array([0.5]), level)
