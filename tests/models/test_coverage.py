"""Tables beside the purchases: of whom and of what time they speak, judged from plain numbers."""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from features.calendar import day_number
from models.coverage import judge_customers, judge_days

FIRST, UNTIL = date(2023, 1, 1), date(2025, 1, 1)


def span(late: int, early: int, step: int = 1) -> np.ndarray:
    """Days of rows from `late` after the first purchase until `early` before the last day."""
    return np.arange(day_number(FIRST) + late, day_number(UNTIL) - early, step)


@pytest.mark.parametrize(
    ("customers", "buyers", "both", "severity"),
    [
        (1_000, 5_000, 900, "ok"),
        (5_000, 5_000, 0, "warning"),
        (5_000, 5_000, 49, "warning"),
        (5_000, 5_000, 50, "ok"),
        (2_000_000, 5_000, 4_000, "ok"),  # most visitors never buy
        (40, 90_000, 40, "ok"),  # a first campaign
        (40, 90_000, 0, "warning"),
        (0, 5_000, 0, "warning"),
    ],
)
def test_a_table_of_other_customers(customers: int, buyers: int, both: int, severity: str) -> None:
    found = judge_customers("events", customers, buyers, both)
    assert (found.severity, found.code) == (severity, "events_customers")
    assert f"of {customers:,} customers in events, {both:,} are among the {buyers:,} who bought" in found.text
    assert ("another system" in found.text) == (severity == "warning")
    assert json.loads(json.dumps(found.numbers)) == found.numbers


@pytest.mark.parametrize(("late", "early"), [(0, 0), (28, 28), (-400, 0), (0, -5)])
def test_a_table_that_spans_the_purchases(late: int, early: int) -> None:
    assert judge_days("events", span(late, early), FIRST, UNTIL).severity == "ok"


def test_a_table_that_starts_late_or_ends_early() -> None:
    late = judge_days("events", span(29, 0), FIRST, UNTIL)
    assert (late.severity, late.code) == ("warning", "events_days")
    assert "start on 2023-01-30, 29 days after the purchases" in late.text
    assert "nothing was recorded" in late.text
    assert "end on" not in late.text
    early = judge_days("contacts", span(0, 200), FIRST, UNTIL)
    assert early.severity == "warning"
    assert f"contacts end on {UNTIL - timedelta(201)}, 200 days before the purchases" in early.text
    assert "start on" not in early.text
    both = judge_days("contacts", span(300, 200), FIRST, UNTIL)
    assert (both.numbers["days_late"], both.numbers["days_early"]) == (300, 200)
    assert "start on" in both.text
    assert "end on" in both.text


def test_the_pauses_of_a_campaign_a_quarter_are_its_rhythm_and_a_year_is_none() -> None:
    assert judge_days("contacts", span(80, 0, step=91), FIRST, UNTIL).severity == "ok"
    assert judge_days("contacts", span(10, 60, step=91), FIRST, UNTIL).severity == "ok"
    assert judge_days("contacts", span(300, 0, step=365), FIRST, UNTIL).severity == "warning"
    assert judge_days("contacts", span(60, 0, step=7), FIRST, UNTIL).severity == "warning"


def test_one_day_or_none() -> None:
    one = judge_days("contacts", span(300, 0)[:1], FIRST, UNTIL)
    assert one.numbers["first"] == one.numbers["last"] == str(FIRST + timedelta(300))
    none = judge_days("contacts", span(0, 0)[:0], FIRST, UNTIL)
    assert (none.severity, none.code) == ("warning", "contacts_days")
    assert "contacts: no row before 2025-01-01" in none.text
