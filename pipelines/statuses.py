"""Look at what a log's status says of orders that came to nothing, and hold it against the config."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import ibis.expr.types as ir

from features.contracts import own_columns
from features.door import at_the_door, text_id
from features.spellings import unaccented
from models.findings import Finding
from models.left_out import judge_left_out, judge_no_row, judge_not_asked
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.guess_left_out import is_status, is_undone
from pipelines.new_config import left_out_key
from pipelines.purchase_log import PurchaseLog
from pipelines.sources import open_transactions

FEW = 200
"""A column of more different words than this is no status."""

SHARED = 5
"""A word of fewer customers is not shown: it may be the name of one."""

_FIRST = 20_000
"""So many rows show whether a column has few words, before all rows are counted."""


@dataclass(frozen=True)
class Word:
    """A word of a column, the rows that say it, how many of them are refunds, and of how many customers."""

    text: str
    n: int
    n_refunds: int
    n_customers: int = SHARED

    @property
    def is_shared(self) -> bool:
        """Whether it may be shown."""
        return self.n_customers >= SHARED


def judge_statuses(engine: Engine, log: PurchaseLog, config: Config) -> Finding | None:
    """Judge the rows that are left out by a status, or should be; None where no status tells of such."""
    source, asked = config.tables.transactions.source, config.policy.leave_out
    if asked is not None and log.rows.left_out:
        return judge_left_out(source, asked.column, asked.values, log.rows.left_out, log.rows.rows_in)
    raw, columns = open_transactions(engine, config)
    door = at_the_door(raw, config.contract(columns))
    if asked is not None:
        words = count_words(engine, door, asked.column)
        shared = [word for word in words if word.is_shared]
        said = [(word.text, word.n) for word in shared]
        own = len(words) - len(shared)
        return judge_no_row(source, asked.column, asked.values, said, meant(asked.values, shared), own)
    for column in own_columns(raw):
        if is_status(column) and raw[column].type().is_string() and _has_few(engine, raw, column):
            words = [word for word in count_words(engine, door, column) if word.is_shared]
            undone = [(word.text, word.n) for word in words if _is_undone(word)]
            if undone:
                key = left_out_key(column, [text for text, _ in undone])
                return judge_not_asked(source, column, undone, log.rows.rows_in, key)
    return None


def _has_few(engine: Engine, raw: ir.Table, column: str) -> bool:
    return engine.number(raw.limit(_FIRST)[column].nunique()) <= FEW


def count_words(engine: Engine, door: ir.Table, column: str) -> list[Word]:
    """Count the words of a column, the most frequent first, at most `FEW`.

    Parameters
    ----------
    engine : Engine
        Counts them.
    door : ibis Table
        Of `features.door.at_the_door`.
    column : str
        One of the log's own.
    """
    said = door.select(
        word=text_id(door[column]), is_refund=door.door_is_refund, customer=door.door_customer_id
    )
    said = said.filter(said.word.notnull())
    counts = said.group_by("word").agg(
        n=said.count(), n_refunds=said.is_refund.cast("int64").sum(), n_customers=said.customer.nunique()
    )
    found = engine.frame(counts.order_by(counts.n.desc(), counts.word).limit(FEW))
    return [Word(str(word), *map(int, numbers)) for word, *numbers in found.to_numpy().tolist()]


def _is_undone(word: Word) -> bool:
    """Say whether a word tells of an order that came to nothing; refunds reduce what they refund already."""
    return is_undone(word.text) and 2 * word.n_refunds <= word.n


def meant(values: Sequence[str], words: Sequence[Word]) -> list[str]:
    """Guess which words of a column the config meant: those of orders that came to nothing, or the closest.

    Examples
    --------
    >>> meant(["da huy"], [Word("Hoàn thành", 90, 0), Word("Đã hủy", 9, 0)])
    ['Đã hủy']
    >>> meant(["sampel"], [Word("sale", 90, 0), Word("Sample", 9, 0)])
    ['Sample']
    """
    undone = [word.text for word in words if _is_undone(word)]
    if undone:
        return undone
    plain = {unaccented(word.text).lower(): word.text for word in words}
    close = [get_close_matches(unaccented(value).lower(), plain, n=1, cutoff=0.75) for value in values]
    return list(dict.fromkeys(plain[found] for each in close for found in each))
