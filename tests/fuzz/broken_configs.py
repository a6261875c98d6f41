"""Configs that are no TOML, hold what no one would write, or lead to what is no log."""

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.broken_bytes import broken
from tests.fuzz.cases import MAPPING, Made, kind, sound_rows, write_config
from tests.fuzz.files import arrow, csv_of, write_parquet

WHOLE = """\
[project]
name = "shop"
currency = "EUR"
language = "en"
timezone = "UTC"
output = "out"
north_star = "expected_spend"
[tables.transactions]
source = "orders.parquet"
columns = { customer_id = "customer_id", order_id = "order_id", ordered_at = "ordered_at", \
quantity = "quantity", unit_price = "unit_price", product_id = "product_id" }
formats = { ordered_at = "%Y-%m-%d" }
[policy]
refunds = "net"
cancellation = { column = "order_id", prefix = "C" }
leave_out = { column = "product_id", values = ["none"] }
max_quarantined = 0.5
[target]
horizons = [14, 45]
primary_horizon = 45
clv_horizon = 365
[training]
cutoffs = 6
max_customers = 2000
seed = 7
[mlflow]
tracking_uri = "sqlite:///mlflow.db"
model = "repurchase"
[engine]
kind = "duckdb"
options = { threads = 2 }
[economics]
margin = 0.3
discount_rate = 0.1
acquisition_cost = 5.0
save_rate = 0.2
[gate]
max_ece = 0.1
min_rows = 20
[limits]
max_champion_age = 180
keep_runs = 3
[sinks]
xlsx = false
[privacy]
lists = "ids"
[segments]
any = "thing"
"""
VALUES = (
    "0", "-1", "1", "3650", "3651", "1" + "0" * 30, "1" + "0" * 5_000, "-9223372036854775809", "1e308",
    "1e999", "nan", "inf", "-inf", "-0.0", "0.5", "true", "[]", "[[]]", "[1, 'a']", "{}",
    "{ a = { b = { c = 1 } } }", "''", "'x'", "'" + "x" * 100_000 + "'", "2024-01-01", "2024-01-01T00:00:00Z",
    "07:32:00", "['x']", "[0]", "[1]", "[45, 14]", "[14, 14, 45]", "[45]", "[1, 45, 3650]",
    "[" + ", ".join(str(n) for n in range(1, 400)) + "]", "[-14, 45]", "[1.5, 45]", "'../..'", "'/dev/null'",
    "'/'", "'\\u0000'", '"\\u0000"', '"\\u001b[31m"', '"=1+1"', '"a\\nb"', "'%s'", "'UTC'", "'auto'",
    "'duckdb'", "'spark'", "{ memory_limit = '1KB' }", "{ memory_limit = '-1' }", "{ threads = 0 }",
    "{ threads = -1 }", "{ threads = 999999999 }", "{ max_temp_directory_size = '1KB' }",
    "{ access_mode = 'read_only' }", "{ enable_external_access = false }", "{ lock_configuration = true }",
    "{ TimeZone = 'Mars/Base' }", "{ customer_id = 'customer_id' }", "{ customer_id = 7 }",
    "{ customer_id = ['customer_id'] }", "'sqlite:///'", "'http://[::1'", "'postgresql://u:secret@host/db'",
    "'C'", "''''''", '"\\U0010ffff"',
)  # fmt: skip


@kind(400)
def config_values(rng: random.Random, folder: Path) -> Made:
    """Give one or two keys of a config that uses them all another value, another name, or a table inside."""
    lines = WHOLE.splitlines()
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.choice([k for k, line in enumerate(lines) if " = " in line])
        name, _, value = lines[at].partition(" = ")
        way = rng.randrange(8)
        if way < 5:
            lines[at] = f"{name} = {rng.choice(VALUES)}"
        elif way == 5:
            lines[at] = (
                f"{rng.choice([name + 's', name.upper(), 'folder', '__class__', 'model_config'])} = {value}"
            )
        elif way == 6:
            lines[at] = f"{name} = {value}\n{name} = {value}"
        else:
            lines[at] = f"{name}.inner = {value}"
    return _with_config(rng, folder, "\n".join(lines))


@kind(200)
def config_bytes(rng: random.Random, folder: Path) -> Made:
    """Break the bytes of a config."""
    return _with_config(rng, folder, broken(rng, WHOLE.encode()))


@kind(60)
def config_shapes(rng: random.Random, folder: Path) -> Made:
    """Configs that are huge, deep, of one line, or no files at all."""
    ways: list[Callable[[], str | bytes]] = [
        lambda: "a = " + "[" * 100_000 + "]" * 100_000,
        lambda: "a = " + "{ a = " * 5_000 + "1" + " }" * 5_000,
        lambda: "[" + ".".join("a" * 1 for _ in range(20_000)) + "]\n",
        lambda: "".join(f"key{k} = {k}\n" for k in range(100_000)),
        lambda: WHOLE + "x = '" + "y" * 30_000_000 + "'\n",
        lambda: WHOLE + "#" * 30_000_000,
        lambda: "a = " + "9" * 1_000_000,
        lambda: WHOLE.encode("utf-16"),
        lambda: "\ufeff" + WHOLE,
        lambda: "",
        lambda: b"\x00" * 1_000,
        lambda: WHOLE + "\n[tables.events]\nsource = 'orders.parquet'\ncolumns = {}\n",
        lambda: WHOLE.replace("[project]", "[[project]]"),
        lambda: "tables = 3\nproject = 4\n",
    ]
    made = _with_config(rng, folder, rng.choice(ways)())
    way = rng.randrange(8)
    if way < 4:
        made.config.unlink()
        _special(made.config, way)
    return made


def _special(path: Path, way: int) -> None:
    """Put something in a file's place that is none."""
    if way == 0:
        os.mkfifo(path)
    elif way == 1:
        path.mkdir()
    elif way == 2:
        path.symlink_to("/dev/zero")
    elif way == 3:
        path.symlink_to(path.name)
    elif way == 4:
        path.symlink_to("absent")
    elif way == 5:
        path.symlink_to("/dev/tty")
    elif way == 6:
        with socket.socket(socket.AF_UNIX) as made:
            before = Path.cwd()
            os.chdir(path.parent)
            try:
                made.bind(path.name)
            finally:
                os.chdir(before)
    else:
        path.symlink_to("/proc/self/mem")


def _with_config(rng: random.Random, folder: Path, text: str | bytes) -> Made:
    write_parquet(rng, arrow(sound_rows(rng, 120)), folder / "orders.parquet")
    path = folder / "repurchase.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return Made(path, None, whole=rng.random() < 0.3)


SOURCES = (
    "", ".", "..", "/", "~", "~/orders.parquet", "sub", "sub/", "sub/*.parquet", "*", "**", "**/*",
    "*.parquet", "[", "[]", "[!]", "orders.parquet\x00", "\x00", "orders.parquet ", "orders.parquet#x",
    "a" * 5_000, "a/" * 3_000, "*" * 300, "[a-z]*" * 20, "orders.{parquet,csv}", "file:///etc/passwd",
    "file://orders.parquet", "http://127.0.0.1:9/x.parquet", "https://example.invalid/x.csv",
    "s3://bucket/x.parquet", "gs://b/x", "az://b/x", "hf://datasets/x", "/etc/passwd", "/dev/null",
    "/dev/zero", "/dev/stdin", "/dev/fd/0", "/proc/self/environ", "/proc/self/mem", "orders.parquet/x",
    "../case/orders.parquet", "./././orders.parquet", "orders.PARQUET", "ORDERS.parquet", "orders.xlsx",
    "orders.json", "duckdb://", "duckdb:///", "duckdb:///#", "duckdb:///orders.parquet#orders",
    "duckdb:///sub#x", "duckdb:///:memory:#x", "duckdb:///shop.duckdb", "duckdb:////dev/zero#x",
    "postgres://", "postgres://NOT_SET#public.orders", "postgres://PATH#public.orders",
    "postgres://u:secret@host/db#t", "mysql://x#y", "://", "a://b", "duckdb://md:x#y",
    "read_csv('/etc/passwd')", "orders.parquet'); select 1; --", "\u202eteuqrap.sredro", "\x1b[31m.parquet",
)  # fmt: skip


@kind(250)
def sources(rng: random.Random, folder: Path) -> Made:
    """Lead to folders, devices, addresses, patterns, and to names that mean something to an engine."""
    write_parquet(rng, arrow(sound_rows(rng, 60)), folder / "orders.parquet")
    (folder / "sub").mkdir()
    return Made(write_config(folder, rng.choice(SOURCES)))


@kind(120)
def special_files(rng: random.Random, folder: Path) -> Made:
    """Lead to pipes, devices, sockets, broken links, folders, empty files; alone or among sound ones."""
    suffix = rng.choice(["parquet", "csv", "csv.gz"])
    odd = folder / f"orders-b.{suffix}"
    way = rng.randrange(10)
    if way < 8:
        _special(odd, way)
    else:
        odd.write_bytes(b"" if way == 8 else b"\n")
    alone = rng.random() < 0.6
    if not alone:
        sound = folder / f"orders-a.{suffix}"
        rows = sound_rows(rng, 60)
        if suffix == "parquet":
            write_parquet(rng, arrow(rows), sound)
        else:
            sound.write_bytes(csv_of(rows).encode())
    return Made(write_config(folder, odd.name if alone else f"orders-*.{suffix}"))


@kind(12)
def many_files(rng: random.Random, folder: Path) -> Made:
    """Thousands of files: sound, empty, linked to one, or in the folder that runs are published into."""
    n = rng.choice([300, 20_000])
    suffix = rng.choice(["parquet", "csv"])
    first = folder / f"first.{suffix}"
    rows = sound_rows(rng, 40)
    if suffix == "parquet":
        write_parquet(rng, arrow(rows), first)
    else:
        first.write_bytes(csv_of(rows).encode())
    place = folder / rng.choice(["parts", "out/runs/1"])
    place.mkdir(parents=True)
    for k in range(n):
        (place / f"{k}.{suffix}").symlink_to(first)
    return Made(write_config(folder, f"{place.relative_to(folder)}/*.{suffix}"))


@kind(120)
def mappings(rng: random.Random, folder: Path) -> Made:
    """Map columns twice, all to one, to nothing, or the wrong way round."""
    rows = sound_rows(rng, 120)
    path = folder / rng.choice(["orders.parquet", "orders.csv"])
    if path.suffix == ".csv":
        path.write_bytes(csv_of(rows).encode())
    else:
        write_parquet(rng, arrow(rows), path)
    names = list(MAPPING)
    more = ["amount", "category", "channel", "discount", "recorded_at", "id", ""]
    mapping = {
        rng.choice(names + more): rng.choice([*names, "absent", ""]) for _ in range(rng.choice([1, 5, 9]))
    }
    if rng.random() < 0.7:
        mapping |= {"customer_id": rng.choice(names), "ordered_at": rng.choice(["ordered_at", *names])}
    rest = rng.choice([
        "", '[policy]\ncancellation = { column = "order_id", prefix = "o" }',
        '[policy]\ncancellation = { column = "ordered_at", prefix = "2" }',
        '[policy]\nleave_out = { column = "quantity", values = ["1.0", "x"] }',
        '[policy]\nleave_out = { column = "customer_id", values = ["'
        + '", "'.join(f"w{k}" for k in range(3_000)) + '"] }',
        '[policy]\nrefunds = "drop"\nmax_quarantined = 1',
    ])  # fmt: skip
    table = rng.choice(["", 'formats = { ordered_at = "%Y-%m-%d %H:%M:%S", recorded_at = "%s" }'])
    return Made(write_config(folder, path.name, mapping, rest=rest, table=table), whole=rng.random() < 0.3)
