"""What moves the probabilities is measured where it moves them."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from models.importances import importances
from models.scorer import Scorer


def test_a_blend_is_moved_by_recency_and_frequency(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    found = importances(blend_scorer, panel.newest, seed=1)
    assert found["share"].sum() == pytest.approx(1)
    assert found["importance"].is_monotonic_decreasing
    assert set(blend_scorer.features) < set(found["feature"])  # and what BG/NBD says
    rhythm = {"btyd_log_odds", "days_since_last_order", "frequency", "T", "recency", "n_orders"}
    assert found["feature"].iloc[0] in rhythm


def test_a_rule_has_one_input_and_the_base_rate_none(
    panel: SimpleNamespace, fit_scorer: Callable[..., Scorer]
) -> None:
    rule = importances(fit_scorer(panel, "last_period_rule"), panel.newest, seed=1)
    assert len(rule) == 1
    assert rule["share"].tolist() == [1.0]
    assert importances(fit_scorer(panel, "base_rate"), panel.newest, seed=1).empty


def test_the_same_seed_gives_the_same(blend_scorer: Scorer, panel: SimpleNamespace) -> None:
    first, second = (importances(blend_scorer, panel.newest, seed=1) for _ in range(2))
    assert first.equals(second)
    assert np.isfinite(first["importance"]).all()
