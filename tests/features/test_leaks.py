"""No change of the future moves a feature; builders that peek are caught."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import ibis
import pytest
from hypothesis import given, settings

from features.build import build_features
from features.calendar import day_number
from features.history import History, make_history
from features.leaks import ELSEWHERE, LeakFinding, prove_no_leak
from features.records import KNOWN_FROM, Records
from features.snapshot import Snapshot, take_snapshot
from tests.features import reference
from tests.features.logs import (
    CUTOFFS,
    HORIZONS,
    ORDERS_ONLY,
    START,
    Drawn,
    Row,
    few,
    many_logs,
    on,
    seeded_shop,
)
from tests.features.plants import HONEST, PLANTS, honest, leaking
from tests.features.tables import Bench, bits, orders_shop, shop

FIRST = START.date()
CUTOFF = FIRST + timedelta(days=20)
WORLDS = {"deleted", "corrupted", "shuffled", "added", ELSEWHERE}


def moved(findings: list[LeakFinding]) -> set[str]:
    return {name for finding in findings for name in finding.moved}


def proof(con: Any, records: Records, cutoff: date, names: list[str] | None = None) -> list[LeakFinding]:
    """The proof of some features or of all that the records allow."""
    bench = Bench(con, f"proof of {sorted(records.has)}", records)
    return prove_no_leak(
        records, lambda changed, at: bench.hold(changed).table([at], HORIZONS, names), cutoff
    )


def test_the_honest_builder_passes_with_all_tables(con: Any) -> None:
    findings = proof(con, shop(con, seeded_shop(60)).records, CUTOFF)
    assert {finding.mutation for finding in findings} == WORLDS
    assert moved(findings) == set()
    assert all(finding.n_rows > 15 and finding.example is None for finding in findings)


def test_the_honest_builder_passes_where_sessions_are_cut_at_silence(con: Any) -> None:
    drawn = replace(seeded_shop(60), without=ORDERS_ONLY - {"events"} | {"events.session_id", "order_id"})
    names = ["sessions_7d", "sessions_90d", "sessions_since_last_order", "last_touch_channel", "total_spend"]
    assert moved(proof(con, shop(con, drawn).records, CUTOFF, names)) == set()


def plain_records(con: Any) -> Records:
    """A log in which nothing is recorded late and nothing is taken back: the proof must make its own."""
    drawn = seeded_shop(60)
    lines = [row for row in drawn.lines if row.cents > 0 and row.recorded is None]
    assert len(lines) > 100
    return shop(con, Drawn(lines, drawn.events, drawn.contacts, drawn.people)).records


@pytest.fixture
def plain(con: Any) -> Records:
    return plain_records(con)


@pytest.fixture(scope="module")
def planted(con: Any) -> list[LeakFinding]:
    """All planted leaks in one builder, each a column of its own."""
    return prove_no_leak(plain_records(con), leaking(PLANTS), CUTOFF)


@pytest.mark.parametrize("leak", PLANTS)
def test_a_planted_leak_is_caught(planted: list[LeakFinding], leak: str) -> None:
    assert leak in moved(planted)


def test_only_the_planted_leaks_are_caught(planted: list[LeakFinding], plain: Records) -> None:
    assert moved(planted) == set(PLANTS)
    customers = set(plain.lines.customer_id.to_pyarrow().to_pylist())
    assert all(finding.example in customers for finding in planted if finding.moved)
    assert all(finding.n_rows > 15 for finding in planted)


def test_a_clock_and_a_statistic_of_the_past_show_elsewhere(planted: list[LeakFinding]) -> None:
    elsewhere = moved([finding for finding in planted if finding.mutation == ELSEWHERE])
    assert {"clock", "todays_date", "mean_so_far"} <= elsewhere
    deleted = moved([finding for finding in planted if finding.mutation == "deleted"])
    assert not {"clock", "todays_date", "mean_so_far"} & deleted


@pytest.mark.parametrize("who", ["k0", "k3"])
def test_a_statistic_of_the_log_is_caught_whoever_holds_it(con: Any, who: str) -> None:
    """The largest order so far, and the newest row: either depends on one customer alone."""
    log = [Row(f"k{n}", on(0), 100 + n, str(n), "p") for n in range(6)]
    log += [Row(who, on(1), 90_000, "9", "p"), Row(who, on(30), 100, "10", "p")]
    plants = {name: PLANTS[name] for name in ("largest_order_so_far", "age_at_the_end_of_the_log")}
    assert moved(prove_no_leak(orders_shop(con, log).records, leaking(plants), CUTOFF)) == set(plants)


def known_of_past_days(records: Records, cutoff: date) -> Any:
    """Grains that no snapshot has cut off: days of the past, but with all that became known of them."""
    history = make_history(records)
    shown = take_snapshot(History({"days": history.parts["days"]}, history.has), [date(9000, 1, 1)]).grains
    day = day_number(cutoff)
    grains = {name: table.mutate(cutoff=day).filter(lambda t: t.day < day) for name, table in shown.items()}
    return build_features(Snapshot(grains, history.has), names=("T", "n_orders", "monetary_value"))


def one_row_for_every_line(records: Records, cutoff: date) -> Any:
    """A join that multiplies rows by what comes later, without a value that moves."""
    return honest(records, cutoff).inner_join(records.lines.select("customer_id"), "customer_id")


@pytest.mark.parametrize(
    ("build", "leaks"),
    [(known_of_past_days, {"n_orders", "monetary_value"}), (one_row_for_every_line, {"customer_id"})],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_builder_that_peeks_is_caught(plain: Records, build: Any, leaks: set[str]) -> None:
    assert leaks & moved(prove_no_leak(plain, build, CUTOFF))


def test_floats_are_compared_by_their_bits(plain: Records) -> None:
    """A sum that moves by its last bit is a leak; a null that stays null is none."""

    def nudged(changed: Records, cutoff: date) -> Any:
        features = honest(changed, cutoff)
        joined = features.cross_join(changed.lines.aggregate(n=changed.lines.count()))
        tiny = (joined.n % 7).cast("float64") * 2.0**-51
        text = ibis.ifelse(joined.n_orders > 2, "often", ibis.null("string"))
        return joined.mutate(leak=tiny + 2.0, fine=text).drop("n", "first_day")

    findings = prove_no_leak(plain, nudged, CUTOFF)
    assert any(finding.moved for finding in findings)
    assert {finding.moved for finding in findings} <= {("leak",), ()}


def known_before(drawn: Drawn, cutoff: date) -> Drawn:
    """What the shop had written down that morning."""
    day = day_number(cutoff)

    def is_known(row: Any) -> bool:
        if isinstance(row, Row):
            return row.at is None or reference.to_line(row).known < day
        at = row.since if hasattr(row, "since") else row.at
        return at is None or reference.day_of(at) < day

    return drawn.changed(lambda rows: [row for row in rows if is_known(row)])


@pytest.mark.parametrize("cutoff", [CUTOFFS[2], CUTOFFS[5]], ids=str)
@settings(few, max_examples=2)
@given(drawn=many_logs())
def test_the_future_is_deleted_before_the_door(con: Any, drawn: Drawn, cutoff: date) -> None:
    """The plain version of the proof: the tables as they were exported that morning."""
    found = [shop(con, log).features([cutoff], HORIZONS) for log in (drawn, known_before(drawn, cutoff))]
    assert bits(found[0]) == bits(found[1])


def test_a_refund_and_a_late_line_after_the_cutoff_change_nothing(con: Any) -> None:
    past = [Row("a", on(0), 500, "1", "p"), Row("a", on(3), 300, "2", "q")]
    future = [Row("a", on(9), -500, "C1", "p"), Row("a", on(3), 900, "2", "q", recorded=on(7))]
    cutoff = FIRST + timedelta(days=7)
    found = [
        orders_shop(con, log).features([cutoff], (), ["T", "n_orders", "total_spend", "n_refunds"])
        for log in (past, past + future)
    ]
    assert bits(found[0]) == bits(found[1])
    assert found[0][0]["total_spend"] == 80_000


def test_every_table_has_a_column_that_says_when_its_rows_are_known(plain: Records) -> None:
    assert set(plain.tables()) == set(KNOWN_FROM)
    assert all(column in plain.tables()[name].columns for name, column in KNOWN_FROM.items())
    assert set(HONEST) <= set(honest(plain, CUTOFF).columns)
