"""The share kept: found again where it was planted, with an interval that holds it as often as it says."""

import numpy as np
import pandas as pd
import pytest

from models.save_rate import LEAST, save_rate


def a_campaign(rng: np.random.Generator, n: int, kept: float) -> pd.DataFrame:
    """Two tiers that leave at unlike rates and were drawn with unlike shares."""
    is_high = rng.random(n) < 0.4
    leaves = rng.random(n) < np.where(is_high, 0.9, 0.6)
    is_contact = rng.random(n) >= np.where(is_high, 0.3, 0.1)
    is_kept = leaves & is_contact & (rng.random(n) < kept)
    return pd.DataFrame(
        {
            "is_contact": is_contact,
            "stratum": np.where(is_high, "high 0.3", "medium 0.1"),
            "buyers": (~leaves | is_kept).astype(float),
            "is_over": True,
        }
    )


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.3])
def test_the_interval_holds_what_was_planted(kept: float) -> None:
    rng = np.random.default_rng(21)
    found = [save_rate(a_campaign(rng, 1_500, kept)) for _ in range(400)]
    assert all(found)
    values = np.array([[one[name] for name in ("value", "low", "high")] for one in found if one])
    assert values[:, 0].mean() == pytest.approx(kept, abs=0.01)
    held = (values[:, 1] <= kept) & (kept <= values[:, 2])
    assert 0.92 < held.mean() < 0.98


def test_open_windows_are_not_looked_at() -> None:
    rng = np.random.default_rng(2)
    over, still_open = a_campaign(rng, 3_000, 0.1), a_campaign(rng, 3_000, 0.9).assign(is_over=False)
    assert save_rate(pd.concat([over, still_open])) == save_rate(over)
    assert save_rate(still_open) is None


def test_few_who_left_say_nothing() -> None:
    rows = a_campaign(np.random.default_rng(3), 4_000, 0.1)
    lost = rows[(rows["buyers"] == 0) & ~rows["is_contact"]]
    assert save_rate(rows.drop(lost.index[LEAST - 1 :])) is None
    assert save_rate(rows.drop(lost.index[LEAST:])) is not None
    assert save_rate(rows[rows["is_contact"]]) is None
    # No stratum with both.
    apart = rows[rows["is_contact"] == (rows["stratum"] == "high 0.3")]
    assert save_rate(apart) is None
