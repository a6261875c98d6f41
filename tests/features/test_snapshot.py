"""A Snapshot shows what was known strictly before its cutoff, whatever other cutoffs stand beside it."""

import hashlib
import inspect
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import build_features
from features.errors import ContractError
from features.snapshot import day_from_number, day_number, sample_customers, take_snapshot
from tests.features.logs import (
    START,
    Row,
    assert_same_bits,
    bits,
    ledger_table,
    logs,
    records,
    run,
    seeded_log,
)

FIRST = START.date()


@given(st.dates())
def test_day_numbers(day: date) -> None:
    assert day_from_number(day_number(day)) == day
    assert day_number(day + timedelta(1) if day < date.max else day) - day_number(day) == int(day < date.max)


def test_there_is_no_default_cutoff(con: Any) -> None:
    assert inspect.signature(take_snapshot).parameters["cutoffs"].default is inspect.Parameter.empty
    ledger = ledger_table(con, [Row("a", START, 100, "1")])
    with pytest.raises(ContractError) as caught:
        take_snapshot(ledger, [])
    assert str(caught.value) == "a snapshot needs at least one cutoff; hint: name the date explicitly"


CUTOFFS = [FIRST + timedelta(days=d) for d in (17, 3, 41, 30)]


@given(log=logs())
def test_only_entries_known_before_the_cutoff_are_visible(con: Any, log: list[Row]) -> None:
    ledger = ledger_table(con, log)
    wanted = [
        row | {"cutoff": day_number(cutoff)}
        for cutoff in CUTOFFS
        for row in run(con, "ledger", lambda: ledger)
        if row["known_day"] < day_number(cutoff)
    ]
    assert bits(run(con, "entries", lambda: take_snapshot(ledger, CUTOFFS).entries)) == bits(wanted)


@given(log=logs("abcde", min_size=5))
def test_many_cutoffs_give_what_each_gives_alone(con: Any, log: list[Row]) -> None:
    ledger = ledger_table(con, log)
    together = run(con, "together", lambda: build_features(take_snapshot(ledger, CUTOFFS)))
    alone = [
        row
        for cutoff in CUTOFFS
        for row in run(con, f"alone {cutoff}", lambda c=cutoff: build_features(take_snapshot(ledger, [c])))
    ]
    assert bits(together) == bits(alone)


def test_many_cutoffs_give_what_each_gives_alone_on_a_large_log(con: Any) -> None:
    ledger = ledger_table(con, seeded_log(400))
    cutoffs = [FIRST + timedelta(days=d) for d in (41, 5, 17, 30, 60)]
    together = build_features(take_snapshot(ledger, cutoffs), [45]).to_pandas()
    alone = pd.concat([build_features(take_snapshot(ledger, [c]), [45]).to_pandas() for c in cutoffs])
    assert len(together) > 1000
    assert_same_bits(together, alone, ["cutoff", "customer_id"])


def test_a_cutoff_named_twice_is_one(con: Any) -> None:
    ledger, cutoff = ledger_table(con, [Row("a", START, 100, "1")]), FIRST + timedelta(days=3)
    assert records(take_snapshot(ledger, [cutoff, cutoff]).days, "day") == [(day_number(FIRST),)]


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
