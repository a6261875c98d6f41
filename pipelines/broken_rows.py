"""Refuse a table of which too many rows break the contract: most likely the mapping is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd

from features.door import number
from features.errors import ContractError
from pipelines.config import Config, OtherTable, Transactions
from pipelines.engine import Engine
from pipelines.guess_dates import likely_formats, read_dates
from pipelines.plain_words import form_of
from pipelines.row_count import RowCount

_READS = {
    "no_customer": ("customer_id",),
    "no_date": ("ordered_at", "occurred_at", "sent_at", "valid_from", "signed_up_at"),
    "no_recorded_date": ("recorded_at",),
    "no_amount": ("amount", "quantity", "unit_price"),
}
"""The standard columns of any table that a reason may speak of: it is the first that is mapped."""

_HINTS = {
    "no_customer": "is {0} mapped to the right column?",
    "no_amount": "is {0} mapped to plain numbers, such as 1234.56?",
    "refund_dropped": '[policy] refunds = "net" uses refunds',
}
_DATES = ("no_date", "no_recorded_date")
_FEW = 100
"""So many different values tell how dates are written."""


@dataclass(frozen=True)
class Reason:
    """Why most of the rows that are set aside are: what is wrong, the form of an example, what would help."""

    name: str
    n: int
    column: str
    example: str | None
    hint: str

    def said(self) -> str:
        """Say it for people, but for its name.

        Examples
        --------
        >>> Reason("no_date", 9, "'day' (for ordered_at)", "13/25/2024", "is it a date?").said()
        "column 'day' (for ordered_at); for example '13/25/2024'; is it a date?"
        """
        parts = [
            f"column {self.column}" if self.column else "",
            f"for example {self.example!r}" if self.example else "",
            self.hint,
        ]
        return "; ".join(filter(None, parts))


def refuse_broken(
    engine: Engine, rows: RowCount, aside: ir.Table, section: Transactions | OtherTable, config: Config
) -> None:
    """Raise if more rows cannot be used than the policy allows; those left out on purpose are none of them.

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
    n, most = sum(rows.broken.values()), config.policy.max_quarantined
    if n <= most * rows.rows_wanted:
        return
    worst = main_reason(engine, rows, aside, section)
    unread = f": column {worst.column} is empty or cannot be read" if worst.column else ""
    of = f"{rows.rows_wanted:,} rows" + (f" ({rows.left_out:,} more are left out)" if rows.left_out else "")
    raise ContractError(
        f"{section.source}: {n:,} of {of} break the contract, more than [policy] "
        f"max_quarantined = {most}; {worst.n:,} of them for {worst.name!r}{unread}",
        example=worst.example,
        hint=worst.hint,
    )


def main_reason(
    engine: Engine, rows: RowCount, aside: ir.Table, section: Transactions | OtherTable
) -> Reason:
    """Find out why most of the rows that cannot be used cannot.

    Parameters
    ----------
    engine, rows, aside, section
        As of `refuse_broken`; at least one row cannot be used.
    """
    worst = max(rows.broken, key=lambda reason: rows.broken[reason])
    return find_reason(engine, rows, aside, section, worst)


def find_reason(
    engine: Engine, rows: RowCount, aside: ir.Table, section: Transactions | OtherTable, reason: str
) -> Reason:
    """Find out what is wrong with the rows that are set aside for one reason.

    Parameters
    ----------
    engine, rows, aside, section
        As of `refuse_broken`.
    reason : str
        One that rows are set aside for, other than those left out on purpose.
    """
    read = _read_columns(reason, section.columns)
    found = _unreadable(engine, aside, reason, read)
    if reason in _DATES:
        (standard, _), *_ = read.items()
        hint = _date_hint(standard, found, section.formats.get(standard))
    else:
        hint = _HINTS[reason].format(" or ".join(read))
    columns = " or ".join(f"{source!r} (for {standard})" for standard, source in read.items())
    return Reason(reason, rows.broken[reason], columns, form_of(found[0]) if found else None, hint)


def _date_hint(standard: str, found: list[str], asked: str | None) -> str:
    """Name the format that reads what stands there, if there is one."""
    counts = f"a row counts from {standard} on"
    if not found:
        return f"is {standard} mapped to the right column? {counts}"
    reading = read_dates(pd.Series(found))
    if reading is None and (likely := likely_formats(found)):  # some of them are no dates at all
        return f'most read with formats = {{ {standard} = "{likely[0]}" }}; {counts}'
    if reading is None:
        told = f"{asked!r} does not read them" if asked else "no format is set"
        return f"these are no dates of a known form, and {told}; {counts}"
    if reading.format is None:
        return f"they read without a format: take {standard} out of formats; {counts}"
    rival = f" (or {reading.rival}: look which comes first, day or month)" if reading.rival else ""
    return f'set formats = {{ {standard} = "{reading.format}" }}{rival}; {counts}'


def _read_columns(reason: str, mapped: Mapping[str, str]) -> dict[str, str]:
    """Name the mapped column that a reason speaks of; where an amount is a product, both."""
    found = [name for name in _READS.get(reason, ()) if name in mapped]
    if reason != "no_amount" or "amount" in mapped:
        found = found[:1]
    return {name: mapped[name] for name in found}


def _unreadable(engine: Engine, aside: ir.Table, reason: str, read: Mapping[str, str]) -> list[str]:
    """Find what is written where a date or a number should be; nothing for empty columns."""
    if reason == "no_customer":
        return []
    rows = aside.filter(aside[aside.columns[-1]] == reason)
    for source in read.values():
        text = rows[source].cast("string").strip().nullif("")
        is_wrong = number(rows[source]).isnull() if reason == "no_amount" else text.notnull()
        wrong = rows.filter(is_wrong & text.notnull()).select(text=text).distinct()
        found = engine.frame(wrong.order_by("text").limit(_FEW))["text"]
        if len(found):
            return [str(value) for value in found]
    return []
