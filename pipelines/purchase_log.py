"""From the configured sources to the records that histories are made of, with every row accounted for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis.expr.types as ir

from features.calendar import day_number
from features.catalogue import visible_features
from features.door import at_the_door, count_rows, keep_lines, set_aside
from features.feature import Feature
from features.grains import FOREVER
from features.history import History, make_history
from features.periods import Period
from features.records import KNOWN_FROM, Records
from pipelines.broken_rows import refuse_broken
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.other_tables import open_others
from pipelines.period_rows import find_period, placed_in_period
from pipelines.row_count import RowCount
from pipelines.sources import open_transactions
from pipelines.span import LogSpan, find_span


@dataclass(frozen=True)
class PurchaseLog:
    """A shop's tables behind the door.

    Parameters
    ----------
    records : Records
        The rows that are used.
    quarantine : dict of str to ibis Table
        Rows of each table set aside, with their reason.
    rows : RowCount
        Where the transactions went.
    other_rows : dict of str to RowCount
        The same for the other tables.
    span : LogSpan
        From when to when it goes.
    period : Period
        What a date of the log stands for; cutoffs lie where one starts.
    """

    records: Records
    quarantine: dict[str, ir.Table]
    rows: RowCount
    other_rows: dict[str, RowCount]
    span: LogSpan
    period: Period
    _histories: dict[date, History] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def first_order_day(self) -> date:
        """Day of the first purchase."""
        return self.span.first_order_day

    @property
    def first_day(self) -> date:
        """First day on which a purchase is known."""
        return self.span.first_day

    @property
    def end(self) -> date:
        """The day after the newest on which a purchase became known."""
        return self.span.end

    @property
    def lines(self) -> ir.Table:
        """The used lines of the transactions."""
        return self.records.lines

    def all_rows(self) -> dict[str, RowCount]:
        """Where the rows of every table went, by its name in the config."""
        return {"transactions": self.rows, **self.other_rows}

    def row_lines(self) -> list[str]:
        """Say for people where the rows went."""
        others = [line for name, rows in self.other_rows.items() for line in rows.lines(name)]
        return [*self.rows.lines(), *others]

    @property
    def has_amounts(self) -> bool:
        """False for a log without money."""
        return "amounts" in self.records.has

    def history(self, engine: Engine, at: date) -> History:
        """Return what was known at one date; made once, however many look at it."""

        def keep(table: ir.Table, name: str) -> ir.Table:
            return engine.keep(table, f"{name}_at_{day_number(at)}")  # another history would take its place

        if at not in self._histories:
            self._histories[at] = make_history(self.records, keep, at)
        return self._histories[at]

    def features(self, horizons: Sequence[int]) -> tuple[Feature, ...]:
        """Return the features that the shop's tables allow."""
        return visible_features(horizons, self.records.has, self.records.attributes)


def open_log(engine: Engine, config: Config, console: Console) -> PurchaseLog:
    """Read the tables, check them once, and keep what is used on the engine.

    Raises
    ------
    ContractError
        If a table breaks its contract or too many transactions do.
    NotReady
        If no purchase is left.
    """
    raw, columns = open_transactions(engine, config)
    contract = config.contract(columns)
    door = at_the_door(raw, contract)
    with console.step(f"reading {contract.name}") as step:
        lines = keep_lines(door, contract, engine.keep)
        quarantine = engine.keep(set_aside(door), "quarantine", in_order=True)
        rows = RowCount.of(engine.frame(count_rows(lines, quarantine)))
        step.rows = rows.rows_in
    refuse_broken(engine, rows, quarantine, config.tables.transactions, config)
    others = open_others(engine, config, console)
    period = find_period(engine, lines)
    if period.kind != "day":
        period.check_horizons(config.target.horizons)
        console.say(f"  {period.said(config.target.horizons)}")
        lines = engine.keep(placed_in_period(engine, lines, period), "lines")
    span = find_span(engine, lines, period)
    if span.stray:
        console.warn(span.said())
    records = Records(
        lines,
        **others.tables,
        has=contract.has | others.has,
        attributes=others.attributes,
        static=others.static,
        cancellation_prefix=contract.cancellation_prefix,
    )
    quarantines = {"transactions": quarantine, **others.quarantine}
    return PurchaseLog(records, quarantines, rows, others.rows, span, period)


def require_purchase(log: PurchaseLog, source: str, before: date) -> None:
    """Refuse a date before which the log knows of no purchase.

    Raises
    ------
    NotReady
        Naming the day of the first.
    """
    if before <= log.first_day:
        raise NotReady(f"{source}: no purchase before {before}; the first of the log is on {log.first_day}")


def fingerprints(engine: Engine, records: Records, as_of: date) -> dict[str, str]:
    """Digest what each table shows before `as_of`: the same content in any order and file, the same text."""
    day = day_number(as_of)
    found = {}
    for name, table in records.tables().items():
        known = table[KNOWN_FROM[name]].fill_null(-FOREVER)
        found["transactions" if name == "lines" else name] = _digest(engine, table.filter(known < day))
    return found


def _digest(engine: Engine, visible: ir.Table) -> str:
    texts: list[Any] = [visible[c].cast("string").fill_null("") for c in sorted(visible.columns)]
    text = texts[0]
    for another in texts[1:]:
        text = text.concat("\x1f", another)
    digest = engine.digest(text)
    sums = visible.mutate(high=digest // 2**32, low=digest % 2**32).aggregate(
        n=lambda t: t.count(), high=lambda t: t.high.sum(), low=lambda t: t.low.sum()
    )
    row = engine.frame(sums).iloc[0]
    content = f"{row['n']}:{row['high']}:{row['low']}"
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()
