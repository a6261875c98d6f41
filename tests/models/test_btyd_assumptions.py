"""Each assumption is seen to hold where it does, and to break where it is broken."""

import json

import numpy as np
import pandas as pd
import pytest

from models.bgnbd import BetaGeoModel
from models.btyd_assumptions import check_assumptions
from models.btyd_backtest import calibration_by_frequency, check_predictions
from models.findings import Finding


def findings(customers: pd.DataFrame, *, has_amounts: bool = True) -> dict[str, Finding]:
    found = check_assumptions(customers, BetaGeoModel().fit(customers), has_amounts=has_amounts)
    return {finding.code: finding for finding in found}


@pytest.fixture(scope="module")
def shop(cdnow: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return cdnow.assign(
        monetary_value=rng.gamma(4, 8, len(cdnow)),
        order_value_trend=np.exp(rng.normal(0, 0.4, len(cdnow))),
        gap_irregularity=rng.uniform(0.6, 1.4, len(cdnow)),
    )


def test_where_all_holds(shop: pd.DataFrame) -> None:
    found = findings(shop)
    assert {code for code, f in found.items() if f.severity == "warning"} == set()
    assert set(found) == {
        "btyd_one_time", "btyd_identified", "btyd_span",
        "btyd_spend_independent", "btyd_spend_stationary", "btyd_timing",
    }  # fmt: skip
    assert found["btyd_one_time"].numbers["share"] == pytest.approx(1411 / 2357)


def test_without_amounts_spend_is_not_looked_at(shop: pd.DataFrame) -> None:
    assert not [code for code in findings(shop, has_amounts=False) if "spend" in code]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (
            "btyd_spend_independent",
            lambda t: t.assign(monetary_value=t["monetary_value"] * (1 + t["frequency"])),
        ),
        ("btyd_spend_stationary", lambda t: t.assign(order_value_trend=t["order_value_trend"] * 1.3)),
        ("btyd_timing", lambda t: t.assign(gap_irregularity=t["gap_irregularity"] / 4)),
        ("btyd_span", lambda t: t[t["frequency"] == 1].assign(recency=lambda u: 0.9 * u["T"])),
        ("btyd_identified", lambda t: t[t["frequency"] == 0]),
    ],
)
def test_what_breaks_is_seen(shop: pd.DataFrame, code: str, change: object) -> None:
    assert findings(change(shop))[code].severity == "warning"


def test_early_leavers_ask_for_the_modified_model(shop: pd.DataFrame) -> None:
    gone = shop[shop["frequency"] == 0].sample(4000, replace=True, random_state=1).assign(T=270.0)
    found = findings(pd.concat([shop, gone]))["btyd_one_time"]
    assert found.severity in {"warning", "note"}
    assert found.numbers["share"] > 0.8


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
