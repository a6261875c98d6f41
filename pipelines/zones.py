"""The offsets of a time zone, from the zone database of the machine."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

FROM, TO = datetime(1990, 1, 1), datetime(2060, 1, 1)


@cache
def utc_offsets(zone: str) -> tuple[tuple[datetime, int], ...]:
    """List when which offset from UTC begins.

    Parameters
    ----------
    zone : str
        For example ``Asia/Ho_Chi_Minh``.

    Returns
    -------
    tuple of (datetime, int)
        UTC without a zone, and seconds; rising. The first holds from the beginning of time.

    Examples
    --------
    >>> [seconds for _, seconds in utc_offsets("Asia/Ho_Chi_Minh")]
    [25200]
    >>> utc_offsets("Europe/London")[1]
    (datetime.datetime(1990, 3, 25, 1, 0), 3600)
    """
    place = ZoneInfo(zone)
    found = [(FROM, _offset(FROM, place))]
    day = FROM
    while day < TO:
        after = day + timedelta(days=1)
        if _offset(after, place) != found[-1][1]:
            found.append((_change(day, after, place), _offset(after, place)))
        day = after
    return tuple(found)


def _offset(moment: datetime, place: ZoneInfo) -> int:
    shift = moment.replace(tzinfo=UTC).astimezone(place).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0


def _change(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """Find the minute at which the offset changes, by halving."""
    low, high = 0, int((after - before).total_seconds() // 60)
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(before + timedelta(minutes=middle), place) == _offset(before, place)
        low, high = (middle, high) if same else (low, middle)
    return before + timedelta(minutes=high)
