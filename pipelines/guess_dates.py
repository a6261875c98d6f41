"""How dates are written in a column: ISO, a strptime format, or not at all."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import product

import pandas as pd

READABLE = 0.9  # share of filled values that must be dates for a column to count as one
ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?")
# Day first before month first, four-digit years before two-digit ones: the order in which a tie is settled.
NUMERIC = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")
NAMED = ("%d{0}%b{0}%Y", "%d{0}%B{0}%Y", "%d{0}%b{0}%y", "%Y{0}%b{0}%d")
DAYS = (
    *(form.format(mark) for form, mark in product(NUMERIC, "/-.")),
    *(form.format(mark) for form, mark in product(NAMED, " -/")),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%Y%m%d"),
)
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H%M%S")


@dataclass(frozen=True)
class DateReading:
    """How a column of dates reads: its format (None: needs none), its span, and a rival reading."""

    format: str | None
    share: float
    first: pd.Timestamp
    last: pd.Timestamp
    rival: str | None = None


def formats() -> Iterator[str]:
    """Yield the strptime formats that are tried, the likelier first."""
    for day in DAYS:
        yield day
        for time in TIMES:
            yield from (f"{day} {time}", f"{day}T{time}", f"{day}, {time}", f"{time} {day}")


def marks(text: str) -> frozenset[str]:
    """Collect what separates the parts of a date; a format can only fit a value with the same marks."""
    return frozenset(letter for letter in re.sub("%[a-zA-Z]", "", text) if not letter.isalnum())


@cache
def formats_by_marks() -> dict[frozenset[str], list[str]]:
    """Sort the formats by their marks, so that few are tried on a value."""
    sorted_out: dict[frozenset[str], list[str]] = {}
    for form in formats():
        sorted_out.setdefault(marks(form), []).append(form)
    return sorted_out


def parses(value: str, form: str) -> bool:
    """Say whether one value is written in this format."""
    try:
        datetime.strptime(value, form)
    except ValueError:
        return False
    return True


def likely_formats(values: list[str]) -> list[str]:
    """Keep the formats that read at least half of a few values, the likelier first."""
    hits = Counter(
        form for value in values for form in formats_by_marks().get(marks(value), []) if parses(value, form)
    )
    return [form for form in formats() if 2 * hits[form] >= len(values)]


def as_dates(filled: pd.Series, form: str | None) -> pd.Series:
    """
    Read the filled values of a column in one format; what is no date is missing.

    Examples
    --------
    >>> as_dates(pd.Series(["2020-02-13T23:00-05:00", "soon"]), None).tolist()
    [Timestamp('2020-02-14 04:00:00'), NaT]
    """
    if pd.api.types.is_datetime64_dtype(filled):
        return filled
    if form is not None:
        return pd.to_datetime(filled.astype(str).str.strip(), format=form, errors="coerce")
    if isinstance(filled.dtype, pd.DatetimeTZDtype):
        zoned = filled.dt.tz_convert("UTC")
    else:
        text = filled.astype(str).str.strip()
        iso = text.where(text.str.fullmatch(ISO))
        zoned = pd.to_datetime(iso, format="ISO8601", utc=True, errors="coerce")
    plain: pd.Series = zoned.dt.tz_localize(None)
    return plain


def reading(text: pd.Series, form: str | None, rival: str | None = None) -> DateReading:
    """Read a whole column in one format."""
    dates = as_dates(text, form)
    return DateReading(form, float(dates.notna().mean()), dates.min(), dates.max(), rival)


def read_text(text: pd.Series) -> DateReading | None:
    """Find the format of dates written as text; of equally good ones the first, with its rival named."""
    iso = reading(text, None)
    if iso.share >= READABLE:
        return iso
    few = text.drop_duplicates().iloc[:20].tolist()
    found = [reading(text, form) for form in likely_formats(few)]
    best = max(found, key=lambda one: one.share, default=None)  # the first of several equals
    if best is None or best.share < READABLE:
        return None
    rival = next((one.format for one in found if one is not best and one.share == best.share), None)
    return reading(text, best.format, rival)


def read_dates(column: pd.Series) -> DateReading | None:
    """
    Say how the dates of a column are written.

    Parameters
    ----------
    column : pandas.Series
        A sample of the column: timestamps, text, or whole numbers such as 19970131.

    Returns
    -------
    DateReading or None
        None where fewer than nine in ten filled values are dates.

    Examples
    --------
    >>> import pandas as pd
    >>> read_dates(pd.Series(["13/02/2020 08:26", "01/03/2020 17:05"])).format
    '%d/%m/%Y %H:%M'
    >>> read_dates(pd.Series(["03/04/2020", "05/06/2020"])).rival
    '%m/%d/%Y'
    >>> read_dates(pd.Series(["2020-02-13 08:26"])).format is None
    True
    >>> read_dates(pd.Series(["blue", "green"])) is None
    True
    """
    filled = column.dropna()
    if filled.empty or pd.api.types.is_float_dtype(filled) or pd.api.types.is_bool_dtype(filled):
        return None
    if pd.api.types.is_datetime64_any_dtype(filled):
        return reading(filled, None)
    return read_text(filled.astype(str).str.strip())
