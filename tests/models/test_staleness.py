"""A source is late when it is later than it ever is: no warning at weekends, none between two campaigns."""

from datetime import date, timedelta

import numpy as np
import pytest

from features.calendar import day_number
from models.staleness import judge_channel, judge_log_end, judge_table_end, usual_pause

END = date(2025, 6, 1)
LAST = day_number(END) - 1


def days(*gaps: int) -> np.ndarray:
    """Day numbers up to the last, with these gaps."""
    return LAST - np.concatenate([[0], np.cumsum(gaps[::-1])])[::-1]


DAILY = days(*[1] * 200)
WEEKDAYS = days(*[1, 1, 1, 1, 3] * 40)
MONTHLY = days(*[31, 30, 31, 28, 31] * 2)


@pytest.mark.parametrize(
    ("rows", "pause"),
    [
        (DAILY, 0),
        (days(*[1] * 150, 20, *[1] * 150), 0),  # closed at Christmas, once
        (WEEKDAYS, 3),
        (MONTHLY, 45),
        (days(*[200] * 3, *[1] * 364), 0),  # long ago it was another shop
        (days(), None),
    ],
)
def test_what_is_usual(rows: np.ndarray, pause: int | None) -> None:
    assert usual_pause(rows) == pause


def test_a_log_by_the_month_has_no_rows_within_one() -> None:
    assert usual_pause(MONTHLY, 30.44) == 16  # a month that is missing has 28 days at least


@pytest.mark.parametrize(
    ("late", "usual", "is_told"), [(1, 0, False), (2, 0, True), (3, 3, False), (4, 3, True)]
)
def test_a_late_log_is_told(late: int, usual: int, is_told: bool) -> None:
    found = judge_log_end("log", END, END + timedelta(late), usual, 1)
    assert (found is not None) is is_told
    if found:
        assert f"log: the log ends before 2025-06-01; {late} days up to" in found.text
        limit = "[limits] max_log_age is 1" if usual < 2 else "hardly ever without a row for more than 3"
        assert limit in found.text


def test_a_date_before_the_end_is_never_late() -> None:
    assert judge_log_end("log", END, END - timedelta(90), 0, 0) is None


@pytest.mark.parametrize(
    ("rows", "late", "is_told"),
    [(DAILY, 1, False), (DAILY, 2, True), (WEEKDAYS, 3, False), (WEEKDAYS, 4, True), (MONTHLY, 45, False),
     (MONTHLY, 46, True), (days(), 400, False), (np.array([], dtype=np.int64), 400, False)],
)  # fmt: skip
def test_a_table_that_has_ended_is_told(rows: np.ndarray, late: int, is_told: bool) -> None:
    found = judge_table_end("events", "visits", rows, END + timedelta(late), END, 1)
    assert (found is not None) is is_told
    if found:
        assert found.code == "events_end"
        assert f"visits: the newest row is of 2025-05-31; {late} days up to" in found.text


def test_a_table_that_had_ended_before_the_training_is_what_the_model_knows() -> None:
    trained = END + timedelta(30)
    assert judge_table_end("events", "visits", DAILY, trained + timedelta(5), trained, 1) is None
    assert judge_table_end("events", "visits", DAILY, END + timedelta(30), END - timedelta(9), 1) is not None


@pytest.mark.parametrize(
    ("bought", "of_all", "silent", "is_told"),
    [
        (300, 900, 10, True),  # 33 were to be expected
        (300, 900, 8, False),  # 27
        (300, 900, 0, False),
        (900, 900, 6, False),  # too short to say
        (300, 9000, 10, False),  # one of many small ones
        (0, 900, 90, False),
    ],
)
def test_a_channel_that_has_gone_silent_is_told(bought: int, of_all: int, silent: int, is_told: bool) -> None:
    found = judge_channel("log", "web", bought, of_all, 90, END - timedelta(silent + 1), END)
    assert (found is not None) is is_told
    if found:
        assert "no purchase by channel 'web' since 2025-05-21, 10 days before the log ends" in found.text
