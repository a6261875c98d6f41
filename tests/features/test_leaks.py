"""No change of the future moves a feature; builders that peek are caught."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import build_features
from features.contracts import Cancellation, TransactionsContract
from features.door import at_the_door, used_lines
from features.grains import order_ledger, purchase_days
from features.labels import add_labels
from features.leaks import prove_no_leak
from features.snapshot import Snapshot, day_number, sample_customers, take_snapshot
from tests.features import reference
from tests.features.logs import (
    CONTRACT,
    START,
    Row,
    assert_same_bits,
    bits,
    ledger_table,
    line_table,
    logs,
    on,
    run,
    seeded_log,
)

FIRST = START.date()
PREFIX = CONTRACT.cancellation_prefix
Builder = Callable[[ir.Table, date], ir.Table]


def honest(lines: ir.Table, cutoff: date) -> ir.Table:
    return build_features(take_snapshot(order_ledger(lines, PREFIX), [cutoff]))


def share_of_the_largest_order(lines: ir.Table, cutoff: date) -> ir.Table:
    """A statistic of the whole log."""
    features = honest(lines, cutoff)
    top = lines.aggregate(top=lines.amount.max())
    joined = features.cross_join(top)
    return joined.mutate(leak=joined.total_spend / joined.top.nullif(0)).drop("top")


def silence_at_the_end_of_the_log(lines: ir.Table, cutoff: date) -> ir.Table:
    """Recency relative to the newest row."""
    features = honest(lines, cutoff)
    joined = features.cross_join(lines.aggregate(end=lines.known_day.max()))
    return joined.mutate(leak=joined.end - (joined.cutoff - joined.days_since_last_order)).drop("end")


def unfiltered_ledger(lines: ir.Table, cutoff: date) -> ir.Table:
    """Features of everything, as if the cutoff were only a column."""
    entries = order_ledger(lines, PREFIX).mutate(cutoff=ibis.literal(day_number(cutoff), "int64"))
    return build_features(Snapshot(entries, purchase_days(entries, ("customer_id", "cutoff"))))


def by_day_of_the_order(lines: ir.Table, cutoff: date) -> ir.Table:
    """The subtle one: orders of the past, but with what became known of them later."""
    ledger, day = order_ledger(lines, PREFIX), day_number(cutoff)
    entries = ledger.filter(ledger.day < day).mutate(cutoff=ibis.literal(day, "int64"))
    return build_features(Snapshot(entries, purchase_days(entries, ("customer_id", "cutoff"))))


def label_as_a_feature(lines: ir.Table, cutoff: date) -> ir.Table:
    ledger = order_ledger(lines, PREFIX)
    return add_labels(honest(lines, cutoff), ledger, [30], cutoff + timedelta(days=3650))


def rank_among_all_customers(lines: ir.Table, cutoff: date) -> ir.Table:
    """A statistic over customers, of whom some arrive only later."""
    features, everyone = honest(lines, cutoff), lines.aggregate(n=lines.customer_id.nunique())
    joined = features.cross_join(everyone)
    return joined.mutate(leak=joined.n_orders / joined.n).drop("n")


def one_row_for_every_line(lines: ir.Table, cutoff: date) -> ir.Table:
    """A join that multiplies rows by what comes later, without a value that moves."""
    features = honest(lines, cutoff)
    return features.inner_join(lines.select("customer_id"), "customer_id")


def next_product(lines: ir.Table, cutoff: date) -> ir.Table:
    """A leak in a text column with empty cells."""
    later = lines.filter(lines.day >= day_number(cutoff))
    newest = later.group_by("customer_id").agg(leak=later.product_id.max())
    features = honest(lines, cutoff)
    return features.left_join(newest, "customer_id").drop("customer_id_right")


LEAKY = {
    share_of_the_largest_order: {"leak"},
    silence_at_the_end_of_the_log: {"leak"},
    unfiltered_ledger: {"frequency", "total_spend"},
    by_day_of_the_order: {"total_spend"},
    label_as_a_feature: {"y_purchased_30d"},
    rank_among_all_customers: {"leak"},
    one_row_for_every_line: {"customer_id"},
    next_product: {"leak"},
}


@pytest.fixture(scope="module")
def lines(con: Any) -> ir.Table:
    """A log in which nothing is recorded late and nothing is taken back: the proof must make its own."""
    plain = [row for row in seeded_log(60) if row.cents > 0 and row.recorded is None]
    assert len(plain) > 100
    return line_table(con, plain, "plain")


@pytest.mark.parametrize("builder", LEAKY, ids=lambda builder: builder.__name__)
def test_a_builder_that_peeks_is_caught(lines: ir.Table, builder: Builder) -> None:
    findings = prove_no_leak(lines, builder, FIRST + timedelta(days=20))
    moved = {name for finding in findings for name in finding.moved}
    known = {"customer_id"} if moved == {"customer_id"} else LEAKY[builder]
    assert known <= moved
    customers = set(lines.customer_id.to_pyarrow().to_pylist())
    orders = set(lines.order_id.to_pyarrow().to_pylist())
    assert all(finding.example in customers | orders for finding in findings if finding.moved)


def test_the_honest_builder_passes_where_they_are_caught(lines: ir.Table) -> None:
    findings = prove_no_leak(lines, honest, FIRST + timedelta(days=20))
    assert [f.mutation for f in findings] == ["deleted", "corrupted", "added"]
    assert all(f.n_rows > 15 and not f.moved and f.example is None for f in findings)


def test_floats_are_compared_by_their_bits(lines: ir.Table) -> None:
    """A sum that moves by its last bit is a leak; a null that stays null is none."""

    def nudged(changed: ir.Table, cutoff: date) -> ir.Table:
        features = honest(changed, cutoff)
        joined = features.cross_join(changed.aggregate(n=changed.count()))
        tiny = (joined.n % 7).cast("float64") * 2.0**-51
        text = ibis.ifelse(joined.frequency > 2, "often", ibis.null("string"))
        return joined.mutate(leak=tiny + 2.0, fine=text, gap=joined.mean_gap).drop("n")

    findings = prove_no_leak(lines, nudged, FIRST + timedelta(days=20))
    assert {finding.moved for finding in findings} <= {("leak",), ()}
    assert any(finding.moved for finding in findings)


@settings(max_examples=3)
@given(log=logs("abcdef", min_size=20), days=st.integers(10, 40))
def test_the_proof_holds_for_any_log(con: Any, log: list[Row], days: int) -> None:
    findings = prove_no_leak(line_table(con, log), honest, FIRST + timedelta(days=days))
    assert [finding.moved for finding in findings] == [(), (), ()]


@given(past=logs("abcd", min_size=5), future=logs("abcdx", min_size=5))
def test_any_other_future_gives_the_same_features(con: Any, past: list[Row], future: list[Row]) -> None:
    """Without the package's own idea of a mutation: raw logs that share nothing but the past."""
    cutoff = FIRST + timedelta(days=15)
    known = [row for row in past if reference.to_line(row).known < day_number(cutoff)]
    other = [row for row in future if reference.to_line(row).known >= day_number(cutoff)]
    first, *rest = (features_at(con, log, cutoff) for log in (past, known, known + other))
    assert all(found == first for found in rest)


def features_at(con: Any, log: list[Row], cutoff: date) -> list[tuple[str, ...]]:
    ledger = ledger_table(con, log)
    return bits(run(con, f"features {cutoff}", lambda: build_features(take_snapshot(ledger, [cutoff]))))


def test_a_refund_and_a_late_line_after_the_cutoff_change_nothing(con: Any) -> None:
    past = [Row("a", on(0), 500, "1", "p"), Row("a", on(3), 300, "2", "q")]
    future = [Row("a", on(9), -500, "C1", "p"), Row("a", on(3), 900, "2", "q", recorded=on(7))]
    cutoff = FIRST + timedelta(days=7)
    frames = [honest(line_table(con, log), cutoff).to_pandas() for log in (past, past + future)]
    assert_same_bits(*frames, ["customer_id"])
    assert frames[0]["total_spend"].tolist() == [80_000]


ONLINE_RETAIL = TransactionsContract(
    {
        "customer_id": "customer_id",
        "order_id": "invoice",
        "product_id": "stock_code",
        "ordered_at": "invoice_date",
        "quantity": "quantity",
        "unit_price": "unit_price",
    },
    name="online_retail.parquet",
    cancellation=Cancellation("order_id", "C"),
)


@pytest.fixture(scope="module")
def retail_lines(con: Any, online_retail: Path) -> ir.Table:
    door = at_the_door(con.read_parquet(online_retail), ONLINE_RETAIL)
    return con.create_table("retail", used_lines(door), overwrite=True)


@pytest.fixture(scope="module")
def retail_sample(con: Any, retail_lines: ir.Table) -> ir.Table:
    """A twentieth of the customers, as the proof before a run takes a sample."""
    return con.create_table("retail_sample", sample_customers(retail_lines, 0.05, 7), overwrite=True)


RETAIL_CUTOFFS = [date(2011, 3, 1), date(2011, 9, 9), date(2011, 12, 1)]


@pytest.mark.parametrize("cutoff", RETAIL_CUTOFFS, ids=str)
def test_the_proof_holds_on_a_real_log(retail_sample: ir.Table, cutoff: date) -> None:
    findings = prove_no_leak(retail_sample, honest, cutoff)
    assert all(finding.n_rows > 50 for finding in findings)
    assert [finding.moved for finding in findings] == [(), (), ()]


def test_a_builder_that_peeks_is_caught_on_a_real_log(retail_sample: ir.Table) -> None:
    peeking = prove_no_leak(retail_sample, by_day_of_the_order, RETAIL_CUTOFFS[1])
    assert LEAKY[by_day_of_the_order] <= {name for finding in peeking for name in finding.moved}


@pytest.mark.parametrize("cutoff", RETAIL_CUTOFFS, ids=str)
def test_the_future_of_a_real_log_is_deleted_row_by_row(retail_lines: ir.Table, cutoff: date) -> None:
    """The plain version of the proof, on everyone: the log as it was exported that morning."""
    past = retail_lines.filter(retail_lines.ordered_at < ibis.timestamp(str(cutoff)))
    frames: list[pd.DataFrame] = [honest(log, cutoff).to_pandas() for log in (retail_lines, past)]
    assert len(frames[0]) > 1000
    assert_same_bits(*frames, ["customer_id"])
