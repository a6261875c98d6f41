import csv
import io
import re
import unicodedata

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.cell_text import harmless, harmless_column, original
from pipelines.risk_list import write_risk_list

LIVE = "=+-@"
CHARACTERS = [*"=+-@'\"a1 ,;|\t\r\n＝＋－＠﹣−", "\ufeff", "\u200b", "\u00a0", "\x00", "\x0b", "\u2028"]
hostile = st.text(st.sampled_from(CHARACTERS) | st.characters(codec="utf-8"), max_size=12)


def is_live(cell: str) -> bool:
    """Judge as the most careless of programs: without regard to quotes, blanks and what has no width."""
    if re.fullmatch(r"-?[\d.]+", cell):
        return False  # a number
    seen = [c for c in cell if unicodedata.category(c) not in ("Cc", "Cf", "Zs", "Zl", "Zp") and c != '"']
    return bool(seen) and unicodedata.normalize("NFKC", seen[0])[0] in LIVE


def cells(text: str, delimiter: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]


@given(hostile)
@example("'=1")
@example("''=1'")
@example("x;=1+1")
@example('x;"=1+1&"')
@example("a\n=1+1\nb")
@example(";\t;=")
def test_the_original_can_be_had_back(text):
    assert original(harmless(text)) == text


@given(st.lists(hostile, min_size=1, max_size=3))
@example(["x;=1+1"])
@example(['x;"=1+1&"'])
@example(["a\n=1+1\nb"])
@example(["=cmd|' /c calc'!A0"])
def test_no_cell_of_the_list_is_live_however_its_lines_are_split(tmp_path_factory, ids):
    path = tmp_path_factory.getbasetemp() / "live.csv"
    listed = pd.DataFrame({"rank": range(1, len(ids) + 1), "customer_id": ids, "value_at_risk": -1.5})
    write_risk_list(listed, path)
    written = path.read_bytes().decode()
    found = [cell for delimiter in ",;\t|" for cell in cells(written, delimiter)]
    assert [cell for cell in found if is_live(cell)] == []
    with path.open(encoding="utf-8", newline="") as lines:
        assert [original(row["customer_id"]) for row in csv.DictReader(lines)] == ids


@given(st.lists(hostile, max_size=3))
@example(["17850", "a;=1+1"])
def test_a_column_is_made_harmless_as_each_of_its_texts_is(texts):
    column = pd.Series(texts, dtype="str")
    assert harmless_column(column).tolist() == [harmless(text) for text in texts]
    assert column.tolist() == texts


def test_the_test_would_notice_a_live_cell():
    assert is_live("=1+1")
    assert is_live('\ufeff "＝1')
    assert [cell for cell in cells('1,"x;=1+1"\n', ";") if is_live(cell)] == ['=1+1"']


@pytest.mark.parametrize("text", ["17850", "khách hàng 1", "O'Neill", "a-b", "x; y", "'quoted'", "", "1,5"])
def test_ordinary_text_is_left_alone(text):
    assert harmless(text) == original(text) == text


def test_every_character_that_reads_as_a_start_is_known():
    starts = [
        c for c in map(chr, range(0x110000))
        if unicodedata.category(c) != "Cs" and unicodedata.normalize("NFKC", c)[0] in LIVE
    ]  # fmt: skip
    assert len(starts) > 15
    assert [c for c in starts if harmless(c + "1") == c + "1"] == []


def test_every_character_without_width_is_looked_through():
    unseen = [
        c for c in map(chr, range(0x110000)) if unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp")
    ]
    assert len(unseen) > 200
    assert [c for c in unseen if harmless(f"{c}=1") == f"{c}=1"] == []
