"""What the customers table says of a customer, as it was known before the cutoff."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import ibis.expr.types as ir

from features.feature import Feature, Unit

SENSITIVE_WORDS = {
    "age", "sex", "race", "kid", "kids", "income", "salary", "wage", "health", "gender", "dob", "male",
    "female", "religion", "tuoi", "luong", "hh",
}  # fmt: skip
SENSITIVE_STEMS = (
    "birth", "marital", "married", "marriage", "religi", "ethnic", "nationalit", "citizen", "sexual",
    "disab", "pregnan", "child", "household", "homeowner", "home_owner", "political", "gioi_tinh",
    "thu_nhap", "ngay_sinh", "nam_sinh", "hon_nhan", "ton_giao", "dan_toc", "quoc_tich", "suc_khoe",
    "khuyet_tat",
)  # fmt: skip
"""Names that speak of these are off unless the config names them as sensitive."""

_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W\d_]+")
_MEASURES = re.compile(r"(so|chat|dung|khoi|nang|san|trong)_luong")  # lượng, an amount; lương is a salary


def is_sensitive(name: str) -> bool:
    """Whether an attribute's name speaks of something that must not slip into a model unseen.

    Examples
    --------
    >>> is_sensitive("customerAge"), is_sensitive("Giới tính"), is_sensitive("package")
    (True, True, False)
    >>> is_sensitive("Mức lương"), is_sensitive("Số lượng đơn")
    (True, False)
    """
    letters = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    said = _MEASURES.sub("", _HUMPS.sub("_", plain).lower())
    return bool(SENSITIVE_WORDS & set(said.split("_"))) or any(stem in said for stem in SENSITIVE_STEMS)


def attributes(named: Sequence[tuple[str, str]]) -> Iterator[Feature]:
    """Yield the family's features.

    Parameters
    ----------
    named : sequence of (str, str)
        Attributes that are on, each with ``"number"`` or ``"category"``.
    """
    for name, unit, said in (
        ("acquisition_channel", "category", "Channel through which the customer came."),
        ("acquisition_cost", "money", "What it cost to win the customer."),
        ("was_referred", "number", "1 if another customer referred this one, else 0."),
    ):
        source = "referred_by" if name == "was_referred" else name
        yield _newest(name, unit, said, f"customers.{source}")  # type: ignore[arg-type]
    for name, kind in named:
        said = f"The customers table's {name}, as known before the cutoff."
        yield _newest(f"attr_{name}", "category" if kind == "category" else "number", said, "customers")


def _newest(name: str, unit: Unit, said: str, need: str) -> Feature:
    """Take the one version that is true at the cutoff."""

    def value(t: ir.Table) -> ir.Value:
        return t[name].max()

    return Feature(name, "profile", value, unit, said, needs=(need,))
