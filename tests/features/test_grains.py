"""A purchase day is a day with a positive net; what is known later never changes what was seen before."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given

from features.calendar import day_from_number, day_number
from features.snapshot import take_snapshot
from tests.features import reference
from tests.features.logs import START, Drawn, Row, few, many_order_logs, on, seeded_log
from tests.features.tables import ledger_table, orders_shop, run, shop, tuples

DAY0 = reference.to_line(Row("a", on(0), 0)).day


def days_seen(con: Any, cutoff: int, *log: Row) -> list[tuple[int, int, int]]:
    """(day after the first, net cents, orders) of what is visible on a day."""
    history = orders_shop(con, log).history
    snapshot = take_snapshot(history, [day_from_number(DAY0 + cutoff)])
    found = tuples(snapshot.grains["days"], "day", "amount", "n_orders")
    return sorted((day - DAY0, amount // 100, n) for day, amount, n in found)


def test_lines_of_an_order_are_one_entry(con: Any) -> None:
    ledger = ledger_table(con, [Row("a", on(0), 100, "1", "p"), Row("a", on(0), 250, "1", "q")])
    assert tuples(ledger, "order_id", "amount", "n_lines", "is_balance") == [("1", 35_000, 2, False)]


def test_a_refund_is_an_entry_of_its_own_if_it_is_known_later(con: Any) -> None:
    log = [Row("a", on(0), 500, "1", "p"), Row("a", on(2), -500, "C1", "p")]
    assert tuples(ledger_table(con, log), "order_id", "day", "known_day", "amount", "n_lines") == [
        ("1", DAY0, DAY0, 50_000, 1),
        ("1", DAY0, DAY0 + 2, -50_000, 0),
    ]


def test_orders_of_one_day_are_one_purchase_day(con: Any) -> None:
    log = [Row("a", on(0, hour), 100 * hour, str(hour)) for hour in (9, 15, 20)]
    assert days_seen(con, 1, *log) == [(0, 4400, 3)]


def test_an_order_of_two_days_is_two_purchase_days(con: Any) -> None:
    assert days_seen(con, 9, Row("a", on(0), 100, "1"), Row("a", on(1), 200, "1")) == [
        (0, 100, 1),
        (1, 200, 1),
    ]


def test_only_orders_with_a_positive_net_are_counted(con: Any) -> None:
    log = [Row("a", on(0), 500, "1", "p"), Row("a", on(0), 700, "2", "q"), Row("a", on(0), 0, "3", "r")]
    assert days_seen(con, 1, *log) == [(0, 1200, 2)]
    assert days_seen(con, 9, *log, Row("a", on(2), -500, "C1", "p")) == [(0, 700, 1)]


def test_a_day_of_nothing_is_no_purchase_day(con: Any) -> None:
    assert days_seen(con, 9, Row("a", on(0), 0, "1", "p")) == []
    assert days_seen(con, 9, Row("a", on(0), -100, "1", "p")) == []


@pytest.mark.parametrize(
    ("cutoff", "seen"), [(0, []), (1, [(0, 500, 1)]), (4, [(0, 500, 1)]), (5, []), (40, [])]
)
def test_a_refunded_day_disappears_from_the_day_the_refund_is_known(
    con: Any, cutoff: int, seen: list[tuple[int, int, int]]
) -> None:
    log = [Row("a", on(0), 500, "1", "p"), Row("a", on(2), -500, "C1", "p", recorded=on(4))]
    assert days_seen(con, cutoff, *log) == seen


@pytest.mark.parametrize(("cutoff", "seen"), [(1, [(0, 500, 1)]), (7, [(0, 500, 1)]), (8, [(0, 800, 2)])])
def test_a_late_line_is_seen_from_its_record_on_and_on_its_own_day(
    con: Any, cutoff: int, seen: list[tuple[int, int, int]]
) -> None:
    log = [Row("a", on(0), 500, "1", "p"), Row("a", on(0), 300, "2", "p", recorded=on(7))]
    assert days_seen(con, cutoff, *log) == seen


def test_an_unmatched_refund_touches_no_purchase_day(con: Any) -> None:
    log = [Row("a", on(0), 500, "1", "p"), Row("a", on(2), 500, "2", "p"), Row("a", on(2), -400, "9", "z")]
    assert days_seen(con, 9, *log) == [(0, 500, 1), (2, 500, 1)]


def test_a_refund_above_its_order_takes_the_rest_of_the_day(con: Any) -> None:
    log = [Row("a", on(0), 500, "1", "p"), Row("a", on(0), 700, "2", "q"), Row("a", on(1), -900, "C1", "p")]
    assert days_seen(con, 9, *log) == [(0, 300, 1)]


@few
@given(drawn=many_order_logs())
def test_the_slow_ledger_agrees(con: Any, drawn: Drawn) -> None:
    slow = reference.ledger(drawn.lines)
    ledger = shop(con, drawn, "log").history.parts["entries"]
    sums: Counter[tuple[Any, ...]] = Counter()
    for e in slow:
        sums[e.customer, e.order, e.day, e.known, e.is_balance, e.is_refund] += e.amount
    wanted = [(*key, amount) for key, amount in sums.items()]
    found = run(con, "ledger", lambda: ledger)
    columns = ("customer_id", "order_id", "day", "known_day", "is_balance")
    told = [(*(row[c] for c in columns), row["n_refunds"] > 0, row["amount"]) for row in found]
    assert sorted(told) == sorted(wanted)
    assert sum(row["n_lines"] for row in found) == sum(
        not reference.to_line(row).is_refund for row in drawn.lines
    )


CUTOFFS = [START.date() + timedelta(days=days) for days in range(0, 60, 4)]


@few
@given(drawn=many_order_logs())
def test_the_slow_purchase_days_agree_at_every_cutoff(con: Any, drawn: Drawn) -> None:
    slow = reference.ledger(drawn.lines)
    wanted = []
    for number in map(day_number, CUTOFFS):
        for customer, entries in groupby(sorted(slow, key=attrgetter("customer")), attrgetter("customer")):
            days = reference.net_days(e for e in entries if e.known < number)
            wanted += [(customer, number, day, *net) for day, net in days.items()]
    history = shop(con, drawn, "log").history
    found = run(con, "days", lambda: take_snapshot(history, CUTOFFS).grains["days"])
    columns = ("customer_id", "cutoff", "day", "amount", "n_orders")
    assert sorted(tuple(row[c] for c in columns) for row in found) == sorted(wanted)


def test_the_seeded_log_holds_what_it_is_meant_to_test() -> None:
    log = seeded_log(300)
    ledger = reference.ledger(log)
    end = max(e.known for e in ledger) + 1
    gross = {(e.customer, e.day) for e in ledger if e.amount > 0}
    net = {
        (customer, day)
        for customer in {e.customer for e in ledger}
        for day in reference.net_days(e for e in ledger if e.customer == customer and e.known < end)
    }
    assert len(gross - net) > 20  # whole days that were taken back
    assert sum(e.known > e.day for e in ledger if e.amount > 0) > 20  # late lines
    assert sum(e.is_balance for e in ledger) > 20
    bought = [replace(row, cents=0) for row in log if row.cents > 0]
    assert len({(row.customer, row.at.date()) for row in bought}) < len(
        {(r.customer, r.order) for r in bought}
    )
