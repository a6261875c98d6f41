"""Open the tables beside the transactions: events, contacts and customers, each checked at its door."""

from dataclasses import dataclass, field

import ibis.expr.types as ir

from features.attributes import is_sensitive
from features.doors import COLUMNS, TableContract, contact_rows, customer_rows, event_rows
from features.errors import ContractError
from pipelines.config import Config, OtherTable
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.row_count import RowCount
from pipelines.sources import open_other
from pipelines.zones import utc_offsets

Attributes = tuple[tuple[str, str], ...]


@dataclass
class OtherTables:
    """The tables that the config names, behind the door.

    Parameters
    ----------
    tables : dict of str to ibis Table
        Used rows of ``events``, ``contacts`` and ``customers``.
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
    rows: dict[str, RowCount] = field(default_factory=dict)
    has: frozenset[str] = frozenset()
    attributes: Attributes = ()
    static: frozenset[str] = frozenset()


def open_others(engine: Engine, config: Config, console: Console) -> OtherTables:
    """Open, check and keep the other tables.

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
        contract = TableContract(name, columns, section.source, utc_offsets(config.project.timezone))
        if name == "customers":
            found.attributes = _attributes(engine, raw, section, console)
            found.static = frozenset(section.static)
        with console.step(f"reading {section.source}"):
            typed = engine.keep(_typed(raw, contract, found.attributes), f"{name}_typed")
        found.rows[name] = _counted(engine, typed)
        _refuse_broken(found.rows[name], section.source, config)
        found.tables[name] = engine.keep(typed.filter(typed.reason.isnull()).drop("reason"), name)
        found.has |= contract.has()
    return found


def _typed(raw: ir.Table, contract: TableContract, attributes: Attributes) -> ir.Table:
    if contract.kind == "customers":
        return customer_rows(raw, contract, attributes)
    return (event_rows if contract.kind == "events" else contact_rows)(raw, contract)


def _counted(engine: Engine, typed: ir.Table) -> RowCount:
    by_reason = engine.frame(typed.group_by("reason").agg(n=typed.count()))
    used = by_reason["reason"].isna()
    aside = by_reason[~used].sort_values("reason")
    return RowCount(
        rows_in=int(by_reason["n"].sum()),
        rows_used=int(by_reason.loc[used, "n"].sum()),
        rows_netted=0,
        rows_quarantined={str(r): int(n) for r, n in zip(aside["reason"], aside["n"], strict=True)},
    )


def _refuse_broken(rows: RowCount, source: str, config: Config) -> None:
    aside = rows.rows_in - rows.rows_used
    if aside > config.policy.max_quarantined * rows.rows_in:
        worst = max(rows.rows_quarantined, key=lambda reason: rows.rows_quarantined[reason])
        raise ContractError(
            f"{source}: {aside:,} of {rows.rows_in:,} rows break the contract, more than [policy] "
            f"max_quarantined = {config.policy.max_quarantined}; most for {worst!r}",
            hint="look at the columns of this table in the config, and at the formats of its dates",
        )


def _attributes(engine: Engine, raw: ir.Table, section: OtherTable, console: Console) -> Attributes:
    """Choose the attributes that may become features, and tell which may not, and why."""
    named = list(dict.fromkeys([*section.attributes, *section.static]))
    _refuse_undated(named, section)
    off = [name for name in named if is_sensitive(name) and name not in section.sensitive]
    if off:
        console.say(
            f"  {section.source}: {', '.join(off)}: sensitive, so not used; to use them all the same, name "
            "them in [tables.customers] sensitive"
        )
    return tuple((name, _kind(engine, raw, name, section.source)) for name in named if name not in off)


def _refuse_undated(named: list[str], section: OtherTable) -> None:
    undated = [] if "valid_from" in section.columns else [n for n in named if n not in section.static]
    if undated:
        raise ContractError(
            f"{section.source}: {len(undated)} attributes have no date from which they are known, and what is "
            "true today was not true last year",
            example=undated[0],
            hint="map valid_from, or name those that never change in [tables.customers] static",
        )


def _kind(engine: Engine, raw: ir.Table, name: str, source: str) -> str:
    """Say whether an attribute is a number; text is if all of it can be read as one."""
    if name not in raw.columns:
        raise ContractError(
            f"{source}: attribute {name!r} is missing among {len(raw.columns)} columns",
            example=raw.columns[0],
            hint="[tables.customers] attributes and static name columns of the table",
        )
    column = raw[name]
    if not column.type().is_string():
        return "number" if column.type().is_numeric() or column.type().is_boolean() else "category"
    words = (column.strip().nullif("").notnull() & column.try_cast("float64").isnull()).cast("int64").sum()
    return "category" if engine.number(words.fill_null(0)) else "number"
