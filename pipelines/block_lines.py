"""Sections of a report as lines of a terminal: the same sentences, figures and tables; pictures stay out."""

from collections.abc import Iterator, Sequence

from pipelines.console import table
from pipelines.report_blocks import Chart, Defined, Figures, Part, Said, Section, Table
from pipelines.words import Voice

SHOWN = 10
"""Rows of a table; the latest stand last, and are those that are shown."""


def section_lines(sections: Sequence[Section], voice: Voice) -> Iterator[str]:
    """Write sections, an empty line before each."""
    for section in sections:
        yield ""
        yield section.title
        for part in section.parts:
            yield from map(on_a_screen, _lines(part, voice))


def _lines(part: Part, voice: Voice) -> Iterator[str]:
    if isinstance(part, Said):
        yield f"  {part.text}"
    elif isinstance(part, Figures | Defined):
        yield from (f"  {label}: {value}" for label, value in part.items)
    else:
        yield from _table(part.table if isinstance(part, Chart) else part, voice)


def _table(part: Table, voice: Voice) -> Iterator[str]:
    rows = [list(map(on_a_screen, row)) for row in part.rows[-SHOWN:]]
    yield f"  {part.caption}"
    if len(rows) < len(part.rows):
        told = {"n": voice.number(len(rows)), "all": voice.number(len(part.rows))}
        yield f"  {voice('card.latest', **told)}"
    columns = len(part.head)
    texts = [n for n in range(columns) if n < part.texts or n >= columns - part.last_texts]
    yield from (f"    {line}" for line in table(list(part.head), rows, texts))


def on_a_screen(text: str) -> str:
    r"""Take out what works on a screen: control signs, line ends, marks that turn the line around.

    Examples
    --------
    >>> on_a_screen("ann\x1b[2J"), on_a_screen("Lan Nguyễn")
    ('ann�[2J', 'Lan Nguyễn')
    """
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
