"""Where a delimited text breaks its own form: engines do not say, or say it with what stands in the rows."""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from features.errors import ContractError

MOST_BYTES = 1 << 26
"""So much of a file is looked at: a million lines, in a second or two."""

LONGEST_LINE = 2_000_000
"""Bytes; DuckDB takes no longer ones."""

_SEPARATORS = ",;\t|"


def text_fault(files: Sequence[str]) -> ContractError | None:
    """Look for what makes text unreadable: other encodings, quotation marks that do not pair, ragged lines.

    Parameters
    ----------
    files : sequence of str
        Delimited text, packed with gzip if the name ends so.

    Returns
    -------
    ContractError or None
        With the file, how many of its lines are amiss and the number of the first; None if all is well, or
        if the file itself cannot be read.
    """
    for file in files:
        with suppress(OSError, EOFError, zlib.error):
            lines = _lines(file)
            for look in _LOOKS:
                for what, hint in look(lines):
                    return ContractError(f"{Path(file).name}: {what}", hint=hint)
    return None


def _lines(file: str) -> list[bytes]:
    with (gzip.open if file.lower().endswith(".gz") else open)(file, "rb") as text:
        data = text.read(MOST_BYTES + 1)
    lines = data.splitlines(keepends=True)
    return lines if len(data) <= MOST_BYTES else lines[:-1]


Said = Iterator[tuple[str, str]]
"""What is wrong, and what to do about it."""


def _encoding(lines: Sequence[bytes]) -> Said:
    bad = [number for number, line in enumerate(lines, 1) if not _is_utf8(line)]
    if bad:
        said = f"{len(bad):,} of {len(lines):,} lines are no UTF-8, the first is line {bad[0]:,}"
        yield said, "save the export as UTF-8; a spreadsheet has it as 'CSV UTF-8'"


def _is_utf8(line: bytes) -> bool:
    try:
        return bool(line.decode("utf-8-sig")) or True
    except UnicodeDecodeError:
        return False


def _length(lines: Sequence[bytes]) -> Said:
    long = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    if long:
        said = f"{len(long):,} of {len(lines):,} lines have more than {LONGEST_LINE:,} bytes"
        yield f"{said}, the first is line {long[0]:,}", "is it a table, and are its lines ended?"


def _cells(lines: Sequence[bytes]) -> Said:
    text = [line.decode("utf-8-sig") for line in lines]
    separator = max(_SEPARATORS, key=text[0].count) if text else ","
    reader = csv.reader(text, delimiter=separator, strict=True)
    widths: list[tuple[int, int]] = []
    start = 1
    try:
        for row in reader:
            if row:
                widths.append((start, len(row)))
            start = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            what = f"a cell of line {start:,} has more than {csv.field_size_limit():,} signs"
            yield what, "is a quotation mark not closed?"
        what = f"the quotation marks from line {start:,} on do not pair"
        yield what, 'a cell with one in it is written "a ""b"" c"'
    odd = [(number, width) for number, width in widths if width != widths[0][1]]
    if odd:
        number, width = odd[0]
        said = f"{len(odd):,} of {len(widths):,} lines have not as many cells as the first, {widths[0][1]:,}"
        yield (
            f"{said}; line {number:,} has {width:,}",
            "the names come first, and each line has a cell for each",
        )


_LOOKS: tuple[Callable[[Sequence[bytes]], Said], ...] = (_encoding, _length, _cells)
"""In this order: each needs what those before it have seen to."""
