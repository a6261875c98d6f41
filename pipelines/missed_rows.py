"""Why rows of a table are missed: those that cannot be read any more are there, and can be mended."""

from dataclasses import replace

from models.findings import Finding
from models.table_record import LEFT_OUT, TableRecord
from pipelines.broken_rows import find_reason
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.purchase_log import PurchaseLog

MOST = 0.5
"""Share of the missed rows that must have been set aside since, to be what has become of them."""


def where_they_are(
    engine: Engine,
    log: PurchaseLog,
    config: Config,
    name: str,
    before: TableRecord,
    since: str,
    lost: Finding | None,
) -> Finding | None:
    """Say of missed rows that as many more than before are set aside, if it is so: why, and what would help.

    Parameters
    ----------
    engine, log, config
        The opened log.
    name : str
        The table's name in the config.
    before : TableRecord
        Of the run that saw the rows.
    since : str
        What to call that run.
    lost : Finding, optional
        Of `models.table_record.judge_shrunk`, which is returned where nothing better is known.
    """
    if lost is None:
        return None
    now = log.all_rows()[name].rows_quarantined
    more = {reason: n - before.rows_quarantined.get(reason, 0) for reason, n in now.items()}
    worst = max(more, key=lambda reason: more[reason], default="")
    n_lost, n_then = lost.numbers["lost"], lost.numbers["rows"]
    if not worst or more[worst] < MOST * n_lost:
        return lost
    why = said_of(engine, log, config, name, worst)
    # Rows without a date cannot be told to be the same: the source may have lost some and gained others.
    text = (
        f"{getattr(config.tables, name).source}: {n_lost:,} of the {n_then:,} rows that {since} used "
        f"are not used any more ({n_lost / n_then:.1%}), and {more[worst]:,} more than then are set aside "
        f"for {worst}, most likely the same{why}"
    )
    return replace(lost, text=text, numbers={**lost.numbers, "set_aside": more[worst], "reason": worst})


def with_reason(engine: Engine, log: PurchaseLog, config: Config, name: str, jump: Finding) -> Finding:
    """Add to a jump of the rows that cannot be used the column, an example, and what would help.

    Parameters
    ----------
    engine, log, config, name
        As of `where_they_are`.
    jump : Finding
        Of `models.table_record.judge_reasons`.
    """
    return replace(jump, text=jump.text + said_of(engine, log, config, name, jump.numbers["reason"]))


def said_of(engine: Engine, log: PurchaseLog, config: Config, name: str, reason: str) -> str:
    """Say in parentheses what is wrong with the rows that are set aside for a reason."""
    if reason == LEFT_OUT:
        return " ([policy] leave_out asks for it)"
    section = getattr(config.tables, name)
    return f" ({find_reason(engine, log.all_rows()[name], log.quarantine[name], section, reason).said()})"
