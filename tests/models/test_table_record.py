"""Rows that are gone, rows that cannot be used any more, columns that hold something else."""

import json
from dataclasses import replace
from datetime import date

import pytest

from models.column_changes import judge_columns, renamed
from models.rolling_window import has_moved_on
from models.table_record import (
    TableRecord,
    judge_reasons,
    judge_shrunk,
    records_from_dict,
    records_to_dict,
)

MONTHS = {"2024-10": 1000, "2024-11": 1000, "2024-12": 500}


def record(
    n: int = 2600, aside: dict[str, int] | None = None, months: dict[str, int] = MONTHS
) -> TableRecord:
    return TableRecord(n, aside or {}, months, {"id": "text"})


def test_records_come_back_the_same() -> None:
    records = {"transactions": record(aside={"no_date": 3}), "events": record(9, months={"": 9})}
    assert records_from_dict(json.loads(json.dumps(records_to_dict(records)))) == records


@pytest.mark.parametrize(
    "now",
    [
        MONTHS,
        MONTHS | {"2024-11": 1500},
        MONTHS | {"2024-11": 981},  # a customer who asked to be forgotten
        MONTHS | {"2024-11": 980, "2024-12": 499},  # 21 rows, less than one in a hundred
    ],
)
def test_a_log_that_grows_or_hardly_loses_is_fine(now: dict[str, int]) -> None:
    assert judge_shrunk("log", record(), now, "the training", 0.01) is None


def test_lost_rows_are_told_with_their_month() -> None:
    found = judge_shrunk("orders.csv", record(), MONTHS | {"2024-11": 400}, "the run of 2025-01-01", 0.01)
    assert found is not None
    assert found.text == (
        "orders.csv: 600 of the 2,500 rows that the run of 2025-01-01 saw are gone (24.0%), most of them of "
        "2024-11 (600 of 1,000)"
    )
    assert found.numbers == {"lost": 600, "rows": 2500, "by_month": {"2024-11": 600}}


def test_rows_that_were_added_elsewhere_make_up_for_nothing() -> None:
    found = judge_shrunk("log", record(), {"2024-10": 2000, "2024-12": 500}, "the training", 0.01)
    assert found is not None
    assert found.numbers["lost"] == 1000


def test_a_log_that_begins_later_says_so_and_visits_may_be_forgotten() -> None:
    now = {"2024-11": 700, "2024-12": 500}
    found = judge_shrunk("log", record(), now, "the training", 0.01)
    assert found is not None
    assert found.text.endswith("; the oldest row is now of 2024-11, and was of 2024-10")
    assert judge_shrunk("visits", record(), now, "the training", 0.01, may_forget=True) is None
    lost = judge_shrunk("visits", record(), now | {"2024-12": 100}, "the training", 0.01, may_forget=True)
    assert lost is not None
    assert (lost.numbers["lost"], lost.numbers["rows"]) == (400, 500)


def test_the_first_month_of_visits_may_go_day_by_day() -> None:
    """A log of the newest 90 days loses more than one row in a hundred each day."""
    now = MONTHS | {"2024-10": 900}
    found = judge_shrunk("visits", record(), now, "the training", 0.01)
    assert found is not None
    assert found.numbers["lost"] == 100
    assert judge_shrunk("visits", record(), now, "the training", 0.01, may_forget=True) is None


@pytest.mark.parametrize(
    ("first_day", "days", "moved"),
    [
        (date(2024, 10, 4), 1, True),
        (date(2024, 11, 2), 30, True),
        (date(2024, 11, 3), 30, False),  # more is gone than time has passed
        (date(2024, 10, 3), 30, False),  # it begins where it began
        (date(2024, 9, 1), 30, False),
    ],
)
def test_an_export_of_the_newest_months_begins_later_as_time_passes(
    first_day: date, days: int, moved: bool
) -> None:
    assert has_moved_on(replace(record(), first_day="2024-10-03"), first_day, days) is moved
    assert not has_moved_on(record(), first_day, days)  # of before: where it began is not known


def test_a_table_that_is_empty_now_is_lost_whoever_forgets() -> None:
    for may_forget in (False, True):
        found = judge_shrunk("visits", record(), {}, "the training", 0.01, may_forget=may_forget)
        assert found is not None
        assert found.numbers["lost"] == 2500


def test_rows_without_a_date_are_counted_as_well() -> None:
    found = judge_shrunk("people", record(months={"": 900}), {"": 500}, "the training", 0.01)
    assert found is not None
    assert "are gone (44.4%)" in found.text
    assert "most of them" not in found.text


def test_a_night_of_broken_rows_is_seen_among_many_that_are_fine() -> None:
    before, now = record(100_000, {"no_date": 10}), record(100_300, {"no_date": 200})
    (found,) = judge_reasons("orders.csv", before, now, "the run of 2025-01-01")
    assert found.text == (
        "orders.csv: 190 of the new 300 rows cannot be used (no_date), 63.3%; up to the run of 2025-01-01 it "
        "was 0.0%"
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"no_date": 10}, {"no_date": 24}),  # 14 of 300, below 5 points
        ({"no_date": 10}, {"no_date": 30}),  # 20 of 300: beyond 5 points, within chance
        ({"no_customer": 25_000}, {"no_customer": 25_300}),  # a day of guests, where one in four is one
        ({"no_date": 10}, {"no_date": 4}),
    ],
)
def test_what_comes_and_goes_is_not_told(before: dict[str, int], now: dict[str, int]) -> None:
    assert judge_reasons("log", record(100_000, before), record(100_300, now), "the training") == []


def test_a_frequent_reason_is_told_when_all_rows_show_it() -> None:
    before = record(10_000, {"left_out": 1000, "no_customer": 2000})
    (found,) = judge_reasons("log", before, record(20_000, {"left_out": 6000, "no_customer": 4000}), "then")
    assert (
        "6,000 of all 20,000 rows are left out by [policy] leave_out, 30.0%; up to then it was 10.0%"
        in found.text
    )


def test_a_source_that_was_cut_is_judged_as_a_whole() -> None:
    (found,) = judge_reasons("log", record(10_000), record(5000, {"no_date": 500}), "then")
    assert found.numbers["rows"] == 5000


USED = {"customer_id": "id", "ordered_at": "day", "amount": "sum"}
HELD = {"id": "number", "day": "time", "sum": "number", "note": "text"}


def test_columns_that_hold_what_they_held_are_fine() -> None:
    assert judge_columns("transactions", "log", USED, HELD, HELD | {"note": "number", "new": "text"}) is None
    text = dict.fromkeys(HELD, "text")
    assert (
        judge_columns("transactions", "log", USED, text, HELD | {"id": "text"}) is None
    )  # typed now: no loss


@pytest.mark.parametrize(
    ("column", "words", "risk"),
    [
        (
            "sum",
            "column 'sum' (for amount) holds text and held numbers",
            "values that cannot be read are set aside",
        ),
        ("day", "column 'day' (for ordered_at) holds text and held times", "cannot be read are set aside"),
        ("id", "column 'id' (for customer_id) holds text and held numbers", "are other customers"),
    ],
)
def test_a_column_that_holds_something_else_is_told(column: str, words: str, risk: str) -> None:
    found = judge_columns("transactions", "log", USED, HELD, HELD | {column: "text"})
    assert found is not None
    assert words in found.text
    assert risk in found.text
    assert found.numbers == {"changed": {column: [HELD[column], "text"]}}


def test_ids_that_are_numbers_now_are_told_although_numbers_are_fine() -> None:
    found = judge_columns("transactions", "log", USED, HELD | {"id": "text"}, HELD)
    assert found is not None
    assert "written in another way" in found.text


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ({"id": "number", "total": "number"}, "total"),
        ({"id": "number", "total": "text"}, None),  # of another kind
        ({"id": "number", "total": "number", "tax": "number"}, None),  # which of them?
        ({"id": "number"}, None),
    ],
)
def test_a_renamed_column_is_guessed_where_only_one_can_be_it(now: dict[str, str], name: str | None) -> None:
    assert renamed("sum", {"id": "number", "sum": "number"}, now) == name


def test_a_record_of_a_later_version_is_read() -> None:
    record = TableRecord(10, {}, {"2024-01": 10}, first_day="2024-01-03")
    later = {"transactions": {**records_to_dict({"transactions": record})["transactions"], "of_later": 1}}
    assert records_from_dict(later) == {"transactions": record}


@pytest.mark.parametrize(("left", "is_lost"), [(1, True), (6, True), (7, False), (12, False)])
def test_a_tiny_table_may_lose_less_than_half(left: int, is_lost: bool) -> None:
    found = judge_shrunk("people", record(months={"": 12}), {"": left}, "the training", 0.01)
    assert (found is not None) is is_lost
