"""Cutoffs and folds: never past what is known, and as many as the history carries."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ContractError
from features.periods import DAY, Period
from models.folds import make_fold
from models.schedule import FIRST_LOOK, MATURE, YOUNG, Schedule, days_needed, plan, ready_on

FIRST = date(2024, 1, 1)
HORIZONS = st.lists(st.integers(1, 200), min_size=1, max_size=4, unique=True).map(sorted)


def after(days: int) -> date:
    return FIRST + timedelta(days)


def check(schedule: Schedule, until: date, most: int) -> None:
    """What holds for every schedule."""
    cutoffs, folds, judged = schedule.cutoffs, schedule.folds, timedelta(schedule.judged_horizon)
    assert schedule.until == until
    assert list(cutoffs) == sorted(set(cutoffs))
    assert len(cutoffs) <= most
    assert cutoffs[0] > FIRST
    assert cutoffs[-1] < until
    assert folds
    assert list(folds) == sorted(set(folds))
    assert set(folds) <= set(cutoffs)
    for fold in folds:
        assert fold + judged <= until  # its own label is known
        assert any(c + judged <= fold for c in cutoffs)  # and so is one to learn from, before it


@given(st.integers(1, 1500), HORIZONS, st.data())
def test_automatic(days: int, horizons: list[int], data: st.DataObject) -> None:
    primary = data.draw(st.sampled_from(horizons))
    schedule = plan(FIRST, after(days), horizons, primary)
    judgeable = [h for h in horizons if h <= primary and days_needed(h) <= days]
    if not judgeable:
        assert schedule is None
        return
    assert schedule is not None
    check(schedule, after(days), MATURE + YOUNG)
    assert schedule.judged_horizon == max(judgeable)
    assert schedule.cutoffs[0] >= after(FIRST_LOOK)
    assert schedule.cutoffs[-1] + timedelta(horizons[0]) <= after(
        days
    )  # the youngest still teaches something
    assert after(days) - timedelta(schedule.judged_horizon) in schedule.folds  # the newest that can be judged


@given(st.integers(1, 200))
def test_days_needed_are_needed_and_enough(horizon: int) -> None:
    """What the user is told to wait for is what it takes."""
    enough = days_needed(horizon)
    assert plan(FIRST, after(enough), [horizon], horizon) is not None
    assert plan(FIRST, after(enough - 1), [horizon], horizon) is None


@given(st.integers(1, 1500), HORIZONS, st.integers(1, 12))
def test_a_number_of_cutoffs(days: int, horizons: list[int], wanted: int) -> None:
    schedule = plan(FIRST, after(days), horizons, horizons[-1], wanted)
    if wanted == 1:
        assert schedule is None  # nothing to learn from before the only one
    if schedule is None:
        assert wanted == 1 or days < days_needed(horizons[0])
        return
    check(schedule, after(days), wanted + YOUNG)
    mature = [c for c in schedule.cutoffs if c + timedelta(schedule.judged_horizon) <= after(days)]
    assert 2 <= len(mature) <= wanted


@given(st.integers(1, 1500), HORIZONS, st.lists(st.integers(-50, 1600), max_size=10))
def test_explicit_cutoffs(days: int, horizons: list[int], at: list[int]) -> None:
    until, asked = after(days), [after(d) for d in at]
    schedule = plan(FIRST, until, horizons, horizons[-1], asked)
    usable = sorted({c for c in asked if FIRST < c < until})
    if schedule is not None:
        check(schedule, until, 10)
        assert list(schedule.cutoffs) == usable
        return
    shortest = timedelta(horizons[0])
    assert not any(usable[0] + shortest <= c <= until - shortest for c in usable)


def test_two_years() -> None:
    schedule = plan(FIRST, after(731), [7, 28, 90], 90)
    assert schedule is not None
    assert schedule.judged_horizon == 90
    assert len(schedule.cutoffs) == MATURE + YOUNG
    mature, young = schedule.cutoffs[:MATURE], schedule.cutoffs[MATURE:]
    assert {(b - a).days for a, b in itertools.pairwise(mature)} == {84}
    assert young == tuple(after(731 - 7 - 14 * k) for k in (3, 2, 1, 0))
    assert schedule.cutoffs[MATURE - 1] == after(731 - 90)
    assert (
        schedule.folds == schedule.cutoffs[2:MATURE]
    )  # 90 days after the first one there is something to learn from


def test_young_cutoffs_teach_the_short_horizons() -> None:
    schedule = plan(FIRST, after(300), [7, 90], 90)
    assert schedule is not None
    young = [c for c in schedule.cutoffs if c + timedelta(90) > after(300)]
    assert 0 < len(young) <= YOUNG
    assert not set(young) & set(schedule.folds)


@pytest.mark.parametrize(
    ("days", "judged"),
    [(400, 90), (208, 90), (207, 28), (84, 28), (83, 7), (42, 7), (41, None), (1, None)],
)
def test_a_short_history_judges_a_shorter_horizon(days: int, judged: int | None) -> None:
    schedule = plan(FIRST, after(days), [7, 28, 90], 90)
    assert (schedule and schedule.judged_horizon) == judged


def test_never_judges_longer_than_the_primary_horizon() -> None:
    schedule = plan(FIRST, after(1000), [7, 28, 90], 28)
    assert schedule is not None
    assert schedule.judged_horizon == 28


def test_explicit_cutoffs_outside_the_history_are_left_out() -> None:
    asked = [after(d) for d in (300, 100, 100, -5, 0, 400, 500)]
    schedule = plan(FIRST, after(400), [28], 28, asked)
    assert schedule is not None
    assert schedule.cutoffs == (after(100), after(300))
    assert schedule.folds == (after(300),)


def panel_at(cutoffs: list[date]) -> pd.DataFrame:
    return pd.DataFrame({"cutoff": pd.to_datetime(cutoffs).repeat(2)}).assign(row=range(2 * len(cutoffs)))


@given(st.integers(84, 1500), HORIZONS)
def test_no_training_label_reaches_past_the_fold(days: int, horizons: list[int]) -> None:
    schedule = plan(FIRST, after(days), horizons, horizons[-1])
    if schedule is None:
        return
    panel = panel_at([*schedule.cutoffs, schedule.until])
    for cutoff in schedule.folds:
        fold = make_fold(panel, pd.Timestamp(cutoff), schedule.judged_horizon)
        ends = fold.train["cutoff"] + pd.Timedelta(days=schedule.judged_horizon)
        assert len(fold.train)
        assert ends.max() <= pd.Timestamp(cutoff)
        assert set(fold.test["cutoff"]) == {pd.Timestamp(cutoff)}


def test_labels_that_are_not_yet_known_are_masked(panel: SimpleNamespace) -> None:
    frame, until = panel.frame, panel.until
    for horizon in (28, 90):
        mature = frame["cutoff"] + pd.Timedelta(days=horizon) <= until
        for name in ("purchased", "orders", "spend"):
            known = frame[f"y_{name}_{horizon}d"].notna()
            np.testing.assert_array_equal(known, mature)
    assert set(frame["cutoff"]) == {pd.Timestamp(c) for c in (*panel.schedule.cutoffs, until)}


# ---- logs that are not daily -----------------------------------------------------------------------------

MONTH = Period("month")
COARSE = [Period("week", 0), Period("week", 6), MONTH, Period("month", 0, "last"), Period("quarter"),
          Period("quarter", 1, "last")]  # fmt: skip
LONG = st.lists(st.integers(46, 400), min_size=1, max_size=4, unique=True).map(sorted)


def plan_by_days(
    until: date, horizons: Sequence[int], primary: int, cutoffs: int | Sequence[date] | None
) -> Schedule | None:
    """The plan as it was when every log was daily, from FIRST on: what it must stay."""
    for judged in sorted((h for h in horizons if h <= primary), reverse=True):
        if isinstance(cutoffs, int) or cutoffs is None:
            chosen = auto_by_days(until, judged, min(horizons), cutoffs or MATURE)
        else:
            chosen = sorted(c for c in set(cutoffs) if FIRST < c < until)
        span = timedelta(judged)
        folds = [c for c in chosen if c >= chosen[0] + span and c + span <= until]
        if folds:
            return Schedule(tuple(chosen), tuple(folds), judged, until)
    return None


def auto_by_days(until: date, judged: int, shortest: int, mature: int) -> list[date]:
    newest, oldest = until - timedelta(judged), FIRST + timedelta(FIRST_LOOK)
    step = max(7, (newest - oldest).days // max(mature - 1, 1) // 7 * 7)
    back = [c for c in (newest - timedelta(step * k) for k in range(mature)) if c >= oldest]
    enough = newest - timedelta(judged)
    if mature > 1 and oldest <= enough < min(back):
        back = [*back[: mature - 1], enough]
    gap = max(7, (judged - shortest) // YOUNG // 7 * 7)
    young = (until - timedelta(shortest + gap * k) for k in range(YOUNG))
    return sorted([*back, *(c for c in young if c > newest)])


WISHES = st.one_of(st.none(), st.integers(1, 12), st.lists(st.integers(-50, 1600).map(after), max_size=10))


@given(st.integers(1, 1500), HORIZONS, WISHES, st.data())
def test_a_daily_log_is_planned_as_ever(
    days: int, horizons: list[int], wish: int | list[date] | None, data: st.DataObject
) -> None:
    primary = data.draw(st.sampled_from(horizons))
    wanted = plan_by_days(after(days), horizons, primary, wish)
    assert plan(FIRST, after(days), horizons, primary, wish) == wanted
    assert plan(FIRST, after(days), horizons, primary, wish, DAY) == wanted


@given(st.integers(0, 400), st.integers(1, 60), st.sampled_from(COARSE), LONG, st.data())
def test_cutoffs_of_a_coarse_log(
    first: int, periods: int, period: Period, horizons: list[int], data: st.DataObject
) -> None:
    primary, mature = (
        data.draw(st.sampled_from(horizons)),
        data.draw(st.one_of(st.none(), st.integers(2, 12))),
    )
    first_day = after(first)
    until = period.start(period.number(first_day) + periods)
    schedule = plan(first_day, until, horizons, primary, mature, period)
    judgeable = [h for h in horizons if h <= primary and ready_on(first_day, h, period) <= until]
    if not judgeable:
        assert schedule is None
        return
    assert schedule is not None
    assert schedule.judged_horizon == max(judgeable)
    cutoffs, folds, judged = schedule.cutoffs, schedule.folds, schedule.judged_horizon
    assert list(cutoffs) == sorted(set(cutoffs))
    assert len(cutoffs) <= (mature or MATURE) + YOUNG
    assert all(c == period.floor(c) for c in cutoffs)
    assert period.number(cutoffs[0]) >= period.number(first_day) + 2
    assert (cutoffs[0] - period.floor(first_day)).days >= FIRST_LOOK
    assert period.end_of(cutoffs[-1], horizons[0]) <= until
    assert period.end_of(folds[-1], judged) == until  # the newest that can be judged
    for fold in folds:
        assert fold in cutoffs
        assert period.end_of(fold, judged) <= until
        assert any(period.end_of(c, judged) <= fold for c in cutoffs)


@given(st.integers(0, 400), st.sampled_from([DAY, *COARSE]), st.integers(46, 400))
def test_a_log_is_ready_on_the_day_that_is_named(first: int, period: Period, horizon: int) -> None:
    first_day = after(first)
    ready = ready_on(first_day, horizon, period)
    before = period.start(period.number(ready) - 1)
    assert plan(first_day, ready, [horizon], horizon, period=period) is not None
    assert plan(first_day, before, [horizon], horizon, period=period) is None
    if period is DAY:
        assert (ready - first_day).days == days_needed(horizon)


@given(st.integers(20, 60), st.sampled_from(COARSE), LONG)
def test_no_training_label_of_a_coarse_log_reaches_past_the_fold(
    periods: int, period: Period, horizons: list[int]
) -> None:
    """Folds part rows by days; between starts of periods that is never later than the label's true end."""
    until = period.start(period.number(FIRST) + periods)
    schedule = plan(FIRST, until, horizons, horizons[-1], period=period)
    if schedule is None:
        return
    for cutoff in (*schedule.folds, until):
        for horizon in horizons:
            train = make_fold(panel_at(list(schedule.cutoffs)), pd.Timestamp(cutoff), horizon).train
            assert all(period.end_of(c.date(), horizon) <= cutoff for c in train["cutoff"])


def test_three_years_by_month() -> None:
    schedule = plan(date(2022, 1, 31), date(2025, 1, 1), [28, 90], 90, period=Period("month", dated="last"))
    assert schedule is not None
    months = [(c.year - 2022) * 12 + c.month - 1 for c in schedule.cutoffs]
    assert {c.day for c in schedule.cutoffs} == {1}
    assert months == [5, 9, 13, 17, 21, 25, 29, 33, 34, 35]  # the last two are young: only 28 days are known
    assert schedule.folds == schedule.cutoffs[1:MATURE]


def test_dates_inside_a_period_are_refused() -> None:
    with pytest.raises(
        ContractError, match=r"as-of date 2025-01-15 lies inside a month.*2025-01-01 or 2025-02"
    ):
        plan(FIRST, date(2025, 1, 15), [90], 90, period=MONTH)
    asked = [date(2024, 4, 1), date(2024, 7, 3), date(2024, 10, 1)]
    with pytest.raises(ContractError, match="cutoff 2024-07-03 lies inside a month"):
        plan(FIRST, date(2025, 1, 1), [90], 90, asked, MONTH)
    schedule = plan(FIRST, date(2025, 1, 1), [90], 90, [asked[0], date(2023, 7, 3), asked[2]], MONTH)
    assert schedule is not None
    assert schedule.folds == (asked[2],)


def test_horizons_shorter_than_half_a_period_are_refused() -> None:
    with pytest.raises(ContractError, match="cannot tell what happens within 7 days"):
        plan(FIRST, date(2026, 1, 1), [7, 90], 90, period=MONTH)
