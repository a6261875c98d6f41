import gzip
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.build import build_features, to_model_frame
from features.errors import ContractError
from features.history import make_history
from features.snapshot import take_snapshot
from pipelines.config import Config, load_config
from pipelines.console import Console
from pipelines.engine import Engine, open_engine
from pipelines.purchase_log import PurchaseLog, fingerprints, open_log
from pipelines.source_files import refuse_twins
from pipelines.sources import FILE_COLUMN, MOST_LEVELS, open_other, open_transactions
from tests.pipelines.conftest import CONFIG

AS_OF = date(2025, 3, 1)


def config_text(source: str, extra: str = "", timezone: str = "UTC") -> str:
    return CONFIG.replace('"orders.parquet"', f'"{source}"\n{extra}').replace(
        '"EUR"', f'"EUR"\ntimezone = "{timezone}"'
    )


def configured(folder: Path, text: str) -> Config:
    (folder / "repurchase.toml").write_text(text)
    return load_config(folder / "repurchase.toml")


def features_of(
    folder: Path, source: str, extra: str = "", timezone: str = "UTC"
) -> tuple[pd.DataFrame, str]:
    config = configured(folder, config_text(source, extra, timezone))
    with open_engine(config) as engine:
        log = open_log(engine, config, Console(quiet=True))
        digest = fingerprints(engine, log.records, AS_OF)["transactions"]
        return built(engine, log), digest


def built(engine: Engine, log: PurchaseLog) -> pd.DataFrame:
    """Every feature that the log allows."""
    snapshot = take_snapshot(make_history(log.records, engine.keep), [AS_OF])
    return to_model_frame(engine.frame(build_features(snapshot)), log.features(()))


@pytest.fixture(scope="module")
def log(orders: Path) -> pd.DataFrame:
    return pd.read_parquet(orders)


@pytest.fixture(scope="module")
def expected(orders: Path) -> tuple[pd.DataFrame, str]:
    return features_of(orders.parent, "orders.parquet")


def write(kind: str, log: pd.DataFrame, folder: Path) -> str:
    if kind == "csv":
        log.to_csv(folder / "log.csv", index=False)
        return "log.csv"
    if kind == "csv.gz":
        with gzip.open(folder / "log.csv.gz", "wt") as handle:
            log.to_csv(handle, index=False)
        return "log.csv.gz"
    if kind == "semicolons":
        log.to_csv(folder / "log.csv", index=False, sep=";")
        return "log.csv"
    if kind == "glob":
        for part in range(3):
            log.iloc[part::3].to_parquet(folder / f"part [{part}].parquet")
        return "part*.parquet"
    with duckdb.connect(folder / "shop.duckdb") as database:
        database.register("log", log)
        database.execute("create table orders as select * from log")
    return "duckdb:///shop.duckdb#orders"


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "semicolons", "glob", "duckdb"])
def test_the_same_log_in_another_form_gives_the_same_features(kind, log, expected, tmp_path):
    folder = tmp_path / "a [b]"  # a folder whose name would be a pattern
    folder.mkdir()
    frame, print_ = features_of(folder, write(kind, log, folder))
    pd.testing.assert_frame_equal(frame, expected[0], check_exact=True)
    assert print_ == expected[1]


def test_text_and_number_dates_with_a_format(log, expected, tmp_path):
    day_first = log.assign(ordered_at=log["ordered_at"].dt.strftime("%d/%m/%Y %H:%M:%S.%f"))
    day_first.to_csv(tmp_path / "log.csv", index=False)
    frame, _ = features_of(tmp_path, "log.csv", 'formats = { ordered_at = "%d/%m/%Y %H:%M:%S.%f" }')
    pd.testing.assert_frame_equal(frame, expected[0], check_exact=True)
    numbers = log.assign(ordered_at=log["ordered_at"].dt.strftime("%Y%m%d").astype(int))
    numbers.to_parquet(tmp_path / "log.parquet")
    frame, _ = features_of(tmp_path, "log.parquet", 'formats = { ordered_at = "%Y%m%d" }')
    pd.testing.assert_series_equal(frame["frequency"], expected[0]["frequency"])


def test_row_order_changes_nothing(log, expected, tmp_path):
    log.sample(frac=1.0, random_state=3).to_parquet(tmp_path / "log.parquet")
    frame, print_ = features_of(tmp_path, "log.parquet")
    pd.testing.assert_frame_equal(frame, expected[0], check_exact=True)
    assert print_ == expected[1]


def test_zoned_times_become_days_of_the_shop(log, tmp_path):
    local = log["ordered_at"].dt.tz_localize("Asia/Ho_Chi_Minh")
    log.to_parquet(tmp_path / "local.parquet")
    log.assign(ordered_at=local.dt.tz_convert("UTC")).to_parquet(tmp_path / "zoned.parquet")
    log.assign(ordered_at=local.astype(str)).to_csv(tmp_path / "zoned.csv", index=False)
    wanted, _ = features_of(tmp_path, "local.parquet", timezone="Asia/Ho_Chi_Minh")
    for source in ("zoned.parquet", "zoned.csv"):
        frame, _ = features_of(tmp_path, source, timezone="Asia/Ho_Chi_Minh")
        pd.testing.assert_frame_equal(frame, wanted, check_exact=True)
    other, _ = features_of(tmp_path, "zoned.parquet", timezone="UTC")
    assert not other.equals(wanted)  # seven hours earlier, some orders fall on another day


def test_the_fingerprint_sees_what_is_visible_and_nothing_else(log, expected, tmp_path):
    later = log["ordered_at"] >= pd.Timestamp(AS_OF)
    log[~later].to_parquet(tmp_path / "past.parquet")
    assert features_of(tmp_path, "past.parquet")[1] == expected[1]
    changed = log.copy()
    changed.loc[changed.index[~later & log["customer_id"].notna()][0], "unit_price"] += 0.01
    changed.to_parquet(tmp_path / "changed.parquet")
    assert features_of(tmp_path, "changed.parquet")[1] != expected[1]


def test_a_table_that_is_not_there(tmp_path, log):
    write("duckdb", log, tmp_path)
    with pytest.raises(ContractError, match=r"no table 'order'; hint: did you mean 'orders'"):
        features_of(tmp_path, "duckdb:///shop.duckdb#order")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere*.parquet", "no such file"),
        ("log.xlsx", "unknown kind"),
        ("duckdb:///none.duckdb#orders", "no such database file"),
        ("mysql://shop:s3kret@db/shop#orders", "does not read"),
        ("postgres://shop:s3kret@db/shop#orders", "wrong form"),
        ("postgresql://shop:s3kret@db/shop", "wrong form"),
    ],
)
def test_a_source_that_cannot_be_opened(source, said, tmp_path):
    (tmp_path / "log.xlsx").write_bytes(b"")
    with pytest.raises(ContractError, match=said) as error:
        features_of(tmp_path, source)
    assert "s3kret" not in str(error.value)  # an address does not belong in a config, least of all in a log


@pytest.mark.parametrize("depth", [10, 11])
def test_columns_that_nest_lists_very_deep_are_refused(depth, tmp_path, log):
    """DuckDB would be at it for ever: twice as long for each level more."""
    kind, value = pa.int8(), 1
    for level in range(depth):
        kind, value = (pa.list_(kind), [value]) if level else (pa.struct({"a": kind}), {"a": value})
    table = pa.Table.from_pandas(log, preserve_index=False)
    deep = table.append_column("deep", pa.array([value] * len(log), kind))
    pq.write_table(deep, tmp_path / "log.parquet")
    if depth > MOST_LEVELS:
        with pytest.raises(ContractError, match=r"1 of \d+ columns lie more than 10 levels deep; .*'deep'"):
            features_of(tmp_path, "log.parquet")
    else:
        assert len(features_of(tmp_path, "log.parquet"))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_rows_of_several_files_say_which_one_they_came_from(kind, log, tmp_path):
    (tmp_path / "by year").mkdir()
    for year, part in log.groupby(log["ordered_at"].dt.year):
        name = tmp_path / "by year" / f"{year}.{kind}"
        part.to_parquet(name) if kind == "parquet" else part.to_csv(name, index=False)
    config = configured(tmp_path, config_text(f"by year/*.{kind}"))
    with open_engine(config) as engine:
        raw, _ = open_transactions(engine, config)
        counts = engine.frame(raw.group_by(FILE_COLUMN).agg(n=raw.count()))
        aside = engine.frame(open_log(engine, config, Console(quiet=True)).quarantine["transactions"])
    expected = log["ordered_at"].dt.year.value_counts()
    assert dict(zip(counts[FILE_COLUMN], counts["n"], strict=True)) == {
        f"by year/{year}.{kind}": n for year, n in expected.items()
    }
    assert sorted(aside.columns) == sorted([*log.columns, "reason"])


def test_files_of_different_columns_are_joined_by_name(log, expected, tmp_path):
    early = log["ordered_at"] < log["ordered_at"].median()
    log[early].to_csv(tmp_path / "log 1.csv", index=False)
    log[~early].assign(note="new")[[*log.columns[::-1], "note"]].to_csv(tmp_path / "log 2.csv", index=False)
    frame, print_ = features_of(tmp_path, "log *.csv")
    pd.testing.assert_frame_equal(frame, expected[0], check_exact=True)
    assert print_ == expected[1]


OTHERS = """
[tables.customers]
source = "duckdb:///people.duckdb#customers"
columns = { customer_id = "id" }
[tables.events]
source = "duckdb:///shop.duckdb#events"
columns = { customer_id = "who", occurred_at = "at", event_type = "what" }
formats = { occurred_at = "%d.%m.%Y" }
"""


def test_every_table_is_opened_from_its_own_source(log, tmp_path):
    write("duckdb", log, tmp_path)
    with (
        duckdb.connect(tmp_path / "shop.duckdb") as shop,
        duckdb.connect(tmp_path / "people.duckdb") as people,
    ):
        shop.execute("create table events as select 'u1' as who, '31.12.2024' as at, 'search' as what")
        people.execute("create table customers as select unnest(['u1', 'u2']) as id")
    config = configured(tmp_path, config_text("duckdb:///shop.duckdb#orders") + OTHERS)
    with open_engine(config) as engine:
        orders, _ = open_transactions(engine, config)
        customers, _ = open_other(engine, config, "customers")
        events, columns = open_other(engine, config, "events")
        rows = [engine.number(table.count()) for table in (orders, customers, events)]
        seen = engine.frame(events)
        with pytest.raises(ContractError, match=r"no table 'contacts'; hint: add \[tables.contacts\]"):
            open_other(engine, config, "contacts")
    assert rows == [len(log), 2, 1]
    assert seen[columns["occurred_at"]].tolist() == [pd.Timestamp("2024-12-31")]
    assert seen["at"].tolist() == ["31.12.2024"]


def test_another_table_without_rows_is_refused(tmp_path, log):
    log.to_parquet(tmp_path / "orders.parquet")
    (tmp_path / "sent.csv").write_text("who,at\n")
    other = '[tables.contacts]\nsource = "sent.csv"\ncolumns = { customer_id = "who", sent_at = "at" }\n'
    config = configured(tmp_path, CONFIG + other)
    with open_engine(config) as engine, pytest.raises(ContractError, match=r"sent\.csv: 0 rows in 2 columns"):
        open_other(engine, config, "contacts")


def test_a_cell_longer_than_python_reads_is_no_name_of_a_column(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(f"amount,amount_1\n1,{'x' * 200_000}\n")
    refuse_twins([str(file)], ["amount"], ["amount", "amount_1"])
    file.write_text(f"amount,AMOUNT\n1,{'x' * 200_000}\n")
    with pytest.raises(ContractError, match="two columns have the name 'amount'"):
        refuse_twins([str(file)], ["amount"], ["amount", "amount_1"])


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (0, r"^orders\.csv: the file is empty \(0 bytes\); hint: did the export stop early\?"),
        (-9, r"^orders\.csv: 1 of [\d,]+ lines have not as many cells as the first, 6; line [\d,]+ has 4"),
    ],
)
def test_a_file_that_was_cut_is_called_so(tmp_path, log, cut, words):
    text = log.to_csv(index=False)
    (tmp_path / "orders.csv").write_text(text[:cut])
    config = configured(tmp_path, config_text("orders.csv"))
    with open_engine(config) as engine, pytest.raises(ContractError, match=words):
        open_transactions(engine, config)
