"""Whom a card is about: the customer by the shop's own id, or by pseudonym, and why a run lacks somebody."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.calendar import day_from_number
from features.errors import ContractError
from features.one_customer import first_known
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.pseudonyms import PSEUDONYM, own_pseudonyms
from pipelines.published_runs import SCORES, Run
from pipelines.purchase_log import PurchaseLog
from pipelines.score_file import opened

BLANKS = " \t\n\r"
"""Around an id they do not count, as at the door."""


@dataclass(frozen=True)
class Person:
    """A customer's names.

    Parameters
    ----------
    own_id : str or None
        The shop's; None for a pseudonym whose customer the log has lost.
    pseudonym : str or None
        By the present key; None where the shop has none.
    is_hidden : bool
        Whether `[privacy]` asks for the pseudonym.
    """

    own_id: str | None
    pseudonym: str | None
    is_hidden: bool

    @property
    def shown(self) -> str:
        """What the card calls them."""
        return str(self.pseudonym if self.is_hidden or self.own_id is None else self.own_id)

    def name_in(self, run: Run) -> str | None:
        """What a run calls them."""
        return self.pseudonym if run.has_pseudonyms else self.own_id


def find_person(engine: Engine, log: PurchaseLog, config: Config, run: Run, given: str) -> Person:
    """Find the customer of that name in the log, or else in the run.

    Raises
    ------
    ContractError
        If there is none. Neither it nor its hint names anybody else.
    """
    name, is_hidden = given.strip(BLANKS), config.privacy.lists == "pseudonyms"
    own_id = name if _is_in(engine, log.lines, name) else None
    if own_id is None and is_hidden and PSEUDONYM.fullmatch(name):
        own_id = _behind(engine, log, config, name)
        if own_id is None and run.has_pseudonyms and is_listed(run, name, engine):
            return Person(None, name, is_hidden)
    if own_id is None and not run.has_pseudonyms and is_listed(run, name, engine):
        own_id = name  # whom the log has lost
    if own_id is None:
        column = config.tables.transactions.columns["customer_id"]
        also = ", or a pseudonym made with the present key" if is_hidden else ""
        raise ContractError(
            "the log has no such customer",
            hint=f"an id as it stands in column {column!r}, capital letters and zeros and all{also}; "
            "rows that were set aside do not count",
        )
    return Person(own_id, _pseudonym(config, own_id, must_be=is_hidden), is_hidden)


def _pseudonym(config: Config, own_id: str, *, must_be: bool) -> str | None:
    """Name a customer by the shop's key; a shop that asks for no pseudonyms need not have one."""
    try:
        return own_pseudonyms(config, create=must_be).of(own_id)
    except ContractError:
        if must_be:
            raise
        return None


def table_of(engine: Engine, ids: Sequence[str]) -> ir.Table:
    """Lay ids into a table of the engine: no text from outside is then part of a query."""
    file = engine.folder / "wanted.parquet"
    pq.write_table(pa.table({"customer_id": pa.array(ids, pa.string())}), file)
    return engine.read_fetched(file)


def is_listed(run: Run, name: str, engine: Engine) -> bool:
    """Tell whether a run has scores under a name."""
    with opened(engine.folder, run.folder / SCORES) as (scores,):
        return bool(scores.filter(scores.customer_id == name).count().execute())


def _is_in(engine: Engine, lines: ir.Table, name: str) -> bool:
    return bool(engine.number(lines.semi_join(table_of(engine, [name]), "customer_id").count()))


def _behind(engine: Engine, log: PurchaseLog, config: Config, pseudonym: str) -> str | None:
    """Name everybody in the log anew: nothing says anywhere who is who."""
    names = own_pseudonyms(config, create=False)
    ids = engine.frame(log.lines.select("customer_id").distinct())["customer_id"]
    return next((one for one in ids if names.of(one) == pseudonym), None)


def why_absent(engine: Engine, log: PurchaseLog, lines: ir.Table, run: Run, *, bought: bool) -> str:
    """Say why a customer of the log has no scores in a run.

    Parameters
    ----------
    engine, log : Engine, PurchaseLog
        The shop's tables.
    lines : ibis Table
        The customer's.
    run : Run
        Which lacks them.
    bought : bool
        Whether they had a purchase at its date, by what the log says today.
    """
    row = engine.frame(first_known(lines)).iloc[0]
    if pd.isna(row["day"]):
        return "all rows of theirs are refunds"
    first = log.period.floor(day_from_number(int(row["day"])))
    known = day_from_number(int(row["known_day"]))
    if first >= run.as_of:
        return f"their first order, of {first}, came after; `repurchase score --as-of` a later date"
    if known >= run.as_of:
        return f"their first order, of {first}, was recorded only on {known}"
    if not bought:
        return f"all they had ordered was taken back by what was known before {run.as_of}"
    again = f"`repurchase score --as-of {run.as_of}`"
    return f"the log has changed since that run was made; {again} scores its rows of today"


def absent(run: Run, why: str) -> ContractError:
    """Refuse a customer whom a run lacks; why stands in the hint, which no log keeps."""
    return ContractError(f"run {run.run_id} of {run.as_of} does not have this customer", hint=why)
