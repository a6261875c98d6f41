"""The shop's wall clock: a day begins at midnight in the shop's zone, whatever zone the log is in."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir

Offsets = Sequence[tuple[datetime, int]]
"""When (UTC, without a zone) which offset from UTC begins, in seconds; rising. One entry if it is fixed."""

UTC: Offsets = ((datetime(1, 1, 1), 0),)

_ZONED = r"[0-9]{2}:[0-9]{2}.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"


def wall_clock(column: ir.Value, offsets: Offsets) -> ir.Value:
    """Read a column of times as the shop's wall clock.

    Parameters
    ----------
    column : ibis Value
        Timestamps, dates or ISO text. Those with a zone are converted; those without are taken to be the
        shop's already. Text that is no date becomes null.
    offsets : sequence of (datetime, int)
        The shop's zone.

    Returns
    -------
    ibis Value
        A timestamp without a zone.
    """
    kind = column.type()
    if kind.is_string():
        zoned = column.try_cast("timestamp('UTC')").cast("timestamp")
        local = column.try_cast("timestamp")
        return ibis.ifelse(column.re_search(_ZONED), _shift(zoned, offsets), local)
    local = column.cast("timestamp")
    return _shift(local, offsets) if kind.is_timestamp() and kind.timezone is not None else local


def _shift(utc: ir.Value, offsets: Offsets) -> ir.Value:
    newest_first = list(reversed(offsets))
    moved = [utc + ibis.interval(seconds=seconds) for _, seconds in newest_first]
    if len(moved) == 1:
        return moved[0]
    branches = [(utc >= ibis.timestamp(begin), m) for (begin, _), m in zip(newest_first, moved, strict=True)]
    return ibis.cases(*branches[:-1], else_=moved[-1])
