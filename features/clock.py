"""The shop's wall clock: a day begins at midnight in the shop's zone, whatever zone the log is in."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir

Offsets = Sequence[tuple[datetime, int]]
"""When (UTC, without a zone) which offset from UTC begins, in seconds; rising. One entry if it is fixed."""

UTC: Offsets = ((datetime(1, 1, 1), 0),)

# After its first colon a time without a zone has only more of the time. If anything else is there (Z, +7,
# GMT+7, Europe/London, PM), the text must go the way of the zones, where nonsense becomes null: asked for a
# time without a zone, the engine passes over much that it does not know.
_ZONED = r":.*[^0-9:.]"
# One form for every offset, as engines take +07 and +0700 but not +7, and DuckDB takes UTC+5:30 for UTC+5.
_OFFSET = r"([0-9.]) *(UTC|GMT)? *([+-]([0-9]{1,2}|[0-9]{4}|[0-9]{1,2}(:[0-9]{2}){1,2}))$"
_ONE_FORM = r"\1 GMT\3"

FIRST, LAST = datetime(1900, 1, 1), datetime(2200, 1, 1)
"""Times before the first, and from the last on, are none: year 9999, infinity, 24-01-05 read as year 24."""


def with_wall_clocks(table: ir.Table, times: Mapping[str, str | None], offsets: Offsets) -> ir.Table:
    """Add columns of times, read as the shop's wall clock.

    It takes a table and not a column, so that the reading is a step before the conversion, which names its
    time once for each offset (141 in London): in one step, text would be parsed that often in the SQL.

    Parameters
    ----------
    table : ibis Table
        Of any columns.
    times : mapping of str to str
        Name of a new column, to the one it is read from: timestamps, dates or ISO text. Those with a zone are
        converted; those without are taken to be the shop's already. What is no date becomes null, and so does
        what lies outside `FIRST` and `LAST`; None gives a column of nulls.
    offsets : sequence of (datetime, int)
        The shop's zone.

    Returns
    -------
    ibis Table
        With the new columns: timestamps without a zone.
    """
    flags = {new: _is_zoned(table[source]) for new, source in times.items() if source is not None}
    zoned = {new: f"{new}_is_zoned" for new, flag in flags.items() if flag is not None}
    read = table.mutate(
        **{new: ibis.null("timestamp") if s is None else _read(table[s]) for new, s in times.items()},
        **{name: flags[new] for new, name in zoned.items()},
    )
    local = {n: ibis.ifelse(read[flag], _shift(read[n], offsets), read[n]) for n, flag in zoned.items()}
    told = {n: ibis.ifelse((read[n] >= FIRST) & (read[n] < LAST), local.get(n, read[n]), None) for n in flags}
    return read.mutate(**told).drop(*zoned.values())


def _is_zoned(column: ir.Value) -> ir.BooleanValue | None:
    """Tell which times have a zone; None if no time of this type has."""
    kind = column.type()
    if kind.is_string():
        return column.strip().re_search(_ZONED)
    return ibis.literal(True) if kind.is_timestamp() and kind.timezone is not None else None


def _read(column: ir.Value) -> ir.Value:
    """Read times: in UTC if they have a zone, else as they stand."""
    if not column.type().is_string():
        return column.cast("timestamp")
    text = column.strip()
    zoned = text.re_replace(_OFFSET, _ONE_FORM).try_cast("timestamp('UTC')").cast("timestamp")
    told = ibis.ifelse(text.re_search(_ZONED), zoned, text.try_cast("timestamp"))
    return ibis.ifelse(text.lower() == "epoch", None, told)  # a word that DuckDB takes for 1970-01-01


def _shift(utc: ir.Value, offsets: Offsets) -> ir.Value:
    """Halve the offsets until one is left: 8 comparisons a row where London's, one by one, take 140."""
    if len(offsets) == 1:
        return utc + ibis.interval(seconds=offsets[0][1])
    half = len(offsets) // 2
    later = utc >= ibis.timestamp(offsets[half][0])
    return ibis.ifelse(later, _shift(utc, offsets[half:]), _shift(utc, offsets[:half]))
