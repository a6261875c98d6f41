"""From events to days of visits: what a customer did on each day, in sums that any cutoff can add up."""

import ibis
import ibis.expr.types as ir

from features.event_kinds import EVENT_KINDS

SESSION_GAP_S = 30 * 60
"""Seconds of silence that end a session, where the shop keeps no session numbers; the usual half hour."""


def visit_days(events: ir.Table, *, has_sessions: bool) -> ir.Table:
    """Add up a customer's events of each day.

    Parameters
    ----------
    events : ibis Table
        Used rows of `features.doors.event_rows`.
    has_sessions : bool
        Whether the shop numbers its sessions.

    Returns
    -------
    ibis Table
        ``customer_id, day, n_events, n_sessions, longest_ms`` and, for each kind of event, ``n_<kind>``. A
        session counts on its first day.
    """
    started = _numbered(events) if has_sessions else _cut_at_silence(events)
    kinds = {
        f"n_{kind}": (started.kind == kind).cast("int64").sum() for kind in EVENT_KINDS if kind != "other"
    }
    return started.group_by("customer_id", "day").agg(
        n_events=started.count(), n_sessions=started.starts.sum(), longest_ms=started.dwell_ms.max(), **kinds
    )


def _numbered(events: ir.Table) -> ir.Table:
    """Mark one event of each session's first day; an event without a number is a session of its own."""
    own = ibis.window(
        group_by=["customer_id", "session_id"], order_by=["day", "occurred_at", "kind", "channel"]
    )
    first = ibis.row_number().over(own) == 0
    return events.mutate(starts=(first | events.session_id.isnull()).cast("int64"))


def _cut_at_silence(events: ir.Table) -> ir.Table:
    own = ibis.window(group_by="customer_id", order_by=["occurred_at", "kind", "channel"])
    before = events.mutate(before=events.occurred_at.lag().over(own))
    silent = before.occurred_at > before.before + ibis.interval(seconds=SESSION_GAP_S)
    return before.mutate(starts=(before.before.isnull() | silent).cast("int64"))
