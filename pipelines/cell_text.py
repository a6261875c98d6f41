"""Text for cells of a CSV file: none of it can become a formula, and all of it can be had back."""

import re

import pandas as pd

_STARTS = (
    "=+\\-@"  # what a formula starts with
    "＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋﬩⩵⩶−"  # their full-width, small and raised forms, and the mathematical minus
    "\t\r\n"  # what some programs skip before they look
)
_SEPARATORS = ";|\t\r\n"
"""At these a cell starts anew where a program splits lines otherwise than by commas, as Excel does by
semicolons in countries with decimal commas. It then takes no notice of quotes inside a cell."""
_UNSEEN = (
    '"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e'
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f"
)
"""Quotes, blanks, controls and marks of no width: a program may drop them."""
_ALIVE = f"(?='*[{_UNSEEN}]*[{_STARTS}])"
_BEFORE = re.compile(f"(?:^|(?<=[{_SEPARATORS}])){_ALIVE}")
_AFTER = re.compile(f"(?:^|(?<=[{_SEPARATORS}]))'{_ALIVE}")


def harmless(text: str) -> str:
    """Put an apostrophe wherever a spreadsheet would start to read a formula.

    That is at the start of the text, and after a character inside it that another program may take for the
    end of a cell. `original` undoes it.

    Examples
    --------
    >>> harmless("=1+1"), harmless("17850"), harmless("a;=1+1")
    ("'=1+1", '17850', "a;'=1+1")
    """
    return _BEFORE.sub("'", text)


def harmless_column(texts: "pd.Series[str]") -> "pd.Series[str]":
    """Do the same for a column; only texts that hold a sign which a formula starts with are looked into."""
    in_doubt = texts.str.contains(f"[{_STARTS}]")
    return texts.mask(in_doubt, texts[in_doubt].map(harmless)) if in_doubt.any() else texts


def original(text: str) -> str:
    """Give back what `harmless` was given.

    Examples
    --------
    >>> original("'=1+1"), original("17850"), original("O'Neill")
    ('=1+1', '17850', "O'Neill")
    """
    return _AFTER.sub("", text)
