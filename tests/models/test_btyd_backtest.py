"""What BG/NBD said in the past is judged by what happened, and chance is not taken for a fault."""

import json

import numpy as np
import pandas as pd
import pytest

from models.bgnbd import BetaGeoModel
from models.btyd_backtest import (
    calibration_by_frequency,
    check_predictions,
    judge_classes,
    judge_level,
    judge_season,
)
from models.findings import Finding


def test_calibration_by_frequency_of_cdnow(cdnow: pd.DataFrame) -> None:
    """Actual and expected means by frequency, 0 to 7 and above [BTYD walkthrough]."""
    expected = BetaGeoModel().fit(cdnow).expected_purchases(39, cdnow)
    table = calibration_by_frequency(cdnow["frequency"].to_numpy(), cdnow["holdout"].to_numpy(), expected)
    actual = [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594]
    assert table["actual"].to_numpy() == pytest.approx(actual, abs=6e-5)
    assert table["expected"].to_numpy() == pytest.approx(
        [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570], abs=2.5e-4
    )
    assert table["customers"].sum() == 2357
    assert (table["error"] > 0).all()


HORIZON = 90


def panel(paces: list[float], n: int = 20_000) -> pd.DataFrame:
    """Past cutoffs at which customers bought at a pace times as often as expected; the newest unknown."""
    rng = np.random.default_rng(8)
    cutoffs = []
    for month, pace in enumerate([*paces, 1.0]):
        expected = rng.uniform(0.05, 0.3, n)
        cutoffs.append(
            pd.DataFrame(
                {
                    "cutoff": pd.Timestamp("2024-01-01") + pd.DateOffset(months=month),
                    "frequency": rng.integers(0, 10, n),
                    "btyd_p_purchase_90d": expected,
                    "y_purchased_90d": (rng.random(n) < pace * expected).astype(float),
                }
            )
        )
    table = pd.concat(cutoffs, ignore_index=True)
    newest = table["cutoff"] == table["cutoff"].max()
    return table.assign(y_purchased_90d=table["y_purchased_90d"].mask(newest))


def backtest(table: pd.DataFrame) -> dict[str, Finding]:
    return {finding.code: finding for finding in check_predictions(table, HORIZON)}


def test_a_pace_that_holds_is_fine() -> None:
    found = backtest(panel([1.0, 1.05, 0.97]))
    assert {f.severity for f in found.values()} == {"ok"}
    assert len(found["btyd_season"].numbers["by_cutoff"]) == 3
    assert json.loads(json.dumps(found["btyd_by_frequency"].numbers))["by_frequency"][7]["frequency"] == 7


def test_a_season_is_seen_and_small_numbers_are_not_one() -> None:
    season = backtest(panel([1.0, 1.6, 0.9]))["btyd_season"]
    assert season.severity == "warning"
    assert "within 90 days of 2024-03-01" in season.text
    assert backtest(panel([1.0, 1.6, 0.9], n=60))["btyd_season"].severity == "ok"
    assert backtest(panel([1.6]))["btyd_season"].severity == "note"


def test_a_class_that_is_off_is_named() -> None:
    table = panel([1.0, 1.0])
    one_time = table["frequency"] == 0
    odd = backtest(table.assign(y_purchased_90d=table["y_purchased_90d"].mask(one_time, 0.0)))
    text = odd["btyd_by_frequency"].text
    assert odd["btyd_by_frequency"].severity == "warning"
    assert "one-time buyers: 0 bought, " in text
    assert "repeat purchase day" not in text


def test_without_labels_nothing_is_said() -> None:
    assert check_predictions(panel([]), HORIZON) == []


SHOPS = 60
GROWING = [40, 100, 300, 800, 1500, 3000]


def cutoffs(seed: int, paces: list[float], sizes: list[int]) -> pd.DataFrame:
    """One month a cutoff, at which customers bought at a pace times as often as expected."""
    rng = np.random.default_rng(seed)
    expected = [rng.uniform(0.05, 0.5, n) for n in sizes]
    months = pd.date_range("2024-01-01", periods=len(sizes), freq="MS")
    return pd.DataFrame(
        {
            "cutoff": np.repeat(months, sizes),
            "expected": np.concatenate(expected),
            "bought": np.concatenate(
                [1.0 * (rng.random(n) < p * e) for n, p, e in zip(sizes, paces, expected, strict=True)]
            ),
        }
    )


def test_a_bias_that_stays_is_no_season() -> None:
    shops = [cutoffs(seed, [0.7] * 6, GROWING) for seed in range(SHOPS)]
    assert {judge_season(shop, HORIZON).severity for shop in shops} == {"ok"}
    assert {judge_level(shop, HORIZON).severity for shop in shops} == {"warning"}
    assert "% too many; prefer" in judge_level(shops[0], HORIZON).text
    assert "% too few; prefer" in judge_level(cutoffs(0, [1.4] * 6, GROWING), HORIZON).text


def test_a_shop_as_expected_is_neither_biased_nor_seasonal() -> None:
    shops = [cutoffs(seed, [1.0] * 6, GROWING) for seed in range(SHOPS)]
    assert {judge(shop, HORIZON).severity for shop in shops for judge in (judge_season, judge_level)} == {
        "ok"
    }


def test_a_season_is_no_bias() -> None:
    shop = cutoffs(1, [1.0, 1.25, 1.0, 0.75], [5000] * 4)
    assert judge_season(shop, HORIZON).severity == "warning"
    assert judge_level(shop, HORIZON).severity == "ok"


def test_small_classes_do_not_warn_by_chance() -> None:
    """Some of the classes expect less than one customer, and one shop in twenty sees four or five there."""
    for seed in range(SHOPS):
        rng = np.random.default_rng(seed)
        expected, frequency = rng.beta(0.1, 30, 2000), rng.geometric(0.6, 2000) - 1
        rows = pd.DataFrame({"frequency": frequency, "expected": expected})
        found = judge_classes(rows.assign(bought=1.0 * (rng.random(2000) < expected)), HORIZON)
        assert found.severity == "ok", found.text


@pytest.mark.parametrize(("expected", "severity"), [(0.0, "ok"), (1e-9, "ok")])
def test_where_nobody_buys_as_expected(expected: float, severity: str) -> None:
    rows = cutoffs(1, [0.0] * 3, [50] * 3).assign(expected=expected, frequency=0)
    for judge in (judge_season, judge_level, judge_classes):
        assert judge(rows, HORIZON).severity == severity
