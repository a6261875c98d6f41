"""Reasons in words, English or Vietnamese: the fact, its value for this customer, which way it moves."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.feature import Unit
from features.wording import LANGUAGES, Language, phrase
from models.currency import cents

Two = tuple[str, str]

DIRECTION: dict[bool, Two] = {
    True: ("raises the chance of a purchase", "làm tăng khả năng mua lại"),
    False: ("lowers the chance of a purchase", "làm giảm khả năng mua lại"),
}
ACTIONABLE: Two = ("can be acted on", "có thể tác động")
OTHER: Two = ("a rare one, or not known", "giá trị hiếm gặp hoặc không rõ")
NONE: Two = ("none", "chưa có")
YES_NO: dict[bool, Two] = {True: ("yes", "có"), False: ("no", "không")}
USUAL_WAIT: Two = ("usual wait: {}", "thông thường: {}")
NOT_AGAIN: Two = ("has not come back yet", "chưa quay lại mua lần nào")
SINCE: Two = ("in {} days", "trong {} ngày")
_DECIMAL = ({",": ",", ".": "."}, {",": ".", ".": ","})


def reason_texts(
    told: pd.DataFrame,
    frame: pd.DataFrame,
    units: Mapping[str, Unit],
    language: Language,
    currency: str | None,
) -> list[str]:
    """Say each reason in words.

    Parameters
    ----------
    told : DataFrame
        Of `models.reasons.reasons`.
    frame : DataFrame
        The customers it was found for, with ``frequency, recency, T``.
    units : Mapping[str, Unit]
        Feature to what it counts.
    language : {"en", "vi"}
        The reader's.
    currency : str, optional
        Of the log.
    """
    known = frame.set_index("customer_id")[["frequency", "recency", "T"]].loc[told["customer_id"]]
    place = LANGUAGES.index(language)
    texts = []
    for (feature, value, text, added, actionable), (frequency, recency, age) in zip(
        told[["feature", "value", "text", "contribution", "actionable"]].itertuples(index=False),
        known.itertuples(index=False),
        strict=True,
    ):
        shown = text or shown_value(feature, value, units[feature], language, currency)
        fact = f"{phrase(feature, language)}: {shown}"
        beside = _beside(feature, frequency, recency, age, language)
        said = f"{fact} ({beside})" if beside else fact
        tail = f" [{ACTIONABLE[place]}]" if actionable else ""
        texts.append(f"{said}; {DIRECTION[added > 0][place]}{tail}")
    return texts


def shown_value(feature: str, value: float, unit: Unit, language: Language, currency: str | None) -> str:
    """Write a value as a reader does.

    Examples
    --------
    >>> shown_value("total_spend", 1250000.0, "money", "vi", "VND")
    '1.250.000 VND'
    >>> shown_value("refund_share", 0.125, "share", "vi", None), shown_value("T", 84.0, "days", "en", None)
    ('12,5 %', '84')
    """
    place = LANGUAGES.index(language)
    if unit == "category":  # its text is not among those that the model tells apart
        return OTHER[place]
    if np.isnan(value):
        return NONE[place]
    if feature == "was_referred":
        return YES_NO[value > 0][place]
    if unit in ("money", "currency"):
        return f"{_number(value, cents(currency), language)} {currency or ''}".rstrip()
    if unit == "share":
        return f"{_short(100 * value, language)} %"
    return _short(value, language)


def _beside(feature: str, frequency: float, recency: float, age: float, language: Language) -> str:
    """Say what the value has to be compared with."""
    place = LANGUAGES.index(language)
    if feature == "days_since_last_order":
        if frequency <= 0:
            return NOT_AGAIN[place]
        return USUAL_WAIT[place].format(_number(recency / frequency, 0, language))
    return SINCE[place].format(_number(age, 0, language)) if feature == "n_orders" else ""


def _short(value: float, language: Language) -> str:
    """Write with one decimal, or without one where the number is whole."""
    return _number(value, 0 if round(value, 1) == round(value) else 1, language)


def _number(value: float, decimals: int, language: Language) -> str:
    marks = _DECIMAL[LANGUAGES.index(language)]
    return "".join(marks.get(c, c) for c in f"{value + 0.0:,.{decimals}f}")
