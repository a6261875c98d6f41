"""The paired bootstrap covers the truth, and draws customers, not rows."""

import tracemalloc

import numpy as np
import pytest

from features.errors import ContractError
from models import bootstrap
from models.bootstrap import Interval, paired_interval


def folds(rng: np.random.Generator, customers: int, shared: float) -> tuple[np.ndarray, np.ndarray]:
    """One to four rows a customer, whose differences (mean 0.1) share a part of their spread."""
    rows = rng.integers(1, 5, customers)
    ids = np.repeat(np.arange(customers), rows)
    own = rng.normal(0, shared, customers)[ids]
    return ids, 0.1 + own + rng.normal(0, 1, ids.size)


@pytest.mark.parametrize("shared", [0.0, 2.0])
def test_the_interval_covers_the_truth(shared: float) -> None:
    rng = np.random.default_rng(12)
    hits = 0
    for repetition in range(400):
        ids, difference = folds(rng, 40, shared)
        found = paired_interval(ids, difference, np.zeros(ids.size), draws=300, seed=repetition)
        hits += found.lo <= 0.1 <= found.hi
    assert 0.90 <= hits / 400 <= 0.985


def test_agrees_with_theory_on_independent_rows() -> None:
    loss = np.random.default_rng(1).normal(0.2, 1, 4000)
    found = paired_interval(np.arange(4000), loss, np.zeros(4000), draws=4000)
    error = 1.96 * loss.std() / np.sqrt(4000)
    assert found.mean == pytest.approx(loss.mean())
    assert found.lo == pytest.approx(loss.mean() - error, abs=0.1 * error)
    assert found.hi == pytest.approx(loss.mean() + error, abs=0.1 * error)


def test_rows_of_one_customer_move_together() -> None:
    loss = np.random.default_rng(1).normal(0.2, 1, 500)
    ids = np.arange(500)
    once = paired_interval(ids, loss, np.zeros(500))
    copied, four = np.tile(loss, 4), np.tile(ids, 4)
    together = paired_interval(four, copied, np.zeros(2000))
    apart = paired_interval(np.arange(2000), copied, np.zeros(2000))
    np.testing.assert_allclose(together, once, rtol=1e-12)  # copies are no evidence
    assert (together.hi - together.lo) / (apart.hi - apart.lo) == pytest.approx(2, rel=0.15)


def test_every_row_weighs_the_same() -> None:
    found = paired_interval(["a", "a", "a", "b"], [1.0, 1.0, 1.0, 0.0], [0.0] * 4)
    assert found.mean == pytest.approx(0.75)
    assert (found.lo, found.hi) == (0.0, 1.0)


def test_no_difference_is_exactly_zero() -> None:
    loss = np.random.default_rng(1).random(50)
    assert paired_interval(np.arange(50) // 2, loss, loss) == Interval(0.0, 0.0, 0.0)


def test_swapping_the_models_mirrors_the_interval() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.random((2, 300))
    there, back = paired_interval(np.arange(300), a, b), paired_interval(np.arange(300), b, a)
    np.testing.assert_allclose(back, [-there.mean, -there.hi, -there.lo], rtol=1e-12)


def test_pairing_helps() -> None:
    rng = np.random.default_rng(5)
    hard = rng.gamma(1, 5, 1000)
    a, b = hard + 0.1 + rng.normal(0, 0.1, 1000), hard
    paired = paired_interval(np.arange(1000), a, b)
    assert paired.lo > 0
    assert paired.hi - paired.lo < 0.05


def test_wider_with_level() -> None:
    loss = np.random.default_rng(1).normal(0, 1, 200)
    narrow, wide = (paired_interval(np.arange(200), loss, 0 * loss, level=level) for level in (0.8, 0.99))
    assert wide.lo < narrow.lo < narrow.mean < narrow.hi < wide.hi


def test_same_seed_same_interval() -> None:
    ids, loss = folds(np.random.default_rng(2), 100, 1.0)
    ids = np.array([f"u{i:03d}" for i in ids])
    first = paired_interval(ids, loss, 0 * loss, seed=4)
    assert paired_interval(ids, loss, 0 * loss, seed=4) == first
    assert paired_interval(ids, loss, 0 * loss, seed=5) != first
    shuffle = np.random.default_rng(0).permutation(ids.size)
    np.testing.assert_allclose(
        paired_interval(ids[shuffle], loss[shuffle], 0 * loss, seed=4), first, rtol=1e-12
    )


def test_memory_is_bounded() -> None:
    loss = np.random.default_rng(1).random(100_000)
    ids = np.arange(100_000)
    tracemalloc.start()
    paired_interval(ids, loss, 0 * loss, draws=200)  # at once it would take 160 MB a gathered array
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = np.random.default_rng(1).random(50)
    whole = paired_interval(np.arange(50), loss, 0 * loss)
    monkeypatch.setattr(bootstrap, "_CELLS", 400)
    assert paired_interval(np.arange(50), loss, 0 * loss) == whole


@pytest.mark.parametrize(
    ("ids", "a", "b", "options", "what"),
    [
        (["u", "w"], [1.0, 2.0], [1.0], {}, "equally long"),
        (["u"], [1.0, 2.0], [1.0, 2.0], {}, "differ in length"),
        (["u", "w"], [1.0, np.nan], [1.0, 2.0], {}, "1 rows have a missing"),
        (["u", "w"], [1.0, 2.0], [np.inf, 2.0], {}, "infinite loss"),
        (np.array(["u", None, "w"], dtype=object), [1.0] * 3, [2.0] * 3, {}, "no customer_id"),
        (["u", "u"], [1.0, 2.0], [1.0, 2.0], {}, "at least 2"),
        ([], [], [], {}, "at least 2"),
        (["u", "w"], [1.0, 2.0], [1.0, 2.0], {"level": 1.0}, "level"),
        (["u", "w"], [1.0, 2.0], [1.0, 2.0], {"draws": 0}, "draws"),
    ],
)
def test_bad_input_is_refused(
    ids: object, a: list[float], b: list[float], options: dict[str, float], what: str
) -> None:
    with pytest.raises(ContractError, match=what):
        paired_interval(ids, a, b, **options)  # type: ignore[arg-type]
