"""A comparison as one HTML file: tables and pictures inside it, nothing to fetch, nothing to run."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:  # a page without pictures, as the gate's, needs no matplotlib
    from matplotlib.figure import Figure

STYLE = """body{font:15px/1.5 sans-serif;margin:2em auto;max-width:72em;padding:0 1em}
table{border-collapse:collapse;margin:1em 0}
td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}img{max-width:32em;width:100%}"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def board_page(
    title: str,
    sentences: Sequence[str],
    boards: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure],
) -> str:
    """Write a page.

    Parameters
    ----------
    title : str
        Its heading.
    sentences : sequence of str
        What the tables say, in words.
    boards : mapping of str to DataFrame
        Heading to a table with a row a candidate; empty ones are left out.
    figures : mapping of str to Figure
        What a picture shows, to the picture.

    Returns
    -------
    str
        HTML. All text is escaped: names of candidates and files come from outside.
    """
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(text)}</p>" for text in sentences)]
    for heading, board in boards.items():
        if not board.empty:
            parts += [f"<h2>{escape(heading)}</h2>", _table(board)]
    parts += [_picture(words, figure) for words, figure in figures.items()]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _table(board: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in [board.index.name, *board.columns])
    rows = [
        f"<tr><td>{escape(str(name))}</td>{''.join(f'<td>{escape(_cell(v))}</td>' for v in row)}</tr>"
        for name, row in zip(board.index, board.astype(object).to_numpy().tolist(), strict=True)
    ]
    return f"<table><tr>{head}</tr>\n" + "\n".join(rows) + "</table>"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _picture(words: str, figure: Figure) -> str:
    buffer = BytesIO()
    # No software version or date in the file: the same figures give the same page.
    figure.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{data}">'
