"""What a run saw of an input table, and whether a later run sees less of it, or can use less."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from scipy.stats import binom

from models.findings import Finding

FEW_ROWS = 20
"""So many rows may go from any table, or half of a smaller one: a customer to be forgotten has some."""
JUMP = 0.05
"""By so much a share of rows may grow before it is a jump."""
RARE = 0.01
"""Share below which a reason is none that comes and goes from day to day, as orders without a customer do."""
CHANCE = 0.001
"""Probability that a share which has grown by no more than `JUMP` is called a jump."""
LEFT_OUT = "left_out"


@dataclass(frozen=True)
class TableRecord:
    """What a run saw of an input table.

    Parameters
    ----------
    rows_in : int
        Of the source, whatever their date.
    rows_quarantined : Mapping[str, int]
        Reason to rows of the source that were not used.
    rows_by_month : Mapping[str, int]
        Month (``"2025-03"``) to the used rows known before the run's date; ``""`` for rows without a date.
    columns : Mapping[str, str]
        Column of the source to what it held: ``"number"``, ``"text"``, ``"time"``, ``"boolean"`` or
        ``"other"``.
    first_day : str, optional
        ISO date of the first day of a purchase log; None for other tables, and in records of before.
    """

    rows_in: int
    rows_quarantined: Mapping[str, int]
    rows_by_month: Mapping[str, int]
    columns: Mapping[str, str] = field(default_factory=dict)
    first_day: str | None = None

    @property
    def first_month(self) -> str | None:
        """The oldest month that has rows."""
        return min(filter(None, self.rows_by_month), default=None)


TableRecords = Mapping[str, TableRecord]
"""By the table's name in the config."""


def records_to_dict(records: TableRecords) -> dict[str, Any]:
    """Write records as plain values."""
    return {name: asdict(record) for name, record in records.items()}


def records_from_dict(state: Mapping[str, Any]) -> dict[str, TableRecord]:
    """Read what `records_to_dict` wrote; what a later version has added is left out."""
    known = {f.name for f in fields(TableRecord)}
    return {
        name: TableRecord(**{key: value for key, value in record.items() if key in known})
        for name, record in state.items()
    }


def judge_shrunk(
    source: str,
    before: TableRecord,
    now: Mapping[str, int],
    since: str,
    max_shrink: float,
    *,
    may_forget: bool = False,
) -> Finding | None:
    """Say if rows that an earlier run saw are gone; None if hardly any are.

    A month's loss counts whatever other months have won.

    Parameters
    ----------
    source : str
        The table in messages.
    before : TableRecord
        Of the earlier run.
    now : Mapping[str, int]
        Month to the used rows known before that run's date, as they are now.
    since : str
        What to call the earlier run.
    max_shrink : float
        Share of the rows that may go.
    may_forget : bool
        For a table that keeps its newest months alone, as logs of visits do: what lies before its oldest full
        month is then not missed, nor is any of a first month that has begun to leave.
    """
    then = dict(before.rows_by_month)
    oldest = min(filter(None, now), default="")
    if may_forget and oldest and oldest >= (before.first_month or ""):
        then = {month: n for month, n in then.items() if not month or month > oldest}
    lost = {month: n - now.get(month, 0) for month, n in then.items() if n > now.get(month, 0)}
    n_lost, n_then = sum(lost.values()), sum(then.values())
    few = min(FEW_ROWS, sum(before.rows_by_month.values()) / 2)
    if n_lost < few or n_lost <= max_shrink * n_then:
        return None
    worst = max(lost, key=lambda month: (lost[month], month))
    where = f", most of them of {worst} ({lost[worst]:,} of {then[worst]:,})" if worst else ""
    begins = before.first_month
    if oldest and begins and oldest > begins:
        where += f"; the oldest row is now of {oldest}, and was of {begins}"
    share = n_lost / n_then
    text = f"{source}: {n_lost:,} of the {n_then:,} rows that {since} saw are gone ({share:.1%}){where}"
    return Finding("warning", "shrunk", text, {"lost": n_lost, "rows": n_then, "by_month": lost})


def judge_reasons(source: str, before: TableRecord, now: TableRecord, since: str) -> list[Finding]:
    """Say for which reasons far more rows cannot be used than an earlier run had found.

    A reason that was rare is judged on the rows that are new since then, so that a night of broken rows is
    seen at once; one that was not comes and goes, and is judged on all rows.

    Parameters
    ----------
    source : str
        The table in messages.
    before, now : TableRecord
        Of the earlier run and of this one.
    since : str
        What to call the earlier run.
    """
    found = [_judge_reason(source, reason, before, now, since) for reason in sorted(now.rows_quarantined)]
    return [finding for finding in found if finding is not None]


def _judge_reason(
    source: str, reason: str, before: TableRecord, now: TableRecord, since: str
) -> Finding | None:
    then, n = before.rows_quarantined.get(reason, 0), now.rows_quarantined[reason]
    share, rows, which = then / max(before.rows_in, 1), now.rows_in, "of all"
    grown = now.rows_in - before.rows_in
    if share < RARE and grown > 0:
        rows, n, which = grown, min(n - then, grown), "of the new"
    if n <= 0 or binom.sf(n - 1, rows, min(share + JUMP, 1.0)) >= CHANCE:
        return None
    why = "are left out by [policy] leave_out" if reason == LEFT_OUT else f"cannot be used ({reason})"
    text = f"{source}: {n:,} {which} {rows:,} rows {why}, {n / rows:.1%}; up to {since} it was {share:.1%}"
    numbers = {"reason": reason, "set_aside": n, "rows": rows, "share": n / rows, "share_before": share}
    return Finding("warning", "set_aside_jump", text, numbers)
