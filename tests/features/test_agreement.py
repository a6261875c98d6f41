"""Every feature agrees with a slow reading of its definition, whatever the shop's tables hold."""

from random import Random
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import build_features
from features.calendar import day_number
from features.catalogue import visible_features
from features.errors import ContractError
from features.history import make_history
from features.snapshot import take_snapshot
from tests.features.logs import CUTOFFS, HORIZONS, Drawn, few, many_logs, many_order_logs, seeded_shop
from tests.features.reference import assert_agrees, expected
from tests.features.tables import Bench, Shop, assert_same_bits, bits, run, shop

NUMBERS = [day_number(cutoff) for cutoff in CUTOFFS]

SHAPES: dict[str, frozenset[str]] = {
    "all tables": frozenset(),
    "sessions cut at silence, undated customers, no amounts": frozenset(
        {"events.session_id", "events.duration_s", "customers.valid_from", "amount", "channel", "recorded_at"}
        | {"product_id", "order_id", "contacts.cost"}
    ),
}


@pytest.mark.parametrize("without", SHAPES.values(), ids=SHAPES)
@few
@given(drawn=many_logs())
def test_the_slow_features_agree(con: Any, without: frozenset[str], drawn: Drawn) -> None:
    drawn = drawn.lacking(*without)
    found, wanted = shop(con, drawn).features(CUTOFFS, HORIZONS), expected(drawn, NUMBERS, HORIZONS)
    assert_agrees(found, wanted, drawn)


@few
@given(drawn=many_order_logs("abcdef"))
def test_the_slow_features_agree_on_orders_alone(con: Any, drawn: Drawn) -> None:
    found, wanted = shop(con, drawn, "log").features(CUTOFFS, HORIZONS), expected(drawn, NUMBERS, HORIZONS)
    assert_agrees(found, wanted, drawn)


def test_the_slow_features_agree_on_a_large_shop(con: Any) -> None:
    drawn = seeded_shop(150)
    found = shop(con, drawn).features(CUTOFFS, HORIZONS)
    assert_agrees(found, expected(drawn, NUMBERS, HORIZONS))
    assert sum(row["frequency"] > 3 for row in found) > 100
    assert sum(row["frequency"] == 0 for row in found) > 100
    assert [n for n in found[0] if all(row[n] in (None, 0) for row in found)] == ["season_share"]  # too short


@settings(few, max_examples=3)
@given(drawn=many_logs())
def test_a_feature_depends_on_that_customers_rows_alone(con: Any, drawn: Drawn) -> None:
    together = shop(con, drawn).features(CUTOFFS, HORIZONS)
    for who in (["0:a"], ["0:b", "1:a", "2:b", "5:a", "5:b"]):
        alone = shop(con, drawn.of(who)).features(CUTOFFS, HORIZONS)
        assert bits(alone) == bits(row for row in together if row["customer_id"] in who)


@settings(few, max_examples=3)
@given(drawn=many_logs(), pick=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_is_nothing(con: Any, drawn: Drawn, pick: Random) -> None:
    found = bits(shop(con, drawn).features(CUTOFFS, HORIZONS))
    for change in (lambda rows: rows[::-1], lambda rows: pick.sample(rows, len(rows))):
        assert bits(shop(con, drawn.changed(change)).features(CUTOFFS, HORIZONS)) == found


SOME = ("attr_tier", "gap_irregularity", "n_products", "T", "last_touch_channel", "contact_reply_share")


def test_some_features_are_what_they_are_among_all(con: Any) -> None:
    asked = shop(con, seeded_shop(100))
    every = asked.features(CUTOFFS, HORIZONS)
    some = asked.features(CUTOFFS, HORIZONS, SOME)
    assert list(some[0]) == ["customer_id", "cutoff", *SOME]
    assert bits(some) == bits({name: row[name] for name in some[0]} for row in every)


def test_what_is_kept_is_what_is_computed_in_one_go(con: Any) -> None:
    """One feature of each part of the history, as one expression from the records on."""
    asked = shop(con, seeded_shop(100))
    names = one_of_each_grain(asked)
    table = build_features(take_snapshot(make_history(asked.records), CUTOFFS), (), names)
    assert bits(run(con, "lazily", lambda: table)) == bits(asked.features(CUTOFFS, (), names))


def one_of_each_grain(asked: Shop) -> list[str]:
    features = visible_features(has=asked.records.has, attributes=asked.records.attributes)
    grains = {feature.grain: feature.name for feature in features}
    assert len(grains) > 10
    return list(grains.values())


@settings(few, max_examples=4)
@given(drawn=many_logs())
def test_a_history_for_one_date_tells_of_it_what_a_history_for_all_does(con: Any, drawn: Drawn) -> None:
    asked = shop(con, drawn)
    together = asked.features(CUTOFFS, HORIZONS)
    for cutoff in (CUTOFFS[2], CUTOFFS[5]):
        alone = Bench(con, f"at {cutoff}", asked.records, cutoff).hold(asked.records)
        found = alone.features([cutoff], HORIZONS)
        assert bits(found) == bits(row for row in together if row["cutoff"] == day_number(cutoff))


def test_a_history_for_one_date_can_be_looked_at_from_no_other(con: Any) -> None:
    history = make_history(shop(con, seeded_shop(10)).records, at=CUTOFFS[2])
    with pytest.raises(ContractError, match=f"was made for {CUTOFFS[2]} alone; .*{CUTOFFS[5]}"):
        take_snapshot(history, [CUTOFFS[2], CUTOFFS[5]])


@pytest.mark.heavy
def test_five_builds_on_two_threads_are_the_same_to_the_last_bit() -> None:
    """Fifty thousand lines: enough for two threads to share the work, and to add up in another order."""
    con, drawn = ibis.duckdb.connect(threads=2), seeded_shop(6000)
    assert len(drawn.lines) > 45_000
    asked = Shop(con, "shop").fill(drawn)
    found = [asked.frame(CUTOFFS[5:6], HORIZONS)]
    found += [asked.rebuilt().frame(CUTOFFS[5:6], HORIZONS) for _ in range(4)]
    con.disconnect()
    assert len(found[0]) > 3000
    for other in found[1:]:
        assert_same_bits(found[0], other, ["customer_id"])
