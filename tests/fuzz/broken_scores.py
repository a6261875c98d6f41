"""Broken logs under a sound champion: what opens must be scored right, customer by customer."""

import contextlib
import io
import os
import random
from datetime import date, datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.broken_bytes import broken
from tests.fuzz.broken_values import EDGES, TYPES, WRITTEN
from tests.fuzz.by_hand import Row
from tests.fuzz.cases import MAPPING, Made, kind, quoted
from tests.fuzz.files import arrow, csv_of, write_parquet, write_text
from tests.fuzz.hostile import DATES, IDS

SHOP = "FUZZ_SHOP"
"""Names the folder of a shop with a champion (`prepare`)."""

AS_OF = date(2025, 3, 1)
CODES = frozenset({0, 2, 4, 6})
_CONFIG = """\
[project]
name = "shop"
currency = "EUR"
[tables.transactions]
source = {source}
[tables.transactions.columns]
{columns}
[policy]
max_quarantined = {most}
[target]
horizons = [14, 45, 90]
primary_horizon = 90
[training]
cutoffs = 4
[limits]
shrunk_log = "warn"
[mlflow]
tracking_uri = {store}
"""
"""A case has some of the customers that the champion knew: that rows are gone is not what it is about."""


def prepare(folder: Path) -> None:
    """Make a shop with a champion, for all cases of this campaign, and name it in the environment."""
    from models.simulate import ShopSpec, simulate_shop
    from pipelines.cli import main

    spec = ShopSpec(n_customers=500, start="2024-01-01", days=540, acquisition_days=300, lines_per_order=2)
    simulate_shop(spec, seed=11).transactions.to_parquet(folder / "orders.parquet")
    os.environ[SHOP] = str(folder)
    config = _config(folder, "orders.parquet", 0.5)
    for command in (["train", "--as-of", AS_OF.isoformat()], ["promote", "--force", "--reason", "fuzz"]):
        with contextlib.redirect_stdout(io.StringIO()):
            code = main(["--config", str(config), "--quiet", *command])
        if code != 0:
            raise RuntimeError(f"the shop cannot {command[0]}")


def _config(folder: Path, source: str, most: float) -> Path:
    path = folder / "repurchase.toml"
    columns = "\n".join(f"{name} = {quoted(name)}" for name in MAPPING)
    store = quoted(f"sqlite:///{os.environ[SHOP]}/mlflow.db")
    path.write_text(
        _CONFIG.format(source=quoted(source), columns=columns, most=most, store=store), encoding="utf-8"
    )
    return path


@cache
def _shop_rows(folder: str) -> list[Row]:
    """The shop's own log, of 120 of its customers."""
    rows = pq.read_table(f"{folder}/orders.parquet").to_pylist()
    some = sorted({row["customer_id"] for row in rows if row["customer_id"]})[:120]
    return [{name: row[name] for name in MAPPING} for row in rows if row["customer_id"] in set(some)]


def _made(rng: random.Random, folder: Path, rows: list[Row], table: pa.Table | None = None) -> Made:
    path = folder / ("orders.parquet" if table is not None else rng.choice(["orders.parquet", "orders.csv"]))
    if path.suffix == ".csv":
        write_text(path, csv_of(rows).encode())
    elif table is not None:
        pq.write_table(table, path)
    else:
        write_parquet(rng, arrow(rows), path)
    most = rng.choice([0.5, 1.0])
    return Made(
        _config(folder, path.name, most), path, codes=CODES, command=("score", "--as-of", AS_OF.isoformat())
    )


def _rows() -> list[Row]:
    return [dict(row) for row in _shop_rows(os.environ[SHOP])]


@kind(45)
def score_ids(rng: random.Random, folder: Path) -> Made:
    """Score hostile ids: each must come back as it went in."""
    rows, share = _rows(), rng.choice([0.02, 0.3, 1.0])
    names = {row["customer_id"] for row in rows}
    renamed = {name: rng.choice(IDS) for name in names if rng.random() < share}
    for row in rows:
        row["customer_id"] = renamed.get(row["customer_id"], row["customer_id"])
        if rng.random() < share / 5:
            row["order_id"] = rng.choice(IDS)
    return _made(rng, folder, rows)


@kind(45)
def score_numbers(rng: random.Random, folder: Path) -> Made:
    """Score amounts at the edges."""
    rows, share = _rows(), rng.choice([0.01, 0.2, 1.0])
    values = rng.choice([EDGES, tuple(v for v in EDGES if 0 < v <= 1e10), (1e10, 9_999_999_999.0)])
    for row in rows:
        if rng.random() < share:
            row[rng.choice(["quantity", "unit_price"])] = rng.choice(values)
        row["quantity"] = float(row["quantity"])
    return _made(rng, folder, rows)


@kind(45)
def score_dates(rng: random.Random, folder: Path) -> Made:
    """Score dates of any form and age."""
    rows, share = _rows(), rng.choice([0.01, 0.2, 0.6])
    shift = rng.choice([0, 0, 0, -100, 74, 174])
    for row in rows:
        at: datetime = row["ordered_at"]
        row["ordered_at"] = str(at.replace(year=at.year + shift, day=min(at.day, 28)))
        if rng.random() < share:
            row["ordered_at"] = rng.choice(rng.choice([DATES, WRITTEN]))
    return _made(rng, folder, rows)


@kind(45)
def score_types(rng: random.Random, folder: Path) -> Made:
    """Score columns of other types than the champion was trained on."""
    rows = _rows()
    table = arrow(rows)
    name = rng.choice(list(MAPPING))
    values = TYPES[rng.choice([t for t in TYPES if t != "any day" and not t.startswith("s times")])](
        rng, len(rows)
    )
    return _made(rng, folder, rows, table.set_column(table.column_names.index(name), name, values))


@kind(20)
def score_bytes(rng: random.Random, folder: Path) -> Made:
    """Score a file with broken bytes."""
    made = _made(rng, folder, _rows())
    assert made.log is not None
    made.log.write_bytes(broken(rng, made.log.read_bytes()))
    return made
