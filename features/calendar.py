"""The calendar of day numbers (days since 1970-01-01) in whole-number steps, alike on every engine."""

from datetime import date, timedelta

import ibis.expr.types as ir

WEEK = 7
YEAR = 365
_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01, the integer form of every day in a history.

    Examples
    --------
    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - _EPOCH).days


def day_from_number(number: int) -> date:
    """Turn a day number back into a date.

    Examples
    --------
    >>> day_from_number(1).isoformat()
    '1970-01-02'
    """
    return _EPOCH + timedelta(number)


def weekday(day: ir.Value) -> ir.Value:
    """Weekday of a day number, Monday 0 to Sunday 6; 1970-01-01 was a Thursday."""
    return (day % WEEK + 3 + WEEK) % WEEK


def month_and_day(day: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Month (counted from year 0) and day of the month of a day number.

    Howard Hinnant's ``civil_from_days``: eras of 400 years that begin on a first of March, for days from
    0000-03-01 on. Dates and their parts differ from engine to engine; whole numbers do not.
    """
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // YEAR
    of_year = of_era - (YEAR * year + year // 4 - year // 100)
    since_march = (5 * of_year + 2) // 153
    month_day = of_year - (153 * since_march + 2) // 5 + 1
    return (era * 400 + year) * 12 + since_march + 2, month_day
