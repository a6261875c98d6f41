"""Lifetime value under a shop's terms, against the published path and by hand."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.clv import clv_path
from models.economics import Economics, against_cost, path_days, payback_days, profit_path
from models.scorer import Scorer

TERMS = Economics(margin=0.4, discount_rate=0.25)


def test_a_lone_buy_till_you_die_champion_says_what_the_path_says(
    panel: SimpleNamespace, fit_scorer: Callable[..., Scorer]
) -> None:
    """Sum of the discounted path, two implementations: fractions of E[purchases] there, of the curve here."""
    scorer = fit_scorer(panel, "bgnbd")
    found = scorer.score(panel.newest, TERMS)["clv_365d"].to_numpy()
    assert scorer.btyd.gg is not None
    path = clv_path(
        scorer.btyd.bg, scorer.btyd.gg, panel.newest, path_days(365), discount_rate=0.25, margin=0.4
    )
    np.testing.assert_allclose(found, path.sum(axis=1) * scorer.value.spend_ratio, rtol=1e-5)


def test_without_terms_lifetime_value_is_spend(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    plain = blend_scorer.score(panel.newest)
    assert plain[["clv_net_365d", "clv_to_cac", "payback_days"]].isna().all().all()
    half = blend_scorer.score(panel.newest, Economics(margin=0.5))
    np.testing.assert_allclose(half["clv_365d"], plain["clv_365d"] / 2)
    others = [c for c in plain.columns if not c.startswith("clv")]
    pd.testing.assert_frame_equal(half[others], plain[others], check_exact=True)


def test_a_rate_costs_and_moves_nothing_else(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    """Between what all of it is worth when it comes at once, and when it comes at the horizon's end."""
    plain = blend_scorer.score(panel.newest)
    found = blend_scorer.score(panel.newest, Economics(margin=1.0, discount_rate=0.25, acquisition_cost=10.0))
    ratio = found["clv_365d"] / plain["clv_365d"]
    assert ratio.between(1.25**-1, 1).all()
    assert ratio.nunique() > 1
    others = [c for c in plain.columns if not c.startswith(("clv", "payback"))]
    pd.testing.assert_frame_equal(found[others], plain[others], check_exact=True)


def test_own_cost_goes_before_the_common_one(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    own = panel.newest.assign(acquisition_cost=np.where(np.arange(len(panel.newest)) % 2, 30.0, np.nan))
    found = blend_scorer.score(own, Economics(0.5, acquisition_cost=10.0))
    cost = np.where(np.arange(len(own)) % 2, 30.0, 10.0)
    whole = own["total_spend"].to_numpy() * 0.5 + found["clv_365d"]
    np.testing.assert_allclose(found["clv_net_365d"], whole - cost)
    np.testing.assert_allclose(found["clv_to_cac"], whole / cost)
    paid = own["total_spend"].to_numpy() * 0.5 >= cost
    assert 0 < paid.sum() < len(own)
    assert (found["payback_days"][paid] == 0).all()
    later = found["payback_days"][~paid]
    assert (later.dropna() >= 1).all()
    np.testing.assert_array_equal(later.isna(), (found["clv_net_365d"] < 0)[~paid])


def test_by_hand() -> None:
    """Half of 100 a step, from the end of a year and of two; 60 of 70 were unpaid."""
    path = profit_path(np.array([[100.0, 200.0]]), [365, 730], Economics(0.5, 0.1))
    np.testing.assert_allclose(path, [[50 / 1.1, 50 / 1.1 + 50 / 1.21]], rtol=1e-3)
    found = against_cost(path, [365, 730], np.array([10.0]), np.array([70.0]), 730)
    assert found["clv_net_730d"] == pytest.approx(10 + path[0, -1] - 70)
    assert found["clv_to_cac"] == pytest.approx((10 + path[0, -1]) / 70)
    assert found["payback_days"] == np.ceil(365 + 365 * (60 - path[0, 0]) / (path[0, 1] - path[0, 0]))


def test_won_for_nothing() -> None:
    """A free customer has paid back at once, and is no multiple of nothing."""
    found = against_cost(np.array([[5.0]]), [30], np.array([0.0]), np.array([0.0]), 30)
    assert found["payback_days"] == 0
    assert np.isnan(found["clv_to_cac"]).all()
    assert np.isnan(payback_days(np.array([[5.0]]), [30], np.array([np.nan]))).all()
