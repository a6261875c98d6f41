"""Cutoffs and folds: never past what is known, and as many as the history carries."""

import itertools
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.folds import make_fold
from models.schedule import FIRST_LOOK, MATURE, YOUNG, Schedule, days_needed, plan

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
