"""A refund reduces the order it takes back, found among what came before it; no amount is lost or doubled."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from features.refunds import match_refunds
from tests.features import reference
from tests.features.logs import (
    CONTRACT,
    Row,
    bits,
    ledger_table,
    line_table,
    logs,
    on,
    records,
    run,
    seeded_log,
)

DAY0 = reference.to_line(Row("a", on(0), 0)).day


def matched(con: Any, *log: Row) -> list[tuple[Any, ...]]:
    """(order, day after the first, known day after the first, cents, is_balance) of each refund."""
    found = match_refunds(line_table(con, log), CONTRACT.cancellation_prefix)
    return [
        (order, day - DAY0, known - DAY0, amount // 100, balance)
        for order, day, known, amount, balance in records(
            found, "order_id", "day", "known_day", "amount", "is_balance"
        )
    ]


def test_by_its_own_number(con: Any) -> None:
    bought = [Row("a", on(0), 900, "1", "p"), Row("a", on(2), 900, "2", "p")]
    assert matched(con, *bought, Row("a", on(5), -300, "1", "p")) == [("1", 0, 5, -300, False)]


def test_the_order_that_cost_exactly_this_goes_before_a_later_one(con: Any) -> None:
    bought = [Row("a", on(0), 1000, "1", "p"), Row("a", on(2), 10, "2", "p")]
    assert matched(con, *bought, Row("a", on(5), -1000, "C9", "p")) == [("1", 0, 5, -1000, False)]
    assert matched(con, *bought, Row("a", on(5), -10, "C9", "p")) == [("2", 2, 5, -10, False)]


def test_an_order_that_covers_the_refund_goes_before_a_smaller_one(con: Any) -> None:
    bought = [Row("a", on(0), 1000, "1", "p"), Row("a", on(2), 10, "2", "p")]
    assert matched(con, *bought, Row("a", on(5), -400, "C9", "p")) == [("1", 0, 5, -400, False)]
    assert matched(con, *bought, Row("a", on(5), -4000, "C9", "p")) == [("2", 2, 5, -4000, False)]


def test_by_its_number_without_the_prefix(con: Any) -> None:
    bought = [Row("a", on(0), 900, "1", "p"), Row("a", on(2), 900, "2", "p")]
    assert matched(con, *bought, Row("a", on(5), 300, "C1", "p")) == [("1", 0, 5, -300, False)]


def test_the_number_counts_for_more_than_the_product(con: Any) -> None:
    bought = [Row("a", on(0), 900, "1", "q"), Row("a", on(2), 900, "2", "p")]
    assert matched(con, *bought, Row("a", on(5), -300, "C1", "p")) == [("1", 0, 5, -300, False)]


def test_by_product_the_latest_before(con: Any) -> None:
    bought = [Row("a", on(day), 900, str(day), "p") for day in (0, 2, 9)]
    other = Row("a", on(3), 900, "3", "q")
    assert matched(con, *bought, other, Row("a", on(5), -300, "C77", "p")) == [("2", 2, 5, -300, False)]


def test_by_amount_where_there_are_no_products(con: Any) -> None:
    bought = [Row("a", on(0), 300, "1"), Row("a", on(1), 300, "2"), Row("a", on(2), 900, "3")]
    assert matched(con, *bought, Row("a", on(5), -300, "9")) == [("2", 1, 5, -300, False)]


def test_an_amount_is_no_product(con: Any) -> None:
    """The refund of 2.29 without a product has nothing to do with the product that is called 22900."""
    bought = Row("a", on(0), 500, "1", "22900")
    assert matched(con, bought, Row("a", on(5), -229, "9")) == [("9", 5, 5, -229, True)]


def test_an_unmatched_refund_is_a_balance_from_its_own_day(con: Any) -> None:
    bought = Row("a", on(0), 900, "1", "p")
    assert matched(con, bought, Row("a", on(5), -300, "9", "q")) == [("9", 5, 5, -300, True)]


def test_never_an_order_of_another_customer(con: Any) -> None:
    bought = Row("b", on(0), 900, "1", "p")
    assert matched(con, bought, Row("a", on(5), -300, "C1", "p")) == [("C1", 5, 5, -300, True)]


def test_never_a_later_order_even_on_the_same_day(con: Any) -> None:
    bought = Row("a", on(5, hour=15), 300, "1", "p")
    assert matched(con, bought, Row("a", on(5), -300, "C1", "p")) == [("C1", 5, 5, -300, True)]
    at_once = replace(bought, at=on(5))
    assert matched(con, at_once, Row("a", on(5), -300, "C1", "p")) == [("1", 5, 5, -300, False)]


def test_never_an_order_that_became_known_later(con: Any) -> None:
    bought = Row("a", on(0), 300, "1", "p", recorded=on(9))
    refund = Row("a", on(5), -300, "C1", "p")
    assert matched(con, bought, refund) == [("C1", 5, 5, -300, True)]
    assert matched(con, bought, replace(refund, recorded=on(9))) == [("1", 0, 9, -300, False)]


def test_a_late_refund_keeps_the_day_it_became_known(con: Any) -> None:
    bought, refund = Row("a", on(0), 300, "1", "p"), Row("a", on(2), -300, "C1", "p", recorded=on(8))
    assert matched(con, bought, refund) == [("1", 0, 8, -300, False)]


def test_a_refund_of_nothing_changes_nothing(con: Any) -> None:
    assert matched(con, Row("a", on(0), 300, "1", "p"), Row("a", on(2), 0, "C1", "p")) == [
        ("1", 0, 2, 0, False)
    ]


def all_matches(con: Any, log: list[Row], name: str = "log") -> list[dict[str, Any]]:
    lines = line_table(con, log, name)
    return run(con, f"{name}_matches", lambda: match_refunds(lines, CONTRACT.cancellation_prefix))


@given(log=logs(), times=st.integers(1, 6))
def test_duplicates_multiply_no_amount(con: Any, log: list[Row], times: int) -> None:
    """Exact duplicates are lines like any others: each counts once, whatever the joins do."""
    lines = [reference.to_line(row) for row in log * times]
    ledger = ledger_table(con, log * times)
    found = run(con, "ledger", lambda: ledger)
    for customer in "abc":
        amounts = [line.amount for line in lines if line.customer == customer]
        assert sum(row["amount"] for row in found if row["customer_id"] == customer) == sum(amounts)
    refunds = [(line.customer, line.known, line.amount) for line in lines if line.is_refund]
    matches = all_matches(con, log * times)
    assert sorted((m["customer_id"], m["known_day"], m["amount"]) for m in matches) == sorted(refunds)


@given(log=logs())
def test_the_slow_matcher_agrees(con: Any, log: list[Row]) -> None:
    lines = [reference.to_line(row) for row in log]
    wanted = []
    for line in (line for line in lines if line.is_refund):
        found = reference.find_order(line, lines)
        at = found or line
        wanted.append((line.customer, at.order, at.day, line.known, line.amount, found is None))
    assert sorted(tuple(match.values()) for match in all_matches(con, log)) == sorted(wanted)


@given(log=logs(), days=st.integers(1, 50))
def test_a_match_does_not_change_when_later_rows_arrive(con: Any, log: list[Row], days: int) -> None:
    before = [row for row in log if reference.to_line(row).known < DAY0 + days]
    known = [match for match in all_matches(con, log) if match["known_day"] < DAY0 + days]
    assert bits(all_matches(con, before, "before")) == bits(known)


def test_the_slow_matcher_agrees_on_a_large_log(con: Any) -> None:
    log = seeded_log(300)
    ledger = reference.ledger(log)
    refunds = [entry for entry in ledger if entry.amount < 0]
    assert sum(not entry.is_balance for entry in refunds) > 50  # the log is a test of both ways
    assert sum(entry.is_balance for entry in refunds) > 20
    matches = match_refunds(line_table(con, log), CONTRACT.cancellation_prefix)
    assert records(matches) == sorted(
        ((e.customer, e.order, e.day, e.known, e.amount, e.is_balance) for e in refunds), key=repr
    )
