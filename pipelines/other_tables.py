"""Open the tables beside the transactions: events, contacts and customers, each checked at its door."""

from dataclasses import dataclass, field

import ibis.expr.types as ir

from features.doors import COLUMNS, TableContract, contact_rows, customer_rows, event_rows
from pipelines.attribute_choice import Attributes, choose_attributes
from pipelines.broken_rows import refuse_broken
from pipelines.config import Config, OtherTable
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.row_count import RowCount
from pipelines.sources import open_other
from pipelines.zones import utc_offsets


@dataclass
class OtherTables:
    """The tables that the config names, behind the door.

    Parameters
    ----------
    tables : dict of str to ibis Table
        Used rows of ``events``, ``contacts`` and ``customers``.
    quarantine : dict of str to ibis Table
        Their raw rows that cannot be used, with the reason.
    rows : dict of str to RowCount
        Where the rows of each went.
    has : frozenset of str
        What they bring (`features.records.Records`).
    attributes : tuple of (str, str)
        Columns of the customers that become features, with their kind.
    static : frozenset of str
        Those of them that never change.
    """

    tables: dict[str, ir.Table] = field(default_factory=dict)
    quarantine: dict[str, ir.Table] = field(default_factory=dict)
    rows: dict[str, RowCount] = field(default_factory=dict)
    has: frozenset[str] = frozenset()
    attributes: Attributes = ()
    static: frozenset[str] = frozenset()


def open_others(engine: Engine, config: Config, console: Console) -> OtherTables:
    """Open, check and keep the other tables.

    A customer is known from ``valid_from`` on or, where that is not mapped, from ``signed_up_at`` on: before
    that day the shop had no row to know them by, and that it would have one says that they will sign up.
    Where neither is mapped, every row is taken as known from the first purchase on, and that is said.

    Raises
    ------
    ContractError
        If a table breaks its contract, loses more rows than ``[policy] max_quarantined`` allows, or names an
        attribute without a date that is not declared static.
    """
    found = OtherTables()
    for name in COLUMNS:
        section: OtherTable | None = getattr(config.tables, name)
        if section is None:
            continue
        raw, columns = open_other(engine, config, name)
        contract = TableContract(
            name, _dated(columns, section, console), section.source, utc_offsets(config.project.timezone)
        )
        contract.check(raw)
        found.attributes += choose_attributes(engine, raw, section, name, console)
        with console.step(f"reading {section.source}") as step:
            typed = engine.keep(_typed(raw, contract, found.attributes), name)
            found.rows[name] = RowCount.of(engine.frame(typed.group_by("reason").agg(n=typed.count())))
            step.rows = found.rows[name].rows_in
        refuse_broken(engine, found.rows[name], contract.set_aside(raw), section, config)
        found.tables[name] = engine.keep(typed.filter(typed.reason.isnull()).drop("reason"), name)
        found.quarantine[name] = engine.keep(contract.set_aside(raw), f"{name}_quarantine", in_order=True)
        found.static |= frozenset(section.static)
        found.has |= contract.has()
    return found


def _typed(raw: ir.Table, contract: TableContract, attributes: Attributes) -> ir.Table:
    if contract.kind == "customers":
        return customer_rows(raw, contract, attributes)
    return (event_rows if contract.kind == "events" else contact_rows)(raw, contract)


def _dated(columns: dict[str, str], section: OtherTable, console: Console) -> dict[str, str]:
    """Let the sign-up date a customer's row where nothing else does, and say what is taken as known."""
    if "valid_from" in columns:
        return columns
    if "signed_up_at" in columns:
        console.say(f"  {section.source}: no valid_from, so each customer is known from signed_up_at on")
        return {**columns, "valid_from": columns["signed_up_at"]}
    undated = [c for c in columns if c.startswith("acquisition_") or c == "referred_by"]
    if undated:
        console.warn(
            f"{section.source}: {', '.join(undated)}: without a date, so taken as known from the first "
            "purchase on; map signed_up_at, or valid_from, if that came later"
        )
    return columns
