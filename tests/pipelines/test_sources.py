import gzip
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from features.build import build_features, to_model_frame
from features.errors import ContractError
from features.snapshot import take_snapshot
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.purchase_log import fingerprint, open_log
from tests.pipelines.conftest import CONFIG

AS_OF = date(2025, 3, 1)


def features_of(
    folder: Path, source: str, extra: str = "", timezone: str = "UTC"
) -> tuple[pd.DataFrame, str]:
    text = CONFIG.replace('"orders.parquet"', f'"{source}"\n{extra}').replace(
        '"EUR"', f'"EUR"\ntimezone = "{timezone}"'
    )
    (folder / "repurchase.toml").write_text(text)
    config = load_config(folder / "repurchase.toml")
    with open_engine(config) as engine:
        log = open_log(engine, config, Console(quiet=True))
        frame = engine.frame(build_features(take_snapshot(log.ledger, [AS_OF])))
        return to_model_frame(frame), fingerprint(engine, log.ledger, AS_OF)


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
    with pytest.raises(ContractError, match="no table 'sales'"):
        features_of(tmp_path, "duckdb:///shop.duckdb#sales")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere*.parquet", "no such file"),
        ("log.xlsx", "unknown kind"),
        ("postgres://SHOP_DB#public.orders", "does not read"),
        ("duckdb:///none.duckdb#orders", "no such database file"),
    ],
)
def test_a_source_that_cannot_be_opened(source, said, tmp_path):
    (tmp_path / "log.xlsx").write_bytes(b"")
    with pytest.raises(ContractError, match=said):
        features_of(tmp_path, source)
