"""The gate's verdict for a reviewer: every number beside its limit, as Markdown and as HTML."""

from collections.abc import Mapping, Sequence

import pandas as pd

from models.gate import Check, Verdict
from pipelines.board_page import board_page
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
    sentences = [
        f"{verdict.word}: {verdict.reason}",
        *(f"{name}: {value}" for name, value in facts.items()),
        *(f"To look into: {doubt}" for doubt in verdict.doubts),
    ]
    checks = pd.DataFrame(_rows(verdict.checks), columns=HEAD).set_index(HEAD[0])
    return board_page(title, sentences, {"What was looked at": checks}, {})


def _rows(checks: Sequence[Check]) -> list[tuple[str, str, str, str]]:
    return [("yes" if c.passed else "NO", c.name, c.value, c.limit) for c in checks]
