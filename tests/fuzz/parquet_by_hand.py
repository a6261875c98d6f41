"""Parquet written byte by byte: what no honest writer writes (pages that lie, one value a billion times)."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

INT64, DOUBLE, BYTE_ARRAY = 2, 5, 6
_UTF8, _TIMESTAMP_MICROS = 0, 10
_PLAIN, _RLE_DICTIONARY, _RLE = 0, 8, 3
_GZIP = 2

Field = tuple[int, "int | bytes | list[int] | list[bytes] | list[Struct] | Struct"]


@dataclass(frozen=True)
class Struct:
    """A Thrift struct: field numbers, rising, with their values; numbers are i64 where `wide` says so."""

    fields: Sequence[Field]
    wide: frozenset[int] = frozenset()

    def packed(self) -> bytes:
        """Write it in the compact protocol."""
        out, before = b"", 0
        for number, value in self.fields:
            code = _code(value, number in self.wide)
            step = number - before
            out += bytes([step << 4 | code]) if 0 < step < 16 else bytes([code]) + _zigzag(number)
            out += _packed(value)
            before = number
        return out + b"\0"


def _code(value: object, wide: bool = False) -> int:
    if isinstance(value, int):
        return 6 if wide else 5
    return 8 if isinstance(value, bytes) else 9 if isinstance(value, list) else 12


def _packed(value: object) -> bytes:
    if isinstance(value, int):
        return _zigzag(value)
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, Struct):
        return value.packed()
    assert isinstance(value, list)
    code = _code(value[0]) if value else 12
    head = bytes([len(value) << 4 | code]) if len(value) < 15 else bytes([0xF0 | code]) + varint(len(value))
    return head + b"".join(_packed(one) for one in value)


def varint(number: int) -> bytes:
    """Write a whole number, seven bits a byte."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _zigzag(number: int) -> bytes:
    return varint((number << 1 ^ number >> 63) & (1 << 64) - 1)


@dataclass(frozen=True)
class Column:
    """One column of one chunk: its pages, packed, and what the footer says of them.

    Parameters
    ----------
    name : bytes
        Its name.
    type : int
        Parquet's physical type.
    pages : bytes
        Headers and bodies.
    n : int
        How many values it claims.
    has_dictionary : bool
        Whether the first page is one.
    claimed : int
        How many bytes it says that it unpacks to.
    """

    name: bytes
    type: int
    pages: bytes
    n: int
    has_dictionary: bool = False
    claimed: int = 1 << 20

    def schema(self) -> Struct:
        """Describe the column: required, and of the type that a log needs."""
        kind = [(6, _UTF8)] if self.type == BYTE_ARRAY else []
        kind = [(6, _TIMESTAMP_MICROS)] if self.name == b"ordered_at" else kind
        return Struct([(1, self.type), (3, 0), (4, self.name), *kind])


def pack(body: Iterable[bytes]) -> tuple[bytes, int]:
    """Pack a body bit by bit, so that a large one is never held; return it and its true size."""
    packer, out, size = zlib.compressobj(9, wbits=31), b"", 0
    for part in body:
        size += len(part)
        out += packer.compress(part)
    return out + packer.flush(), size


def page(
    body: Iterable[bytes],
    n: int,
    encoding: int = _PLAIN,
    *,
    claimed: int | None = None,
    claimed_n: int | None = None,
) -> bytes:
    """A data page of required values."""
    packed, size = pack(body)
    head = Struct([(1, n if claimed_n is None else claimed_n), (2, encoding), (3, _RLE), (4, _RLE)])
    header = [(1, 0), (2, size if claimed is None else claimed), (3, len(packed)), (5, head)]
    return Struct(header).packed() + packed


def dictionary(value: Iterable[bytes], *, claimed: int | None = None, claimed_n: int = 1) -> bytes:
    """A dictionary page of one value."""
    packed, size = pack(value)
    header = [
        (1, 2),
        (2, size if claimed is None else claimed),
        (3, len(packed)),
        (7, Struct([(1, claimed_n), (2, _PLAIN)])),
    ]
    return Struct(header).packed() + packed


def constant(name: str, kind: int, value: Iterable[bytes], n: int) -> Column:
    """One value, n times: a dictionary of one, and a run."""
    run = b"\1" + varint(n << 1) + b"\0"
    pages = dictionary(value) + page([run], n, _RLE_DICTIONARY)
    return Column(name.encode(), kind, pages, n, has_dictionary=True)


def text_of(size: int, letter: bytes = b"x") -> Iterable[bytes]:
    """A PLAIN text of a size, in parts."""
    yield size.to_bytes(4, "little")
    whole, rest = divmod(size, 1 << 20)
    for _ in range(whole):
        yield letter * (1 << 20)
    yield letter * rest


def write(path: Path, columns: Sequence[Column], n_rows: int, *, schema: Sequence[Struct] = ()) -> None:
    """Write the columns as one row group; `schema` replaces the true one."""
    data, chunks = b"PAR1", []
    for column in columns:
        start = len(data)
        data += column.pages
        first = start
        if column.has_dictionary:
            first = start + _first_page(column.pages)
        meta = [(1, column.type), (2, [_PLAIN, _RLE]), (3, [column.name]), (4, _GZIP), (5, column.n),
                (6, column.claimed), (7, len(column.pages)), (9, first)]  # fmt: skip
        meta += [(11, start)] if column.has_dictionary else []
        chunks.append(Struct([(2, start), (3, Struct(meta, frozenset({5, 6, 7, 9, 11})))], frozenset({2})))
    group = Struct([(1, chunks), (2, 1 << 20), (3, n_rows)], frozenset({2, 3}))
    root = Struct([(4, b"schema"), (5, len(columns))])
    elements = list(schema) or [root, *(column.schema() for column in columns)]
    footer = Struct([(1, 1), (2, elements), (3, n_rows), (4, [group])], frozenset({3})).packed()
    path.write_bytes(data + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def _first_page(pages: bytes) -> int:
    """Find where a dictionary page ends: its body is a gzip stream after the header."""
    start = pages.index(b"\x1f\x8b")
    unpacker = zlib.decompressobj(wbits=31)
    unpacker.decompress(pages[start:], 1)
    while not unpacker.eof:
        unpacker.decompress(unpacker.unconsumed_tail or b"", 1 << 24)
    return len(pages) - len(unpacker.unused_data)


def renamed(column: Column, name: str) -> Column:
    """The same column by another name."""
    return replace(column, name=name.encode())
