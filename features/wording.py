"""What a feature and its unit are called for a reader: in reports, lists and reasons, in two languages."""

import re
from typing import Literal

from features.contracts import did_you_mean
from features.errors import ContractError
from features.feature import Unit
from features.phrases import PHRASES

Language = Literal["en", "vi"]
LANGUAGES: tuple[Language, ...] = ("en", "vi")

UNITS: dict[Unit, tuple[str, str]] = {
    "days": ("days", "ngày"),
    "orders": ("orders", "đơn hàng"),
    "money": ("money", "tiền"),
    "currency": ("money", "tiền"),
    "purchase cycles": ("buying cycles", "chu kỳ mua hàng"),
    "share": ("share", "tỷ lệ"),
    "ratio": ("times", "lần"),
    "items": ("items", "mặt hàng"),
    "products": ("products", "sản phẩm"),
    "categories": ("categories", "ngành hàng"),
    "refunds": ("returned items", "mặt hàng hoàn trả"),
    "channels": ("channels", "kênh"),
    "switches": ("changes", "lần đổi"),
    "sessions": ("visits", "lượt truy cập"),
    "events": ("actions", "lượt"),
    "seconds": ("seconds", "giây"),
    "contacts": ("contacts", "lần liên hệ"),
    "month": ("month of the year", "tháng trong năm"),
    "months": ("months", "tháng"),
    "number": ("number", "số"),
    "category": ("name", "tên"),
}
"""Unit to its words in both languages; money is better said in the log's currency, a share in per cent."""

ATTRIBUTE = "attr_"
"""Begins the name of every feature that is a column of the shop's own customers table."""

_FROM_RECORD = ("customer record: {0}", "hồ sơ khách hàng: {0}")
_WINDOW = re.compile(r"(?<=_)\d+(?=d(?:_|$))")


def phrase(name: str, language: Language) -> str:
    """Say what a feature tells of a customer, for a reader who knows no column names.

    Parameters
    ----------
    name : str
        A feature of `features.catalogue.visible_features`, with windows of any length.
    language : {"en", "vi"}
        The reader's.

    Raises
    ------
    ContractError
        If there is no such feature, naming the closest one.

    Examples
    --------
    >>> phrase("orders_30d", "en"), phrase("orders_30d", "vi")
    ('orders in the last 30 days', 'số đơn hàng trong 30 ngày qua')
    >>> phrase("attr_loyalty_tier", "en")
    'customer record: loyalty tier'
    """
    place = LANGUAGES.index(language)
    if name.startswith(ATTRIBUTE):
        return _FROM_RECORD[place].format(name.removeprefix(ATTRIBUTE).replace("_", " "))
    key = stem(name)
    if key not in PHRASES:
        raise ContractError(f"no words for feature {name!r}", hint=did_you_mean(key, list(PHRASES)))
    return PHRASES[key][place].format(*_WINDOW.findall(name))


def stem(name: str) -> str:
    """Take the days of its windows out of a feature's name.

    Examples
    --------
    >>> stem("orders_share_30d_of_90d")
    'orders_share_{n}d_of_{n}d'
    """
    return _WINDOW.sub("{n}", name)


def windows(name: str) -> tuple[int, ...]:
    """Return the days of a feature's windows, in the order of its name.

    Examples
    --------
    >>> windows("orders_share_30d_of_90d"), windows("T")
    ((30, 90), ())
    """
    return () if name.startswith(ATTRIBUTE) else tuple(map(int, _WINDOW.findall(name)))


def unit_words(unit: Unit, language: Language) -> str:
    """Say what a feature's number counts.

    Examples
    --------
    >>> unit_words("sessions", "en"), unit_words("sessions", "vi")
    ('visits', 'lượt truy cập')
    """
    return UNITS[unit][LANGUAGES.index(language)]
