"""What may be said of a row or of somebody else's error: its form and its words, never a person's data."""

import re

_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?"
_DAY = re.compile(
    rf"(\d{{1,2}}([./-])\d{{1,2}}\2(\d{{4}}|\d{{2}})|\d{{4}}([./-])\d{{1,2}}\4\d{{1,2}})([ ,T]+{_TIME})?"
)
_AMOUNT = re.compile(r"[-+]?\d{1,3}([.,]\d{3})*[.,]\d{1,2}|[-+]?\d{1,3}([.,]\d{3})+")
_KIND = re.compile(r"(?:[A-Z]\w* )+(?:Error|Exception): ")
_CODE = re.compile(r"\[[A-Z][A-Z_.]+\] ")
"""As in Spark's ``[CAST_INVALID_INPUT] The value …``."""
_WORDS = re.compile(r"((?:[A-Za-z_]+(?:-[A-Za-z]+)*[,;.]?(?: |$))*)([A-Za-z_]+(?=:))?")
"""Whole words alone: of ``row of lan-7`` not the ``lan``."""


def form_of(value: object) -> str:
    """Show a value of a row as far as it helps to mend it: a date or an amount itself, of all else the form.

    A column that is mapped wrongly holds names, numbers of customers or addresses; letters become ``x`` and
    digits ``9``.

    Examples
    --------
    >>> form_of("13/25/2024"), form_of("1.234,50")
    ('13/25/2024', '1.234,50')
    >>> form_of("soon"), form_of("17850"), form_of("1 234 €"), form_of("lan.nguyen@shop.vn")
    ('xxxx', '99999', '9 999 €', 'xxx.xxxxxx@xxxx.xx')
    """
    text = str(value).strip()
    if _DAY.fullmatch(text) or _AMOUNT.fullmatch(text):
        return text
    return "".join("9" if c.isdigit() else "x" if c.isalpha() else c for c in text)


def words_of(message: object) -> str:
    """Keep the words with which a library's message begins, up to the first thing that could be a value.

    Libraries show the values they stumble over: in quotes, after a colon, on lines that follow.

    Examples
    --------
    >>> words_of("Conversion Error: Could not convert string 'lan@shop.vn' to INT32")
    'Could not convert string …'
    >>> words_of("could not convert string to float: 'Lan'"), words_of("division by zero"), words_of("'Lan'")
    ('could not convert string to float …', 'division by zero', '…')
    >>> words_of("[CAST_INVALID_INPUT] The value 'Lan' of"), words_of("no row of lan-7@shop.vn")
    ('[CAST_INVALID_INPUT] The value …', 'no row of …')
    """
    first = str(message).strip().split("\n")[0]
    kind = _KIND.match(first)
    said = first[kind.end() :] if kind else first
    code = _CODE.match(said)
    words = _WORDS.match(said, code.end() if code else 0)
    kept = f"{code.group() if code else ''}{words.group() if words else ''}"
    return kept if kept == said else f"{kept.rstrip(' ,;.')} …".strip()
