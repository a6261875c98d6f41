"""A log dated by week, month or quarter: found, and cut where a period starts."""

from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.calendar import day_from_number, day_number
from features.errors import ContractError
from features.periods import DAY, ENOUGH, Dated, Period, detect_period, label_ends
from features.rfm import WINDOWS
from models.simulate import ShopSpec, simulate_shop

Integers = NDArray[np.int64]

DATINGS: tuple[Dated, ...] = ("first", "last")
COARSE = [
    *(Period("week", anchor, dated) for dated in DATINGS for anchor in range(7)),
    *(Period("month", 0, dated) for dated in DATINGS),
    *(Period("quarter", anchor, dated) for dated in DATINGS for anchor in range(3)),
]
WEEK, SUNDAY_WEEK, MONTH, QUARTER = Period("week"), Period("week", 6), Period("month"), Period("quarter")
periods = st.sampled_from([DAY, *COARSE])
dates = st.dates(date(1960, 1, 1), date(2100, 12, 31))


def shown(period: Period) -> str:
    return f"{period.kind}-{period.anchor}-{period.dated}"


def pandas_period(day: date, period: Period) -> pd.Period:
    """The calendar of pandas, which names a period by where it ends."""
    weekdays, months = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), ("DEC", "JAN", "FEB")
    rule = {"day": "D", "month": "M"}.get(period.kind)
    rule = rule or (f"W-{weekdays[period.anchor]}" if period.kind == "week" else f"Q-{months[period.anchor]}")
    return pd.Timestamp(day).to_period(rule)


# ---- the calendar ----------------------------------------------------------------------------------------


@given(dates, periods)
def test_periods_are_those_of_pandas(day: date, period: Period) -> None:
    same = pandas_period(day, period)
    assert period.floor(day) == same.start_time.date()
    assert period.next_start(day) == (same + 1).start_time.date()
    assert period.start(period.number(day)) == period.floor(day)
    assert period.number(period.next_start(day)) == period.number(day) + 1


@given(dates, periods)
def test_many_days_are_placed_as_one_is(day: date, period: Period) -> None:
    middle, last = period.place(np.array([day_number(day)]))
    first, last_day = period.floor(day), period.next_start(day) - timedelta(1)
    assert day_from_number(int(last[0])) == last_day
    assert day_from_number(int(middle[0])) == first + timedelta((last_day - first).days // 2)


@pytest.mark.parametrize(
    ("period", "cutoff", "horizon", "end"),
    [
        (DAY, date(2024, 2, 1), 29, date(2024, 3, 1)),
        (MONTH, date(2024, 2, 1), 28, date(2024, 3, 1)),  # a leap year, and not one
        (MONTH, date(2023, 2, 1), 28, date(2023, 3, 1)),
        (MONTH, date(2023, 7, 1), 90, date(2023, 10, 1)),  # 92 days
        (MONTH, date(2023, 2, 1), 90, date(2023, 5, 1)),  # 89 days
        (MONTH, date(2023, 1, 1), 16, date(2023, 2, 1)),  # at least one
        (MONTH, date(2023, 12, 1), 365, date(2024, 12, 1)),
        (WEEK, date(2024, 12, 30), 28, date(2025, 1, 27)),
        (SUNDAY_WEEK, date(2024, 12, 29), 10, date(2025, 1, 5)),
        (SUNDAY_WEEK, date(2024, 12, 29), 11, date(2025, 1, 12)),
        (QUARTER, date(2024, 1, 1), 90, date(2024, 4, 1)),
        (QUARTER, date(2024, 10, 1), 180, date(2025, 4, 1)),
        (Period("quarter", 1), date(2023, 11, 1), 90, date(2024, 2, 1)),
    ],
)
def test_a_label_ends_where_a_period_does(period: Period, cutoff: date, horizon: int, end: date) -> None:
    assert period.end_of(cutoff, horizon) == end
    assert label_ends([cutoff], [horizon], period) == {cutoff: {horizon: end}}


@given(dates, st.integers(1, 800))
def test_a_daily_label_is_as_long_as_its_horizon(cutoff: date, horizon: int) -> None:
    assert DAY.end_of(cutoff, horizon) == cutoff + timedelta(horizon)
    assert label_ends([cutoff], [horizon]) == {cutoff: {horizon: cutoff + timedelta(horizon)}}
    DAY.check_start(cutoff)
    DAY.check_horizons([horizon])


@given(dates, st.sampled_from(COARSE), st.sampled_from([28, 30, 60, 90, 91, 120, 180, 182, 270, 365, 730]))
def test_a_label_ends_at_the_boundary_nearest_to_its_horizon(day: date, period: Period, horizon: int) -> None:
    cutoff = period.floor(day)
    wish = cutoff + timedelta(horizon)
    later = period.next_start(cutoff)
    around = [b for b in (period.floor(wish), period.next_start(wish)) if b >= later]
    nearest = min(abs((b - wish).days) for b in around)
    assert abs((period.end_of(cutoff, horizon) - wish).days) == nearest


def test_a_cutoff_inside_a_period_has_no_label() -> None:
    with pytest.raises(ContractError) as caught:
        MONTH.end_of(date(2024, 3, 15), 90)
    assert str(caught.value) == (
        "cutoff 2024-03-15 lies inside a month, and the log is dated by the month; "
        "hint: use 2024-03-01 or 2024-04-01"
    )


@pytest.mark.parametrize(
    ("period", "horizons", "words"),
    [
        (MONTH, [7, 14, 28, 90], "within 7 and 14 days: less than half a month; hint: [target] horizons = "
         "[28, 90] would fit: 28 days are answered as 1 month, 90 days are answered as 3 months"),
        (QUARTER, [7], "[91, 183, 274] would fit"),
        (WEEK, [1, 3, 4], "within 1 and 3 days: less than half a week; hint: [target] horizons = [4] would"),
    ],
)  # fmt: skip
def test_horizons_too_short_for_the_grain_are_refused(
    period: Period, horizons: list[int], words: str
) -> None:
    with pytest.raises(ContractError) as caught:
        period.check_horizons(horizons)
    assert words in str(caught.value)


@pytest.mark.parametrize(("period", "shortest"), [(DAY, 1), (WEEK, 4), (MONTH, 16), (QUARTER, 46)])
def test_half_a_period_is_the_shortest_horizon(period: Period, shortest: int) -> None:
    period.check_horizons([shortest])
    with pytest.raises(ContractError):
        period.check_horizons([shortest - 1])


def test_it_is_said_for_people() -> None:
    assert DAY.said([28]) == "the log is dated by the day"
    said = Period("week", 0, "last").said()
    assert said == (
        "the log is dated by the week: rows lie on Sundays, each for the week that ends there; "
        "cutoffs lie on Mondays"
    )
    said = Period("month", dated="last").said([28, 90])
    assert "rows lie on the last of a month, each for the month that ends there" in said
    assert said.endswith("28 days are answered as 1 month, 90 days are answered as 3 months")
    said = Period("quarter", 1, "last").said()
    assert "rows lie on the last of months 1, 4, 7 and 10," in said
    assert said.endswith("cutoffs lie on the first of months 2, 5, 8 and 11")


@pytest.mark.parametrize("wrong", [("year", 0, "first"), ("month", 1, "first"), ("week", 7, "first"),
                                   ("week", -1, "first"), ("week", 0, "end")])  # fmt: skip
def test_there_are_no_other_periods(wrong: tuple[str, int, str]) -> None:
    with pytest.raises(ContractError, match="there is no such period"):
        Period(*wrong)  # type: ignore[arg-type]


# ---- real purchases, told by period ----------------------------------------------------------------------


@cache
def purchases() -> Integers:
    """The day of every line of a shop that sells daily, over three years with a leap day."""
    shop = simulate_shop(ShopSpec(n_customers=400, start="2023-01-01", days=1100, alpha=15.0), seed=3)
    days: Integers = shop.transactions["ordered_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return days


def told(days: Integers, period: Period) -> Integers:
    """What an export by period makes of days."""
    dates = {d: pandas_period(day_from_number(int(d)), period) for d in np.unique(days)}
    end = {d: p.start_time if period.dated == "first" else p.end_time for d, p in dates.items()}
    return np.array([day_number(end[d].date()) for d in days])


def detected(days: Integers) -> Period:
    return detect_period(*np.unique(days, return_counts=True))


@pytest.mark.parametrize("period", [DAY, *COARSE], ids=shown)
def test_the_grain_of_a_log_is_found(period: Period) -> None:
    found = detected(told(purchases(), period))
    if period.kind == "week" and period.dated == "last":  # the date alone cannot tell: the safe reading
        assert found == Period("week", (period.anchor - 1) % 7, "first")
    else:
        assert found == period


@pytest.mark.parametrize("period", [DAY, *COARSE], ids=shown)
@pytest.mark.parametrize("horizon", [60, 90, 365])
def test_a_cutoff_on_a_start_parts_what_happened_from_what_will(period: Period, horizon: int) -> None:
    true, row = purchases(), told(purchases(), period)
    for day in (date(2023, 9, 15), date(2024, 2, 29), date(2024, 7, 1)):
        cutoff = period.next_start(day)
        begin, end = day_number(cutoff), day_number(period.end_of(cutoff, horizon))
        np.testing.assert_array_equal(row < begin, true < begin)
        np.testing.assert_array_equal((row >= begin) & (row < end), (true >= begin) & (true < end))
        assert 0 < (true < begin).sum() < len(true)


@pytest.mark.parametrize("period", COARSE, ids=shown)
def test_any_other_cutoff_shows_the_future_or_hides_the_past(period: Period) -> None:
    true, row = purchases(), told(purchases(), period)
    for day in (date(2023, 9, 15), date(2024, 2, 29), date(2024, 7, 1)):
        cutoff = period.place(np.array([day_number(day)]))[0] + 1
        wrong = row < cutoff if period.dated == "first" else true < cutoff
        right = true < cutoff if period.dated == "first" else row < cutoff
        assert (wrong & ~right).any()
        assert not (right & ~wrong).any()


@pytest.mark.parametrize("period", COARSE, ids=shown)
def test_placed_rows_leak_at_no_cutoff_whatever(period: Period) -> None:
    """Both datings give one log, and a row is known no sooner than its purchases."""
    true, row = purchases(), told(purchases(), period)
    middle, known = period.place(row)
    assert (known >= true).all()
    other = Period(period.kind, period.anchor, DATINGS[period.dated == "first"])
    for one, two in zip((middle, known), other.place(told(true, other)), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("period", [WEEK, MONTH, QUARTER, Period("quarter", 1)], ids=shown)
@pytest.mark.parametrize("window", WINDOWS)
def test_windows_in_days_hold_the_same_number_of_placed_periods(period: Period, window: int) -> None:
    """Rows in the middle of their periods: no window holds two months in spring and three in autumn."""
    first = period.number(date(1990, 1, 1))
    starts = np.array([day_number(period.start(first + n)) for n in range(200)])
    middles = period.place(starts)[0]
    is_short = window < (starts[-1] - starts[0]) / 199 / 2
    wanted = 0 if is_short else period.n_periods(window)
    for cutoff in starts[60:140]:
        assert ((middles >= cutoff - window) & (middles < cutoff)).sum() == wanted
        if not is_short:  # else no horizon
            assert ((middles >= cutoff) & (middles < cutoff + window)).sum() == wanted


# ---- when not to be sure ---------------------------------------------------------------------------------

day_numbers = st.integers(day_number(date(2015, 1, 1)), day_number(date(2026, 1, 1)))


@given(st.lists(day_numbers, max_size=60), st.sampled_from(COARSE), day_numbers, st.integers(1, 400))
def test_a_daily_log_is_never_taken_for_a_coarser_one(
    days: list[int], period: Period, busy: int, rows: int
) -> None:
    """Two neighbouring days of sales are on no grid, however many of the others are."""
    on_grid = told(np.array(days, dtype=np.int64), period)
    log = np.concatenate([on_grid, np.repeat([busy, busy + 1], rows)])
    assert detected(log) == DAY


@given(st.lists(day_numbers, min_size=1, max_size=40), st.sampled_from(COARSE), st.randoms())
def test_neither_order_nor_the_number_of_rows_matters(
    days: list[int], period: Period, random: object
) -> None:
    distinct = np.unique(told(np.array(days), period))
    shuffled = np.array(random.sample(list(distinct), len(distinct)))  # type: ignore[attr-defined]
    rows = np.array([random.randint(1, 1000) for _ in distinct])  # type: ignore[attr-defined]
    try:
        plain = detect_period(distinct, np.ones_like(distinct))
    except ContractError:
        with pytest.raises(ContractError):
            detect_period(shuffled, rows)
    else:
        assert detect_period(shuffled, rows) == plain


@pytest.mark.parametrize("period", [WEEK, MONTH, QUARTER, Period("month", dated="last")], ids=shown)
def test_a_few_stray_rows_do_not_hide_the_grain(period: Period) -> None:
    days = told(np.repeat(purchases(), 3), period)
    few, many = len(days) // 1000, len(days) // 1000 + 2
    inside = day_number(period.floor(date(2024, 5, 15))) + 2  # off this grid, and off every coarser one
    broken = np.array([0, day_number(date(2099, 12, 31))])  # what broken exports write
    assert few >= 2
    assert detected(np.concatenate([days, np.full(few, inside)])) == period
    assert detected(np.concatenate([days, np.repeat(broken, 1)])) == period
    assert detected(np.concatenate([days, np.full(many, inside)])) == DAY


@pytest.mark.parametrize("period", [WEEK, MONTH, QUARTER], ids=shown)
def test_too_few_periods_say_nothing(period: Period) -> None:
    first = period.number(date(2024, 1, 1))
    starts = [day_number(period.start(first + n)) for n in range(ENOUGH[period.kind])]
    assert detected(np.repeat(starts, 500)) == period
    assert detected(np.repeat(starts[:-1], 500)) == DAY
    assert detected(np.array([], dtype=np.int64)) == DAY


def test_shops_that_trade_on_few_days() -> None:
    start = day_number(date(2024, 1, 1))
    year = np.arange(start, start + 366)
    weekday = (year - start) % 7  # it begins on a Monday
    assert detected(year[weekday < 5]) == DAY
    assert detected(year[weekday >= 5]) == DAY
    assert detected(year[:14]) == DAY
    assert detected(year[weekday == 5]) == Period("week", 5)  # open on Saturdays: one cannot tell
    firsts = told(year, MONTH)
    assert detected(firsts) == MONTH  # billed on the first: neither
    assert detected(np.concatenate([firsts, told(year, Period("month", dated="last"))])) == DAY
    assert detected(np.concatenate([np.repeat(firsts, 9), year])) == DAY  # most of a daily shop's sales


@pytest.mark.parametrize("months", [6, 12])
def test_a_log_of_half_years_or_years_is_refused(months: int) -> None:
    numbers = [date(2015 + n * months // 12, n * months % 12 + 1, 1) for n in range(8)]
    with pytest.raises(ContractError, match=r"by the half-year or year: of its 8 dates .*; hint: export it"):
        detected(np.array([day_number(d) for d in numbers]))
