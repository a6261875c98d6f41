"""A label is what happened in [cutoff, cutoff + h), as it was known before its end."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir
import pytest
from hypothesis import given

from features.build import build_features, build_panel
from features.calendar import day_number
from features.history import History
from features.labels import add_labels, label_names
from features.snapshot import take_snapshot
from tests.features import reference
from tests.features.logs import ORDERS_ONLY, START, Drawn, Row, few, many_order_logs, on, seeded_log
from tests.features.tables import bits, orders_shop, run, shop

FIRST = START.date()
CUTOFF = 10
HORIZON = 7
BEFORE = Row("a", on(0), 900, "0", "z")
"""Someone has to be a customer to have a label."""


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def labels_of(history: History, cutoffs: list[date], horizons: Sequence[int], until: date) -> ir.Table:
    """The labels of a panel beside one feature: what a whole panel adds is the time to compile it."""
    features = build_features(take_snapshot(history, cutoffs), horizons, ["T"])
    return add_labels(features, history.parts["entries"], cutoffs, horizons, until)


def label(con: Any, *log: Row, observed_until: int = 100) -> tuple[Any, ...]:
    """(bought, orders, spend in cents) of customer a in the week from day 10."""
    history, cutoff, end = orders_shop(con, [BEFORE, *log]).history, day(CUTOFF), day(observed_until)
    rows = run(con, f"week {end}", lambda: labels_of(history, [cutoff], [HORIZON], end))
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


@pytest.mark.parametrize(("recorded", "seen"), [(on(16), 1), (on(17, 0), 1), (on(39), 1), (on(40, 0), 0)])
def test_a_late_order_counts_as_soon_as_it_is_observed_at_all(con: Any, recorded: Any, seen: int) -> None:
    log = [Row("a", on(12), 500, "1", recorded=recorded)]
    assert label(con, *log, observed_until=40) == (seen, seen, 500 * seen)


def test_a_late_order_that_is_taken_back_after_the_end_was_bought(con: Any) -> None:
    """Even if both become known on one day: the order counts, the refund comes after the window."""
    bought = Row("a", on(12), 500, "1", "p", recorded=on(20))
    assert label(con, bought, Row("a", on(14), -200, "C1", "p", recorded=on(20))) == (1, 1, 500)
    assert label(con, bought, Row("a", on(21), -500, "C1", "p")) == (1, 1, 500)


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


def test_a_panel_is_features_and_labels(con: Any) -> None:
    history, cutoffs, end = orders_shop(con, seeded_log(80)).history, [day(5), day(20)], day(40)
    panel = run(con, "panel", lambda: build_panel(history, cutoffs, HORIZONS, end))
    labels = run(con, "labels", lambda: labels_of(history, cutoffs, HORIZONS, end))
    assert bits({name: row[name] for name in labels[0]} for row in panel) == bits(labels)
    assert {"spend_7d", "n_products", "order_value_trend"} < set(panel[0])


def test_only_truncated_cells_are_masked(con: Any) -> None:
    cutoffs, horizons = [5, 20, 35], [5, 15, 30]
    history = orders_shop(con, seeded_log(80)).history
    panel = labels_of(history, [day(c) for c in cutoffs], horizons, day(40)).to_pandas()
    for cutoff in cutoffs:
        rows = panel[panel["cutoff"] == day_number(day(cutoff))]
        assert len(rows) > 10
        for horizon in horizons:
            masked = rows[list(label_names(horizon))].isna().to_numpy()
            assert masked.all() if cutoff + horizon > 40 else not masked.any()


DAYS, HORIZONS, ENDS = (3, 12, 20, 33), (1, 7, 20), (20, 40)


def panel_of(con: Any, drawn: Drawn, name: str, end: int) -> list[dict[str, Any]]:
    history, cutoffs = shop(con, drawn, name).history, [day(d) for d in DAYS]
    return run(con, f"{name} {end}", lambda: labels_of(history, cutoffs, HORIZONS, day(end)))


def assert_agrees(con: Any, drawn: Drawn, end: int) -> int:
    """Compare with the slow labels, cell by cell; returns how many said yes."""
    entries, yes = defaultdict(list), 0
    for entry in reference.ledger(drawn.lines):
        entries[entry.customer].append(entry)
    for row in panel_of(con, drawn, "log", end):
        mine = entries[row["customer_id"]]
        for horizon in HORIZONS:
            slow = reference.labels(mine, row["cutoff"], horizon, day_number(day(end)))
            assert tuple(row[name] for name in label_names(horizon)) == slow, (row, horizon)
            yes += slow[0] == 1
    return yes


@pytest.mark.parametrize("end", ENDS)
@few
@given(drawn=many_order_logs(min_size=4))
def test_the_slow_labels_agree(con: Any, end: int, drawn: Drawn) -> None:
    assert_agrees(con, drawn, end)


def test_the_slow_labels_agree_on_a_large_log(con: Any) -> None:
    assert assert_agrees(con, Drawn(seeded_log(300), without=ORDERS_ONLY), 40) > 200


@few
@given(drawn=many_order_logs(min_size=4))
def test_what_is_not_observed_yet_does_not_matter(con: Any, drawn: Drawn) -> None:
    end = 20
    until = drawn.changed(lambda rows: [r for r in rows if reference.to_line(r).known < day_number(day(end))])
    told = [
        [row for row in panel_of(con, rows, "log", end) if row["cutoff"] <= day_number(day(end))]
        for rows in (drawn, until)
    ]
    assert bits(told[0]) == bits(told[1])
