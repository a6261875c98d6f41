"""Whether orders that came to nothing, as a status tells, are left out, and by the right words."""

from collections.abc import Sequence

from models.findings import Finding, Severity

SHOWN = 8
"""So many words of a column are listed."""

MOST = 0.5
"""Share of the rows from which on it is doubtful that the words are those of orders that came to nothing."""

Words = Sequence[tuple[str, int]]
"""Words of a column and in how many rows they stand, the most frequent first."""


def judge_left_out(source: str, column: str, values: Sequence[str], n: int, rows_in: int) -> Finding:
    """Say how many rows the policy leaves out by their status.

    Parameters
    ----------
    source, column : str
        The log and its column.
    values : sequence of str
        The words of the policy.
    n, rows_in : int
        Rows that are left out, of so many.
    """
    share = n / rows_in
    numbers = {"column": column, "values": [*values], "rows": n, "share": share}
    text = f"{source}: {n:,} of {rows_in:,} rows ({share:.1%}) say {_quoted(values)} in {column!r}"
    text += " and are left out"
    severity: Severity = "warning" if share >= MOST else "ok"
    if severity == "warning":
        text += ": are these the words of orders that came to nothing?"
    return Finding(severity, "left_out", text, numbers)


def judge_no_row(
    source: str, column: str, values: Sequence[str], said: Words, meant: Sequence[str], n_own: int = 0
) -> Finding:
    """Say that no row has the words of the policy, and what the column says instead.

    Parameters
    ----------
    source, column, values
        As of `judge_left_out`.
    said : sequence of (str, int)
        What stands in the column.
    meant : sequence of str
        What of that could have been meant.
    n_own : int
        Words beside those, of a few customers each, that are not shown.
    """
    text = f"{source}: no row says {_quoted(values)} in {column!r}, which [policy] leave_out names; "
    more = f"{n_own:,} {'other ' if said else ''}words, of a few customers each" if n_own else ""
    there = ", ".join(filter(None, [counted(said) if said else "", more]))
    text += f"what stands there: {there}" if there else "the column is empty"
    text += f"; did you mean {_quoted(meant)}?" if meant else ""
    numbers = {"column": column, "values": [*values], "rows": 0, "words": dict(said[:SHOWN])}
    return Finding("warning", "left_out", text, numbers)


def judge_not_asked(source: str, column: str, undone: Words, rows_in: int, key: str) -> Finding:
    """Say that orders which look cancelled count as purchases.

    Parameters
    ----------
    source, column : str
        The log and its column.
    undone : sequence of (str, int)
        Words of orders that came to nothing.
    rows_in : int
        Rows of the log.
    key : str
        What the config would say to leave them out.
    """
    n = sum(rows for _, rows in undone)
    text = (
        f"{source}: {n:,} of {rows_in:,} rows ({n / rows_in:.1%}) look like orders that came to nothing and "
        f"count as purchases: column {column!r} says {counted(undone)}; to leave them out, write under "
        f"[policy]: {key}"
    )
    numbers = {"column": column, "rows": n, "share": n / rows_in, "words": dict(undone)}
    return Finding("warning", "left_out", text, numbers)


def counted(words: Words) -> str:
    """List words with their rows.

    Examples
    --------
    >>> counted([("done", 1200), ("cancelled", 7)])
    "'done' (1,200), 'cancelled' (7)"
    """
    more = f" and {len(words) - SHOWN:,} more" if len(words) > SHOWN else ""
    return ", ".join(f"{word!r} ({n:,})" for word, n in words[:SHOWN]) + more


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(map(repr, words))
