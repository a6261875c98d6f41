"""The ways in which one and the same word is written: Unicode has several for each letter with a mark."""

import unicodedata

# The marks that make another letter (â, ă, ơ); the other marks of Vietnamese are tones.
_OF_A_LETTER = "\u0302\u0306\u031b"


def unicode_forms(text: str) -> tuple[str, ...]:
    """List the ways in which Unicode writes a text that looks the same: whole letters, letters and marks.

    No engine needs to know of Unicode's forms where all of them are looked for.

    Returns
    -------
    tuple of str
        Composed (NFC, most systems), decomposed (NFD, names of files on a Mac) and, between the two, letters
        with their tones apart, which is what Vietnamese keyboards of Windows write; each once.

    Examples
    --------
    >>> unicode_forms("cancelled")
    ('cancelled',)
    >>> [len(form) for form in unicode_forms("đã hủy, trả một phần")]
    [20, 27, 25]
    """
    apart = unicodedata.normalize("NFD", text)
    return tuple(dict.fromkeys([unicodedata.normalize("NFC", text), apart, _tones_apart(apart)]))


def _tones_apart(decomposed: str) -> str:
    """Put together letters and what makes them another letter, and leave the tones after them."""
    found: list[str] = []
    tones = ""
    for sign in decomposed:
        of_letter = sign in _OF_A_LETTER and not any(_same_place(sign, tone) for tone in tones)
        if of_letter and found:
            found[-1] = unicodedata.normalize("NFC", found[-1] + sign)
        elif unicodedata.combining(sign):
            tones += sign
        else:
            found += [tones, sign]
            tones = ""
    return "".join([*found, tones])


def _same_place(one: str, other: str) -> bool:
    """Say whether the order of two marks matters: one stands above or below the other."""
    return unicodedata.combining(one) == unicodedata.combining(other)


def unaccented(text: str) -> str:
    """Take the marks off letters: what is left when someone types without them.

    Examples
    --------
    >>> unaccented("Đã hủy")
    'Da huy'
    """
    flat = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(sign for sign in flat if not unicodedata.combining(sign))
