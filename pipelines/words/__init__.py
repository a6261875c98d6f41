"""Every word that a report, a list or a segment says, in English and in Vietnamese: the TOML files here.

Features have theirs in `features.phrases`, next to what they mean.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from features.contracts import did_you_mean
from features.errors import ContractError
from features.wording import Language
from models.currency import cents

Entry = dict[str, str]


@cache
def catalogue() -> Mapping[str, Entry]:
    """Return every key, ``section.name``, with its text a language."""
    found: list[tuple[str, Entry]] = []
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found += _flat(tomllib.loads(file.read_text(encoding="utf-8")), "")
    return dict(found)


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Entry]]:
    found: list[tuple[str, Entry]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        if all(isinstance(text, str) for text in value.values()):
            found.append((key, value))
        else:
            found += _flat(value, f"{key}.")
    return found


def say(key: str, language: Language, **facts: object) -> str:
    """Say something in the reader's language.

    Parameters
    ----------
    key : str
        Of the catalogue.
    language : {"en", "vi"}
        The reader's.
    **facts
        What stands in the text in braces; already written for the reader (`Voice`).

    Raises
    ------
    ContractError
        If there is no such key.

    Examples
    --------
    >>> say("segment.lifecycle.loyal", "vi")
    'Khách trung thành'
    """
    entry = catalogue().get(key)
    if entry is None:
        raise ContractError(f"no words for {key!r}", hint=did_you_mean(key, list(catalogue())))
    return entry[language].format(**facts)


class Voice:
    """Words and numbers as one reader expects them.

    Parameters
    ----------
    language : {"en", "vi"}
        The reader's.
    currency : str, optional
        ISO code; without it amounts are bare numbers.

    Examples
    --------
    >>> vi = Voice("vi", "VND")
    >>> vi.money(1234567), vi.share(0.125), vi.day(date(2026, 11, 3))
    ('1.234.567 ₫', '12,5%', '03/11/2026')
    >>> Voice("en").number(1234.5, 1)
    '1,234.5'
    """

    def __init__(self, language: Language, currency: str | None = None) -> None:
        self.language: Language = language
        self.currency = currency

    def __call__(self, key: str, **facts: object) -> str:
        """Say something; see `say`."""
        return say(key, self.language, **facts)

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number with so many digits behind the point."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return _minus(str(format_decimal(value, format=pattern, locale=self.language)))

    def money(self, value: float, digits: int | None = None) -> str:
        """Write an amount with the shop's currency; whole units unless told otherwise."""
        if self.currency is None:
            return self.number(value, digits or 0)
        behind = min(cents(self.currency), digits or 0)
        pattern = "#,##0" + ("." + "0" * behind if behind else "")
        said = f"{pattern} ¤" if self.language == "vi" else f"¤{pattern}"
        found = format_currency(
            value, self.currency, format=said, locale=self.language, currency_digits=False
        )
        return _minus(str(found).replace("\N{NO-BREAK SPACE}", " "))

    def share(self, value: float, digits: int = 1) -> str:
        """Write a share as per cent."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        return _minus(str(format_percent(value, format=pattern, locale=self.language)))

    def day(self, value: date) -> str:
        """Write a date."""
        pattern = "dd/MM/yyyy" if self.language == "vi" else "d MMM yyyy"
        return str(format_date(value, pattern, locale=self.language))


def _minus(written: str) -> str:
    """Write the sign of a negative number as one: after a hyphen, a line may end."""
    return "\N{MINUS SIGN}" + written[1:] if written.startswith("-") else written
