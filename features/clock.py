"""The shop's wall clock: a day begins at midnight in the shop's zone, whatever zone the log is in."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir

Offsets = Sequence[tuple[datetime, int]]
"""When (UTC, without a zone) which offset from UTC begins, in seconds; rising. One entry if it is fixed."""

UTC: Offsets = ((datetime(1, 1, 1), 0),)

# A time of day that ends in an offset or in letters (Z, UTC, Europe/London). The engine reads text with
# any letters as a time without a zone, so they must go the way of the zones, where nonsense becomes null.
_ZONED = r"[0-9]{2}:[0-9]{2}.*([A-Za-z]|[+-][0-9]{2}(:?[0-9]{2})?)$"
_SPACED_OFFSET = r" +([+-][0-9]{2}(:?[0-9]{2})?)$"


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
        text = column.strip().re_replace(_SPACED_OFFSET, r"\1")
        zoned = text.try_cast("timestamp('UTC')").cast("timestamp")
        local = text.try_cast("timestamp")
        return ibis.ifelse(text.re_search(_ZONED), _shift(zoned, offsets), local)
    local = column.cast("timestamp")
    return _shift(local, offsets) if kind.is_timestamp() and kind.timezone is not None else local


def _shift(utc: ir.Value, offsets: Offsets) -> ir.Value:
    """Halve the offsets until one is left: 8 comparisons a row where London's, one by one, take 140."""
    if len(offsets) == 1:
        return utc + ibis.interval(seconds=offsets[0][1])
    half = len(offsets) // 2
    later = utc >= ibis.timestamp(offsets[half][0])
    return ibis.ifelse(later, _shift(utc, offsets[half:]), _shift(utc, offsets[:half]))
