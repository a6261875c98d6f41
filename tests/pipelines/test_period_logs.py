"""Logs dated by the week, month or quarter: nothing is seen too early, labels cover whole periods."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.build import build_features
from features.calendar import day_from_number
from features.door import at_the_door, used_lines
from features.history import make_history
from features.labels import add_labels, label_names, plain_end
from features.leaks import prove_no_leak
from features.periods import DAY, Period
from features.records import Records
from features.snapshot import take_snapshot
from pipelines.config import load_config
from pipelines.engine import Engine
from pipelines.period_rows import window_end
from pipelines.purchase_log import PurchaseLog
from pipelines.sources import open_transactions
from tests.pipelines.period_shop import GRIDS, HORIZONS, daily_log, dated, opened

NAMES = (
    "n_orders",
    "frequency",
    "recency",
    "T",
    "monetary_value",
    "total_spend",
    "orders_90d",
    "days_since_last_order",
)
grids = pytest.mark.parametrize("grid", GRIDS)


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    return daily_log()


def features(engine: Engine, log: PurchaseLog, cutoffs: Sequence[date]) -> pd.DataFrame:
    frame = engine.frame(build_features(take_snapshot(make_history(log.records), cutoffs), (), NAMES))
    return frame.sort_values(["cutoff", "customer_id"], ignore_index=True)


@grids
def test_every_row_stands_in_its_period_and_is_known_when_that_is_over(
    daily: Any, grid: str, tmp_path: Path
) -> None:
    period = GRIDS[grid][0]
    with opened(tmp_path, dated(daily, grid), HORIZONS[period.kind]) as (engine, log):
        lines = engine.frame(log.lines)
        assert log.period == period
        assert (log.rows.rows_in, log.rows.rows_used) == (len(daily), len(daily))
    found = lines.sort_values(["order_id", "product_id", "amount"])
    amounts = daily["quantity"] * daily["unit_price"]
    truth = (
        daily.assign(amount=amounts).sort_values(["order_id", "product_id", "amount"])["ordered_at"].dt.date
    )
    for happened, day, known in zip(truth, found["day"], found["known_day"], strict=True):
        assert period.floor(day_from_number(day)) == period.floor(happened)
        assert day_from_number(known) == period.next_start(happened) - timedelta(1)


def test_weeks_dated_by_their_last_day_are_shown_later_never_earlier(daily: Any, tmp_path: Path) -> None:
    sundays = daily.assign(ordered_at=daily["ordered_at"].dt.to_period("W-SUN").dt.end_time.dt.floor("D"))
    with opened(tmp_path, sundays, [14, 30]) as (engine, log):
        lines = engine.frame(log.lines)
        assert log.period == Period("week", 6)
    by_order = lines.groupby("order_id")["known_day"].min()
    happened = daily.groupby("order_id")["ordered_at"].max().dt.floor("D")
    days = (happened - pd.Timestamp("1970-01-01")).dt.days
    assert (by_order.reindex(days.index) - days).between(6, 12).all()


@grids
def test_no_cutoff_sees_a_row_too_early(daily: Any, grid: str, tmp_path: Path) -> None:
    """The log as it could be exported on the morning of the cutoff, wherever in a period that lies."""
    period = GRIDS[grid][0]
    start = period.floor(date(2024, 11, 20))
    cutoffs = [start, period.next_start(start) - timedelta(1)]
    horizons = HORIZONS[period.kind]
    with opened(tmp_path, dated(daily, grid), horizons) as (engine, log):
        whole = features(engine, log, cutoffs)
    assert whole.groupby("cutoff").size().nunique() == 1  # inside a period nothing becomes known
    for cutoff in cutoffs:
        past = daily[daily["ordered_at"] < pd.Timestamp(cutoff)]
        with opened(tmp_path, dated(past, grid), horizons) as (engine, log):
            then = features(engine, log, [cutoff])
        here = whole[whole["cutoff"] == then["cutoff"].iloc[0]].reset_index(drop=True)
        pd.testing.assert_frame_equal(here, then, check_exact=True)


@pytest.mark.parametrize("grid", [pytest.param("week", marks=pytest.mark.heavy), "month, last day"])
def test_the_proof_holds_at_any_cutoff(daily: pd.DataFrame, grid: str, tmp_path: Path) -> None:
    def build(records: Records, cutoff: date) -> Any:
        return build_features(take_snapshot(make_history(records), [cutoff]), (), NAMES)

    start = GRIDS[grid][0].floor(date(2024, 11, 20))
    with opened(tmp_path, dated(daily, grid), HORIZONS[GRIDS[grid][0].kind]) as (_, log):
        for cutoff in (start, start + timedelta(3)):
            assert {finding.moved for finding in prove_no_leak(log.records, build, cutoff)} == {()}


@grids
def test_labels_cover_whole_periods(daily: Any, grid: str, tmp_path: Path) -> None:
    """What the log to the day says of the same days, as far as nothing was taken back."""
    period = GRIDS[grid][0]
    horizons = HORIZONS[period.kind]
    bought = daily[
        (daily["quantity"] > 0)
        & ~daily["order_id"].isin(daily["order_id"].str.removeprefix("C")[daily["quantity"] < 0])
    ]
    first = period.floor(date(2024, 9, 20))
    cutoffs = [first, period.next_start(first)]
    with opened(tmp_path, dated(bought, grid), horizons) as (engine, log):
        until, history = log.end, make_history(log.records)
        end_of = window_end(log.period, cutoffs, horizons)
        base = build_features(take_snapshot(history, cutoffs), (), ["n_orders"])
        found = engine.frame(add_labels(base, history.parts["entries"], cutoffs, horizons, until, end_of))
    for cutoff in cutoffs:
        rows = found[found["cutoff"] == (cutoff - date(1970, 1, 1)).days].set_index("customer_id")
        for horizon in horizons:
            end = period.end_of(cutoff, horizon)
            assert abs((end - cutoff).days - horizon) <= {"week": 3, "month": 2, "quarter": 4}[period.kind]
            window = bought[
                bought["ordered_at"].between(pd.Timestamp(cutoff), pd.Timestamp(end), inclusive="left")
            ]
            window = window[window["customer_id"].isin(rows.index)].assign(
                spend=lambda t: t["quantity"] * t["unit_price"]
            )
            wanted = window.groupby("customer_id").agg(orders=("order_id", "nunique"), spend=("spend", "sum"))
            wanted = wanted.reindex(rows.index, fill_value=0)
            purchased, orders, spend = label_names(horizon)
            assert (rows[orders] == wanted["orders"]).all()
            assert (rows[purchased] == (wanted["orders"] > 0)).all()
            np.testing.assert_allclose(rows[spend] / 10_000, wanted["spend"], atol=0.01)
            assert 0 < rows[purchased].mean() < 1


def test_a_daily_log_is_left_as_it_is(daily: Any, tmp_path: Path) -> None:
    with opened(tmp_path, daily) as (engine, log):
        assert log.period == DAY
        config = load_config(tmp_path / "repurchase.toml")
        raw, columns = open_transactions(engine, config)
        plain = used_lines(at_the_door(raw, config.contract(columns)))
        order = ["order_id", "product_id", "amount"]
        frames = [engine.frame(table).sort_values(order, ignore_index=True) for table in (log.lines, plain)]
        assert window_end(log.period, [date(2024, 5, 1)], [30]) is plain_end
        assert log.end == daily["ordered_at"].max().date() + timedelta(1)
    pd.testing.assert_frame_equal(*frames, check_exact=True)
