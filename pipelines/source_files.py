"""The files that a source names: regular ones, not too many, and none that a run has published."""

import csv
import glob
import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import duckdb

from features.errors import ContractError

PARQUET = ".parquet"
CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt")
MOST_FILES = 5_000
"""Thirteen years of daily files; each takes some milliseconds to open, so 100,000 would look like a hang."""

_SNIFFED = re.compile(r'.*Error when sniffing file "([^"\n]*)"')
_SEPARATORS = ",;\t|"
_LINES = 100
_LONG_LINE = 1 << 20


def find_files(source: str, folder: Path, published: Path | None = None) -> list[str]:
    """Find the files of a source.

    Parameters
    ----------
    source : str
        A path or a pattern.
    folder : pathlib.Path
        Where relative ones start.
    published : pathlib.Path, optional
        Where runs are published: what lies there is no source.

    Raises
    ------
    ContractError
        If there is none, if there are too many, or if one is no regular file or part of a run.
    """
    found = _matches(source, folder)
    if not found:
        raise ContractError(
            f"source {source!r}: no such file", hint=f"relative paths start at the config's folder, {folder}"
        )
    refuse_odd(source, found)
    own = [f for f in found if published is not None and Path(f).resolve().is_relative_to(published)]
    if own:
        raise ContractError(
            f"source {source!r}: {len(own)} of {len(found)} files were published by a run",
            example=own[0],
            hint="make the pattern narrower, or [project] output another folder",
        )
    return found


def refuse_odd(source: str, found: Sequence[str]) -> None:
    """Refuse too many files, and what is no regular file: a pipe is waited for, and a device may have no end.

    Raises
    ------
    ContractError
        With the first of them.
    """
    if len(found) > MOST_FILES:
        raise ContractError(
            f"source {source!r}: {len(found):,} files, more than {MOST_FILES:,}",
            example=found[0],
            hint="is the pattern too wide? Else put some together: fewer, larger files are read faster, too",
        )
    odd = [file for file in found if not Path(file).is_file()]
    if odd:
        raise ContractError(
            f"source {source!r}: {len(odd)} of {len(found)} are no regular files",
            example=odd[0],
            hint="folders, pipes, devices and broken links are not read",
        )


@contextmanager
def clear_of_csv() -> Iterator[None]:
    """Say of delimited text in which no rows can be told what that most often means.

    Raises
    ------
    ContractError
        With the file, in place of what DuckDB says of its search for a separator.
    """
    try:
        yield
    except duckdb.InvalidInputException as error:
        sniffed = _SNIFFED.match(str(error))
        if sniffed is None:
            raise
        raise ContractError(
            f"{Path(sniffed[1]).name}: no rows and columns can be told in it",
            hint="was it cut in the middle of a row, or of quotation marks, or is it no CSV?",
        ) from None


def _matches(source: str, folder: Path) -> list[str]:
    try:
        if (folder / source).is_file():
            return [str(folder / source)]
        return sorted(glob.glob(str(Path(glob.escape(str(folder))) / source)))
    except (OSError, ValueError) as error:  # too long for a path, or with a sign that none may have
        raise ContractError(f"source {source!r}: is no path: {error}") from None


def refuse_twins(files: Sequence[str], wanted: Iterable[str], read: Sequence[str]) -> None:
    """Refuse files in which two columns have the name of one that is wanted.

    Engines call the second one ``amount_1`` and take the first, and no one knows which of them was meant.

    Parameters
    ----------
    files : sequence of str
        Parquet or delimited text.
    wanted : iterable of str
        The columns that the config names.
    read : sequence of str
        The columns as they were opened; only if one looks like a second one is any file looked at.

    Raises
    ------
    ContractError
        Naming the column and the file; names that differ in case alone are the same to most engines.
    """
    lower = [name.lower() for name in read]
    for name in dict.fromkeys(wanted):
        stem = f"{name.lower()}_"
        if not any(own.startswith(stem) and own.removeprefix(stem).isdecimal() for own in lower):
            continue
        for file in files:
            if _times(file, name.lower()) > 1:
                raise ContractError(
                    f"{Path(file).name}: two columns have the name {name!r}, upper and lower case aside",
                    hint="give each a name of its own",
                )


def _times(file: str, name: str) -> int:
    """Count how often a name stands in a file's header."""
    if file.lower().endswith(PARQUET):
        import pyarrow.parquet as pq

        return [own.lower() for own in pq.read_schema(file).names].count(name)
    with (gzip.open if file.lower().endswith(".gz") else open)(
        file, "rt", encoding="utf-8-sig", errors="replace"
    ) as text:
        lines = [
            line.rstrip("\r\n").lower()
            for line in islice(iter(lambda: text.readline(_LONG_LINE), ""), _LINES)
        ]
    return max((_cells(line, sep).count(name) for line in lines for sep in _SEPARATORS), default=0)


def _cells(line: str, separator: str) -> list[str]:
    """Take a line apart; none where a cell is longer than Python reads, which that of a name never is."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
