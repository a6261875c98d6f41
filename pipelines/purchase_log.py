"""From the configured source to the ledger that Snapshots are taken from, with every row accounted for."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir

from features.door import at_the_door, count_rows, set_aside, used_lines
from features.errors import ContractError
from features.grains import order_ledger
from features.snapshot import day_number
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.sources import open_transactions
from pipelines.span import core_span


@dataclass(frozen=True)
class RowCount:
    """Where the rows of a table went: ``rows_in = rows_used + sum(rows_quarantined)``.

    Parameters
    ----------
    rows_in, rows_used : int
        Rows of the source, and those that keep the contract.
    rows_netted : int
        Of the used: refunds and cancellations, which reduce what they refund.
    rows_quarantined : dict of str to int
        Reason to rows that are set aside.
    """

    rows_in: int
    rows_used: int
    rows_netted: int
    rows_quarantined: dict[str, int]

    def lines(self) -> list[str]:
        """Say it for people."""
        aside = ", ".join(f"{reason} {n:,}" for reason, n in self.rows_quarantined.items()) or "none"
        return [
            f"rows: {self.rows_in:,} read = {self.rows_used:,} used + {self.rows_in - self.rows_used:,} "
            f"set aside ({aside}); {self.rows_netted:,} of the used are refunds or cancellations"
        ]


@dataclass(frozen=True)
class PurchaseLog:
    """A log behind the door.

    Parameters
    ----------
    lines, ledger, quarantine : ibis Table
        Used lines; what they add up to (`features.grains`); rows set aside with their reason.
    rows : RowCount
        Where the rows went.
    first_day, end : date
        First day on which a purchase is known; the day after the newest one. Stray dates do not count.
    stray : int
        Rows whose dates lie far outside (`pipelines.span`).
    has_amounts : bool
        False for a log without money.
    cancellation_prefix : str or None
        What a cancelled order's number begins with.
    """

    lines: ir.Table
    ledger: ir.Table
    quarantine: ir.Table
    rows: RowCount
    first_day: date
    end: date
    stray: int
    has_amounts: bool
    cancellation_prefix: str | None


def open_log(engine: Engine, config: Config, console: Console) -> PurchaseLog:
    """Read the log, check it once, and keep its ledger on the engine.

    Raises
    ------
    ContractError
        If the log breaks its contract or too many of its rows do.
    NotReady
        If no purchase is left.
    """
    raw, columns = open_transactions(engine, config)
    contract = config.contract(columns)
    door = at_the_door(raw, contract)
    with console.step(f"reading {contract.name}"):
        lines = engine.keep(used_lines(door), "lines")
        quarantine = engine.keep(set_aside(door), "quarantine")
    rows = _count(engine, raw, door)
    _refuse_broken(rows, config)
    with console.step("from lines to orders to purchase days"):
        ledger = engine.keep(order_ledger(lines, contract.cancellation_prefix), "ledger")
    first_day, end, stray = _span(engine, ledger)
    if stray:
        console.say(
            f"  {stray:,} rows lie more than a year outside {first_day} to {end}: broken dates? "
            "They do not set the span"
        )
    return PurchaseLog(
        lines,
        ledger,
        quarantine,
        rows,
        first_day,
        end,
        stray,
        contract.has_amounts,
        contract.cancellation_prefix,
    )


def _count(engine: Engine, raw: ir.Table, door: ir.Table) -> RowCount:
    by_reason = engine.frame(count_rows(door))
    used = by_reason["reason"].isna()
    aside = by_reason[~used].sort_values("reason")
    return RowCount(
        rows_in=engine.number(raw.count()),
        rows_used=int(by_reason.loc[used, "n"].sum()),
        rows_netted=int(by_reason.loc[used, "n_refunds"].sum()),
        rows_quarantined={str(r): int(n) for r, n in zip(aside["reason"], aside["n"], strict=True)},
    )


def _refuse_broken(rows: RowCount, config: Config) -> None:
    aside, source = rows.rows_in - rows.rows_used, config.tables.transactions.source
    if aside > config.policy.max_quarantined * rows.rows_in:
        worst = max(rows.rows_quarantined, key=lambda r: rows.rows_quarantined[r])
        raise ContractError(
            f"{source}: {aside:,} of {rows.rows_in:,} rows break the contract, more than [policy] "
            f"max_quarantined = {config.policy.max_quarantined}; most for {worst!r}",
            hint=_HINTS.get(worst, "look at the mapping in [tables.transactions] columns"),
        )


_HINTS = {
    "no_customer": "is customer_id mapped to the right column?",
    "no_date": 'does ordered_at need a format, as in formats = { ordered_at = "%d/%m/%Y" }?',
    "no_amount": "are amount, or quantity and unit_price, plain numbers?",
}


def _span(engine: Engine, ledger: ir.Table) -> tuple[date, date, int]:
    bought = ledger.filter(ledger.n_lines > 0)
    days = engine.frame(bought.group_by("known_day").agg(n=bought.n_lines.sum()).order_by("known_day"))
    if days.empty:
        raise NotReady("no purchase is left after the refunds and the rows set aside")
    first, last, stray = core_span(days["known_day"].to_numpy(), days["n"].to_numpy())
    return first, last + timedelta(1), stray


def require_purchase(log: PurchaseLog, source: str, before: date) -> None:
    """Refuse a date before which the log knows of no purchase.

    Raises
    ------
    NotReady
        Naming the day of the first.
    """
    if before <= log.first_day:
        raise NotReady(f"{source}: no purchase before {before}; the first of the log is on {log.first_day}")


def fingerprint(engine: Engine, ledger: ir.Table, as_of: date) -> str:
    """Digest what is visible before `as_of`: the same content in any order and file gives the same text."""
    visible = ledger.filter(ledger.known_day < day_number(as_of))
    fields: list[Any] = [visible[c].cast("string").fill_null("") for c in visible.columns]
    text = fields[0]
    for field in fields[1:]:
        text = text.concat("\x1f", field)
    digest = text.hash()
    sums = visible.mutate(high=digest // 2**32, low=digest % 2**32).aggregate(
        n=lambda t: t.count(), high=lambda t: t.high.sum(), low=lambda t: t.low.sum()
    )
    row = engine.frame(sums).iloc[0]
    content = f"{row['n']}:{row['high']}:{row['low']}"
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()
