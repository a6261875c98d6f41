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
    "birth", "marital", "married", "religi", "ethnic", "nationalit", "disab", "child", "household",
    "homeowner", "home_owner", "political", "gioi_tinh", "thu_nhap", "ngay_sinh", "nam_sinh", "hon_nhan",
    "ton_giao", "dan_toc", "suc_khoe",
)  # fmt: skip
"""Names that speak of these are off unless the config names them as sensitive."""


def is_sensitive(name: str) -> bool:
    """Whether an attribute's name speaks of something that must not slip into a model unseen.

    Examples
    --------
    >>> is_sensitive("customerAge"), is_sensitive("Giới tính"), is_sensitive("package")
    (True, True, False)
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|[^\w]+", "_", name)
    plain = unicodedata.normalize("NFD", apart.replace("đ", "d").replace("Đ", "D"))
    said = "".join(c for c in plain if not unicodedata.combining(c)).lower()
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
