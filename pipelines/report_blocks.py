"""What a report is made of: sections of sentences, figures, charts and tables, all of it plain text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

NONE = "–"
"""What a cell says that has no value."""


@dataclass(frozen=True)
class Said:
    """A sentence; `strong` for what must not be missed, `language` where it is not the page's."""

    kind: ClassVar[str] = "said"
    text: str
    strong: bool = False
    language: str = ""


@dataclass(frozen=True)
class Figures:
    """A row of numbers, each with what it is."""

    kind: ClassVar[str] = "figures"
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table of text.

    Parameters
    ----------
    caption : str
        What it shows.
    head : sequence of str
        Headings; the first column names the rows.
    rows : sequence of sequence of str
        As many cells as headings.
    texts : int
        So many columns, from the first, are text; the others are numbers.
    last_texts : int
        So many, from the last, are text too.
    notes : sequence of str
        A text for each row that stands below it, across all columns; or none.
    """

    kind: ClassVar[str] = "table"
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    last_texts: int = 0
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """A picture and the table of what it shows; `alt` says it to those who cannot see it."""

    kind: ClassVar[str] = "chart"
    svg: str
    alt: str
    table: Table


@dataclass(frozen=True)
class Defined:
    """Terms, each with what it means."""

    kind: ClassVar[str] = "defined"
    items: Sequence[tuple[str, str]]


Part = Said | Figures | Table | Chart | Defined


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading; `name` is that of its anchor."""

    name: str
    title: str
    parts: Sequence[Part] = field(default_factory=list)
