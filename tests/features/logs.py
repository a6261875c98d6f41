"""Purchase logs for the tests: drawn by Hypothesis or from a seed, and carried through the real door."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from features.contracts import Cancellation, TransactionsContract
from features.door import at_the_door, used_lines
from features.grains import order_ledger

START = datetime(2024, 1, 1)
DAYS = 40
CONTRACT = TransactionsContract(
    {
        "customer_id": "customer",
        "order_id": "order",
        "product_id": "product",
        "ordered_at": "at",
        "amount": "amount",
        "recorded_at": "recorded",
    },
    name="log",
    cancellation=Cancellation("order_id", "C"),
)
_TYPES = pa.schema(
    {
        "customer": pa.string(),
        "order": pa.string(),
        "product": pa.string(),
        "at": pa.timestamp("us"),
        "amount": pa.float64(),
        "recorded": pa.timestamp("us"),
    }
)


@dataclass(frozen=True)
class Row:
    """One raw line; money in cents, so that what a float cannot say is no part of these tests."""

    customer: str
    at: datetime
    cents: int
    order: str | None = None
    product: str | None = None
    recorded: datetime | None = None


def on(day: int, hour: int = 12) -> datetime:
    """Noon of a day after START."""
    return START + timedelta(days=day, hours=hour)


def rows(customers: str = "abc") -> st.SearchStrategy[Row]:
    """Lines out of few values: ties, duplicates, same-day orders and matching refunds are common."""
    at = st.builds(
        lambda day, seconds: START + timedelta(days=day, seconds=seconds),
        st.integers(0, DAYS),
        st.sampled_from([0, 3600, 86_399]),
    )
    row = st.builds(
        Row,
        customer=st.sampled_from(customers),
        at=at,
        cents=st.sampled_from([100, 100, 250, 500, 999, 0, -100, -250, -500]),
        order=st.sampled_from([None, "1", "2", "3", "C1", "C2"]),
        product=st.sampled_from([None, "p", "q"]),
    )
    delay = st.one_of(st.none(), st.none(), st.integers(-2, 15))
    return st.builds(
        lambda line, days: replace(line, recorded=None if days is None else line.at + timedelta(days=days)),
        row,
        delay,
    )


def logs(customers: str = "abc", min_size: int = 1) -> st.SearchStrategy[list[Row]]:
    """Logs with and without products."""
    lines = st.lists(rows(customers), min_size=min_size, max_size=40)
    return st.one_of(lines, lines.map(lambda log: [replace(row, product=None) for row in log]))


def seeded_log(n_customers: int, seed: int = 3) -> list[Row]:
    """A log of many customers; refunds mostly take back what was bought before."""
    pick = random.Random(seed)  # noqa: S311
    log: list[Row] = []
    for number in range(n_customers):
        bought: list[Row] = []
        for order in range(pick.choice([1, 1, 2, 5, 12])):
            at = START + timedelta(days=pick.randrange(DAYS), seconds=pick.randrange(86_400))
            for _ in range(pick.choice([1, 1, 3])):
                line = Row(
                    f"k{number}", at, pick.randrange(1, 5000), f"{number}-{order}", pick.choice("pqrs")
                )
                late = timedelta(days=pick.randrange(12)) if pick.random() < 0.1 else None
                bought.append(replace(line, recorded=at + late if late is not None else None))
        back = [line for line in bought if pick.random() < 0.2]
        for line in back:
            after = line.at + timedelta(days=pick.randrange(-1, 10))
            order = pick.choice([f"C{line.order}", line.order, f"r{len(log)}"])
            log.append(replace(line, at=after, cents=-line.cents, order=order, recorded=None))
        log += bought
    pick.shuffle(log)
    return log


def raw_table(con: Any, log: Sequence[Row], name: str = "log") -> ir.Table:
    """Keep a log on the engine, as a shop would have it."""
    columns = {
        "customer": [row.customer for row in log],
        "order": [row.order for row in log],
        "product": [row.product for row in log],
        "at": [row.at for row in log],
        "amount": [row.cents / 100 for row in log],
        "recorded": [row.recorded for row in log],
    }
    return con.create_table(name, pa.table(columns, schema=_TYPES), overwrite=True)


def line_table(con: Any, log: Sequence[Row], name: str = "log") -> ir.Table:
    """The line grain of a log."""
    raw = raw_table(con, log, name)
    return keep(con, f"{name}_lines", lambda: used_lines(at_the_door(raw, CONTRACT)))


def ledger_table(con: Any, log: Sequence[Row], name: str = "log") -> ir.Table:
    """The ledger of a log."""
    lines = line_table(con, log, name)
    return keep(con, f"{name}_ledger", lambda: order_ledger(lines, CONTRACT.cancellation_prefix))


_SQL: dict[str, str] = {}


def _sql(key: str, build: Callable[[], ir.Table]) -> str:
    """Compile once: Hypothesis changes what the tables hold, not what is asked of them."""
    if key not in _SQL:
        _SQL[key] = str(ibis.to_sql(build(), dialect="duckdb"))
    return _SQL[key]


def keep(con: Any, name: str, build: Callable[[], ir.Table]) -> ir.Table:
    """Compute a table on the engine; the same name is always the same question."""
    known = con.raw_sql("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", parameters=[name])
    if known.fetchone() == (0,):
        return con.create_table(name, build())
    con.raw_sql(f'TRUNCATE "{name}"')
    con.raw_sql(f'INSERT INTO "{name}" BY NAME {_sql(name, build)}')
    return con.table(name)


def run(con: Any, key: str, build: Callable[[], ir.Table]) -> list[dict[str, Any]]:
    """Fetch rows as the engine has them, whole numbers as whole numbers; one key, one question."""
    cursor = con.raw_sql(_sql(key, build))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def bits(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Rows in a fixed order, floats to the last bit."""

    def text(value: Any) -> str:
        return value.hex() if isinstance(value, float) else repr(value)

    return sorted(tuple(f"{name}={text(value)}" for name, value in row.items()) for row in rows)


def records(table: ir.Table, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table as plain tuples, sorted."""
    kept = table.select(*columns) if columns else table
    return sorted((tuple(row.values()) for row in kept.to_pyarrow().to_pylist()), key=repr)


def assert_same_bits(one: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str]) -> None:
    """The same rows in any order, floats compared by their bits."""
    pd.testing.assert_frame_equal(_as_bits(one, keys), _as_bits(other, keys), check_exact=True)


def _as_bits(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    ordered = frame.sort_values(list(keys)).reset_index(drop=True)
    floats = ordered.select_dtypes("float64").columns
    return ordered.assign(**{c: ordered[c].to_numpy().view("int64") for c in floats})
