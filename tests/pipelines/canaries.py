"""A shop with fifty canaries in its tables, and a search for them in all that is said and written."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd

from tests.pipelines import other_shop
from tests.pipelines.other_shop import write_shop

PEOPLE = [f"canary-{n:02}.tran@hidden.example" for n in range(8)] + [
    "917770001",
    "917770002",
    "=CanaryFormula()",
]
NAMES = [f"Canarina Nightingale-{n:02}" for n in range(8)]
EMAILS = [f"{n:02}canary.mail@secret.example" for n in range(8)]
CITIES = [f"Canaryville {n:02}" for n in range(6)]
CHANNELS = [f"canary_channel_{n:02}" for n in range(5)]
ORDERS = [f"ORDCANARY{n:02}" for n in range(5)]
PRODUCTS = [f"canary-sku-{n:02}" for n in range(4)]
CAMPAIGNS = [f"CanaryCampaign{n:02}" for n in range(3)]
CANARIES = [*PEOPLE, *NAMES, *EMAILS, *CITIES, *CHANNELS, *ORDERS, *PRODUCTS, *CAMPAIGNS]
SINK = "sink.duckdb"
COMMON = "canary_of_many"
"""An acquisition channel of a third of the customers: a model may know it."""

CONFIG = (
    other_shop.CONFIG.replace("cửa hàng", "canary shop")
    .replace('"orders.parquet"', '"tables/orders.parquet"')
    .replace('"events.parquet"', '"tables/events.parquet"')
    .replace('"contacts.csv"', '"tables/contacts.csv"')
    .replace('"customers.csv"', '"tables/customers.csv"')
    .replace('unit_price = "unit_price"\n', 'unit_price = "unit_price"\nchannel = "kênh"\n')
    .replace('attributes = ["Hạng thẻ",', 'attributes = ["city", "Hạng thẻ",')
    + f'[sinks]\nduckdb = "{SINK}"\n'
)
TABLES = "tables"
DECLARED = ("scores.parquet", "segments.parquet", "risk_list.csv", "reasons.parquet", "quarantine/")
"""Of a run; beside the sink, outcomes' ``closed.parquet``, and tables and configs, which are the shop's."""


def plant(folder: Path) -> Path:
    """Write the tables, each with its canaries, and the config; return the config's path."""
    tables = folder / TABLES
    tables.mkdir(parents=True)
    write_shop(tables).unlink()
    orders, events = (pd.read_parquet(tables / f"{name}.parquet") for name in ("orders", "events"))
    contacts, customers = (pd.read_csv(tables / f"{n}.csv", dtype=str) for n in ("contacts", "customers"))
    busy = orders["customer_id"].value_counts().index[: len(PEOPLE)]
    renamed = dict(zip(busy, PEOPLE, strict=True))
    ids = ("customer_id", "Khách", "customer", "id")
    for table, column in zip((orders, events, contacts, customers), ids, strict=True):
        table[column] = table[column].replace(renamed)
    orders = with_people(orders, "customer_id").assign(kênh=among(CHANNELS, orders, "web", 40))
    some = orders["order_id"].unique()[::90][: len(ORDERS)]
    orders["order_id"] = orders["order_id"].replace(dict(zip(some, ORDERS, strict=True)))
    orders["product_id"] = orders["product_id"].astype(object)
    orders.loc[orders.index[:: len(orders) // len(PRODUCTS)][: len(PRODUCTS)], "product_id"] = PRODUCTS
    largest = orders["unit_price"].idxmax()
    orders.loc[largest, ["order_id", "unit_price"]] = [ORDERS[0], 1e7]  # one that is spoken of
    events["kênh"] = among(CHANNELS, events, "Email", 50)
    contacts["campaign"] = among(CAMPAIGNS, contacts, "spring", 30)
    customers["city"] = among(CITIES, customers, "Huế", 20)
    customers = with_people(customers, "id")
    customers.loc[customers.index % 3 == 0, "came_by"] = COMMON
    orders.to_parquet(tables / "orders.parquet")
    events.to_parquet(tables / "events.parquet")
    contacts.to_csv(tables / "contacts.csv", index=False)
    customers.to_csv(tables / "customers.csv", index=False)
    (folder / "repurchase.toml").write_text(CONFIG, encoding="utf-8")
    return folder / "repurchase.toml"


def with_people(table: pd.DataFrame, ids: str) -> pd.DataFrame:
    """Give everyone a name and an address of their own; the busiest have canaries."""
    known = {who: (name, mail) for who, name, mail in zip(PEOPLE, NAMES, EMAILS, strict=False)}
    people = [known.get(who, (f"Ms {who}", f"{who}@shop.example")) for who in table[ids]]
    return table.assign(full_name=[name for name, _ in people], email=[mail for _, mail in people])


def among(values: list[str], table: pd.DataFrame, other: str, every: int) -> list[str]:
    """Values in turn, in every so manieth row; else another one."""
    return [values[n // every % len(values)] if n % every == 0 else other for n in range(len(table))]


def found_in(text: str, wanted: list[str] = CANARIES) -> Counter[str]:
    """How often each canary stands in a text, whatever its case, be it escaped or not."""
    small = text.casefold()
    counts = Counter({one: small.count(one.casefold()) for one in wanted})
    for one in wanted:
        escaped = json.dumps(one)[1:-1]
        if escaped != one:
            counts[one] += small.count(escaped.casefold())
    return +counts


def as_text(path: Path) -> str:
    """All that a file says: Parquet and databases are read, since their bytes hide it."""
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        return "\n".join([*map(str, frame.columns), frame.to_csv()])
    if path.name == SINK:
        with duckdb.connect(str(path), read_only=True) as sink:
            tables = [name for (name,) in sink.execute("select table_name from duckdb_tables()").fetchall()]
            return "\n".join(sink.table(name).df().to_csv() for name in tables)
    text = path.read_bytes().decode("utf-8", errors="replace")
    if path.suffix == ".db" and path.read_bytes()[:6] == b"SQLite":
        with sqlite3.connect(path) as store:
            text += "\n".join(store.iterdump())
        store.close()
    return text


def written(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file under a folder but the shop's own: its tables and configs."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and name.parts[0] != TABLES and path.suffix != ".toml":
            yield str(name), path


def is_declared(name: str) -> bool:
    """Whether a file is one that people are to find customers in."""
    if name == SINK or (name.startswith("out/outcomes/") and name.endswith("/closed.parquet")):
        return True
    run = name.removeprefix("out/runs/").partition("/")[2] if name.startswith("out/runs/") else ""
    return run.startswith(DECLARED)
