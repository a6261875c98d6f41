"""A Snapshot shows what was known strictly before its cutoff, whatever other cutoffs stand beside it."""

import hashlib
import inspect
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar import day_from_number, day_number
from features.errors import ContractError
from features.history import History
from features.snapshot import sample_customers, take_snapshot
from tests.features.logs import CUTOFFS, HORIZONS, START, Drawn, Row, few, many_logs
from tests.features.tables import bits, orders_shop, run, shop, tuples

FIRST = START.date()


@given(st.dates())
def test_day_numbers(day: date) -> None:
    assert day_from_number(day_number(day)) == day
    assert day_number(day + timedelta(1) if day < date.max else day) - day_number(day) == int(day < date.max)


def test_there_is_no_default_cutoff(con: Any) -> None:
    assert inspect.signature(take_snapshot).parameters["cutoffs"].default is inspect.Parameter.empty
    history = orders_shop(con, [Row("a", START, 100, "1")]).history
    with pytest.raises(ContractError) as caught:
        take_snapshot(history, [])
    assert str(caught.value) == "a snapshot needs at least one cutoff; hint: name the date explicitly"


KNOWN = {"entries": "known_day", "visits": "day", "contacts": "day", "booked": "known_day"}


@settings(few, max_examples=2)
@given(drawn=many_logs())
def test_only_rows_known_before_the_cutoff_are_visible(con: Any, drawn: Drawn) -> None:
    history = shop(con, drawn).history
    for name, known in KNOWN.items():
        part = history.parts[name]
        rows = run(con, f"all {name}", lambda part=part: part)
        wanted = [
            (*row.values(), day_number(cutoff))
            for cutoff in CUTOFFS
            for row in rows
            if row[known] < day_number(cutoff)
        ]
        columns = [*part.columns, "cutoff"]
        seen = run(
            con, f"seen {name}", lambda n=name, c=columns: take_snapshot(history, CUTOFFS).grains[n][c]
        )
        if name == "visits":  # those of customers who have bought something
            buyers = {
                (row["customer_id"], row["cutoff"]) for row in run(con, "buyers", lambda: days(history))
            }
            wanted = [row for row in wanted if (row[0], row[-1]) in buyers]
        assert sorted(map(repr, (tuple(row.values()) for row in seen))) == sorted(map(repr, wanted)), name


def days(history: History) -> Any:
    return take_snapshot(history, CUTOFFS).grains["days"].select("customer_id", "cutoff").distinct()


@settings(few, max_examples=3)
@given(drawn=many_logs())
def test_many_cutoffs_give_what_each_gives_alone(con: Any, drawn: Drawn) -> None:
    asked = shop(con, drawn)
    together = asked.features(CUTOFFS, HORIZONS)
    for cutoff in (CUTOFFS[2], CUTOFFS[5]):
        alone = asked.features([cutoff], HORIZONS)
        assert bits(alone) == bits(row for row in together if row["cutoff"] == day_number(cutoff))


def test_a_cutoff_named_twice_is_one(con: Any) -> None:
    history, cutoff = orders_shop(con, [Row("a", START, 100, "1")]).history, FIRST + timedelta(days=3)
    assert tuples(take_snapshot(history, [cutoff, cutoff]).grains["days"], "day") == [(day_number(FIRST),)]


def crowd(con: Any, n: int) -> Any:
    """Three entries for each of n customers."""
    ids = pa.array([f"khách {i}" for i in range(n)] * 3)
    rows = pa.table({"customer_id": ids, "amount": pa.array(range(3 * n))})
    return con.create_table("crowd", rows, overwrite=True)


def sampled(ledger: Any, share: float, seed: int) -> set[str]:
    return set(sample_customers(ledger, share, seed).customer_id.to_pyarrow().to_pylist())


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_the_share_is_right_within_the_error_of_a_sample(con: Any, share: float) -> None:
    n = 20_000
    error = (n * share * (1 - share)) ** 0.5
    sizes = [len(sampled(crowd(con, n), share, seed)) for seed in range(5)]
    assert all(abs(size - n * share) < 4 * error for size in sizes)
    assert len(set(sizes)) > 1


def test_the_same_customers_every_time_and_others_with_another_seed(con: Any) -> None:
    ledger = crowd(con, 5000)
    kept = sampled(ledger, 0.3, 7)
    assert sampled(ledger, 0.3, 7) == kept
    both = kept & sampled(ledger, 0.3, 8)
    assert abs(len(both) - 0.09 * 5000) < 4 * (5000 * 0.09 * 0.91) ** 0.5


def test_who_is_kept_does_not_depend_on_who_else_is_there(con: Any) -> None:
    ledger = crowd(con, 5000)
    some = ledger.filter(ledger.customer_id.endswith("7"))
    assert sampled(some, 0.3, 7) == {c for c in sampled(ledger, 0.3, 7) if c.endswith("7")}


def test_all_rows_of_a_customer_are_kept(con: Any) -> None:
    kept = sample_customers(crowd(con, 2000), 0.3, 7).to_pandas()
    assert set(kept.groupby("customer_id").size()) == {3}


def test_python_picks_the_same_customers(con: Any) -> None:
    ids = [f"khách {i}" for i in range(2000)]
    digests = {i: int(hashlib.md5(f"7:{i}".encode(), usedforsecurity=False).hexdigest()[:8], 16) for i in ids}
    assert sampled(crowd(con, 2000), 0.3, 7) == {i for i in ids if digests[i] < int(0.3 * 2**32)}


@pytest.mark.parametrize(("share", "n"), [(0, 0), (1, 300), (1.7, 300)])
def test_nobody_and_everybody(con: Any, share: float, n: int) -> None:
    assert len(sampled(crowd(con, 300), share, 7)) == n
