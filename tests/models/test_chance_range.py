"""The interval of a chance: it holds the share that buys, in a period it has not seen."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from features.errors import ContractError
from models.chance_range import FEW, ChanceRange, fit_chance_range

HORIZON = 90


def folds(
    rng: np.random.Generator,
    n_folds: int,
    apart: int,
    customers: int,
    drift: float,
    *,
    following: bool = False,
) -> pd.DataFrame:
    """Folds of labels that share days: purchases fall on days, and each day has a shock of its own.

    With `following`, a window is added that begins where the labels of the last fold end.
    """
    starts = [apart * fold for fold in range(n_folds)]
    starts += [starts[-1] + HORIZON] * following
    days = starts[-1] + HORIZON
    # Shocks of months, so that a window's is of about the size that is asked for.
    shock = np.repeat(rng.normal(0, drift * np.sqrt(HORIZON / 30), days // 30 + 1), 30)[:days]
    p = rng.beta(1, 3, customers)
    rate = -np.log1p(-p) / HORIZON
    buys = rng.random((customers, days)) < 1 - np.exp(-rate[:, None] * np.exp(shock))
    tables = [
        pd.DataFrame(
            {
                "customer_id": np.arange(customers).astype(str),
                "cutoff": pd.Timestamp("2024-01-01") + pd.Timedelta(days=start),
                "p_blend": p,
                "bought": buys[:, start : start + HORIZON].any(axis=1).astype(int),
            }
        )
        for start in starts
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    ("n_folds", "apart", "drift"), [(8, 90, 0.0), (8, 90, 0.3), (6, 30, 0.3), (4, 60, 0.0), (6, 21, 0.2)]
)
def test_it_holds_the_share_of_a_period_to_come_as_often_as_it_says(
    n_folds: int, apart: int, drift: float
) -> None:
    rng = np.random.default_rng(11)
    held = []
    for _ in range(120):
        table = folds(rng, n_folds, apart, 1_000, drift, following=True)
        is_new = table["cutoff"] == table["cutoff"].max()
        known = fit_chance_range(table[~is_new], "blend", HORIZON)
        assert known is not None
        new = table[is_new]
        place = np.searchsorted(known.edges, new["p_blend"], side="right")
        for fifth in range(5):
            rows = new[place == fifth]
            low, high = known.interval(np.array([rows["p_blend"].mean()]))
            held.append(low[0] <= rows["bought"].mean() <= high[0])
    # Of 600, 80 % but for luck; fifths of one period go together.
    assert np.mean(held) > 0.74


def test_a_wider_drift_gives_a_wider_interval() -> None:
    rng = np.random.default_rng(3)
    steady, shaken = (
        fit_chance_range(folds(rng, 8, 90, 3_000, drift), "blend", HORIZON) for drift in (0.0, 0.8)
    )
    assert steady is not None
    assert shaken is not None
    p = np.linspace(0.05, 0.9, 20)
    low, high = steady.interval(p)
    wide_low, wide_high = shaken.interval(p)
    assert (high - low < wide_high - wide_low).all()


def test_folds_that_share_days_are_worth_less() -> None:
    rng = np.random.default_rng(4)
    apart, near = (fit_chance_range(folds(rng, 6, days, 2_000, 0.2), "blend", HORIZON) for days in (90, 30))
    assert apart is not None
    assert near is not None
    assert apart.n_folds == pytest.approx([6.0] * 5)
    # Pairs one, two and three months apart share 2/3, 1/3 and none of their days.
    assert near.n_folds == pytest.approx([6 / (1 + 5 * (5 * 2 / 3 + 4 / 3) / 15)] * 5)
    assert fit_chance_range(folds(rng, 3, 21, 2_000, 0.2), "blend", HORIZON) is None


def test_rows_that_stand_for_several_count_once() -> None:
    table = folds(np.random.default_rng(6), 6, 90, 3 * FEW, 0.2)
    assert fit_chance_range(table, "blend", HORIZON) is None
    assert fit_chance_range(pd.concat([table] * 10), "blend", HORIZON) is None


def test_the_chance_is_within_and_between_0_and_1() -> None:
    known = ChanceRange(edges=(0.5,), middles=(0.8, -0.8), spreads=(0.1, 0.0), n_folds=(2.0, 2.0))
    p = np.array([0.0, 1e-9, 0.3, 0.5, 0.99, 1.0])
    low, high = known.interval(p)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= p).all()
    assert (p <= high).all()
    assert high[2] > expit(logit(0.3) + 0.8)  # those who were given .3 bought more often, fold after fold
    assert low[4] < 0.985


def test_equal_chances_are_one_group() -> None:
    table = folds(np.random.default_rng(5), 6, 90, 1_000, 0.1).assign(p_blend=0.25)
    known = fit_chance_range(table, "blend", HORIZON)
    assert known is not None
    assert known.edges == ()
    assert ChanceRange.from_dict(known.to_dict()) == known


def test_the_level_is_a_share() -> None:
    with pytest.raises(ContractError, match="between 0 and 1"):
        ChanceRange((), (0.0,), (0.1,), (3.0,)).interval(np.array([0.5]), level=1.0)
