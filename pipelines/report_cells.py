"""Cells of a report's tables: a value for the reader, or a dash where there is none."""

from collections.abc import Callable
from datetime import date
from functools import partial
from math import isfinite

from babel.dates import format_date
from babel.numbers import format_compact_currency, format_compact_decimal

from pipelines.report_blocks import NONE
from pipelines.report_facts import Facts
from pipelines.words import Voice


def cell(value: float | None, write: Callable[[float], str]) -> str:
    """Write a number, or a dash for none.

    Examples
    --------
    >>> cell(0.5, "{:.0%}".format), cell(float("nan"), str), cell(None, str)
    ('50%', '–', '–')
    """
    return NONE if value is None or not isfinite(value) else write(float(value))


def month(name: str, voice: Voice, *, short: bool = False) -> str:
    """Write a month of the form 1997-01.

    Examples
    --------
    >>> month("1997-01", Voice("en")), month("1997-01", Voice("vi"), short=True)
    ('Jan 1997', '01/97')
    """
    pattern = {"en": "MMM", "vi": "MM"}[voice.language] + {"en": " ", "vi": "/"}[voice.language]
    year, number = map(int, name.split("-"))
    return str(format_date(date(year, number, 1), pattern + ("yy" if short else "yyyy"), voice.language))


def day(value: date, voice: Voice) -> str:
    """Write a date as short as an axis needs it.

    Examples
    --------
    >>> day(date(1998, 7, 1), Voice("en")), day(date(1998, 7, 1), Voice("vi"))
    ('1 Jul 98', '01/07/98')
    """
    return str(format_date(value, {"en": "d MMM yy", "vi": "dd/MM/yy"}[voice.language], voice.language))


def signed(change: float, voice: Voice) -> str:
    """Write a change in per cent, with its sign.

    Examples
    --------
    >>> signed(0.21, Voice("en")), signed(-0.05, Voice("vi"))
    ('+21%', '−5%')
    """
    return ("+" if change > 0 else "") + voice.share(change, 0)


def brief(voice: Voice, *, money: bool) -> Callable[[float], str]:
    """Write amounts along an axis as short as the language has it.

    Examples
    --------
    >>> brief(Voice("en", "USD"), money=True)(25_000.0), brief(Voice("vi", "VND"), money=True)(25e6)
    ('$25K', '25 Tr ₫')
    """

    def write(value: float) -> str:
        digits = 0 if abs(value) < 1000 else 1
        if money and voice.currency is not None:
            text = format_compact_currency(
                value, voice.currency, locale=voice.language, fraction_digits=digits
            )
        else:
            text = format_compact_decimal(value, locale=voice.language, fraction_digits=digits)
        return str(text).replace("\N{NO-BREAK SPACE}", " ")

    return write


def value(facts: Facts, voice: Voice, amount: float) -> str:
    """Write money or, where the log has none, orders."""
    if facts.log.has_amounts:
        return voice.money(amount)
    return voice("report.orders", n=voice.number(amount))


def whole_share(voice: Voice) -> Callable[[float], str]:
    """Write shares along an axis, in whole per cent."""
    return partial(voice.share, digits=0)
