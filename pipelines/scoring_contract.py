"""The contract at scoring: the tables must be what the training saw, and no less than the run before saw."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.calendar import day_number
from features.errors import ContractError
from models.column_changes import held, judge_columns, renamed
from models.findings import Finding
from models.rolling_window import has_moved_on, judge_window
from models.scorer import Scorer
from models.staleness import judge_log_end, judge_table_end, usual_pause
from models.table_record import TableRecord, judge_reasons, judge_shrunk
from pipelines.config import Config, OtherTable
from pipelines.coverage import days_with_rows
from pipelines.engine import Engine
from pipelines.missed_rows import where_they_are, with_reason
from pipelines.purchase_log import PurchaseLog
from pipelines.reactions import react
from pipelines.silent_channels import silent_channels
from pipelines.table_records import (
    TRANSACTIONS,
    Earlier,
    find_earlier,
    rows_by_month,
    source_columns,
    the_training,
)

FORGETFUL = ("events", "contacts")
"""Tables of which shops keep the newest months alone."""


def check_columns(engine: Engine, config: Config, scorer: Scorer) -> list[Finding]:
    """Hold the columns of the sources against those that the training saw, before they are read.

    Raises
    ------
    ContractError
        If a column is gone that exactly one new one could be; other columns that are gone are refused when
        the table is read.
    NotReady
        If a column has changed, and ``[limits] changed_columns`` says so.
    """
    found = []
    for name, record in scorer.tables.items():
        section = getattr(config.tables, name)
        if section is None or not record.columns:
            continue
        now = source_columns(engine, config, name)
        used = _used_columns(config, name)
        _refuse_renamed(name, section.source, used, record.columns, now)
        found += react(
            judge_columns(name, section.source, used, record.columns, now),
            config.limits.changed_columns,
            "changed_columns",
            "write the column as it was",
        )
    return found


def _used_columns(config: Config, name: str) -> dict[str, str]:
    """Columns of a source that the config names, by what they are for."""
    section = getattr(config.tables, name)
    used = dict(section.columns)
    if isinstance(section, OtherTable):
        used |= {f"attribute {column}": column for column in (*section.attributes, *section.static)}
    elif config.policy.leave_out is not None:
        used["[policy] leave_out"] = config.policy.leave_out.column
    return used


def _refuse_renamed(
    name: str, source: str, used: Mapping[str, str], before: Mapping[str, str], now: Mapping[str, str]
) -> None:
    for standard, column in used.items():
        fresh = None if column in now else renamed(column, before, now)
        if fresh is not None:
            raise ContractError(
                f"{source}: column {column!r} (for {standard}) is missing among {len(now)} columns, and "
                f"{fresh!r} is new and holds {held(before[column])}, as it did",
                hint=f"was it renamed? Then write {fresh!r} in [tables.{name}]",
            )


def judge_inputs(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, digest: str, as_of: date
) -> list[Finding]:
    """Judge the tables behind the door: their age, whether they have shrunk, and what is set aside.

    Parameters
    ----------
    engine, log, config
        The opened log.
    scorer, digest
        The champion.
    as_of : date
        Of the scoring.

    Raises
    ------
    NotReady
        If a limit is passed, and its key in ``[limits]`` says ``"fail"``.
    """
    return [
        *_ages(engine, log, config, scorer, as_of),
        *_against_earlier(engine, log, config, scorer, digest, as_of),
        *silent_channels(engine, log, config, scorer, as_of),
    ]


def _ages(engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, as_of: date) -> Iterator[Finding]:
    limits, accept = config.limits, "is the newest export there?"
    source, period = config.tables.transactions.source, log.period.mean_days
    usual = usual_pause(_purchase_days(engine, log), period) if as_of > log.end else 0
    late = judge_log_end(source, log.end, as_of, usual, limits.max_log_age)
    yield from react(late, limits.old_log, "old_log", accept)
    for name in _tables_used(log, scorer):
        if name in FORGETFUL:
            days = days_with_rows(engine, getattr(log.records, name), as_of)
            until = date.fromisoformat(scorer.trained_until)
            source = getattr(config.tables, name).source
            ended = judge_table_end(name, source, days, as_of, until, limits.max_log_age)
            yield from react(ended, limits.old_log, "old_log", accept)


def _purchase_days(engine: Engine, log: PurchaseLog) -> NDArray[np.int64]:
    """Days on which purchases became known, without the stray ones."""
    bought = log.lines.filter(~log.lines.is_refund)
    found = engine.frame(bought.select(day=bought.known_day).distinct().order_by("day"))
    days = found["day"].to_numpy(np.int64)
    return days[(days >= day_number(log.first_day)) & (days < day_number(log.end))]


def _against_earlier(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, digest: str, as_of: date
) -> Iterator[Finding]:
    earlier = find_earlier(config, scorer, digest, as_of)
    if earlier is None:
        return
    limits, rows = config.limits, log.all_rows()
    for name in _tables_used(log, scorer):
        before = earlier.tables.get(name)
        if before is None:
            continue
        source, now = getattr(config.tables, name).source, rows_by_month(engine, log, name, earlier.until)
        rolls = _rolls(log, name, before, earlier, as_of)
        whole, lost = (
            judge_shrunk(source, before, now, earlier.name, limits.max_shrink, may_forget=forgets)
            for forgets in (False, rolls or name in FORGETFUL)
        )
        lost = where_they_are(engine, log, config, name, before, earlier.name, lost)
        lost = lost or _lost_since_training(engine, log, config, scorer, name, as_of)
        mend = "mend" if lost is not None and "set_aside" in lost.numbers else "bring back"
        accept = f"{mend} the rows, or train again if they are to stay away"
        yield from react(lost, limits.shrunk_log, "shrunk_log", accept)
        if rolls and lost is None and limits.shrunk_log != "ignore":  # so much is lost by time alone
            found = judge_window(source, before, log.first_day, earlier.name, whole)
            yield from react(found, "warn", "shrunk_log", accept)
        record = TableRecord(rows[name].rows_in, rows[name].rows_quarantined, now)
        for jump in judge_reasons(source, before, record, earlier.name):
            yield with_reason(engine, log, config, name, jump)


def _lost_since_training(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, name: str, as_of: date
) -> Finding | None:
    """Say if a table has lost too much since the training, however little of it from one run to the next."""
    training = the_training(scorer)
    before = None if training is None else training.tables.get(name)
    if training is None or before is None or (name == TRANSACTIONS and before.first_day is None):
        return None  # without a first day, an export of the newest months could not be told from a loss
    source, now = getattr(config.tables, name).source, rows_by_month(engine, log, name, training.until)
    forgets = name in FORGETFUL or _rolls(log, name, before, training, as_of)
    lost = judge_shrunk(source, before, now, training.name, config.limits.max_shrink, may_forget=forgets)
    return where_they_are(engine, log, config, name, before, training.name, lost)


def _rolls(log: PurchaseLog, name: str, before: TableRecord, earlier: Earlier, as_of: date) -> bool:
    """Whether the purchases begin later by no more than the time that has passed."""
    return name == TRANSACTIONS and has_moved_on(before, log.first_day, (as_of - earlier.until).days)


def _tables_used(log: PurchaseLog, scorer: Scorer) -> Sequence[str]:
    """Tables of which the champion has features; the others do not matter to it."""
    needs = {f.name: f.needs for f in log.features(scorer.horizons)}
    tables = {need.partition(".")[0] for name in scorer.features for need in needs[name]}
    return [name for name in log.all_rows() if name == TRANSACTIONS or name in tables]
