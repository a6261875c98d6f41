"""Delimited text in other encodings and of other shapes, and tables whose columns have hostile names."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.by_hand import count
from tests.fuzz.cases import MAPPING, Made, kind, quoted, sound_rows, write_config
from tests.fuzz.files import arrow, csv_of, csv_text, write_text

ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp1258",
    "shift_jis", "gb18030", "utf-7", "cp037", "mac-roman",
)  # fmt: skip
ODD_BYTES = (b"\xff", b"\xfe\xff", b"\x00", b"\xc3", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x28\x8c\xbc",
             b"\xc0\xaf", b"\x1a", b"\x1b[31m", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80",
             b"\x0b", b"\x85", b"\xe2\x80\xa8")  # fmt: skip


@kind(350)
def encodings(rng: random.Random, folder: Path) -> Made:
    """Write text in another encoding, or put bytes into it that are no text."""
    rows = sound_rows(rng, rng.choice([5, 120]))
    for row in rng.sample(rows, 3):
        row["customer_id"] = rng.choice(["Zoë", "Đặng", "naïve", "Ω", "ß", "é", "e\u0301"])
    text = csv_of(rows, end=rng.choice(["\n", "\r\n", "\r"]))
    if rng.random() < 0.5:
        data = text.encode(rng.choice(ENCODINGS), errors="ignore")
    else:
        data = text.encode()
        for _ in range(rng.choice([1, 1, 5])):
            at = rng.choice([0, len(data), rng.randrange(len(data))])
            data = data[:at] + rng.choice(ODD_BYTES) + data[at:]
    path = folder / rng.choice(["orders.csv", "orders.csv.gz", "orders.txt"])
    write_text(path, data)
    return Made(write_config(folder, path.name), path)


@kind(400)
def shapes(rng: random.Random, folder: Path) -> Made:
    """Ragged rows, headers of other lengths, rows above the header, several kinds of line ends."""
    rows = sound_rows(rng, rng.choice([5, 120, 2_500]))
    names = list(rows[0])
    cells = [[v if isinstance(v, str) else str(v) for v in row.values()] for row in rows]
    for _ in range(rng.choice([1, 1, 3])):
        cells, names = _misshapen(rng, cells, names)
    text = csv_text(names, cells)
    text = rng.choice([text, text, "report of May\n\n" + text, "\n\n" + text, "# made by x\n" + text,
                       text.rstrip("\n"), text + "\n\n\n", text + "total,,,,,\n",
                       text.replace("\n", "\r\n", 2), text.replace("\n", "\r"),
                       "sep=,\n" + text])  # fmt: skip
    path = folder / "orders.csv"
    write_text(path, text.encode())
    return Made(write_config(folder, path.name), path)


def _misshapen(
    rng: random.Random, cells: list[list[str]], names: list[str]
) -> tuple[list[list[str]], list[str]]:
    at = rng.choice([0, 0, 1, len(cells) - 1, rng.randrange(len(cells))])
    way = rng.randrange(11)
    if way == 0:
        cells[at] = cells[at][:-1]
    elif way == 1:
        cells[at] = [*cells[at], "more"]
    elif way == 2:
        cells[at] = [f"#{cells[at][0]}"]
    elif way == 3:
        cells[at] = ["", "", "", "", "", ""]
    elif way == 4:
        names = names[:-1]
    elif way == 5:
        names = [*names, "", ""]
    elif way == 6:
        cells = [[*row, ""] for row in cells]
    elif way == 7:
        cells[at] = list(names)  # a second header: files put one after the other
    elif way == 8:
        cells[at][rng.randrange(len(cells[at]))] = 'line\nbreak, and "quotes"'
    elif way == 9:
        cells = [[f"#{row[0]}" if rng.random() < 0.3 else row[0], *row[1:]] for row in cells]
    else:
        cells[at][-1] = "x" * rng.choice([70_000, 3_000_000])
    return cells, names


HOSTILE_NAMES = (
    'a"b', "a'b", "a;b", "a`b", "a]b", "a\nb", "a\tb", "a\\", "", " ", "select", "null", "*", "customer_id ",
    'x"; drop table lines; --', "x'); copy (select 1) to 'stolen.csv'; --", '" || (select 1) || "', "{0}",
    "%s", "door_customer_id", "door_amount", "door_day", "door_reason", "door_ordered_at", "door_is_used",
    "door_price", "DOOR_AMOUNT", "door_parsed_ordered_at", "door_parsed_file", "door_ordered_at_is_zoned",
    "door_cancelled", "reason", "Reason", "quarantine_reason", "__null_dask_index__", "__index_level_0__",
    "rowid", "file_row_number", "filename", "cust\u043emer_id", "customer\u200b_id", "ｃustomer_id",
    "Customer_ID", "CUSTOMER_ID", "é", "e\u0301", "\u202eid", "\x1b[31mred", "\x00", "a\x00b", "day", "lines",
    "main", "ordered_at", "x" * 300, "x" * 100_000, "🙂", "customer_id", "amount", "n", "text", "told_day",
    "temp", "1", "-1", "a.b", "a.b.c", "$1", ":x", "?",
)  # fmt: skip


@kind(600)
def column_names(rng: random.Random, folder: Path) -> Made:
    """Call columns, mapped ones or others, by hostile names."""
    rows = sound_rows(rng, rng.choice([20, 120]))
    names = list(MAPPING)
    mapping = dict(MAPPING)
    for standard in rng.sample(names, rng.choice([0, 1, 2, 6])):
        mapping[standard] = rng.choice(HOSTILE_NAMES)
    others = rng.sample(HOSTILE_NAMES, rng.choice([0, 1, 4]))
    head = [mapping[name] for name in names] + others
    cells = [[*row.values(), *(rng.choice(["x", "7", "2024-01-01"]) for _ in others)] for row in rows]
    if rng.random() < 0.3:
        rng.shuffle(head)  # the right names over the wrong columns
    path = folder / rng.choice(["orders.csv", "orders.parquet"])
    if path.suffix == ".csv":
        write_text(path, csv_text(head, cells).encode())
    else:
        columns = [pa.array(list(column)) for column in zip(*cells, strict=True)]
        pq.write_table(pa.Table.from_arrays(columns, names=head), path)
    twice = len(set(mapping.values())) < len(mapping) or any(
        head.count(name) > 1 for name in mapping.values()
    )
    rest = "" if rng.random() < 0.7 else _leave_out(rng, head)
    log = None if rest else path
    return Made(write_config(folder, path.name, mapping, rest=rest), None if twice else log, mapping=mapping)


def _leave_out(rng: random.Random, head: list[str]) -> str:
    return f'[policy]\nleave_out = {{ column = {quoted(rng.choice(head))}, values = ["x", "\'; drop"] }}'


@kind(150)
def doubled_names(rng: random.Random, folder: Path) -> Made:
    """Give two columns one name, or names that differ in case alone; which of them is meant, nobody knows."""
    rows = sound_rows(rng, 60)
    name = rng.choice(list(MAPPING))
    other = rng.choice([name, name, name.upper(), name.title(), f"{name}_1", f"{name}_2"])
    more = rng.choice([[other], [other, other], [other, f"{name}_1"]])
    first = rng.random() < 0.5
    head = [*more, *rows[0]] if first else [*rows[0], *more]
    extra = ["999"] * len(more)
    cells = [[*extra, *row.values()] if first else [*row.values(), *extra] for row in rows]
    path = folder / rng.choice(["orders.csv", "orders.parquet"])
    if path.suffix == ".csv":
        write_text(path, csv_text(head, cells).encode())
    else:
        columns = [pa.array(list(column)) for column in zip(*cells, strict=True)]
        pq.write_table(pa.Table.from_arrays(columns, names=head), path)
    truth = None if head.count(name) > 1 else count(rows, MAPPING)
    refused = frozenset({2}) if head.count(name) > 1 else frozenset({0, 2, 4})
    return Made(write_config(folder, path.name), None, counted=truth, codes=refused)


@kind(40)
def many_columns(rng: random.Random, folder: Path) -> Made:
    """Ten thousand columns, or none that is asked for among them."""
    n = rng.choice([300, 10_000])
    rows = sound_rows(rng, 3)
    head = [*rows[0], *(f"c{k}" for k in range(n))]
    if rng.random() < 0.3:
        head = [f"c{k}" for k in range(len(head))]
    if rng.random() < 0.5:
        path = folder / "orders.csv"
        write_text(path, csv_text(head, [[*row.values(), *(["1"] * n)] for row in rows]).encode())
    else:
        path = folder / "orders.parquet"
        table = pa.Table.from_arrays([*arrow(rows).columns, *([pa.array([1] * len(rows))] * n)], names=head)
        pq.write_table(table, path)
    return Made(write_config(folder, path.name), path)
