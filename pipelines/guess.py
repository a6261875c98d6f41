"""Guesses which column of a purchase log is which, and says why: the logic of `repurchase init`."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from features.contracts import are_names, shown_names
from features.errors import ContractError
from pipelines.guess_dates import READABLE, DateReading, read_dates
from pipelines.guess_doubts import doubts, percent
from pipelines.guess_grain import Grain, find_grain
from pipelines.guess_left_out import LeftOut, find_left_out
from pipelines.guess_money import choose_money, find_cancellation, numbers
from pipelines.guess_names import is_vietnamese, name_score
from pipelines.plain_words import form_of

SOUNDS_LIKE = {
    "customer_id": "a customer",
    "ordered_at": "the date of an order",
    "order_id": "an order",
    "amount": "an amount of money",
    "quantity": "a quantity",
    "unit_price": "a price",
    "product_id": "a product",
    "category": "a category",
    "channel": "a sales channel",
    "discount": "a discount",
    "recorded_at": "the date a row was recorded",
}
DATES = ("ordered_at", "recorded_at")
NUMBERS = ("amount", "quantity", "unit_price", "discount")
MONEY = ("amount", "unit_price")
LOADED_LATE = 31  # days
LABELS = {"category": 5_000, "channel": 200}  # more different values than this, and it is something else


@dataclass(frozen=True)
class Guess:
    """One standard column, the log's column taken for it, and why."""

    column: str
    source_column: str
    reason: str


@dataclass(frozen=True)
class Proposal:
    """What a log's columns are taken for."""

    guesses: tuple[Guess, ...]
    formats: dict[str, str] = field(default_factory=dict)
    cancellation: str | None = None
    notes: tuple[str, ...] = ()
    grain: Grain = field(default_factory=Grain)
    left_out: LeftOut | None = None
    is_vietnamese: bool = False


def propose(sample: pd.DataFrame, name: str = "log") -> Proposal:
    """
    Guess what the columns of a purchase log are.

    Parameters
    ----------
    sample : pandas.DataFrame
        Some rows of the log, from all over it; columns as the log names them.
    name : str
        What to call the log in messages.

    Returns
    -------
    Proposal
        The guesses with their reasons, formats of dates written as text, the prefix of cancelled orders, the
        grain of the dates.

    Raises
    ------
    ContractError
        If there are no rows, or no column can be the customer or the date of the order.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"Mã KH": ["a", "b"], "Ngày đặt": ["13/02/2020"] * 2, "Thành tiền": [9, 5]})
    >>> [(guess.column, guess.source_column) for guess in propose(log).guesses]
    [('customer_id', 'Mã KH'), ('ordered_at', 'Ngày đặt'), ('amount', 'Thành tiền')]
    >>> propose(log).formats
    {'ordered_at': '%d/%m/%Y'}
    """
    _check_sample(sample, name)
    readings = {str(source): read_dates(sample[source]) for source in sample.columns}
    dates = {source: reading for source, reading in readings.items() if reading is not None}
    named, record_notes = _honest_record(_by_name(sample, dates), dates)
    _require(named, sample, name)
    chosen, money_notes = choose_money(sample, named)
    cancelled = find_cancellation(sample, named)
    guesses = tuple(
        _guess(column, chosen[column], sample, dates) for column in SOUNDS_LIKE if column in chosen
    )
    formats = {
        column: form for column in DATES if column in chosen and (form := dates[chosen[column]].format)
    }
    grain = find_grain(sample[chosen["ordered_at"]], formats.get("ordered_at"))
    left_out = find_left_out(sample, chosen)
    status_notes = [left_out.said()] if left_out else []
    notes = (
        *record_notes,
        *money_notes,
        *doubts(sample, chosen, dates),
        *status_notes,
        *filter(None, [grain.doubt]),
    )
    vietnamese = 2 * sum(is_vietnamese(str(source)) for source in sample.columns) > len(sample.columns)
    return Proposal(guesses, formats, cancelled, notes, grain, left_out, vietnamese)


def _check_sample(sample: pd.DataFrame, name: str) -> None:
    if sample.empty:
        raise ContractError(f"{name}: there are no rows below the column names", hint="is it the right file?")
    known = any(name_score(column, str(source)) for column in SOUNDS_LIKE for source in sample.columns)
    if not known:
        is_data = "the first line holds data, not column names"
        no_log = "no column looks like a customer, a date or an amount by its name"
        raise ContractError(
            f"{name}: {no_log if are_names(map(str, sample.columns)) else is_data}",
            hint="put a line of column names on top, or write the config by hand",
        )


def _by_name(sample: pd.DataFrame, dates: dict[str, DateReading]) -> dict[str, str]:
    """Match names best first, each column once, and only where the values agree with the name."""
    scored = sorted(_candidates(sample, dates), key=lambda one: -one[0])
    chosen: dict[str, str] = {}
    for _, column, source in scored:
        if column not in chosen and source not in chosen.values():
            chosen[column] = source
    only_dates = [source for source in dates if source not in chosen.values()]
    if "ordered_at" not in chosen and len(only_dates) == 1:
        chosen["ordered_at"] = only_dates[0]
    return chosen


def _honest_record(named: dict[str, str], dates: dict[str, DateReading]) -> tuple[dict[str, str], list[str]]:
    """Leave out a recorded_at that starts long after the log does: a bulk load, not the day of knowledge."""
    if "recorded_at" not in named or "ordered_at" not in named:
        return named, []
    recorded, ordered = dates[named["recorded_at"]], dates[named["ordered_at"]]
    delay = (recorded.first - ordered.first).days
    if 0 <= delay <= LOADED_LATE and recorded.last >= ordered.last:
        return named, []
    kept = {column: source for column, source in named.items() if column != "recorded_at"}
    return kept, [
        f"{named['recorded_at']!r} is not taken for recorded_at: it does not follow the orders' dates"
    ]


def _candidates(sample: pd.DataFrame, dates: dict[str, DateReading]) -> Iterator[tuple[int, str, str]]:
    for column in SOUNDS_LIKE:
        for source in map(str, sample.columns):
            score = name_score(column, source)
            if score and _suits(column, sample[source], dates):
                repeats = column != "customer_id" or _repeats(sample[source])
                yield score - (0 if repeats else 600), column, source


def _suits(column: str, values: pd.Series, dates: dict[str, DateReading]) -> bool:
    """Say whether the values can be what the name says."""
    if column in DATES or values.name in dates:
        return column in DATES and values.name in dates
    if column in NUMBERS:
        return _share_of_numbers(values) >= READABLE and not (column in MONEY and _is_flag(values))
    if column in LABELS:
        return _distinct(values) <= LABELS[column]
    return _distinct(values) > 1


def _share_of_numbers(values: pd.Series) -> float:
    filled = values.dropna()
    return float(numbers(filled).notna().mean()) if len(filled) else 0.0


def _is_flag(values: pd.Series) -> bool:
    """Say whether a column tells yes from no: a "paid" of 0 and 1 is no amount."""
    return pd.api.types.is_bool_dtype(values) or set(numbers(values.dropna())) == {0.0, 1.0}


def _distinct(values: pd.Series) -> int:
    return int(values.dropna().astype(str).nunique())


def _repeats(values: pd.Series) -> bool:
    return _distinct(values) < int(values.notna().sum())


def _require(chosen: dict[str, str], sample: pd.DataFrame, name: str) -> None:
    for column in ("customer_id", "ordered_at"):
        if column in chosen:
            continue
        near = [str(source) for source in sample.columns if name_score(column, str(source))]
        looked = f"; {near[0]!r} sounds like it, but its values do not fit" if near else ""
        raise ContractError(
            f"{name}: no column looks like {SOUNDS_LIKE[column]} ({column}){looked}; "
            f"columns: {shown_names([*map(str, sample.columns)])}",
            example=_first(sample[near[0]]) if near else None,
            hint=f'rename that column to "{column}" in the log, or name it in a config written by hand',
        )


def _first(values: pd.Series) -> str | None:
    filled = values.dropna()
    return form_of(filled.iloc[0]) if len(filled) else None


def _guess(column: str, source: str, sample: pd.DataFrame, dates: dict[str, DateReading]) -> Guess:
    known = name_score(column, source) > 0
    opening = f"name looks like {SOUNDS_LIKE[column]}" if known else "the only candidate left"
    if column in DATES:
        return Guess(column, source, f"{opening}, {_span(dates[source])}")
    if column in NUMBERS:
        return Guess(column, source, f"{opening}, {_range(numbers(sample[source]))}")
    empty = percent(float(sample[source].isna().mean()))
    return Guess(column, source, f"{opening}, {_distinct(sample[source]):,} distinct values, {empty} empty")


def _span(reading: DateReading) -> str:
    span = f"dates from {reading.first.date()} to {reading.last.date()}"
    return f"{span}, written as {reading.format}" if reading.format else span


def _range(values: pd.Series) -> str:
    negative = percent(float((values < 0).mean()))
    return f"numbers from {values.min():,.12g} to {values.max():,.12g}, {negative} negative"
