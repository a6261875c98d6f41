from datetime import date

import numpy as np
import pytest

from features.calendar import day_number
from pipelines.span import core_span

START, END = day_number(date(2024, 1, 1)), day_number(date(2025, 6, 30))
BULK = list(range(START, END + 1))


def span(*strays: tuple[int, int]) -> tuple[date, date, int]:
    rows = dict.fromkeys(BULK, 3) | dict(strays)
    days = np.array(sorted(rows))
    return core_span(days, np.array([rows[d] for d in days]))


def test_a_plain_log_is_its_own_span():
    assert span() == (date(2024, 1, 1), date(2025, 6, 30), 0)


@pytest.mark.parametrize("day", [0, day_number(date(2099, 12, 31)), day_number(date(9999, 12, 31))])
def test_a_few_far_rows_do_not_count(day):
    assert span((day, 2)) == (date(2024, 1, 1), date(2025, 6, 30), 2)


def test_strays_at_both_ends():
    assert span((0, 1), (1, 1), (60_000, 3)) == (date(2024, 1, 1), date(2025, 6, 30), 5)


def test_many_far_rows_are_history_not_strays():
    assert span((0, 400)) == (date(1970, 1, 1), date(2025, 6, 30), 0)


def test_a_gap_of_less_than_a_year_is_a_quiet_season():
    assert span((START - 300, 1))[2] == 0


def test_one_day_alone():
    assert core_span(np.array([START]), np.array([1])) == (date(2024, 1, 1), date(2024, 1, 1), 0)
