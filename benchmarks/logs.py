"""Purchase logs of any size, of a shop with skewed customers, as a folder of Parquet files."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.simulate import ShopSpec, simulate_shop

CUSTOMERS_PER_CHUNK = 100_000  # two million lines: what is in memory at a time
FACTS = "_facts.json"  # engines skip names that begin with an underscore
SHOP = ShopSpec(
    start="2024-01-01",
    days=730,
    acquisition_days=600.0,
    r=0.4,
    alpha=16.0,
    a=0.8,
    b=8.0,
    season_amplitude=0.2,
    weekday_weights=(1.0, 1.0, 1.0, 1.0, 1.2, 1.5, 1.3),
    lines_per_order=3.0,
    n_products=3000,
    refund_share=0.03,
    refund_delay=10.0,
)
END = date.fromisoformat(SHOP.start) + timedelta(SHOP.days)


@dataclass(frozen=True)
class Kind:
    """A kind of shop: what it is like, and about how many lines a customer leaves in its log."""

    name: str
    shop: ShopSpec
    lines_per_customer: int


USUAL = Kind("log", SHOP, 20)  # a few per cent more lines are drawn


@dataclass(frozen=True)
class Log:
    """A generated log: its Parquet files (one a month, so that a customer is in many) and its size."""

    folder: Path
    n_lines: int
    n_customers: int
    n_bytes: int
    seconds: float

    @property
    def files(self) -> str:
        return str(self.folder / "*.parquet")


def make_log(parent: Path, n_lines: int, seed: int = 7, kind: Kind = USUAL) -> Log:
    """Generate the log of about `n_lines` lines under `parent`, unless it is there already.

    Same size and seed, same rows. The folder appears whole or not at all.
    """
    folder = parent / f"{kind.name}-{n_lines}-{seed}"
    if not (folder / FACTS).is_file():
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished, max(n_lines // kind.lines_per_customer, 1), seed, kind.shop)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    facts = json.loads((folder / FACTS).read_text())
    wanted = json.loads(json.dumps(asdict(kind.shop)))
    if facts.pop("shop") != wanted:
        raise SystemExit(f"{folder} holds another kind of shop; remove it and run again")
    return Log(folder, **facts)


def _write(folder: Path, n_customers: int, seed: int, shop: ShopSpec) -> None:
    started, n_lines, writers = time.perf_counter(), 0, {}
    with ExitStack() as open_files:
        for chunk, size in enumerate(_sizes(n_customers)):
            for month, rows in _months(_chunk(chunk, size, seed, shop)):
                if month not in writers:
                    path = folder / f"{month}.parquet"
                    writers[month] = open_files.enter_context(
                        pq.ParquetWriter(path, rows.schema, compression="zstd")
                    )
                writers[month].write_table(rows)
                n_lines += rows.num_rows
    facts: dict[str, Any] = {"n_lines": n_lines, "n_customers": n_customers}
    facts["n_bytes"] = sum(path.stat().st_size for path in folder.glob("*.parquet"))
    facts |= {"seconds": time.perf_counter() - started, "shop": asdict(shop)}
    (folder / FACTS).write_text(json.dumps(facts, indent=1))


def _sizes(n_customers: int) -> Iterator[int]:
    for start in range(0, n_customers, CUSTOMERS_PER_CHUNK):
        yield min(CUSTOMERS_PER_CHUNK, n_customers - start)


def _chunk(chunk: int, n_customers: int, seed: int, shop: ShopSpec) -> pa.Table:
    """Lines of some customers in order of time, with customer and order numbers of their own."""
    spec = replace(shop, n_customers=n_customers)
    lines = simulate_shop(spec, seed=seed * 10_000 + chunk).transactions
    table = pa.Table.from_pandas(lines, preserve_index=False).replace_schema_metadata(None)
    for place, name, prefix in ((0, "customer_id", "u"), (1, "order_id", "C?")):
        own = pc.replace_substring_regex(table[name], f"^({prefix})", rf"\1{chunk:02d}")
        table = table.set_column(place, name, own.cast(pa.string()))
    return table.set_column(3, "product_id", table["product_id"].cast(pa.string()))


def _months(lines: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Cut lines in order of time at the turns of the months."""
    months = lines["ordered_at"].to_numpy().astype("datetime64[M]")
    names, starts = np.unique(months, return_index=True)
    for name, start, end in zip(names, starts, [*starts[1:], len(months)], strict=True):
        yield str(name), lines.slice(int(start), int(end - start))
