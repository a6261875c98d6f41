"""The gate's verdict for a reviewer: every number beside its limit, as Markdown and as HTML."""

from collections.abc import Mapping, Sequence
from html import escape

from models.gate import Check, Verdict
from pipelines.board_page import page
from pipelines.markdown import table

HEAD = ("holds", "looked at", "found", "asked for")


def gate_markdown(title: str, verdict: Verdict, facts: Mapping[str, str]) -> str:
    """Write it as Markdown.

    Parameters
    ----------
    title : str
        Its heading.
    verdict : Verdict
        Word, reason, checks and doubts.
    facts : mapping of str to str
        What was judged: versions, digest, who, when.
    """
    lines = [
        f"# {title}",
        "",
        f"**{verdict.word}**: {verdict.reason}",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        table(HEAD, _rows(verdict.checks)),
    ]
    if verdict.doubts:
        lines += ["", "To look into:", "", *(f"- {doubt}" for doubt in verdict.doubts)]
    return "\n".join(lines) + "\n"


def gate_html(title: str, verdict: Verdict, facts: Mapping[str, str]) -> str:
    """Write it as a page; arguments as `gate_markdown`."""
    body = [f"<p><strong>{escape(verdict.word)}</strong>: {escape(verdict.reason)}</p>"]
    body += [f"<p>{escape(name)}: {escape(value)}</p>" for name, value in facts.items()]
    body.append(
        "<table>"
        + "".join(_row(row, "th" if row is HEAD else "td") for row in [HEAD, *_rows(verdict.checks)])
    )
    body.append("</table>")
    body += [f"<p>To look into: {escape(doubt)}</p>" for doubt in verdict.doubts]
    return page(title, body)


def _rows(checks: Sequence[Check]) -> list[tuple[str, str, str, str]]:
    return [("yes" if c.passed else "NO", c.name, c.value, c.limit) for c in checks]


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
