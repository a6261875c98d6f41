"""A label is what happened in [cutoff, cutoff + h), as it was known before its end."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from features.build import build_panel
from features.labels import label_names
from features.snapshot import day_number
from tests.features import reference
from tests.features.logs import START, Row, ledger_table, logs, on, run, seeded_log

FIRST = START.date()
CUTOFF = 10
HORIZON = 7
BEFORE = Row("a", on(0), 900, "0", "z")
"""Someone has to be a customer to have a label."""


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def label(con: Any, *log: Row, observed_until: int = 100) -> tuple[Any, ...]:
    """(bought, orders, spend in cents) of customer a in the week from day 10."""
    ledger, cutoff, end = ledger_table(con, [BEFORE, *log], "week"), day(CUTOFF), day(observed_until)
    rows = run(con, f"week {end}", lambda: build_panel(ledger, [cutoff], [HORIZON], end))
    row = next(row for row in rows if row["customer_id"] == "a")
    bought, orders, spend = (row[name] for name in label_names(HORIZON))
    return bought, orders, None if spend is None else spend / 100


@pytest.mark.parametrize(
    ("at", "inside"),
    [(on(9, 23), 0), (on(10, 0), 1), (on(13), 1), (on(16, 23), 1), (on(17, 0), 0), (on(30), 0)],
)
def test_the_window_is_half_open(con: Any, at: Any, inside: int) -> None:
    assert label(con, Row("a", at, 500, "1")) == (inside, inside, 500 * inside)


def test_orders_of_a_day_are_counted_and_added_up(con: Any) -> None:
    log = [Row("a", on(12, 9), 500, "1"), Row("a", on(12, 18), 300, "2"), Row("a", on(14), 100, "3")]
    assert label(con, *log) == (1, 3, 900)


def test_who_buys_nothing_gets_zero(con: Any) -> None:
    assert label(con) == (0, 0, 0)
    assert label(con, Row("b", on(12), 500, "1")) == (0, 0, 0)


@pytest.mark.parametrize(
    ("known", "left"), [(on(13), (1, 1, 300)), (on(16, 23), (1, 1, 300)), (on(17, 0), (1, 1, 500))]
)
def test_net_of_refunds_recorded_before_its_end(con: Any, known: Any, left: tuple[int, ...]) -> None:
    log = [Row("a", on(12), 500, "1", "p"), Row("a", on(13), -200, "C1", "p", recorded=known)]
    assert label(con, *log) == left


@pytest.mark.parametrize(("back", "left"), [(on(16, 23), (0, 0, 0)), (on(17, 0), (1, 1, 500))])
def test_what_is_taken_back_in_time_was_never_bought(con: Any, back: Any, left: tuple[int, ...]) -> None:
    assert label(con, Row("a", on(12), 500, "1", "p"), Row("a", back, -500, "C1", "p")) == left


def test_refunds_of_earlier_orders_never_enter(con: Any) -> None:
    bought = Row("a", on(12), 500, "1", "p")
    assert label(con, bought, Row("a", on(12), -900, "C0", "z")) == (1, 1, 500)
    assert label(con, bought, Row("a", on(12, 13), -900, "x", "z")) == (1, 1, 500)


@pytest.mark.parametrize("back", [on(12, 13), on(13)])
def test_refunds_without_a_known_order_never_enter(con: Any, back: Any) -> None:
    assert label(con, Row("a", on(12), 500, "1", "p"), Row("a", back, -200, "x", "y")) == (1, 1, 500)


@pytest.mark.parametrize(("recorded", "seen"), [(on(16), 1), (on(17, 0), 0)])
def test_a_late_order_counts_if_it_is_recorded_in_time(con: Any, recorded: Any, seen: int) -> None:
    assert label(con, Row("a", on(12), 500, "1", recorded=recorded)) == (seen, seen, 500 * seen)


def test_an_order_from_before_that_is_recorded_after_is_no_purchase_of_the_window(con: Any) -> None:
    assert label(con, Row("a", on(8), 500, "1", recorded=on(12))) == (0, 0, 0)


@pytest.mark.parametrize("observed_until", [CUTOFF + HORIZON, CUTOFF + HORIZON + 1])
def test_a_window_that_is_over_is_a_label(con: Any, observed_until: int) -> None:
    assert label(con, Row("a", on(12), 500, "1"), observed_until=observed_until) == (1, 1, 500)


@pytest.mark.parametrize("observed_until", [CUTOFF, CUTOFF + HORIZON - 1])
def test_a_window_that_is_not_over_is_masked_whatever_it_holds(con: Any, observed_until: int) -> None:
    nothing = (None, None, None)
    assert label(con, Row("a", on(10), 500, "1"), observed_until=observed_until) == nothing
    assert label(con, observed_until=observed_until) == nothing


def test_only_truncated_cells_are_masked(con: Any) -> None:
    cutoffs, horizons = [5, 20, 35], [5, 15, 30]
    ledger = ledger_table(con, seeded_log(80))
    panel = build_panel(ledger, [day(c) for c in cutoffs], horizons, day(40)).to_pandas()
    for cutoff in cutoffs:
        rows = panel[panel["cutoff"] == day_number(day(cutoff))]
        assert len(rows) > 10
        for horizon in horizons:
            masked = rows[list(label_names(horizon))].isna().to_numpy()
            assert masked.all() if cutoff + horizon > 40 else not masked.any()


DAYS, HORIZONS, ENDS = (3, 12, 20, 33), (1, 7, 20), (20, 40)


def panel_of(con: Any, log: Sequence[Row], name: str, end: int) -> list[dict[str, Any]]:
    ledger, cutoffs = ledger_table(con, log, name), [day(d) for d in DAYS]
    return run(con, f"{name} {end}", lambda: build_panel(ledger, cutoffs, HORIZONS, day(end)))


def assert_agrees(con: Any, log: Sequence[Row], end: int) -> int:
    """Compare with the slow labels, cell by cell; returns how many said yes."""
    ledger, yes = reference.ledger(log), 0
    for row in panel_of(con, log, "log", end):
        for horizon in HORIZONS:
            slow = reference.labels(ledger, row["customer_id"], row["cutoff"], horizon, day_number(day(end)))
            assert tuple(row[name] for name in label_names(horizon)) == slow, (row, horizon)
            yes += slow[0] == 1
    return yes


@pytest.mark.parametrize("end", ENDS)
@given(log=logs("abcd", min_size=4))
def test_the_slow_labels_agree(con: Any, end: int, log: list[Row]) -> None:
    assert_agrees(con, log, end)


def test_the_slow_labels_agree_on_a_large_log(con: Any) -> None:
    assert assert_agrees(con, seeded_log(300), 40) > 200


@settings(max_examples=8)
@given(log=logs("abcd", min_size=4))
def test_a_label_does_not_change_when_the_log_goes_on(con: Any, log: list[Row]) -> None:
    """What is observed until a day is what the whole log says of windows that end by then."""
    end = 30
    until = [row for row in log if reference.to_line(row).known < day_number(day(end))]
    whole = {(row["customer_id"], row["cutoff"]): row for row in panel_of(con, log, "whole", 90)}
    for row in panel_of(con, until, "until", end):
        for horizon in HORIZONS:
            if row["cutoff"] + horizon <= day_number(day(end)):
                names = label_names(horizon)
                later = whole[row["customer_id"], row["cutoff"]]
                assert [row[n] for n in names] == [later[n] for n in names]
