"""Files whose bytes are not what was written: flipped, cut, doubled, in places that matter."""

import random
from pathlib import Path

import pyarrow.parquet as pq

from tests.fuzz.cases import Made, kind, sound_rows, write_config
from tests.fuzz.files import arrow, csv_of, write_parquet, write_text

Span = tuple[int, int]


def broken(rng: random.Random, data: bytes, within: Span | None = None) -> bytes:
    """Break bytes in one of eight ways, once to six times, inside a span."""
    bytes_ = bytearray(data)
    low, high = within or (0, len(data))
    for _ in range(rng.choice([1, 1, 1, 2, 6])):
        at = rng.randrange(low, max(low + 1, min(high, len(bytes_))))
        length = rng.choice([1, 2, 8, 40])
        way = rng.randrange(8)
        if way == 0 and at < len(bytes_):
            bytes_[at] ^= 1 << rng.randrange(8)
        elif way == 1 and at < len(bytes_):
            bytes_[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        elif way == 2:
            bytes_[at:at] = rng.randbytes(length)
        elif way == 3:
            del bytes_[at : at + length]
        elif way == 4:
            bytes_[at:at] = bytes_[at : at + length]
        elif way == 5:
            bytes_[at : at + length] = bytes(len(bytes_[at : at + length]))
        elif way == 6:  # the widest number of the compact protocol: a size, a count or an offset
            wide = rng.choice([b"\xff\xff\xff\xff\x0f", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"])
            bytes_[at : at + rng.choice([0, 1, len(wide)])] = wide
        else:
            other = rng.randrange(low, max(low + 1, high))
            bytes_[at : at + length] = bytes_[other : other + length]
    return bytes(bytes_)


def _sound_parquet(rng: random.Random, folder: Path) -> Path:
    path = folder / "orders.parquet"
    write_parquet(rng, arrow(sound_rows(rng, rng.choice([60, 240]))), path)
    return path


def _parquet(rng: random.Random, folder: Path, span: "str") -> Made:
    path = _sound_parquet(rng, folder)
    data = path.read_bytes()
    path.write_bytes(broken(rng, data, _span(rng, path, span)))
    return Made(write_config(folder, path.name), path)


def _span(rng: random.Random, path: Path, which: str) -> Span | None:
    """Find where something of a Parquet file lies."""
    size = path.stat().st_size
    if which == "all":
        return None
    if which == "footer":
        length = int.from_bytes(path.read_bytes()[-8:-4], "little")
        return size - 8 - length, size - 8 if rng.random() < 0.9 else size
    groups = pq.read_metadata(path)
    chunk = groups.row_group(rng.randrange(groups.num_row_groups)).column(rng.randrange(groups.num_columns))
    start = chunk.data_page_offset
    if chunk.dictionary_page_offset is not None and rng.random() < 0.4:
        start = chunk.dictionary_page_offset
    return (start, start + 24) if which == "page header" else (start, start + chunk.total_compressed_size)


@kind(900)
def parquet_anywhere(rng: random.Random, folder: Path) -> Made:
    """Break a Parquet file anywhere."""
    return _parquet(rng, folder, "all")


@kind(1_100)
def parquet_footer(rng: random.Random, folder: Path) -> Made:
    """Break the part that says where everything lies."""
    return _parquet(rng, folder, "footer")


@kind(600)
def parquet_page_header(rng: random.Random, folder: Path) -> Made:
    """Break what says how long a page is and how it is written."""
    return _parquet(rng, folder, "page header")


@kind(700)
def parquet_pages(rng: random.Random, folder: Path) -> Made:
    """Break the values."""
    return _parquet(rng, folder, "pages")


@kind(150)
def parquet_cut(rng: random.Random, folder: Path) -> Made:
    """Stop short, or join two files."""
    path = _sound_parquet(rng, folder)
    data = path.read_bytes()
    at = rng.randrange(len(data))
    parts = (data[:at], data[at:], data[:at] + data[-rng.randrange(1, 400) :], data + data, data[:at] + data)
    path.write_bytes(rng.choice(parts))
    return Made(write_config(folder, path.name), path)


@kind(700)
def text_bytes(rng: random.Random, folder: Path) -> Made:
    """Break the bytes of a delimited text."""
    sep, name = rng.choice([(",", "csv"), (";", "csv"), ("\t", "tsv"), (",", "csv.gz"), ("|", "txt")])
    data = csv_of(sound_rows(rng, rng.choice([3, 30, 240])), sep=sep, end=rng.choice(["\n", "\r\n"]))
    path = folder / f"orders.{name}"
    head = (0, data.index("\n")) if rng.random() < 0.15 else None
    write_text(path, broken(rng, data.encode(), head))
    return Made(write_config(folder, path.name), path)


@kind(500)
def text_signs(rng: random.Random, folder: Path) -> Made:
    """Put the signs that delimited text is made of where they do not belong."""
    end = rng.choice(["\n", "\r\n"])
    text = csv_of(sound_rows(rng, rng.choice([3, 30, 240])), end=end)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(text))
        sign = rng.choice(
            ['"', '""', "'", ",", ";", "\t", "\n", "\r", "\r\n", "\\", "#", "|", "\x00", " ", '",']
        )
        text = text[:at] + sign + text[at + rng.choice([0, 0, 1]) :]
    path = folder / "orders.csv"
    write_text(path, text.encode())
    return Made(write_config(folder, path.name), path)


@kind(150)
def gzip_bytes(rng: random.Random, folder: Path) -> Made:
    """Break the packed bytes, stop short, pack twice, or put something behind them."""
    path = folder / "orders.csv.gz"
    write_text(path, csv_of(sound_rows(rng)).encode())
    packed = path.read_bytes()
    at = rng.randrange(len(packed))
    way = rng.randrange(5)
    if way == 0:
        packed = broken(rng, packed)
    elif way == 1:
        packed = packed[:at]
    elif way == 2:
        write_text(path, packed)
        packed = path.read_bytes()
    elif way == 3:
        packed += rng.choice([rng.randbytes(50), packed, bytes(1_000), b"customer_id\n"])
    else:
        packed = csv_of(sound_rows(rng)).encode()
    path.write_bytes(packed)
    return Made(write_config(folder, path.name), path)
