"""Every feature agrees with a slow reading of its definition."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import build_features, build_panel, catalogue, model_features, to_model_frame
from features.labels import label_names
from features.rfm import WINDOWS
from features.snapshot import day_number, take_snapshot
from tests.features import reference
from tests.features.logs import START, Row, bits, ledger_table, logs, on, run, seeded_log

FIRST = START.date()
HORIZONS = (5, 14, 45)
EVERY_WINDOW = sorted({*WINDOWS, *HORIZONS})


def expected(log: Sequence[Row], cutoffs: Sequence[date]) -> dict[tuple[str, int], dict[str, float | None]]:
    ledger = reference.ledger(log)
    rows = {}
    for cutoff in map(day_number, cutoffs):
        for customer in {e.customer for e in ledger}:
            row = reference.features(ledger, customer, cutoff, EVERY_WINDOW)
            if row is not None:
                rows[customer, cutoff] = row
    return rows


def assert_agrees(
    rows: Iterable[Mapping[str, Any]], wanted: dict[tuple[str, int], dict[str, float | None]]
) -> None:
    """Whole numbers exactly, the rest to 1e-12, and null where there is nothing."""
    found = {(row["customer_id"], row["cutoff"]): row for row in rows}
    assert set(found) == set(wanted)
    for key, slow in wanted.items():
        assert set(found[key]) - {"customer_id", "cutoff"} == set(slow)
        for name, value in slow.items():
            fast = found[key][name]
            if value is None:
                assert pd.isna(fast), (key, name)
            elif isinstance(value, int):
                assert fast == value, (key, name)
            else:
                assert math.isclose(fast, value, rel_tol=1e-12, abs_tol=0), (key, name)


CUTOFFS = [FIRST + timedelta(days=d) for d in (3, 12, 20, 31, 41, 60)]


def features_of(con: Any, log: Sequence[Row], name: str = "log") -> list[dict[str, Any]]:
    """The rows of every cutoff."""
    ledger = ledger_table(con, log, name)
    return run(con, f"{name}_features", lambda: build_features(take_snapshot(ledger, CUTOFFS), HORIZONS))


@given(log=logs("abcdef"))
def test_the_slow_features_agree(con: Any, log: list[Row]) -> None:
    found = features_of(con, log)
    assert len(found) == len({(row["customer_id"], row["cutoff"]) for row in found})
    assert_agrees(found, expected(log, CUTOFFS))


def test_the_slow_features_agree_on_a_large_log(con: Any) -> None:
    log, cutoffs = seeded_log(400), [FIRST + timedelta(days=d) for d in (10, 25, 41, 400)]
    frame = build_features(take_snapshot(ledger_table(con, log), cutoffs), HORIZONS).to_pandas()
    assert_agrees(frame.to_dict("records"), expected(log, cutoffs))
    assert (frame["frequency"] == 0).sum() > 100
    assert (frame["frequency"] > 3).sum() > 100


@given(log=logs("abcd"))
def test_a_feature_depends_on_that_customers_rows_alone(con: Any, log: list[Row]) -> None:
    who = log[0].customer
    together = [row for row in features_of(con, log) if row["customer_id"] == who]
    alone = features_of(con, [row for row in log if row.customer == who], "alone")
    assert bits(together) == bits(alone)


@given(log=logs("abcd"), data=st.data())
def test_the_order_of_the_rows_is_nothing(con: Any, log: list[Row], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(log))
    assert bits(features_of(con, log)) == bits(features_of(con, shuffled, "shuffled"))


def summary(con: Any, cutoff: date, *log: Row) -> dict[str, Any]:
    frame = build_features(take_snapshot(ledger_table(con, log), [cutoff])).to_pandas()
    assert len(frame) == 1
    return {str(name): value for name, value in frame.iloc[0].items()}


def test_t_is_273_for_a_buyer_of_new_year_1997_in_october(con: Any) -> None:
    log = [Row("a", pd.Timestamp("1997-01-01 23:59:59").to_pydatetime(), 100)]
    row = summary(con, date(1997, 10, 1), *log)
    assert (row["T"], row["recency"], row["frequency"], row["days_since_last_order"]) == (273, 0, 0, 273)


def test_by_hand(con: Any) -> None:
    """Days 0, 10 and 30 with 10, 20 + 5 and 40; 5 of the 20 back on day 12; 3 back for nobody knows what."""
    log = [
        Row("a", on(0), 1000, "1", "p"),
        Row("a", on(10), 2000, "2", "q"),
        Row("a", on(10, 15), 500, "3", "r"),
        Row("a", on(12), -500, "C2", "q"),
        Row("a", on(20), -300, "x", "z"),
        Row("a", on(30), 4000, "4", "p"),
    ]
    row = summary(con, FIRST + timedelta(days=40), *log)
    wanted = {
        "frequency": 2,
        "recency": 30,
        "T": 40,
        "monetary_value": 30.0,
        "n_orders": 4,
        "total_spend": 670_000,
        "average_order_value": 17.5,
        "days_since_last_order": 10,
        "mean_gap": 15.0,
        "purchase_cycles": 40 / 15,
        "silent_cycles": 10 / 15,
        "orders_7d": 0,
        "orders_14d": 1,
        "orders_28d": 1,
        "orders_90d": 4,
        "spend_14d": 400_000,
        "spend_90d": 700_000,
    }
    assert {name: row[name] for name in wanted} == wanted


@pytest.mark.parametrize(("day", "orders"), [(6, 1), (7, 1), (8, 0)])
def test_a_window_begins_with_its_first_day(con: Any, day: int, orders: int) -> None:
    assert summary(con, FIRST + timedelta(days=day), Row("a", on(0), 100))["orders_7d"] == orders


def test_who_has_bought_nothing_yet_has_no_row(con: Any) -> None:
    log = [Row("a", on(0), 100), Row("b", on(9), 100), Row("c", on(0), -100), Row("d", on(0), 0)]
    frame = build_features(take_snapshot(ledger_table(con, log), [FIRST + timedelta(days=9)])).to_pandas()
    assert list(frame["customer_id"]) == ["a"]


def test_the_catalogue_describes_every_column(con: Any) -> None:
    features = catalogue(HORIZONS)
    names = [f.name for f in features]
    assert len(set(names)) == len(names)
    assert all(f.description.endswith(".") and f.unit for f in features)
    assert {f"orders_{h}d" for h in HORIZONS} < set(names)
    wanted = [f.name for f in model_features(HORIZONS)]
    table = build_features(take_snapshot(ledger_table(con, [Row("a", on(0), 100)]), [FIRST]), HORIZONS)
    assert list(table.columns) == ["customer_id", "cutoff", *wanted]
    assert not {f.name for f in features if f.is_part} & set(table.columns)


def test_money_is_whole_until_the_models_door(con: Any) -> None:
    table = build_features(take_snapshot(ledger_table(con, [Row("a", on(0), 100)]), [FIRST]))
    kinds = {str(table.schema()[f.name]) for f in model_features() if f.unit in {"money", "orders"}}
    assert kinds == {"int64"}


@pytest.fixture(scope="module")
def panel(con: Any) -> pd.DataFrame:
    ledger = ledger_table(con, seeded_log(120), "panel")
    cutoffs = [FIRST + timedelta(days=d) for d in (30, 12)]
    return build_panel(ledger, cutoffs, HORIZONS, FIRST + timedelta(days=40)).to_pandas()


def test_the_model_frame_is_money_in_currency_and_sorted(panel: pd.DataFrame) -> None:
    shuffled = panel.sample(frac=1, random_state=3)
    before = shuffled.copy(deep=True)
    frame = to_model_frame(shuffled, HORIZONS)
    pd.testing.assert_frame_equal(shuffled, before)
    assert frame is not shuffled
    assert not any(frame[c].to_numpy() is shuffled[c].to_numpy() for c in frame)

    keys = list(zip(frame["cutoff"], frame["customer_id"], strict=True))
    assert keys == sorted(keys)
    assert list(frame.index) == list(range(len(panel)))
    labels = [name for h in HORIZONS for name in label_names(h)]
    assert list(frame.columns) == [
        "customer_id",
        "cutoff",
        *[f.name for f in model_features(HORIZONS)],
        *labels,
    ]
    assert set(frame.drop(columns=["customer_id", "cutoff"]).dtypes.astype(str)) == {"float64"}
    assert set(frame["cutoff"]) == {pd.Timestamp(FIRST + timedelta(days=d)) for d in (12, 30)}

    raw = panel.sort_values(["cutoff", "customer_id"]).reset_index(drop=True)
    money = {f.name for f in model_features(HORIZONS) if f.unit == "money"} | {
        f"y_spend_{h}d" for h in HORIZONS
    }
    for name in frame.columns.drop(["customer_id", "cutoff"]):
        unit = 10_000 if name in money else 1
        pd.testing.assert_series_equal(
            frame[name] * unit, raw[name].astype("float64"), rtol=1e-12, atol=0, check_names=True
        )


def test_the_model_frame_of_features_alone(panel: pd.DataFrame) -> None:
    frame = to_model_frame(panel[[c for c in panel if not c.startswith("y_")]], HORIZONS)
    assert list(frame.columns[2:]) == [f.name for f in model_features(HORIZONS)]


def test_the_model_frame_does_not_share_memory(panel: pd.DataFrame) -> None:
    before = panel.copy(deep=True)
    frame = to_model_frame(panel, HORIZONS)
    frame.loc[:, "T"] = -1.0
    frame.loc[:, "customer_id"] = "nobody"
    pd.testing.assert_frame_equal(panel, before)
