"""What a log's days say: holes, double loads, season, growth; each planted, and each left out."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.periods import Period
from models.double_loads import find_double_loads, judge_copies, judge_files
from models.rhythm import closing_days, find_holes, judge_holes, judge_newest
from models.trend import judge_growth, judge_season, monthly


def shop(n_days: int, mean: float, seed: int = 1, pace: np.ndarray | None = None) -> pd.DataFrame:
    """A shop's days: Poisson buyers, one order and three rows each, one in ten new."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2023-01-01", periods=n_days)
    buyers = rng.poisson(mean * (np.ones(n_days) if pace is None else pace))
    frame = pd.DataFrame({"buyers": buyers, "newcomers": rng.binomial(buyers, 0.1), "orders": buyers}, index)
    rows = 3 * buyers
    return frame.assign(amount=buyers * 100_000, rows=rows, distinct_rows=rows, copied_rows=0)


def emptied(daily: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    daily = daily.copy()
    daily.loc[first:last] = 0
    return daily


def on_weekdays(daily: pd.DataFrame, open_days: list[int]) -> pd.DataFrame:
    return daily.mul(daily.index.day_of_week.isin(open_days), axis=0)


@pytest.mark.parametrize("mean", [0.3, 1, 3, 30, 300])
@pytest.mark.parametrize("seed", range(5))
def test_no_holes_in_a_shop_of_any_size(mean: float, seed: int) -> None:
    assert find_holes(shop(730, mean, seed)) == []


def test_a_busy_shop_misses_one_day_a_quiet_one_only_weeks() -> None:
    (hole,) = find_holes(emptied(shop(365, 40), "2023-05-10", "2023-05-10"))
    assert (hole.first, hole.last, hole.days) == (date(2023, 5, 10), date(2023, 5, 10), 1)
    assert hole.expected == pytest.approx(40, rel=0.2)
    quiet = shop(365, 0.7)
    assert find_holes(emptied(quiet, "2023-05-10", "2023-05-12")) == []
    (weeks,) = find_holes(emptied(quiet, "2023-05-10", "2023-06-10"))
    assert weeks.first <= date(2023, 5, 10)
    assert weeks.last >= date(2023, 6, 10)


def test_closing_days_are_no_holes_and_do_not_lengthen_one() -> None:
    daily = on_weekdays(shop(365, 30), [0, 1, 2, 3, 4])
    assert find_holes(daily) == []
    assert closing_days(daily) == ["Saturdays", "Sundays"]
    (hole,) = find_holes(emptied(daily, "2023-05-11", "2023-05-15"))  # a Thursday to a Monday
    assert (hole.first, hole.last) == (date(2023, 5, 11), date(2023, 5, 15))
    (friday,) = find_holes(emptied(daily, "2023-05-12", "2023-05-12"))
    assert (friday.first, friday.last) == (date(2023, 5, 12), date(2023, 5, 12))


def test_every_other_sunday_is_a_habit_not_a_hole() -> None:
    daily = shop(365, 30)
    sundays = daily.index[daily.index.day_of_week == 6]
    daily.loc[sundays[::2]] = 0
    assert find_holes(daily) == []


def test_a_missing_month_of_a_log_of_months() -> None:
    firsts = pd.date_range("2023-01-01", "2024-06-01", freq="MS")
    daily = shop(549, 0).assign(rows=0, buyers=0)
    daily.loc[firsts, ["rows", "buyers"]] = 500
    daily.loc["2023-09-01", ["rows", "buyers"]] = 0
    (hole,) = find_holes(daily, Period("month"))
    assert (hole.first, hole.last) == (date(2023, 9, 1), date(2023, 9, 30))


def test_a_week_without_rows_is_a_warning_a_day_is_a_note() -> None:
    daily = shop(365, 40)
    assert judge_holes(daily).severity == "ok"
    day = judge_holes(emptied(daily, "2023-05-10", "2023-05-10"))
    week = judge_holes(emptied(daily, "2023-05-10", "2023-05-16"))
    assert (day.severity, week.severity) == ("note", "warning")
    assert "2023-05-10 to 2023-05-16 (7 days), about 2" in week.text
    assert week.numbers["holes"][0]["days"] == 7


def loaded_again(daily: pd.DataFrame, first: str, last: str, times: int = 2) -> pd.DataFrame:
    daily = daily.copy()
    days = slice(first, last)
    daily.loc[days, "copied_rows"] = daily.loc[days, "rows"] = times * daily.loc[days, "distinct_rows"]
    return daily


@pytest.mark.parametrize(("first", "last", "name"), [
    ("2023-03-01", "2023-03-31", "2023-03"),
    ("2023-03-01", "2023-05-31", "2023-03 to 2023-05"),
    ("2023-03-06", "2023-03-12", "2023-03-06 to 2023-03-11"),  # closed on Sundays
    ("2023-03-06", "2023-03-06", "2023-03-06"),
])  # fmt: skip
@pytest.mark.parametrize("times", [2, 3])
def test_a_stretch_that_was_loaded_again_is_named(first: str, last: str, name: str, times: int) -> None:
    daily = on_weekdays(shop(365, 30), [0, 1, 2, 3, 4, 5])
    rows = int(daily.loc[first:last, "rows"].sum())
    (load,) = find_double_loads(loaded_again(daily, first, last, times))
    assert (load.name, load.times) == (name, times)
    assert (load.rows, load.extra_rows) == (times * rows, (times - 1) * rows)


def test_a_doubled_month_is_a_warning_that_says_what_to_do() -> None:
    daily = loaded_again(shop(365, 30), "2023-03-01", "2023-03-31")
    loads, copies = judge_copies(daily)
    rows = int(daily.loc["2023-03", "rows"].sum())
    assert (loads.severity, loads.code, copies.severity) == ("warning", "double_load", "ok")
    assert f"2023-03: {rows:,} rows, nearly every one twice" in loads.text
    assert f"Remove the {rows // 2:,} copies" in loads.text
    json.dumps(loads.numbers)


def test_scattered_copies_are_counted_and_no_load() -> None:
    daily = shop(365, 30)
    daily["copied_rows"], daily["distinct_rows"] = (
        daily["rows"] // 10 * 2,
        daily["rows"] - daily["rows"] // 10,
    )
    loads, copies = judge_copies(daily)
    assert (loads.severity, copies.severity) == ("ok", "note")
    assert copies.numbers["rows"] == (daily["rows"] // 10).sum()


def test_lines_that_look_alike_by_nature_are_no_load() -> None:
    daily = shop(365, 30)  # customer and day only: of three lines an order, all look alike
    alike = daily.assign(distinct_rows=daily["rows"] // 3, copied_rows=daily["rows"])
    varied = alike.assign(distinct_rows=(alike["rows"] / 2.6).astype(int))
    assert find_double_loads(varied) == []
    assert find_double_loads(loaded_again(shop(365, 0.02), "2023-03-01", "2023-03-31")) == []


def test_a_log_that_was_loaded_twice_as_a_whole() -> None:
    loads, _ = judge_copies(loaded_again(shop(365, 30), "2023-01-01", "2023-12-31"))
    assert "2023-01 to 2023-12" in loads.text
    assert "The whole log looks loaded more than once" in loads.text


def test_files_that_share_rows() -> None:
    files = pd.DataFrame({"file": ["a.csv", "b.csv", "c.csv"], "rows": [1000, 400, 90_000]})
    shared = pd.DataFrame(
        {"one": ["a.csv", "a.csv"], "other": ["b.csv", "c.csv"], "rows": [200, 25],
         "first_day": date(2024, 1, 1), "last_day": date(2024, 1, 9)}
    )  # fmt: skip
    found = judge_files(shared, files)
    assert found.severity == "warning"
    assert "a.csv and b.csv: 200 rows of 2024-01-01 to 2024-01-09 (50% of the smaller file)" in found.text
    assert len(found.numbers["pairs"]) == 2
    few = judge_files(shared.assign(rows=[3, 900]).iloc[:1], files)
    assert (few.severity, few.numbers["pairs"]) == ("ok", [])


def yearly(n_days: int, amplitude: float) -> np.ndarray:
    return 1 + amplitude * np.cos(2 * np.pi * (np.arange(n_days) - 340) / 365.25)


@pytest.mark.parametrize(("n_days", "severity", "said"), [
    (200, "note", "165 more days make a year"),
    (500, "note", "no season was seen twice: November is the strongest month"),
    (1096, "ok", "December is the strongest month (1.6 times the average one)"),
])  # fmt: skip
def test_a_season_takes_two_years_to_be_told(n_days: int, severity: str, said: str) -> None:
    found = judge_season(shop(n_days, 50, pace=yearly(n_days, 0.6)), 90)
    assert found.severity == severity
    assert said in found.text
    json.dumps(found.numbers)


def test_growth_is_no_season_and_chance_does_not_repeat() -> None:
    growing = judge_season(shop(1096, 50, pace=np.linspace(1, 3, 1096)), 90)
    assert "no season repeats" in growing.text
    assert "the months differ little" in judge_season(shop(500, 500), 90).text


@pytest.mark.parametrize(("n_days", "seen"), [(200, 0), (300, 25), (365, 90), (800, 90)])
def test_whether_the_days_ahead_were_seen_a_year_before(n_days: int, seen: int) -> None:
    assert judge_season(shop(n_days, 5), 90).numbers["days_ahead_seen_a_year_before"] == seen


def test_growth_is_measured_against_the_year_before_where_there_is_one() -> None:
    found = {f.code: f for f in judge_growth(shop(740, 50, pace=yearly(740, 0.6)), has_amounts=True)}
    assert abs(found["growth"].numbers["change_on_year"]["orders"]) < 0.1
    assert abs(found["growth"].numbers["change"]["orders"]) > 0.2
    assert found["growth"].severity == "ok"
    assert found["newcomers"].severity == "ok"


def test_doubling_is_a_note_and_a_short_log_says_nothing() -> None:
    pace = np.where(np.arange(300) < 209, 1, 2)
    growth, _ = judge_growth(shop(300, 50, pace=pace), has_amounts=False)
    assert growth.severity == "note"
    assert growth.numbers["change"]["orders"] == pytest.approx(1, abs=0.1)
    assert "amount" not in growth.numbers["change"]
    (short,) = judge_growth(shop(14, 50), has_amounts=True)
    assert "14 days are too few" in short.text


def test_a_closed_group_of_customers_is_told() -> None:
    daily = shop(400, 50)
    daily.loc["2023-04-01":, "newcomers"] = 0
    _, newcomers = judge_growth(daily, has_amounts=True)
    assert newcomers.severity == "note"
    assert "the newest on 2023-03-31" in newcomers.text


def test_months_know_which_of_them_are_whole() -> None:
    months = monthly(shop(45, 50).iloc[3:])
    assert months["month"].tolist() == ["2023-01", "2023-02"]
    assert months["days"].tolist() == [28, 14]
    assert not months["is_whole"].any()
    assert months["orders"].sum() == shop(45, 50).iloc[3:]["orders"].sum()


def months(*rows: int) -> pd.DataFrame:
    """Rows by the month, laid on its first day."""
    firsts = pd.date_range("2023-01-01", periods=len(rows) + 1, freq="MS")
    daily = pd.DataFrame({"rows": 0}, pd.date_range(firsts[0], firsts[-1], inclusive="left"))
    daily.loc[firsts[:-1], "rows"] = rows
    return daily


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        ([100] * 9 + [49], "warning"),
        ([100] * 9 + [50], "ok"),
        ([100] * 9 + [0], "warning"),
        ([900] * 9 + [100] * 6 + [60], "ok"),  # usual is what the last six had
        ([100] * 3 + [20], "warning"),
    ],
)
def test_a_newest_month_with_too_few_rows(rows: list[int], severity: str) -> None:
    found = judge_newest(months(*rows), Period("month"))
    assert found is not None
    assert (found.severity, found.code) == (severity, "newest_period")
    assert found.numbers["usual_rows"] == 100
    assert ("over?" in found.text) == (severity == "warning")
    assert json.loads(json.dumps(found.numbers)) == found.numbers


def test_where_nothing_can_be_said_of_the_newest_period() -> None:
    assert judge_newest(months(100, 100, 5), Period("month")) is None
    assert judge_newest(months(*[8] * 9, 1), Period("month")) is None  # chance
    assert judge_newest(shop(60, 30), Period()) is None
