"""Spark gives what DuckDB gives, and both what the slow reference says; on separate executor processes."""

from datetime import date
from typing import Any

import ibis.expr.types as ir
import pytest

from features.build import build_features
from features.calendar import day_number
from features.history import make_history
from features.leaks import prove_no_leak
from features.records import Records
from features.snapshot import take_snapshot
from pipelines.engine import Engine
from tests.engines.both import (
    CUTOFFS,
    HORIZONS,
    MIDDLE,
    UNTIL,
    Asked,
    assert_all_same,
    assert_same,
    drawn_logs,
)
from tests.engines.conftest import MASTER, Opened
from tests.features.logs import Drawn, seeded_shop
from tests.features.reference import assert_agrees, entries_of, expected, labels, used_lines
from tests.features.test_agreement import SHAPES


def wanted_rows(drawn: Drawn) -> dict[tuple[str, int], dict[str, Any]]:
    """Features and labels as the reference tells them."""
    wanted = expected(drawn, [day_number(cutoff) for cutoff in CUTOFFS], HORIZONS)
    entries: dict[str, list[Any]] = {}
    for entry in entries_of(used_lines(drawn.lines, drawn.without)):
        entries.setdefault(entry.customer, []).append(entry)
    for (customer, cutoff), row in wanted.items():
        for h in HORIZONS:
            names = (f"y_purchased_{h}d", f"y_orders_{h}d", f"y_spend_{h}d")
            told = labels(entries[customer], cutoff, h, day_number(UNTIL))
            row |= dict(zip(names, told, strict=True))
    return wanted


def test_the_executors_are_processes_of_their_own(spark: Engine) -> None:
    context = spark.connection._session.sparkContext
    assert context.master == MASTER
    assert len(context._jsc.sc().statusTracker().getExecutorInfos()) == 3  # two, and the driver


def test_duckdb_spark_and_the_slow_reference_agree(on_duckdb: Asked, on_spark: Asked, drawn: Drawn) -> None:
    assert_same(on_duckdb.panel, on_spark.panel)
    assert_agrees(on_spark.panel.to_dict("records"), wanted_rows(drawn), drawn)


def test_the_history_is_the_same(on_duckdb: Asked, on_spark: Asked) -> None:
    assert_all_same(on_duckdb.parts, on_spark.parts)


def test_the_worlds_of_the_leak_proof_and_the_sample_are_the_same(on_duckdb: Asked, on_spark: Asked) -> None:
    assert_all_same(on_duckdb.worlds, on_spark.worlds)


def test_what_the_readiness_report_asks_is_the_same(on_duckdb: Asked, on_spark: Asked) -> None:
    assert_all_same(on_duckdb.looks, on_spark.looks)


def test_tables_of_other_shapes_give_the_same(on_duckdb: Asked, on_spark: Asked) -> None:
    assert_all_same(on_duckdb.other_shapes, on_spark.other_shapes)


@pytest.mark.heavy
@pytest.mark.parametrize("without", SHAPES.values(), ids=SHAPES)
def test_whatever_the_shops_tables_hold(
    spark: Engine, duckdb_engine: Engine, laid_out: Opened, without: frozenset[str]
) -> None:
    drawn = drawn_logs(25).lacking(*without)
    here, there = (Asked(engine, laid_out, drawn) for engine in (duckdb_engine, spark))
    assert_same(here.panel, there.panel)
    assert_agrees(there.panel.to_dict("records"), wanted_rows(drawn), drawn)


@pytest.mark.heavy
def test_the_leak_proof_holds_on_spark(spark: Engine, laid_out: Opened) -> None:
    asked = Asked(spark, laid_out, seeded_shop(150))

    def build(changed: Records, at: date) -> ir.Table:
        kept = changed.changed(lambda table, name: asked.keep(table, f"proof_{name}"))
        history = make_history(kept, asked.keep)
        return build_features(take_snapshot(history, [at]), HORIZONS)

    findings = prove_no_leak(asked.records, build, MIDDLE)
    assert [finding.mutation for finding in findings if finding.moved] == []
    assert all(finding.n_rows > 20 for finding in findings)
