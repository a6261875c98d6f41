"""Purchase logs that hold the newest months alone: what has left the window is gone, and nothing is wrong."""

from datetime import date

from models.findings import Finding
from models.table_record import TableRecord


def has_moved_on(before: TableRecord, first_day: date, days: int) -> bool:
    """Tell whether a log begins later than it did, and by no more days than have passed.

    A log that was cut begins later by more. One that was recorded before its start was is not known to move.

    Parameters
    ----------
    before : TableRecord
        Of the earlier run.
    first_day : date
        On which the log begins now.
    days : int
        Since the earlier run.
    """
    if before.first_day is None:
        return False
    return 0 < (first_day - date.fromisoformat(before.first_day)).days <= days


def judge_window(
    source: str, before: TableRecord, first_day: date, since: str, gone: Finding | None
) -> Finding | None:
    """Say that the oldest rows are gone; None if hardly any are.

    Parameters
    ----------
    source : str
        The table in messages.
    before : TableRecord
        Of the earlier run.
    first_day : date
        On which the log begins now.
    since : str
        What to call the earlier run.
    gone : Finding, optional
        Of `models.table_record.judge_shrunk`, for the log as a whole.
    """
    if gone is None:
        return None
    text = (
        f"{source}: the log begins on {first_day}, and began on {before.first_day}: "
        f"{gone.numbers['lost']:,} of the {gone.numbers['rows']:,} rows that {since} saw are gone, as from "
        "an export of the newest months; if it is to hold every purchase, bring them back"
    )
    return Finding("warning", "log_start", text, dict(gone.numbers))
