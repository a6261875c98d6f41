"""One log as parquet, as csv and from PostgreSQL; and what a run from a server writes."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.failures import EnvironmentFailed
from pipelines.purchase_log import open_log
from tests.pipelines.conftest import CONFIG
from tests.pipelines.postgres_server import (  # noqa: F401
    PASSWORD,
    Server,
    address_in_the_environment,
    postgres_server,
)
from tests.pipelines.test_sources import AS_OF, built, configured

pytestmark = pytest.mark.usefixtures("shop_db")

NAMES = {
    "customer_id": "Customer Id", "order_id": 'the "order" no', "ordered_at": "ordered at",
    "product_id": "sản phẩm", "quantity": "quantity", "unit_price": "unit_price", "recorded_at": "recorded",
    "category": "category", "discount": "off",
}  # fmt: skip
TABLE = """
create schema "Shop One";
create table "Shop One"."Order Lines" (
  "Customer Id" bigint, "the ""order"" no" text, "ordered at" timestamptz, "sản phẩm" varchar(20),
  quantity int, unit_price numeric(14, 4), recorded timestamp, category char(8), off numeric,
  internal text default 'not for export');
set timezone to 'UTC';
"""
GAPS = {
    "ordered_at": 0.02, "product_id": 0.2, "quantity": 0.02, "unit_price": 0.02, "recorded_at": 0.5,
    "discount": 0.6,
}  # fmt: skip


def awkward(log: pd.DataFrame) -> pd.DataFrame:
    """The shop's log with numbers for customers, zones, prices of four digits, and gaps everywhere."""
    chance = np.random.default_rng(5)
    log = log.sample(2500, random_state=1).reset_index(drop=True)
    log["customer_id"] = log["customer_id"].str[1:].astype("Int64")
    log["quantity"] = log["quantity"].astype("Int64")
    log["unit_price"] = (log["unit_price"] * 1.1111).round(4)
    log["recorded_at"] = log["ordered_at"] + pd.to_timedelta(chance.integers(0, 40, len(log)), unit="D")
    log["category"] = "kind " + log["product_id"].str[-1]
    log["discount"] = (log["unit_price"] * 0.07).round(2)
    log["ordered_at"] = log["ordered_at"].dt.tz_localize("UTC")
    for column, share in GAPS.items():
        log.loc[chance.random(len(log)) < share, column] = None
    return log.rename(columns=NAMES)


def copied(table: str, log: pd.DataFrame) -> str:
    listed = ", ".join('"' + c.replace('"', '""') + '"' for c in log.columns)
    rows = log.to_csv(index=False, header=False)
    return f"copy {table} ({listed}) from stdin with (format csv);\n{rows}\\.\n"


@pytest.fixture(scope="module")
def three_forms(server: Server, orders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forms")
    log = awkward(pd.read_parquet(orders))
    log.to_parquet(folder / "log.parquet")
    log.to_csv(folder / "log.csv", index=False)
    server.sql(TABLE + copied('"Shop One"."Order Lines"', log))
    return folder


def read(folder: Path, source: str) -> dict[str, pd.DataFrame]:
    names = "".join(f"{standard} = '{name}'\n" for standard, name in NAMES.items())
    head, rest = CONFIG.split("customer_id =", maxsplit=1)
    text = f"{head}{names}[policy]{rest.split('[policy]')[1]}"
    text = text.replace('"orders.parquet"', f"'{source}'")
    config = configured(folder, text.replace('"EUR"', '"EUR"\ntimezone = "America/New_York"'))
    with open_engine(config) as engine:
        log = open_log(engine, config, Console(quiet=True))
        lines, aside = engine.frame(log.lines), engine.frame(log.quarantine["transactions"])
        features = built(engine, log)
    return {
        "lines": lines.sort_values(list(lines.columns), ignore_index=True),
        "features": features,
        "reasons": aside["reason"].value_counts().sort_index().to_frame(),
        "aside": aside,
    }


def test_the_same_log_from_three_forms_is_the_same_to_the_last_bit(three_forms):
    parquet = read(three_forms, "log.parquet")
    assert len(parquet["lines"]) > 2000
    assert parquet["lines"]["is_refund"].sum() > 20
    assert set(parquet["reasons"].index) == {"no_customer", "no_date", "no_amount"}
    for source in ("log.csv", 'postgres://SHOP_DB#"Shop One"."Order Lines"'):
        other = read(three_forms, source)
        for what in ("lines", "features", "reasons"):
            pd.testing.assert_frame_equal(other[what], parquet[what], check_exact=True, obj=what)
    assert sorted(other["aside"].columns) == sorted([*NAMES.values(), "reason"])  # and no `internal`


def shop_on_the_server(folder: Path) -> str:
    config = folder / "repurchase.toml"
    config.write_text(CONFIG.replace("orders.parquet", "postgres://SHOP_DB#public.orders"))
    return str(config)


def test_a_server_that_is_away_ends_a_command_with_7(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("SHOP_DB", f"postgresql://owner:{PASSWORD}@127.0.0.1:1/shop")
    assert main(["--config", shop_on_the_server(tmp_path), "check"]) == EnvironmentFailed.exit_code
    said = "".join(capfd.readouterr())
    assert "Connection refused" in said
    assert PASSWORD not in said


@pytest.fixture(scope="module")
def orders_on_the_server(server: Server, orders: Path) -> None:
    columns = "customer_id text, order_id text, ordered_at timestamp, product_id text, quantity int"
    create = f"create table orders ({columns}, unit_price numeric);\n"
    server.sql(create + copied("orders", pd.read_parquet(orders)))


def assert_no_password(folder: Path, said: str) -> None:
    written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "mlflow.db" in {path.name for path in written}
    assert [str(path) for path, content in written.items() if PASSWORD.encode() in content] == []
    assert PASSWORD not in said
    assert "postgres://SHOP_DB#public.orders" in said
    assert PASSWORD in os.environ["SHOP_DB"]


def test_a_score_from_the_server_is_the_one_from_the_file_and_without_its_password(
    own_shop, orders_on_the_server, capfd
):
    from_file = pd.read_parquet(own_shop.parent / "out" / "latest" / "scores.parquet")
    config = shop_on_the_server(own_shop.parent)
    assert main(["--config", config, "score", "--as-of", str(AS_OF)]) == 0
    from_server = own_shop.parent / "out" / "latest"
    pd.testing.assert_frame_equal(
        pd.read_parquet(from_server / "scores.parquet"), from_file, check_exact=True
    )
    assert "postgres://SHOP_DB#public.orders" in (from_server / "manifest.json").read_text()
    assert_no_password(own_shop.parent, "".join(capfd.readouterr()))


@pytest.mark.heavy
def test_training_from_the_server_tracks_no_password(orders_on_the_server, tmp_path, capfd):
    assert main(["--config", shop_on_the_server(tmp_path), "train", "--as-of", str(AS_OF)]) == 0
    assert_no_password(tmp_path, "".join(capfd.readouterr()))
