"""Each count against a few plain lines, on drawn purchases; and that Spark's dialect can say it too."""

from collections import Counter
from itertools import groupby, pairwise
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import profile

UNTIL = 40
_DAYS = pa.schema(
    {"customer_id": pa.string(), "day": pa.int64(), "amount": pa.int64(), "n_orders": pa.int64()}
)
_LINES = pa.schema(
    {
        "customer_id": pa.string(), "order_id": pa.string(), "product_id": pa.string(),
        "ordered_at": pa.timestamp("us"), "day": pa.int64(), "known_day": pa.int64(), "amount": pa.int64(),
        "is_refund": pa.bool_(),
    }
)  # fmt: skip

purchases = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.integers(0, UNTIL - 1)),
    st.integers(1, 10**9),
    min_size=1,
    max_size=40,
)
lines = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from(["1", "2"]), st.sampled_from([None, "p"]), st.integers(0, 3),
        st.integers(0, 2), st.sampled_from([100, 200]), st.sampled_from(["x.csv", "y.csv", "z.csv"]),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


def days_table(bought: dict[tuple[str, int], int]) -> Any:
    rows = [{"customer_id": c, "day": d, "amount": a, "n_orders": 1 + a % 2} for (c, d), a in bought.items()]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=_DAYS))


def steps_of(bought: dict[tuple[str, int], int]) -> list[dict[str, Any]]:
    """The slow form of `purchase_steps`."""
    steps = []
    for _, group in groupby(sorted(bought), key=lambda key: key[0]):
        days = [day for _, day in group]
        for place, day in enumerate(days):
            following = days[place + 1] if place + 1 < len(days) else None
            steps.append({"day": day, "is_first": place == 0, "next": following})
    return steps


def lines_table(drawn: list[tuple[Any, ...]]) -> Any:
    rows = [
        {"customer_id": c, "order_id": o, "product_id": p, "ordered_at": day * 86_400_000_000, "day": day,
         "known_day": day + late, "amount": a, "is_refund": False}
        for c, o, p, day, late, a, _ in drawn
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_LINES)


def rows(con: Any, expression: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(r.values()) for r in con.to_pyarrow(expression).to_pylist()), key=repr)


@given(bought=purchases)
def test_steps_totals_and_days(con: Any, bought: dict[tuple[str, int], int]) -> None:
    steps, slow = profile.purchase_steps(days_table(bought)), steps_of(bought)
    orders = sum(1 + a % 2 for a in bought.values())
    customers = {c for c, _ in bought}
    one_time = sum(s["is_first"] and s["next"] is None for s in slow)
    assert rows(con, profile.step_totals(steps)) == [
        (len(customers), one_time, len(bought), orders, sum(bought.values()))
    ]
    by_day = [
        (
            day, sum(d == day for _, d in bought), sum(s["is_first"] and s["day"] == day for s in slow),
            sum(1 + a % 2 for (_, d), a in bought.items() if d == day),
            sum(a for (_, d), a in bought.items() if d == day),
        )
        for day in {d for _, d in bought}
    ]  # fmt: skip
    assert rows(con, profile.daily_purchases(steps)) == sorted(by_day, key=repr)


@given(bought=purchases)
def test_silences_end_with_a_purchase_or_with_the_log(con: Any, bought: dict[tuple[str, int], int]) -> None:
    expected = Counter(
        (
            s["is_first"],
            s["next"] is None,
            UNTIL - 1 - s["day"] if s["next"] is None else s["next"] - s["day"],
        )
        for s in steps_of(bought)
    )
    found = rows(con, profile.silence_counts(profile.purchase_steps(days_table(bought)), UNTIL))
    assert found == sorted(((*key, n) for key, n in expected.items()), key=repr)


@given(bought=purchases, cutoffs=st.sets(st.integers(0, UNTIL), min_size=1, max_size=4))
def test_windows_count_each_customer_once(
    con: Any, bought: dict[tuple[str, int], int], cutoffs: set[int]
) -> None:
    windows = {c: {3: c + 3, 10: c + 10} for c in sorted(cutoffs)}
    expected = []
    for cutoff, ends in windows.items():
        known = {c for c, d in bought if d < cutoff}
        expected.append(len(known))
        expected += [len({c for c, d in bought if c in known and cutoff <= d < end}) for end in ends.values()]
    (found,) = con.to_pyarrow(
        profile.window_counts(profile.purchase_steps(days_table(bought)), windows)
    ).to_pylist()
    assert list(found.values()) == expected


@given(drawn=lines)
def test_copies_and_delays(con: Any, drawn: list[tuple[Any, ...]]) -> None:
    table = ibis.memtable(lines_table(drawn))
    expected = []
    for day in {row[3] for row in drawn}:
        copies = Counter((c, o, p, a) for c, o, p, d, _, a, _ in drawn if d == day)
        again = sum(n for n in copies.values() if n > 1)
        expected.append((day, sum(copies.values()), len(copies), again))
    assert rows(con, profile.daily_copies(table)) == sorted(expected, key=repr)
    delays = Counter(row[4] for row in drawn)
    assert rows(con, profile.delay_counts(table)) == sorted(delays.items(), key=repr)


@given(drawn=lines)
def test_rows_that_lie_in_two_files(con: Any, drawn: list[tuple[Any, ...]]) -> None:
    raw = lines_table(drawn)
    door = raw.rename_columns([f"door_{name}" for name in raw.column_names])
    reason = pa.array(["no_date" if row[0] == "b" else None for row in drawn], pa.string())
    door = door.append_column("door_reason", reason).append_column("f", pa.array([row[6] for row in drawn]))
    used = [row for row in drawn if row[0] == "a"]
    files: dict[tuple[Any, ...], set[str]] = {}
    for c, o, p, day, _, a, file in used:
        files.setdefault((c, o, p, day, a), set()).add(file)
    pairs: dict[tuple[str, str], list[int]] = {}
    for key, names in files.items():
        if len(names) > 1:
            pairs.setdefault((min(names), max(names)), []).append(key[3])
    expected = [(*pair, len(days), min(days), max(days)) for pair, days in pairs.items()]
    table = ibis.memtable(door)
    assert rows(con, profile.shared_by_files(table, "f")) == sorted(expected, key=repr)
    assert rows(con, profile.file_rows(table, "f")) == sorted(Counter(r[6] for r in used).items(), key=repr)


@given(bought=purchases)
def test_amounts_by_their_first_two_digits(con: Any, bought: dict[tuple[str, int], int]) -> None:
    steps = profile.purchase_steps(days_table(bought))
    keys = [(len(str(a)), int(str(a)[:2])) for a in bought.values()]
    sums: Counter[tuple[int, int]] = Counter()
    for key, amount in zip(keys, bought.values(), strict=True):
        sums[key] += amount
    expected = [(*key, n, sums[key]) for key, n in Counter(keys).items()]
    assert rows(con, profile.amount_bins(steps)) == sorted(expected, key=repr)
    top = con.to_pyarrow(profile.largest_days(steps, 3))["amount"].to_pylist()
    assert top == sorted(bought.values(), reverse=True)[:3]


def test_every_expression_can_be_said_to_spark() -> None:
    days = ibis.table(ibis.Schema.from_pyarrow(_DAYS), name="days")
    log = ibis.table(ibis.Schema.from_pyarrow(_LINES), name="lines")
    door = ibis.table(
        {**{f"door_{n}": t for n, t in log.schema().items()}, "door_reason": "string", "f": "string"},
        name="d",
    )
    steps = profile.purchase_steps(days)
    for expression in (
        profile.step_totals(steps), profile.daily_purchases(steps), profile.silence_counts(steps, 9),
        profile.window_counts(steps, {5: {3: 8}}), profile.daily_copies(log), profile.delay_counts(log),
        profile.file_rows(door, "f"), profile.shared_by_files(door, "f"), profile.amount_bins(steps),
        profile.largest_days(steps, 5),
    ):  # fmt: skip
        assert "SELECT" in str(ibis.to_sql(expression, dialect="pyspark"))


@pytest.mark.parametrize("gap", [1, 7, 30])
def test_a_customer_who_comes_like_clockwork(con: Any, gap: int) -> None:
    days = list(range(0, 200, gap))
    bought = dict.fromkeys((("a", day) for day in days), 100)
    found = rows(con, profile.silence_counts(profile.purchase_steps(days_table(bought)), days[-1] + 1))
    gaps = Counter(b - a for a, b in pairwise(days))
    assert sum(n for *_, is_open, length, n in found if not is_open and length == gap) == gaps[gap]
    assert [row for row in found if row[1]] == [(False, True, 0, 1)]
