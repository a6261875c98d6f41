"""What a person should look at before trusting the guesses about a log."""

from collections.abc import Iterator, Mapping

import pandas as pd

from models.outliers import ENOUGH_DOTS
from pipelines.guess_dates import DateReading
from pipelines.guess_money import numbers
from pipelines.plain_words import form_of

THOUSANDS = r"^-?\d{1,3}(\.\d{3})+$"


def percent(share: float) -> str:
    """
    Write a share for people; a little is not nothing, and nearly all is not all.

    Examples
    --------
    >>> percent(0.2493), percent(0.0001), percent(0.9999)
    ('25 %', 'under 1 %', 'over 99 %')
    """
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def doubts(sample: pd.DataFrame, chosen: dict[str, str], dates: Mapping[str, DateReading]) -> Iterator[str]:
    """
    Yield one sentence for each thing in the log that the guesses could be wrong about.

    Parameters
    ----------
    sample : pandas.DataFrame
        Rows of the log.
    chosen : dict
        Standard column to the log's column.
    dates : mapping
        The columns that hold dates, and how they read.

    Examples
    --------
    >>> import pandas as pd
    >>> from pipelines.guess_dates import read_dates
    >>> log = pd.DataFrame({"buyer": ["a", "a"], "date": ["03/04/2020", "05/06/2020"]})
    >>> chosen = {"customer_id": "buyer", "ordered_at": "date"}
    >>> print(*doubts(log, chosen, {"date": read_dates(log["date"])}))
    'date': nothing tells %d/%m/%Y from %m/%d/%Y; the first is assumed
    """
    for column in ("ordered_at", "recorded_at"):
        if column in chosen:
            yield from _date_doubts(chosen[column], dates[chosen[column]])
    others = [source for source in dates if source not in chosen.values()]
    if others:
        yield f"{chosen['ordered_at']!r} is taken for the date of the order; also dates: {', '.join(others)}"
    yield from _customer_doubts(chosen["customer_id"], sample[chosen["customer_id"]].dropna().astype(str))
    for column in ("amount", "quantity", "unit_price"):
        if column in chosen:
            yield from _number_doubts(chosen[column], sample[chosen[column]].dropna())


def _date_doubts(source: str, reading: DateReading) -> Iterator[str]:
    if reading.rival:
        yield f"{source!r}: nothing tells {reading.format} from {reading.rival}; the first is assumed"
    if reading.share < 1:
        yield f"{source!r}: {percent(1 - reading.share)} of the filled values are not such dates"


def _number_doubts(source: str, filled: pd.Series) -> Iterator[str]:
    odd = filled[numbers(filled).isna()]
    if len(odd):
        share = percent(len(odd) / len(filled))
        example = form_of(odd.iloc[0])
        yield f"{source!r}: {share} of the filled values are not plain numbers, for example {example!r}"
    dotted = filled[filled.astype(str).str.contains(".", regex=False)].astype(str)
    if len(dotted) >= ENOUGH_DOTS and dotted.str.fullmatch(THOUSANDS).all():
        yield (
            f"{source!r}: every value with a dot has three digits after it, for example {dotted.iloc[0]!r}; "
            "if the dot parts thousands, write 1234.56, or amounts are read 1,000 times too small"
        )


def _customer_doubts(source: str, filled: pd.Series) -> Iterator[str]:
    if filled.is_unique:
        yield f"{source!r} never repeats in the rows looked at: is it an order's number?"
    share = filled.value_counts(normalize=True)
    if len(share) >= 20 and share.iloc[0] > 0.1:
        yield (
            f"{source!r}: one customer has {percent(share.iloc[0])} of the rows: "
            "if that means “unknown”, empty it in the source"
        )
