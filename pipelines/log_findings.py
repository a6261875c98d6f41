"""What training and scoring say of a log on every run: unused rows, double loads, amounts, other tables."""

from collections.abc import Iterator
from datetime import date

from features.calendar import day_number
from models.double_loads import judge_copies
from models.findings import Finding
from models.readiness import judge_rows
from pipelines.amount_sizes import judge_amount_sizes
from pipelines.broken_rows import main_reason
from pipelines.config import Config
from pipelines.coverage import judge_tables
from pipelines.engine import Engine
from pipelines.log_profile import copies_by_day
from pipelines.purchase_log import PurchaseLog
from pipelines.statuses import judge_statuses


def log_warnings(
    engine: Engine, log: PurchaseLog, config: Config, until: date, middle: float | None
) -> list[Finding]:
    """Return what a person should look into before they trust what rests on the log.

    Parameters
    ----------
    engine, log, config
        The opened log.
    until : date
        Only rows known before it are held against each other.
    middle : float, optional
        Of `pipelines.amount_sizes.middle_purchase` until then.
    """
    lines = log.lines
    buyers = lines.filter(~lines.is_refund & (lines.known_day < day_number(until)))
    found = [
        *judge_all_rows(engine, log, config),
        *judge_copies(copies_by_day(engine, log, until)),
        judge_amount_sizes(engine, config, middle),
        *judge_tables(engine, log, buyers, until),
    ]
    return [finding for finding in found if finding is not None and finding.severity == "warning"]


def judge_all_rows(engine: Engine, log: PurchaseLog, config: Config) -> Iterator[Finding]:
    """Judge, for every table, the rows that are not used, with the column, an example and what would help."""
    for name, rows in log.all_rows().items():
        section = getattr(config.tables, name)
        why = ""
        if rows.broken:
            why = main_reason(engine, rows, log.quarantine[name], section).said()
        yield judge_rows(name, section.source, rows.rows_wanted, rows.broken, why)
    statuses = judge_statuses(engine, log, config)
    if statuses is not None:
        yield statuses
