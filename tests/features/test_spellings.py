"""One word, written in the ways that Unicode has for it."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from features.spellings import unaccented, unicode_forms


def test_vietnamese_has_three() -> None:
    assert unicode_forms("huỷ ậ ợ") == (
        "hu\u1ef7 \u1ead \u1ee3",
        "huy\u0309 a\u0323\u0302 o\u031b\u0323",
        "huy\u0309 \u00e2\u0323 \u01a1\u0323",
    )


@given(
    st.text(alphabet=st.sampled_from("aăâeêoôơuưđ AĐỨ\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b한é"))
)
def test_all_forms_are_the_same_text(text: str) -> None:
    forms = unicode_forms(text)
    assert unicodedata.normalize("NFC", text) in forms
    assert len({unicodedata.normalize("NFC", form) for form in forms}) == 1
    assert len({unaccented(form) for form in forms}) == 1
