"""Refuse a table of which too many rows break the contract: most likely the mapping is wrong."""

from collections.abc import Mapping

import ibis.expr.types as ir

from features.door import number
from features.errors import ContractError
from pipelines.config import Config, OtherTable, Transactions
from pipelines.engine import Engine
from pipelines.row_count import RowCount

_READS = {
    "no_customer": ("customer_id",),
    "no_date": ("ordered_at", "occurred_at", "sent_at", "valid_from", "signed_up_at"),
    "no_recorded_date": ("recorded_at",),
    "no_amount": ("amount", "quantity", "unit_price"),
}
"""The standard columns of any table that a reason may speak of: it is the first that is mapped."""

_DATES = 'does it need a format, as in formats = {{ {0} = "%d/%m/%Y" }}? A row counts from {0} on'
_HINTS = {
    "no_customer": "is {0} mapped to the right column?",
    "no_date": _DATES,
    "no_recorded_date": _DATES,
    "no_amount": "is {0} mapped to plain numbers, such as 1234.56?",
    "refund_dropped": '[policy] refunds = "net" uses refunds',
}


def refuse_broken(
    engine: Engine, rows: RowCount, aside: ir.Table, section: Transactions | OtherTable, config: Config
) -> None:
    """Raise if more rows were set aside than the policy allows.

    Parameters
    ----------
    engine : Engine
        Finds an example.
    rows : RowCount
        Where the rows of the table went.
    aside : ibis Table
        Those set aside as the user wrote them; the last column holds the reason.
    section : Transactions or OtherTable
        The table's section of the config.
    config : Config
        For ``[policy] max_quarantined``.

    Raises
    ------
    ContractError
        Naming the table, the counts, the most frequent reason, the column it speaks of and what stands there.
    """
    n, most = rows.rows_in - rows.rows_used, config.policy.max_quarantined
    if n <= most * rows.rows_in:
        return
    worst = max(rows.rows_quarantined, key=lambda reason: rows.rows_quarantined[reason])
    read = _read_columns(worst, section.columns)
    columns = " or ".join(f"{source!r} (for {standard})" for standard, source in read.items())
    unread = f": column {columns} is empty or cannot be read" if read else ""
    raise ContractError(
        f"{section.source}: {n:,} of {rows.rows_in:,} rows break the contract, more than [policy] "
        f"max_quarantined = {most}; {rows.rows_quarantined[worst]:,} of them for {worst!r}{unread}",
        example=_unreadable(engine, aside, worst, read),
        hint=_HINTS[worst].format(" or ".join(read)),
    )


def _read_columns(reason: str, mapped: Mapping[str, str]) -> dict[str, str]:
    """Name the mapped column that a reason speaks of; where an amount is a product, both."""
    found = [name for name in _READS.get(reason, ()) if name in mapped]
    if reason != "no_amount" or "amount" in mapped:
        found = found[:1]
    return {name: mapped[name] for name in found}


def _unreadable(engine: Engine, aside: ir.Table, reason: str, read: Mapping[str, str]) -> str | None:
    """Find what is written where a date or a number should be; nothing for empty columns."""
    if reason == "no_customer":
        return None
    rows = aside.filter(aside[aside.columns[-1]] == reason)
    for source in read.values():
        text = rows[source].cast("string").strip().nullif("")
        is_wrong = number(rows[source]).isnull() if reason == "no_amount" else text.notnull()
        found = engine.frame(rows.aggregate(text=text.min(where=is_wrong)))["text"].dropna()
        if len(found):
            return str(found.iloc[0])
    return None
