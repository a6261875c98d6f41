"""The feature table: its columns, its types, and the frame that models take."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from features.build import build_features, build_panel, to_model_frame
from features.catalogue import visible_features
from features.errors import ContractError
from features.history import make_history
from features.labels import label_names
from features.snapshot import take_snapshot
from tests.features.logs import CUTOFFS, HORIZONS, ORDERS_ONLY, START, Drawn, Row, on, seeded_shop
from tests.features.tables import Shop, orders_shop, shop

FIRST = START.date()


def summary(con: Any, cutoff: date, *log: Row) -> dict[str, Any]:
    rows = orders_shop(con, log).features(
        [cutoff], (), ["T", "recency", "frequency", "days_since_last_order", "orders_7d"]
    )
    assert len(rows) == 1
    return rows[0]


def test_t_is_273_for_a_buyer_of_new_year_1997_in_october(con: Any) -> None:
    log = [Row("a", pd.Timestamp("1997-01-01 23:59:59").to_pydatetime(), 100)]
    row = summary(con, date(1997, 10, 1), *log)
    assert (row["T"], row["recency"], row["frequency"], row["days_since_last_order"]) == (273, 0, 0, 273)


@pytest.mark.parametrize(("day", "orders"), [(6, 1), (7, 1), (8, 0)])
def test_a_window_begins_with_its_first_day(con: Any, day: int, orders: int) -> None:
    assert summary(con, FIRST + timedelta(days=day), Row("a", on(0), 100))["orders_7d"] == orders


def test_who_has_bought_nothing_yet_has_no_row(con: Any) -> None:
    log = [Row("a", on(0), 100), Row("b", on(9), 100), Row("c", on(0), -100), Row("d", on(0), 0)]
    rows = orders_shop(con, log).features([FIRST + timedelta(days=9)], (), ["T"])
    assert [row["customer_id"] for row in rows] == ["a"]


@pytest.fixture(scope="module")
def full(con: Any) -> Shop:
    return shop(con, seeded_shop(60))


def names_of(asked: Shop, horizons: tuple[int, ...] = ()) -> list[str]:
    """The visible features that the shop's tables allow."""
    return [f.name for f in visible_features(horizons, asked.records.has, asked.records.attributes)]


def test_the_columns_are_those_of_the_catalogue_in_its_order(full: Shop) -> None:
    table = build_features(take_snapshot(full.history, [FIRST]), HORIZONS)
    assert list(table.columns) == ["customer_id", "cutoff", *names_of(full, HORIZONS)]
    assert {f"orders_{h}d" for h in HORIZONS} < set(table.columns)
    assert len(table.columns) > 100


def test_every_type_is_what_its_unit_says(full: Shop) -> None:
    table = build_features(take_snapshot(full.history, [FIRST]))
    features = visible_features(has=full.records.has, attributes=full.records.attributes)
    kinds: dict[str, set[str]] = {}
    for feature in features:
        kinds.setdefault(feature.unit, set()).add(str(table.schema()[feature.name]))
    counts = {"orders", "money", "products", "categories", "refunds", "channels", "switches", "sessions"}
    counts |= {"events", "contacts", "month", "months"}
    assert {unit: kinds[unit] for unit in counts} == {unit: {"int64"} for unit in counts}
    floats = {"currency", "share", "ratio", "purchase cycles", "seconds"}
    assert {unit: kinds[unit] for unit in floats} == {unit: {"float64"} for unit in floats}
    assert kinds["category"] == {"string"}


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        ({"events"}, {"sessions_28d", "days_since_first_touch", "last_touch_channel", "longest_dwell_s"}),
        ({"contacts"}, {"n_contacts", "contact_cost", "contact_reply_share"}),
        ({"customers"}, {"days_since_signup", "acquisition_cost", "was_referred", "attr_tier"}),
        ({"product_id", "category"}, {"n_products", "first_product", "first_category", "n_categories"}),
        (
            {"channel", "events.channel"},
            {"order_channel_switches", "first_touch_channel", "n_touch_channels"},
        ),
        ({"quantity", "discount", "contacts.cost"}, {"unit_price", "discount_share", "contact_cost"}),
    ],
    ids=lambda names: " ".join(sorted(names)),
)
def test_what_is_missing_switches_its_features_off(full: Shop, gone: set[str], missing: set[str]) -> None:
    """That the table has these columns and no others is part of the agreement."""
    has = {name for name in full.records.has if not {name, name.split(".")[0]} & gone}
    every = {f.name: f for f in visible_features(has=full.records.has, attributes=full.records.attributes)}
    left = [f.name for f in visible_features(has=has, attributes=full.records.attributes)]
    assert left == [name for name in every if name in set(left)]
    off = {name for name in every if name not in left}
    assert missing <= off
    assert off == {
        n for n, f in every.items() if {*f.needs, *(need.split(".")[0] for need in f.needs)} & gone
    }


def test_what_cannot_be_built_is_refused(con: Any) -> None:
    snapshot = take_snapshot(orders_shop(con, []).history, [FIRST])
    with pytest.raises(ContractError) as caught:
        build_features(snapshot, names=["T", "n_contacts", "sessions_28d"])
    assert str(caught.value) == (
        "2 features cannot be built from this shop's tables; for example 'n_contacts'; "
        "hint: is a column or a table missing in the config that was there before?"
    )


@pytest.fixture(scope="module")
def panel(full: Shop) -> pd.DataFrame:
    full.fill(seeded_shop(60))
    cutoffs = [FIRST + timedelta(days=d) for d in (30, 12)]
    return build_panel(full.history, cutoffs, HORIZONS, FIRST + timedelta(days=40)).to_pandas()


@pytest.fixture(scope="module")
def features(full: Shop) -> Any:
    return visible_features(HORIZONS, full.records.has, full.records.attributes)


def test_the_model_frame_is_sorted_and_new(panel: pd.DataFrame, features: Any) -> None:
    shuffled = panel.sample(frac=1, random_state=3)
    before = shuffled.copy(deep=True)
    frame = to_model_frame(shuffled, features, HORIZONS)
    pd.testing.assert_frame_equal(shuffled, before)
    keys = list(zip(frame["cutoff"], frame["customer_id"], strict=True))
    assert keys == sorted(keys)
    assert list(frame.index) == list(range(len(panel)))
    assert set(frame["cutoff"]) == {pd.Timestamp(FIRST + timedelta(days=d)) for d in (12, 30)}
    labels = [name for h in HORIZONS for name in label_names(h)]
    assert list(frame.columns) == ["customer_id", "cutoff", *[f.name for f in features], *labels]


def test_the_model_frame_is_floats_in_currency_and_text(panel: pd.DataFrame, features: Any) -> None:
    frame = to_model_frame(panel, features, HORIZONS)
    raw = panel.sort_values(["cutoff", "customer_id"]).reset_index(drop=True)
    text = [f.name for f in features if f.unit == "category"]
    assert {str(frame[name].dtype) for name in text} == {"str"}
    money = {f.name for f in features if f.unit == "money"} | {f"y_spend_{h}d" for h in HORIZONS}
    assert {"total_spend", "contact_cost", "acquisition_cost", "y_spend_14d"} <= money
    for name in frame.columns.drop(["customer_id", "cutoff", *text]):
        unit = 10_000 if name in money else 1
        wanted = raw[name].astype("float64")
        pd.testing.assert_series_equal(frame[name] * unit, wanted, rtol=1e-12, atol=0)
        assert frame[name].notna().sum() == raw[name].notna().sum()


def test_the_model_frame_keeps_what_is_asked_for(panel: pd.DataFrame) -> None:
    some = [f for f in visible_features(HORIZONS) if f.name in {"T", "orders_14d"}]
    frame = to_model_frame(panel, some)
    assert list(frame.columns) == ["customer_id", "cutoff", "T", "orders_14d"]


def test_the_model_frame_does_not_share_memory(panel: pd.DataFrame, features: Any) -> None:
    before = panel.copy(deep=True)
    frame = to_model_frame(panel, features, HORIZONS)
    frame.loc[:, "T"] = -1.0
    frame.loc[:, "customer_id"] = "nobody"
    pd.testing.assert_frame_equal(panel, before)


def test_a_shop_that_has_sold_nothing_has_no_rows(con: Any) -> None:
    empty = Drawn([], without=ORDERS_ONLY)
    assert shop(con, empty, "log").features(CUTOFFS, HORIZONS) == []
    assert shop(con, Drawn([])).features(CUTOFFS, HORIZONS) == []


def test_a_history_for_one_date_has_no_panel(con: Any) -> None:
    """Its future is gone: everyone would look as if they had left."""
    history = make_history(
        orders_shop(con, [Row("a", on(0), 100), Row("a", on(9), 100)]).records, at=CUTOFFS[2]
    )
    with pytest.raises(ContractError, match="knows of no labels"):
        build_panel(history, [CUTOFFS[2]], HORIZONS, CUTOFFS[-1])
