"""Records: the input tables behind the door, and which of their optional columns the shop has."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import ibis.expr.types as ir

KNOWN_FROM = {"lines": "known_day", "events": "day", "contacts": "day", "customers": "known_day"}
"""The tables, and the column that tells the day from which a row is known."""


@dataclass(frozen=True)
class Records:
    """What a shop has written down.

    Parameters
    ----------
    lines : ibis Table
        The line grain of `features.door.used_lines`.
    events, contacts, customers : ibis Table, optional
        As `features.doors` types them.
    has : frozenset of str
        Optional columns that are mapped: ``"product_id"``, …; those of other tables with their table,
        ``"events.duration_s"``; and ``"events"``, ``"contacts"``, ``"customers"`` themselves.
    attributes : tuple of (str, str)
        Columns of ``customers`` that become features, each with ``"number"`` or ``"category"``.
    static : frozenset of str
        Those of them that never change, and so may be known without a date.
    cancellation_prefix : str, optional
        What a cancelled order's number carries before the number of the order it cancels.
    """

    lines: ir.Table
    events: ir.Table | None = None
    contacts: ir.Table | None = None
    customers: ir.Table | None = None
    has: frozenset[str] = frozenset()
    attributes: tuple[tuple[str, str], ...] = ()
    static: frozenset[str] = frozenset()
    cancellation_prefix: str | None = None

    def tables(self) -> dict[str, ir.Table]:
        """Return the tables that are there, by name."""
        named = {name: getattr(self, name) for name in KNOWN_FROM}
        return {name: table for name, table in named.items() if table is not None}

    def changed(self, change: Callable[[ir.Table, str], ir.Table]) -> "Records":
        """Replace every table by what `change` makes of it, given the table and its name."""
        return replace(self, **{name: change(table, name) for name, table in self.tables().items()})
