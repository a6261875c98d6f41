"""Findings from plain numbers: enough history, buyers, returns, usable rows, punctual ones, sane amounts."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.findings import Finding, state_of, worst_first
from models.outliers import Dots, bin_values, judge_amounts, judge_scale, judge_sizes, quantile
from models.readiness import (
    judge_buyers,
    judge_delay,
    judge_end,
    judge_history,
    judge_returns,
    judge_rows,
)
from models.schedule import plan


def test_one_blocker_makes_it_not_ready_and_stands_first() -> None:
    findings = [Finding(s, s, "") for s in ("ok", "warning", "note", "blocker")]
    assert state_of(findings) == "not ready"
    assert state_of(findings[:3]) == "ready with warnings"
    assert state_of([findings[0], findings[2]]) == "ready"
    assert [f.code for f in worst_first(findings)] == ["blocker", "warning", "note", "ok"]


def schedule(days: int):
    until = pd.Timestamp("2024-01-01") + pd.Timedelta(days=days)
    return plan(date(2024, 1, 1), until.date(), [28, 90], 90)


def test_a_history_without_a_plan_is_refused_for_the_planners_reason() -> None:
    found = judge_history(50, None, "needs 34 more days", {28: 34, 90: 158}, 90)
    assert (found.severity, found.text) == ("blocker", "needs 34 more days")
    assert found.numbers == {"days": 50, "missing_days": {"28": 34, "90": 158}}


def test_a_history_that_judges_a_shorter_horizon_says_what_the_main_one_needs() -> None:
    short = judge_history(150, schedule(150), "", {28: 0, 90: 58}, 90)
    assert short.severity == "warning"
    assert short.text.endswith("28 days ahead; judging 90 days needs 58 more days of history")
    assert judge_history(400, schedule(400), "", {28: 0, 90: 0}, 90).severity == "ok"
    chosen = judge_history(400, schedule(150), "", {28: 0, 90: 0}, 90)
    assert chosen.text.endswith("judging 90 days needs other [training] cutoffs")


def windows(*known_and_buyers: tuple[int, int], horizon: int = 90) -> pd.DataFrame:
    rows = [
        {"cutoff": date(2024, 6, 1 + i), "horizon": horizon, "known": k, "buyers": b, "is_fold": True}
        for i, (k, b) in enumerate(known_and_buyers)
    ]
    young = {"cutoff": date(2024, 7, 1), "horizon": 7, "known": 9999, "buyers": 1, "is_fold": False}
    return pd.DataFrame([*rows, young])


@pytest.mark.parametrize(("known", "buyers", "severity", "said"), [
    (5000, 900, "ok", "900 bought within 90 days"),
    (5000, 99, "warning", "told from luck"),
    (1500, 1401, "warning", "only 99 did not"),
    (5000, 0, "warning", "all get the same chance"),
    (5000, 5000, "warning", "all get the same chance"),
])  # fmt: skip
def test_a_test_needs_buyers_and_others(known: int, buyers: int, severity: str, said: str) -> None:
    found = judge_buyers(windows((known, buyers)), 90)
    assert found.severity == severity
    assert said in found.text
    assert found.numbers == {"cutoff": "2024-06-01", "horizon": 90, "known": known, "buyers": buyers}


def test_one_fold_with_both_is_enough_to_train_but_the_newest_counts() -> None:
    assert judge_buyers(windows((500, 0), (600, 300)), 90).severity == "ok"
    assert judge_buyers(windows((600, 300), (700, 0)), 90).severity == "warning"


@pytest.mark.parametrize(("one_time", "severity", "said"), [
    (1000, "warning", "nobody returned: not one of 1,000 customers"),
    (990, "warning", "very few; if guests"),
    (360, "ok", "640 of 1,000 customers (64.0%)"),
])  # fmt: skip
def test_returns(one_time: int, severity: str, said: str) -> None:
    found = judge_returns(1000, one_time)
    assert found.severity == severity
    assert said in found.text


def test_rows_that_cannot_be_used() -> None:
    assert judge_rows("transactions", "log.csv", 1000, {}).severity == "ok"
    some = judge_rows("events", "web.csv", 1000, {"no_customer": 20, "no_date": 30}, "column 'day'")
    assert (some.code, some.text) == (
        "events_rows", "web.csv: 50 of 1,000 rows (5.0%) are not used, most for no_date (column 'day')"
    )  # fmt: skip
    assert (some.severity, some.numbers["set_aside"]) == ("note", 50)
    many = judge_rows("transactions", "log.csv", 1000, {"no_customer": 250})
    assert many.code == "rows"
    assert many.severity == "warning"
    assert "250 of 1,000 rows (25.0%)" in many.text


def test_a_log_that_stops_before_the_date_asked_about() -> None:
    assert judge_end(date(2024, 5, 1), None, [7]) is None
    assert judge_end(date(2024, 5, 1), date(2024, 5, 1), [7]) is None
    late = judge_end(date(2024, 5, 1), date(2024, 5, 4), [7])
    stale = judge_end(date(2024, 5, 1), date(2024, 6, 1), [7])
    assert late is not None
    assert stale is not None
    assert (late.severity, stale.severity) == ("note", "warning")
    assert "the log ends 31 days before 2024-06-01" in stale.text


def test_late_rows_are_measured_over_all_rows_and_over_the_late_ones() -> None:
    delays = pd.DataFrame({"delay": [5, 0, 2, 30], "n": [30, 900, 60, 10]})
    found = judge_delay(delays, shortest=7)
    assert found.numbers == {
        "late_share": pytest.approx(0.1), "median_days": 0, "p99_days": 5, "median_days_of_late": 2,
        "max_days": 30,
    }  # fmt: skip
    assert found.severity == "note"
    assert judge_delay(delays, shortest=5).severity == "warning"
    punctual = judge_delay(pd.DataFrame({"delay": [0], "n": [50]}), shortest=7)
    assert (punctual.severity, punctual.numbers["median_days_of_late"]) == ("ok", None)


def bins_of(money: np.ndarray) -> pd.DataFrame:
    """What `features.profile.amount_bins` counts."""
    text = pd.Series(np.round(money * 10_000).astype(int)).astype(str)
    frame = pd.DataFrame(
        {"digits": text.str.len(), "lead": text.str[:2].astype(int), "amount": text.astype(int)}
    )
    return frame.groupby(["digits", "lead"], as_index=False).agg(
        n=("amount", "size"), amount=("amount", "sum")
    )


def largest_of(money: np.ndarray, n_orders: int = 1) -> pd.DataFrame:
    top = np.sort(money)[::-1][:5]
    return pd.DataFrame({"day": [date(2024, 5, 1)] * top.size, "amount": top * 10_000, "n_orders": n_orders})


def test_quantiles_from_bins_are_within_a_tenth() -> None:
    money = np.random.default_rng(1).lognormal(3, 1, 5000)
    bins = bins_of(money)
    ordered = bins.assign(value=bin_values(bins)).sort_values("value")
    for q in (0.01, 0.25, 0.5, 0.75, 0.99):
        found = quantile(ordered["value"].to_numpy(), ordered["n"].to_numpy(float), q)
        assert found <= np.quantile(money, q) <= found * 1.1


def test_ordinary_amounts_have_no_outliers() -> None:
    money = np.random.default_rng(1).lognormal(3, 0.8, 20_000)
    found = judge_amounts(bins_of(money), largest_of(money), "EUR")
    assert (found.severity, found.numbers["outside"]) == ("ok", 0)
    assert f"{money.max():,.2f} EUR" in found.text


def test_one_purchase_that_carries_the_revenue_is_named() -> None:
    money = np.append(np.random.default_rng(1).lognormal(3, 0.8, 2000), 77_183.6)
    found = judge_amounts(bins_of(money), largest_of(money))
    assert (found.severity, found.numbers["outside"]) == ("warning", 1)
    assert "(2024-05-01) is 77,183.60" in found.text
    assert found.numbers["largest"][0]["share_of_revenue"] == pytest.approx(77_183.6 / money.sum())
    json.dumps(found.numbers)
    several = judge_amounts(bins_of(money), largest_of(money, n_orders=3))
    assert "(2024-05-01, 3 orders of that day) is" in several.text


@pytest.mark.parametrize(
    ("middle", "currency", "dots", "severity"),
    [
        (189.0, None, (40, 40), "warning"),  # 189.000
        (189.0, "USD", (40, 39), "ok"),
        (189.0, "USD", (2, 2), "ok"),
        (189.0, "VND", (0, 0), "warning"),
        (189_000.0, "VND", (0, 0), "ok"),
    ],
)
def test_amounts_that_may_be_a_thousand_times_too_small(
    middle: float, currency: str | None, dots: tuple[int, int], severity: str
) -> None:
    found = judge_sizes("don.csv", middle, currency, Dots("Thành tiền", *dots, "189.000"))
    assert (found.severity, found.code) == (severity, "amount_sizes")
    assert ("don.csv: column 'Thành tiền'" in found.text) == (severity == "warning")
    by_dots = severity == "warning" and dots[1] > 0
    assert ("write 189000, not 189.000" in found.text) == by_dots
    assert ("(write 189000, not 189)" in found.text) == (severity == "warning" and not by_dots)


@pytest.mark.parametrize(
    ("learned", "middle", "said"),
    [
        (530_000.0, 530.0, "about 1,000 times smaller"),
        (530.0, 520_000.0, "about 1,000 times larger"),
        (100.0, 2_000.0, "about 20 times larger"),
        (100.0, 1_900.0, None),
        (1_900.0, 100.0, None),
    ],
)
def test_amounts_of_another_size_than_those_that_were_learned(
    learned: float, middle: float, said: str | None
) -> None:
    found = judge_scale("don.csv", learned, "VND", middle, None)
    assert (found is None) == (said is None)
    if found is not None and said is not None:
        assert (found.severity, found.code) == ("warning", "amount_scale")
        assert f"is about {middle:,.2f}, and was about {learned:,.0f} VND in the log" in found.text
        assert said in found.text
        json.dumps(found.numbers)
