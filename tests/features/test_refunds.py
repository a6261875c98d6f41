"""A refund reduces the order it takes back, found among what came before it; no amount is lost or doubled."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.features import reference
from tests.features.logs import ORDERS_ONLY, Drawn, Row, few, many_order_logs, on, seeded_log
from tests.features.tables import run, shop

DAY0 = reference.to_line(Row("a", on(0), 0)).day


def matched(con: Any, *log: Row) -> list[tuple[Any, ...]]:
    """(order, day after the first, known day after the first, cents, is_balance) of each refund."""
    return [
        (order, day - DAY0, known - DAY0, amount // 100, balance)
        for _, order, day, known, balance, amount, _ in taken_back(con, Drawn([*log], without=ORDERS_ONLY))
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


def taken_back(con: Any, drawn: Drawn) -> list[tuple[Any, ...]]:
    """What the ledger says was taken back: (customer, order, day, known day, is balance, amount, lines)."""
    entries = shop(con, drawn, "log").history.parts["entries"]
    columns = ("customer_id", "order_id", "day", "known_day", "is_balance", "amount", "n_refunds")
    found = run(con, "taken back", lambda: entries.filter(entries.n_refunds > 0))
    return sorted(tuple(row[column] for column in columns) for row in found)


def slowly(log: list[Row]) -> list[tuple[Any, ...]]:
    """The same from the slow ledger."""
    amounts, lines = Counter[Any](), Counter[Any]()
    for e in reference.ledger(log):
        if e.is_refund:
            amounts[e.customer, e.order, e.day, e.known, e.is_balance] += e.amount
            lines[e.customer, e.order, e.day, e.known, e.is_balance] += 1
    return sorted((*key, amounts[key], n) for key, n in lines.items())


@few
@given(drawn=many_order_logs(), times=st.integers(1, 6))
def test_duplicates_multiply_no_amount(con: Any, drawn: Drawn, times: int) -> None:
    """Exact duplicates are lines like any others: each counts once, whatever the joins do."""
    many = drawn.changed(lambda rows: rows * times)
    lines = [reference.to_line(row) for row in many.lines]
    wanted = Counter({line.customer: 0 for line in lines})
    for line in lines:
        wanted[line.customer] += line.amount
    entries = shop(con, many, "log").history.parts["entries"]
    totals = entries.group_by("customer_id").agg(amount=entries.amount.sum())
    found = run(con, "total of the ledger", lambda: totals)
    assert {row["customer_id"]: row["amount"] for row in found} == wanted
    assert sum(match[-1] for match in taken_back(con, many)) == sum(line.is_refund for line in lines)


@few
@given(drawn=many_order_logs())
def test_the_slow_matcher_agrees(con: Any, drawn: Drawn) -> None:
    assert taken_back(con, drawn) == slowly(drawn.lines)


@few
@given(drawn=many_order_logs(), days=st.integers(1, 50))
def test_a_match_does_not_change_when_later_rows_arrive(con: Any, drawn: Drawn, days: int) -> None:
    before = drawn.changed(lambda rows: [r for r in rows if reference.to_line(r).known < DAY0 + days])
    known = [match for match in taken_back(con, drawn) if match[3] < DAY0 + days]
    assert taken_back(con, before) == known


def test_the_slow_matcher_agrees_on_a_large_log(con: Any) -> None:
    log = seeded_log(300)
    wanted = slowly(log)
    assert sum(not match[4] for match in wanted) > 50  # the log is a test of both ways
    assert sum(match[4] for match in wanted) > 20
    assert taken_back(con, Drawn(log, without=ORDERS_ONLY)) == wanted


@pytest.mark.parametrize("usual_delay", [0, 1])
@pytest.mark.parametrize("products", [0, 1, 3])
def test_the_slow_matcher_agrees_on_a_catch_all_customer(con: Any, products: int, usual_delay: int) -> None:
    """Hundreds of lines of one customer at few prices, some recorded late; refunds that name no order."""
    pick = Random(products)  # noqa: S311
    log = []
    for n in range(400):
        day, product = pick.randrange(60), f"p{pick.randrange(products)}" if products else None
        late = on(day + pick.randrange(1, 9)) if pick.random() < 0.1 else on(day + usual_delay, 23)
        cents = pick.choice((100, 150, 200)) * (-1 if pick.random() < 0.3 else 1)
        log.append(Row("walk-in", on(day, pick.randrange(24)), cents, f"{n}", product, late))
    wanted = slowly(log)
    assert sum(not match[4] for match in wanted) > 20
    assert taken_back(con, Drawn(log, without=ORDERS_ONLY)) == wanted
