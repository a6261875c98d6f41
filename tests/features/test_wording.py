"""Every feature and unit can be said in both languages, in words that a marketer reads."""

import re
import unicodedata
from typing import get_args

import pytest

from features.catalogue import catalogue, visible_features
from features.errors import ContractError
from features.feature import Unit
from features.phrases import PHRASES
from features.wording import LANGUAGES, UNITS, phrase, unit_words

FEATURES = visible_features(
    horizons=[30, 45, 120], has=None, attributes=[("loyalty_tier", "category"), ("points", "number")]
)
NAMES = [f.name for f in FEATURES]
OF_THE_SHOP = ("attr_loyalty_tier", "attr_points")
SAME_IN_BOTH = {"so"}  # "orders so far", "so với": spelt alike, and nothing to do with one another
JARGON = re.compile(r"_|\b(cutoff|ratio|net|gaps?|churn|sessions?|events?|deviation|lines?|cohort|T)\b")


def syllables(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.lower()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_features_are_said_alike(language: str) -> None:
    said = [phrase(name, language) for name in NAMES]  # type: ignore[arg-type]
    assert len(NAMES) > 100
    assert sorted({text for text in said if said.count(text) > 1}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_names_its_windows_and_no_other_number(language: str) -> None:
    for name in NAMES:
        text = phrase(name, language)  # type: ignore[arg-type]
        assert sorted(re.findall(r"\d+", text)) == sorted(re.findall(r"\d+", name)), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_fits_a_line_and_reads_on_from_a_sentence(language: str) -> None:
    for name in NAMES:
        text = phrase(name, language)  # type: ignore[arg-type]
        assert 5 < len(text) <= 75, name
        assert text == text.strip(" .").replace("  ", " ") == unicodedata.normalize("NFC", text), name
        assert text[0].islower(), name


def test_english_is_plain() -> None:
    assert {name: phrase(name, "en") for name in NAMES if JARGON.search(phrase(name, "en"))} == {}
    assert all(phrase(name, "en").isascii() for name in NAMES)


def test_vietnamese_is_not_half_english() -> None:
    ours = [name for name in NAMES if name not in OF_THE_SHOP]
    english = set().union(*(syllables(phrase(name, "en")) for name in ours))
    english |= set().union(*(syllables(name) for name in ours), *(syllables(en) for en, _ in UNITS.values()))
    for text in [*(phrase(name, "vi") for name in ours), *(vi for _, vi in UNITS.values())]:
        assert syllables(text) & english <= SAME_IN_BOTH, text
    for name in ours:
        assert not phrase(name, "vi").isascii(), name


def test_nothing_is_worded_that_no_feature_is_called() -> None:
    called = {re.sub(r"_\d+d", "_{n}d", name) for name in NAMES if name not in OF_THE_SHOP}
    assert set(PHRASES) == called


def test_every_unit_has_words() -> None:
    assert set(UNITS) == set(get_args(Unit))
    for unit in {f.unit for f in FEATURES}:
        assert unit_words(unit, "en")
        assert unit_words(unit, "vi")


def test_shares_say_the_short_window_of_the_long_one() -> None:
    english = "share of the last 90 days' orders that fell in the last 28 days"
    assert phrase("orders_share_28d_of_90d", "en") == english
    assert phrase("spend_share_90d_of_365d", "vi") == "tỷ lệ chi tiêu của 90 ngày qua trên 365 ngày qua"


def test_a_shops_own_attribute_keeps_its_name() -> None:
    assert phrase("attr_spend_30d", "en") == "customer record: spend 30d"
    assert phrase("attr_{odd}_tuổi", "vi") == "hồ sơ khách hàng: {odd} tuổi"


@pytest.mark.parametrize("name", ["orders_90", "spend", "orders_d", "", "orders_{n}d_of"])
def test_an_unknown_feature_is_refused(name: str) -> None:
    with pytest.raises(ContractError, match="no words for feature"):
        phrase(name, "en")


def test_the_refusal_names_the_closest() -> None:
    with pytest.raises(ContractError, match="did you mean 'weekend_share'"):
        phrase("weekends_share", "vi")


def test_parts_are_not_for_readers() -> None:
    parts = [f.name for f in catalogue(has=None) if f.is_part]
    assert parts
    for name in parts:
        with pytest.raises(ContractError):
            phrase(name, "en")
