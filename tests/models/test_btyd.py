"""BG/NBD and Gamma-Gamma as columns: fitted at each row's own cutoff, with or without money."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.btyd import Btyd, fit_btyd, with_btyd, with_btyd_by_cutoff

COLUMNS = [
    "btyd_p_alive", "btyd_spend_per_day",
    "btyd_p_purchase_28d", "btyd_days_if_any_28d", "btyd_p_purchase_90d", "btyd_days_if_any_90d",
]  # fmt: skip


def newcomers(n: int = 40) -> pd.DataFrame:
    """Nobody has come back yet."""
    frame = pd.DataFrame({"frequency": 0.0, "recency": 0.0, "monetary_value": 0.0}, index=range(n))
    return frame.assign(T=np.arange(1.0, n + 1), cutoff=pd.Timestamp("2024-03-01"))


def test_later_cutoffs_do_not_move_earlier_rows_by_one_bit(panel: SimpleNamespace) -> None:
    middle = pd.Timestamp(panel.schedule.cutoffs[3])
    other = panel.bare.copy()
    later = other["cutoff"] > middle
    other.loc[later, "frequency"] = other.loc[later, "frequency"] * 3 + 1
    other.loc[later, "recency"] = other.loc[later, "T"]
    other.loc[later, "monetary_value"] = 1234.5
    moved, newest = with_btyd_by_cutoff(other, panel.horizons, has_amounts=True)
    kept = panel.frame["cutoff"] <= middle
    pd.testing.assert_frame_equal(moved.loc[kept, COLUMNS], panel.frame.loc[kept, COLUMNS], check_exact=True)
    assert (moved.loc[~kept, COLUMNS] != panel.frame.loc[~kept, COLUMNS]).any().all()
    assert newest.bg.params_ != panel.btyd.bg.params_


def test_each_cutoff_has_its_own_parameters(panel: SimpleNamespace) -> None:
    for cutoff, rows in panel.frame.groupby("cutoff"):
        own = fit_btyd(panel.bare[panel.bare["cutoff"] == cutoff], has_amounts=True)
        np.testing.assert_array_equal(own.p_purchase(90, rows), rows["btyd_p_purchase_90d"])
        np.testing.assert_array_equal(own.spend_per_day(rows), rows["btyd_spend_per_day"])
    assert own.to_dict() == panel.btyd.to_dict()  # the newest


def test_deleting_later_cutoffs_changes_nothing(panel: SimpleNamespace) -> None:
    middle = pd.Timestamp(panel.schedule.cutoffs[3])
    early = panel.bare[panel.bare["cutoff"] <= middle]
    alone, _ = with_btyd_by_cutoff(early, panel.horizons, has_amounts=True)
    pd.testing.assert_frame_equal(alone, panel.frame.loc[early.index], check_exact=True)


def test_rows_keep_their_order(panel: SimpleNamespace) -> None:
    mixed = panel.bare.sample(frac=1, random_state=1)
    found, _ = with_btyd_by_cutoff(mixed, panel.horizons, has_amounts=True)
    pd.testing.assert_frame_equal(found[mixed.columns], mixed)
    np.testing.assert_allclose(found[COLUMNS], panel.frame.loc[mixed.index, COLUMNS], rtol=1e-9)


def test_an_empty_panel_is_refused(panel: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="empty panel"):
        with_btyd_by_cutoff(panel.bare.head(0), panel.horizons, has_amounts=True)


def test_columns_replace_those_of_other_parameters(panel: SimpleNamespace) -> None:
    before = panel.newest.copy()
    dirty = panel.newest.assign(btyd_p_alive=7.0, btyd_p_purchase_14d=7.0)
    found = with_btyd(dirty, panel.btyd, panel.horizons)
    assert [c for c in found.columns if c.startswith("btyd_")] == COLUMNS
    pd.testing.assert_frame_equal(found, with_btyd(panel.newest, panel.btyd, panel.horizons))
    pd.testing.assert_frame_equal(panel.newest, before)
    assert (dirty["btyd_p_alive"] == 7).all()


def test_the_columns_are_possible(panel: SimpleNamespace) -> None:
    frame = panel.frame
    assert np.isfinite(frame[COLUMNS]).all().all()
    assert frame["btyd_p_alive"].between(0, 1).all()
    assert (frame["btyd_p_purchase_28d"] > 0).all()
    assert (frame["btyd_p_purchase_28d"] < frame["btyd_p_purchase_90d"]).all()
    assert (frame["btyd_p_purchase_90d"] <= frame["btyd_p_alive"]).all()
    assert (frame["btyd_days_if_any_28d"] >= 1).all()
    assert (frame["btyd_days_if_any_28d"] <= frame["btyd_days_if_any_90d"]).all()
    assert (frame["btyd_spend_per_day"] > 0).all()


def test_days_if_any_times_the_chance_is_the_expectation(panel: SimpleNamespace) -> None:
    history = [panel.newest[c].to_numpy() for c in ("frequency", "recency", "T")]
    product = panel.btyd.days_if_any(90, panel.newest) * panel.btyd.p_purchase(90, panel.newest)
    np.testing.assert_allclose(product, panel.btyd.bg.expected_purchases(90, *history), rtol=1e-9)


def test_without_amounts_there_is_no_spend(panel_without_amounts: SimpleNamespace) -> None:
    panel = panel_without_amounts
    assert panel.btyd.gg is None
    assert panel.frame["btyd_spend_per_day"].isna().all()
    rest = [c for c in COLUMNS if c != "btyd_spend_per_day"]
    assert np.isfinite(panel.frame[rest]).all().all()


def test_no_repeat_buyer() -> None:
    frame = newcomers()
    found, btyd = with_btyd_by_cutoff(frame, [28, 400], has_amounts=True)
    assert btyd.gg is None
    assert found["btyd_spend_per_day"].isna().all()
    for horizon in (28, 400):
        assert found[f"btyd_p_purchase_{horizon}d"].between(0, 1).all()
        assert (found[f"btyd_days_if_any_{horizon}d"] >= 1).all()
        assert np.isfinite(found[f"btyd_days_if_any_{horizon}d"]).all()
    assert (found["btyd_p_alive"] == 1).all()


def test_a_single_customer() -> None:
    found, btyd = with_btyd_by_cutoff(newcomers(1), [28], has_amounts=True)
    assert btyd.gg is None
    assert found["btyd_p_purchase_28d"].between(0, 1).all()


@pytest.mark.parametrize("which", ["panel", "panel_without_amounts"])
def test_json_round_trip_is_exact(which: str, request: pytest.FixtureRequest) -> None:
    panel = request.getfixturevalue(which)
    again = Btyd.from_dict(json.loads(json.dumps(panel.btyd.to_dict())))
    found = with_btyd(panel.newest, again, panel.horizons)
    pd.testing.assert_frame_equal(found[COLUMNS], panel.newest[COLUMNS], check_exact=True)


def test_fitted_on_the_simulated_truth(panel: SimpleNamespace) -> None:
    """The newest parameters are near those the shop was drawn from (days are coarser than its clock)."""
    spec, bg, gg = panel.shop.spec, panel.btyd.bg.params_, panel.btyd.gg.params_
    assert bg["r"] / bg["alpha"] == pytest.approx(spec.r / spec.alpha, rel=0.15)
    assert bg["a"] / (bg["a"] + bg["b"]) == pytest.approx(spec.a / (spec.a + spec.b), rel=0.2)
    assert gg["p"] * gg["v"] / (gg["q"] - 1) == pytest.approx(spec.p * spec.v / (spec.q - 1), rel=0.1)
