"""Dates as text: from the strptime patterns of the config to those that Spark reads."""

import re

from features.errors import ContractError

_WORDS = {"%b": "MMM", "%B": "MMMM", "%p": "a", "%f": "SSSSSS", "%%": "'%'"}
_NUMBERS = {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%I": "hh", "%M": "mm", "%S": "ss"}


def java_pattern(pattern: str) -> str:
    """Turn a strptime pattern into one of Java.

    Parameters
    ----------
    pattern : str
        As in ``formats`` of the config.

    Returns
    -------
    str
        Numbers may have one digit or two, unless they stand close together.

    Raises
    ------
    ContractError
        If Spark has no counterpart that reads the same texts.

    Examples
    --------
    >>> java_pattern("%d/%m/%Y %H:%M"), java_pattern("%Y%m%d")
    ('d/M/yyyy H:m', 'yyyyMMdd')
    """
    parts = re.findall(r"%.|[^%]+|%$", pattern)
    known = _WORDS | _NUMBERS
    for part in parts:
        if part.startswith("%") and part not in known:
            raise ContractError(
                f"formats: {part!r} in {pattern!r} cannot be read by Spark",
                hint="known there: " + " ".join(known) + "; or keep the dates as timestamps in Parquet",
            )
    neighbours = zip(["", *parts[:-1]], parts, [*parts[1:], ""], strict=True)
    return "".join(_java(part, before, after) for before, part, after in neighbours)


def _java(part: str, before: str, after: str) -> str:
    if part in _WORDS:
        return _WORDS[part]
    if part not in _NUMBERS:
        return "'" + part.replace("'", "''") + "'" if re.search("[A-Za-z'\\[\\]{}#]", part) else part
    is_alone = before not in _NUMBERS and after not in _NUMBERS
    return _NUMBERS[part][0] if is_alone and part != "%Y" else _NUMBERS[part]
