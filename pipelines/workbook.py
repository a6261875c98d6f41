"""A workbook (.xlsx) of typed tables; the same content gives the same bytes.

There is no way to write a formula with it: a cell is a number, a day, or a text that the file marks as text.
Why not a library: docs/decisions/0023-sinks.md.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import ContractError
from pipelines.workbook_xml import (
    HEADER_STYLE,
    Outline,
    cells,
    end_of_sheet,
    frame,
    letters,
    rows,
    shared_texts,
    start_of_sheet,
)

MOST_ROWS = 1_048_576
"""Of a sheet, its header included; no spreadsheet program takes more."""
MOST_CHARACTERS = 32_767
"""Of a cell, as UTF-16 counts them."""
TEXT = "@"
"""Number format of texts: such a cell stays text when somebody edits it. `TEXT` alone marks texts."""

_DAY_ZERO = np.datetime64("1899-12-30", "D")
_ROWS_AT_A_TIME = 10_000
_LEVEL = 1
"""Of compression: higher ones take twice the time and save a fifth of the size."""


@dataclass(frozen=True)
class Column:
    """A column of a sheet.

    Parameters
    ----------
    name : str
        Its header.
    values : Series
        Texts, numbers or timestamps; missing and empty ones become empty cells.
    shown_as : str
        Number format: `TEXT`, or such as ``0.0%`` and ``yyyy-mm-dd``.
    width : float
        In characters.
    """

    name: str
    values: "pd.Series[Any]"
    shown_as: str
    width: float


@dataclass(frozen=True)
class Sheet:
    """A table whose header stays in view and has a filter.

    Parameters
    ----------
    name : str
        On its tab.
    columns : sequence of Column
        Of equal length.
    """

    name: str
    columns: Sequence[Column]

    @property
    def outline(self) -> Outline:
        """The sheet without its cells."""
        return Outline(self.name, [c.width for c in self.columns], 1 + len(self.columns[0].values))


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write a workbook.

    Parameters
    ----------
    path : Path
        The file to write.
    sheets : sequence of Sheet
        At least one; the first is the one that opens.

    Raises
    ------
    ContractError
        If a text is longer than a cell can hold.
    """
    formats = list(dict.fromkeys(column.shown_as for sheet in sheets for column in sheet.columns))
    texts: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for number, sheet in enumerate(sheets, start=1):
            _write(archive, f"xl/worksheets/sheet{number}.xml", _sheet(sheet, formats, texts))
        _write(archive, "xl/sharedStrings.xml", shared_texts(texts))
        for name, content in frame([sheet.outline for sheet in sheets], formats).items():
            _write(archive, name, [content])


def _write(archive: zipfile.ZipFile, name: str, pieces: Iterable[str]) -> None:
    with archive.open(name, "w") as part:  # which dates it 1980, as Excel does: no time of writing
        for piece in pieces:
            part.write(piece.encode())


def _sheet(sheet: Sheet, formats: Sequence[str], texts: list[str]) -> Iterator[str]:
    """Yield a sheet in pieces, and add its texts to those of the workbook."""
    yield start_of_sheet(sheet.outline)
    names = [[len(texts) + place] for place in range(len(sheet.columns))]
    texts += [column.name for column in sheet.columns]
    yield rows(1, [cells(letters(i), 1, HEADER_STYLE, n, are_texts=True) for i, n in enumerate(names)])
    coded = [_coded(column, texts) for column in sheet.columns]
    styles = [HEADER_STYLE + 1 + formats.index(column.shown_as) for column in sheet.columns]
    for start in range(0, len(coded[0]), _ROWS_AT_A_TIME):
        piece = [values[start : start + _ROWS_AT_A_TIME].tolist() for values in coded]
        yield rows(
            start + 2,
            [
                cells(letters(i), start + 2, styles[i], values, are_texts=column.shown_as == TEXT)
                for i, (column, values) in enumerate(zip(sheet.columns, piece, strict=True))
            ],
        )
    yield end_of_sheet(sheet.outline)


def _coded(column: Column, texts: list[str]) -> NDArray[np.float64]:
    """Say a column in numbers, as the file does: days since 1899, and places among the texts."""
    values = column.values
    if column.shown_as == TEXT:
        places, distinct = pd.factorize(values.replace("", None))
        _refuse_long(column.name, distinct)
        coded = np.where(places < 0, np.nan, places + len(texts))
        texts.extend(distinct)
        return coded
    if values.dtype.kind == "M":
        days = values.to_numpy("datetime64[D]")
        return np.where(np.isnat(days), np.nan, (days - _DAY_ZERO).astype(float))
    return values.to_numpy(float, na_value=np.nan)


def _refuse_long(name: str, texts: Iterable[str]) -> None:
    long = sum(len(text.encode("utf-16-le")) > 2 * MOST_CHARACTERS for text in texts)
    if long:
        raise ContractError(
            f"column {name!r} has {long} texts of more than {MOST_CHARACTERS:,} characters, and a cell of a "
            "workbook holds no more",
            hint="[sinks] xlsx = false",
        )
