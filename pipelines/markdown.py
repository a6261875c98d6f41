"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Write a table, one line a row.

    Parameters
    ----------
    names : sequence of str
        Headings.
    rows : iterable of sequences of str
        Cells, as many as there are headings.

    Examples
    --------
    >>> print(table(("unit", "stands for"), [("share", "a|b")]))
    | unit | stands for |
    | --- | --- |
    | share | a\|b |
    """
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
