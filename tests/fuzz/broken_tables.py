"""Databases that are broken or hold views with side effects, and odd tables beside a sound log."""

import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.broken_bytes import broken
from tests.fuzz.broken_values import TYPES, WRITTEN
from tests.fuzz.cases import Made, kind, quoted, sound_rows, write_config
from tests.fuzz.files import arrow, csv_text, write_parquet
from tests.fuzz.hostile import DATES, IDS

SQL = {
    "customer_id": ("'u' || k", "k::hugeint", "k::uhugeint", "uuid()", "k::bit",
                    "('{\"a\":' || k || '}')::json", "[k]", "{'a': k}", "map {'k': k}", "interval (k) day",
                    "null", "('u' || k)::blob", "k::decimal(38, 10)", "('a')::enum('a', 'b')",
                    "union_value(n := k)", "k::bignum"),
    "ordered_at": ("at", "at::timestamptz", "at::date", "at::timestamp_ns", "at::timestamp_s",
                   "at::timestamp_ms", "'infinity'::timestamp", "'-infinity'::date",
                   "'290000-01-01'::timestamp", "at::time", "at::timetz", "at::varchar", "epoch_ms(at)",
                   "null", "'infinity'::timestamptz", "interval (k) day", "[at]", "'0044-03-15 (BC)'::date"),
    "quantity": ("1", "k::hugeint * 100000000000000000000", "1::decimal(4, 1)", "true", "'1'", "'x'", "null",
                 "1e300", "'nan'::double", "'inf'::float", "[1]", "interval (k) day", "k::uhugeint",
                 "k::bignum", "at"),
}  # fmt: skip
VIEWS = (
    "select * from sound",
    "select * from read_csv('/etc/passwd')",
    "select * from read_csv('/dev/zero', header = false)",
    "select *, getenv('HOME') from sound",
    "select * from read_parquet('https://example.invalid/x.parquet')",
    "select * from sound, range(1000000000)",
    "select * from absent",
    "with recursive t(n) as (select 1 union all select n + 1 from t) select * from t",
    "select nextval('numbers') as customer_id, at as ordered_at, 1 as quantity, 1 as unit_price from sound",
    "select error('no') as customer_id",
)


@kind(170)
def databases(rng: random.Random, folder: Path) -> Made:
    """A DuckDB file: odd types, odd names, views, broken bytes."""
    file = folder / "shop.duckdb"
    name = rng.choice(
        ["orders", "orders", 'or"ders', "or'ders", "select", "a#b", "a.b", "x; drop table y", "é", " "]
    )
    shown = '"' + name.replace('"', '""') + '"'
    columns = ", ".join(f"{rng.choice(kinds)} as {column}" for column, kinds in SQL.items())
    with duckdb.connect(file) as database:
        database.execute("set timezone = 'UTC'")
        database.execute(
            "create table sound as select 'u' || k % 40 as customer_id, k as order_id, k % 7 as product_id,"
            " timestamp '2023-01-01' + interval (k * 37) hour as at,"
            " timestamp '2023-01-01' + interval (k * 37) hour as ordered_at,"
            " 1 as quantity, 2.5 as unit_price, k from range(240) t(k)"
        )
        database.execute("create sequence numbers")
        sound = f"create table {shown} as select * from sound"  # noqa: S608 - the name is quoted
        odd = f"create table {shown} as select {columns}, 2.5 as unit_price, order_id, product_id"
        odd += " from sound"
        view = f"create view {shown} as {rng.choice(VIEWS)}"
        way = rng.choice([sound, odd, odd, view])
        try:
            database.execute(way)
        except duckdb.Error:  # a cast that there is not, a view of what is not there
            database.execute(sound)
    if rng.random() < 0.35:
        file.write_bytes(broken(rng, file.read_bytes(), rng.choice([None, (0, 4_096), (4_096, 20_000)])))
    if rng.random() < 0.1:
        file.write_bytes(file.read_bytes()[: rng.randrange(file.stat().st_size)])
    return Made(write_config(folder, f"duckdb:///{rng.choice(['', './'])}shop.duckdb#{name}"))


BESIDE = {
    "events": ("customer_id", "occurred_at", "event_type", "channel", "session_id", "page", "duration_s"),
    "contacts": ("customer_id", "sent_at", "campaign_id", "channel", "cost", "arm"),
    "customers": ("customer_id", "valid_from", "signed_up_at", "acquisition_channel", "acquisition_cost",
                  "referred_by", "age", "door_day", "attr_age"),
}  # fmt: skip
_EXTRA = ("age", "door_day", "attr_age")


@kind(600)
def tables_beside(rng: random.Random, folder: Path) -> Made:
    """Events, contacts or customers with columns of odd types, hostile texts, or others than mapped."""
    log = folder / "orders.parquet"
    write_parquet(rng, arrow(sound_rows(rng, 120)), log)
    which = rng.choice(list(BESIDE))
    n = rng.choice([20, 200])
    columns = {name: _sound(rng, name, n) for name in BESIDE[which]}
    for name in rng.sample(list(columns), rng.choice([1, 1, 2, 3])):
        odd = rng.choice([*TYPES.values(), _hostile, _hostile])
        columns[name] = odd(rng, n)
    path = folder / rng.choice([f"{which}.parquet", f"{which}.parquet", f"{which}.csv"])
    try:
        if path.suffix == ".csv":
            cells = zip(*(column.to_pylist() for column in columns.values()), strict=True)
            path.write_bytes(csv_text(list(columns), [list(row) for row in cells]).encode("utf-8", "replace"))
        else:
            pq.write_table(pa.table(columns), path)
    except (pa.ArrowException, OverflowError, ValueError):
        pq.write_table(pa.table({name: _sound(rng, name, n) for name in BESIDE[which]}), path)
    mapped = [name for name in columns if name not in _EXTRA and rng.random() < 0.9]
    mapping = ", ".join(f"{name} = {quoted(name)}" for name in mapped)
    static = rng.choice(
        ["", 'static = ["age"]', 'attributes = ["age", "door_day"]', 'attributes = ["absent"]']
    )
    section = f"[tables.{which}]\nsource = {quoted(path.name)}\ncolumns = {{ {mapping} }}\n{static}\n"
    if which != "customers":
        section = section.replace(static, "")
    policy = "[policy]\nmax_quarantined = 1.0\n" if rng.random() < 0.4 else ""
    return Made(write_config(folder, log.name, rest=section + policy), log, whole=rng.random() < 0.15)


def _sound(rng: random.Random, name: str, n: int) -> pa.Array:
    if name == "customer_id":
        return pa.array([f"u{rng.randrange(60)}" for _ in range(n)])
    if name in ("occurred_at", "sent_at", "valid_from", "signed_up_at"):
        return pa.array(
            [(1_672_531_200 + rng.randrange(500 * 86_400)) * 10**6 for _ in range(n)], pa.timestamp("us")
        )
    if name in ("duration_s", "cost", "acquisition_cost", "age"):
        return pa.array([rng.randrange(100) / 4 for _ in range(n)])
    return pa.array([rng.choice(["page_view", "add_to_cart", "search", "a", None]) for _ in range(n)])


def _hostile(rng: random.Random, n: int) -> pa.Array:
    return pa.array([rng.choice(rng.choice([IDS, DATES, WRITTEN])) for _ in range(n)])
