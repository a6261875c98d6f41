"""Columns of a source that are not what they were when the model was trained."""

from collections.abc import Mapping, Sequence

from models.findings import Finding

NAMES = (
    "customer_id", "order_id", "product_id", "category", "channel", "event_type", "session_id", "page",
    "campaign_id", "acquisition_channel", "referred_by",
)  # fmt: skip
"""Standard columns whose values are names: written otherwise, they are other names."""


def judge_columns(
    table: str, source: str, used: Mapping[str, str], before: Mapping[str, str], now: Mapping[str, str]
) -> Finding | None:
    """Say which used columns hold something else than before; None if none does.

    That a number or a time which was text is one now is no loss, and is not said; of a name it is.

    Parameters
    ----------
    table, source : str
        The table's name in the config, and its source.
    used : Mapping[str, str]
        Standard column to the source's column, for those that the config names.
    before, now : Mapping[str, str]
        Column of the source to what it held, and holds.
    """
    changed = [
        (standard, column)
        for standard, column in used.items()
        if column in before and column in now and before[column] != now[column]
        and (standard in NAMES or before[column] != "text")
    ]  # fmt: skip
    if not changed:
        return None
    said = ", ".join(
        f"{column!r} (for {standard}) holds {held(now[column])} and held {held(before[column])}"
        for standard, column in changed[:3]
    )
    more = f", and {len(changed) - 3} more" if len(changed) > 3 else ""
    risk = (
        "ids that are written in another way are other customers"
        if any(standard in NAMES for standard, _ in changed)
        else "values that cannot be read are set aside"
    )
    text = f"{source}: column {said}{more}, when the champion was trained: {risk}"
    numbers = {column: [before[column], now[column]] for _, column in changed}
    return Finding("warning", f"{table}_columns", text, {"changed": numbers})


def held(kind: str) -> str:
    """Say what a column of a kind holds.

    Examples
    --------
    >>> held("number"), held("text")
    ('numbers', 'text')
    """
    plural = {"number": "numbers", "time": "times", "boolean": "yes or no", "other": "something else"}
    return plural.get(kind, kind)


def renamed(gone: str, before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """Name the one column that may be the gone one under another name; None where that is not clear.

    Parameters
    ----------
    gone : str
        Column of the source.
    before, now : Mapping[str, str]
        Column to what it held, and holds.

    Examples
    --------
    >>> renamed("total", {"id": "text", "total": "number"}, {"id": "text", "sum": "number"})
    'sum'
    >>> renamed("total", {"total": "number"}, {"sum": "number", "tax": "number"})
    """
    new: Sequence[str] = [column for column in now if column not in before]
    alike = [column for column in new if now[column] == before.get(gone)]
    return alike[0] if len(alike) == 1 else None
