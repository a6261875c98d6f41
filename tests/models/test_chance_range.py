"""The interval of a chance: it holds the share that buys, in folds it has not seen."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from features.errors import ContractError
from models.chance_range import ChanceRange, fit_chance_range


def folds(rng: np.random.Generator, n_folds: int, customers: int, drift: float) -> pd.DataFrame:
    tables = []
    for fold in range(n_folds):
        p = rng.beta(1, 3, customers)
        true = expit(logit(p) + rng.normal(0, drift))
        bought = (rng.random(customers) < true).astype(int)
        cutoff = pd.Timestamp("2024-01-01") + pd.Timedelta(days=30 * fold)
        tables.append(pd.DataFrame({"cutoff": cutoff, "p_blend": p, "bought": bought}))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("drift", [0.0, 0.3])
def test_it_holds_the_share_of_the_next_fold_as_often_as_it_says(drift: float) -> None:
    rng = np.random.default_rng(11)
    held = []
    for _ in range(300):
        table = folds(rng, 8, 4_000, drift)
        last = table["cutoff"] == table["cutoff"].max()
        known = fit_chance_range(table[~last], "blend")
        assert known is not None
        new = table[last]
        place = np.searchsorted(known.edges, new["p_blend"], side="right")
        for fifth in range(5):
            rows = new[place == fifth]
            low, high = known.interval(np.array([rows["p_blend"].mean()]))
            error = np.sqrt(rows["bought"].mean() * (1 - rows["bought"].mean()) / len(rows))
            # What luck adds to the share of one fifth is not the chance that the interval speaks of.
            held.append(low[0] - 1.28 * error <= rows["bought"].mean() <= high[0] + 1.28 * error)
    assert 0.78 < np.mean(held) < 0.97


def test_a_wider_drift_gives_a_wider_interval() -> None:
    rng = np.random.default_rng(3)
    steady, shaken = (fit_chance_range(folds(rng, 12, 4_000, drift), "blend") for drift in (0.05, 0.6))
    assert steady is not None
    assert shaken is not None
    p = np.linspace(0.05, 0.9, 20)
    low, high = steady.interval(p)
    wide_low, wide_high = shaken.interval(p)
    assert (high - low < wide_high - wide_low).all()


def test_the_chance_is_within_and_between_0_and_1() -> None:
    known = ChanceRange(edges=(0.5,), middles=(0.8, -0.8), spreads=(0.1, 0.0), n_folds=2)
    p = np.array([0.0, 1e-9, 0.3, 0.5, 0.99, 1.0])
    low, high = known.interval(p)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= p).all()
    assert (p <= high).all()
    assert high[2] > 0.4  # those who were given .3 bought more often, fold after fold
    assert low[4] < 0.985


def test_too_few_buyers_or_one_fold_say_nothing() -> None:
    rng = np.random.default_rng(5)
    assert fit_chance_range(folds(rng, 1, 4_000, 0.1), "blend") is None
    assert fit_chance_range(folds(rng, 6, 40, 0.1), "blend") is None


def test_equal_chances_are_one_group() -> None:
    table = folds(np.random.default_rng(5), 6, 1_000, 0.1).assign(p_blend=0.25)
    known = fit_chance_range(table, "blend")
    assert known is not None
    assert known.edges == ()
    assert ChanceRange.from_dict(known.to_dict()) == known


def test_the_level_is_a_share() -> None:
    with pytest.raises(ContractError, match="between 0 and 1"):
        ChanceRange((), (0.0,), (0.1,), 3).interval(np.array([0.5]), level=1.0)
