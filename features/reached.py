"""How a customer was reached of late: by which channel they come, and how often the shop wrote to them."""

import ibis
import ibis.expr.types as ir

from features.records import Records


def usual_channels(records: Records, cutoff: int, days: int) -> ir.Table | None:
    """Find the channel on which each customer was seen on the most days: in orders and in events.

    Of two that are as frequent, the one seen last, then the first by its name.

    Parameters
    ----------
    records : Records
        The shop's tables.
    cutoff : int
        Day number; only rows known before it are looked at.
    days : int
        How far back.

    Returns
    -------
    ibis Table or None
        ``customer_id, channel``, for those who were seen on one; None where no table tells channels.
    """
    seen = []
    if "channel" in records.has:
        lines = records.lines.filter(~records.lines.is_refund, records.lines.known_day < cutoff)
        seen.append(lines.select("customer_id", "channel", "day"))
    if records.events is not None and "events.channel" in records.has:
        seen.append(records.events.select("customer_id", "channel", "day"))
    if not seen:
        return None
    rows = seen[0] if len(seen) == 1 else ibis.union(*seen)
    rows = rows.filter(rows.channel.notnull(), rows.day < cutoff, rows.day >= cutoff - days)
    counted = rows.group_by("customer_id", "channel").agg(n=rows.day.nunique(), last=rows.day.max())
    order = [ibis.desc("n"), ibis.desc("last"), "channel"]
    place = ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order))
    return counted.mutate(place=place).filter(ibis._.place == 0).select("customer_id", "channel")


def contacts_of_late(contacts: ir.Table, cutoff: int, quiet_days: int, days: int) -> ir.Table:
    """Count what the shop sent to each customer.

    Parameters
    ----------
    contacts : ibis Table
        As `features.doors` types it.
    cutoff : int
        Day number; only contacts before it are looked at.
    quiet_days : int
        Days before the cutoff that count as just now.
    days : int
        Days before the cutoff in which contacts are counted.

    Returns
    -------
    ibis Table
        ``customer_id, n_now, n_late``, for those whom something was sent.
    """
    rows = contacts.filter(contacts.day < cutoff, contacts.day >= cutoff - max(quiet_days, days))
    return rows.group_by("customer_id").agg(
        n_now=(rows.day >= cutoff - quiet_days).cast("int64").sum(),
        n_late=(rows.day >= cutoff - days).cast("int64").sum(),
    )
