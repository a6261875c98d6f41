"""The workbook, read back by two programs that are not ours."""

import hashlib
import re
import time
import zipfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from features.errors import ContractError
from pipelines.risk_list import write_risk_list
from pipelines.risk_list_xlsx import write_risk_list_xlsx
from pipelines.score_file import MOST_LISTED
from pipelines.workbook import MOST_ROWS
from tests.pipelines.test_cell_text import CHARACTERS


def a_list(ids: list[str], **changes: object) -> pd.DataFrame:
    columns = {
        "rank": range(1, len(ids) + 1),
        "customer_id": ids,
        "risk_tier": "high",
        "p_churn_90d": 0.91234,
        "value_at_risk": 1234.567,
        "total_spend": float("nan"),
        "n_orders": 3,
        "next_order_p20": pd.Timestamp("2026-03-09"),
        "next_order_p50": pd.NaT,
        "reason_1": "why; lowers the chance",
        "reason_2": "",
    }
    return pd.DataFrame(columns | changes).astype({"customer_id": "str", "next_order_p50": "datetime64[s]"})


def sheet(path: Path):
    return openpyxl.load_workbook(path).worksheets[0]


def texts(path: Path) -> list[str]:
    """The ids as a second program reads them, which knows how the format spells control characters."""
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [row[1] for row in rows[1:]]


def test_cells_have_their_types_and_formats(tmp_path):
    assert write_risk_list_xlsx(a_list(["00123", "1E5"]), tmp_path / "l.xlsx", "EUR") == 2
    found = {
        c.value: (d.value, d.data_type, d.number_format)
        for c, d in zip(*sheet(tmp_path / "l.xlsx")[1:2], strict=True)
    }
    assert found == {
        "rank": (1, "n", "0"),
        "customer_id": ("00123", "s", "@"),
        "risk_tier": ("high", "s", "@"),
        "p_churn_90d": (0.9123, "n", "0.0%"),
        "value_at_risk": (1234.57, "n", "#,##0.00"),
        "total_spend": (None, "n", "General"),
        "n_orders": (3, "n", "0"),
        "next_order_p20": (datetime(2026, 3, 9), "d", "yyyy-mm-dd"),
        "next_order_p50": (None, "n", "General"),
        "reason_1": ("why; lowers the chance", "s", "@"),
        "reason_2": (None, "n", "General"),
    }


def test_a_currency_without_cents_is_shown_without_decimals(tmp_path):
    write_risk_list_xlsx(a_list(["a"], value_at_risk=189_000.4), tmp_path / "l.xlsx", "VND")
    cell = sheet(tmp_path / "l.xlsx")["E2"]
    assert (cell.value, cell.number_format) == (189_000, "#,##0")


def test_the_header_is_that_of_the_csv_stays_in_view_and_filters(tmp_path):
    listed = a_list(["a", "b"])
    write_risk_list_xlsx(listed, tmp_path / "l.xlsx")
    write_risk_list(listed, tmp_path / "l.csv")
    opened = sheet(tmp_path / "l.xlsx")
    assert [cell.value for cell in opened[1]] == list(pd.read_csv(tmp_path / "l.csv").columns)
    assert (opened.freeze_panes, opened.auto_filter.ref, opened[1][0].font.b) == ("A2", "A1:K3", True)
    assert all(opened.column_dimensions[letter].width >= 10 for letter in "ABCDEFGHIJK")


def test_a_list_of_nobody_keeps_its_header(tmp_path):
    assert write_risk_list_xlsx(a_list(["a"]).head(0), tmp_path / "l.xlsx") == 0
    assert [[c.value for c in row][:2] for row in sheet(tmp_path / "l.xlsx").iter_rows()] == [
        ["rank", "customer_id"]
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\r\nx", "  =1", "＝1", "\n=1", "'=1"]
)
def test_a_hostile_id_is_text_and_unchanged(tmp_path, text):
    write_risk_list_xlsx(a_list([text]), tmp_path / "l.xlsx")
    cell = sheet(tmp_path / "l.xlsx")["B2"]
    assert (cell.value, cell.data_type) == (text, "s")


MARKUP = "<r><t>x</t></r></si></sst><f>1+1</f><r></r>"


@given(
    st.lists(
        st.text(st.sampled_from([*CHARACTERS, *"_x0041<>&"]) | st.characters(codec="utf-8"), min_size=1),
        min_size=1,
    )
)
@example(["_x0041_x0042_"])
@example(["_x000A\r"])
@example([MARKUP])
@example(["]]>", "&#61;1", "\x00=1", "_x003D_1"])
def test_any_id_comes_back_as_it_was_and_no_cell_is_a_formula(tmp_path_factory, ids):
    ids = [
        re.sub("[\ufffe\uffff]", "", text) or "a" for text in ids
    ]  # the reader does not know their spelling
    path = tmp_path_factory.getbasetemp() / "any.xlsx"
    write_risk_list_xlsx(a_list(ids), path)
    assert texts(path) == ids
    assert {cell.data_type for row in sheet(path).iter_rows() for cell in row} <= {"s", "n", "d"}
    with zipfile.ZipFile(path) as archive:
        parts = [ElementTree.fromstring(archive.read(name)) for name in archive.namelist()]  # noqa: S314
    assert [e.tag for part in parts for e in part.iter() if e.tag.endswith("}f")] == []


def test_the_same_list_gives_the_same_bytes_at_another_time(tmp_path, monkeypatch):
    digests = set()
    for moment in (1.6e9, 1.9e9):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        write_risk_list_xlsx(a_list(["a", "b"]), tmp_path / "l.xlsx")
        digests.add(hashlib.sha256((tmp_path / "l.xlsx").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_sheet_takes_the_longest_list_and_its_header():
    assert MOST_LISTED + 1 <= MOST_ROWS


@pytest.mark.heavy
def test_a_full_sheet_can_be_read(tmp_path):
    listed = a_list([f"c{number}" for number in range(MOST_LISTED)])
    assert write_risk_list_xlsx(listed, tmp_path / "l.xlsx") == MOST_LISTED
    assert texts(tmp_path / "l.xlsx")[-1] == f"c{MOST_LISTED - 1}"


def test_an_id_that_no_cell_can_hold_is_refused(tmp_path):
    write_risk_list_xlsx(a_list(["x" * 32_767]), tmp_path / "l.xlsx")
    assert len(sheet(tmp_path / "l.xlsx")["B2"].value) == 32_767
    with pytest.raises(ContractError, match=r"'customer_id' has 1 texts of more than 32,767 .* xlsx = false"):
        write_risk_list_xlsx(a_list(["𝒳" * 16_384]), tmp_path / "l.xlsx")
