"""The workbook as LibreOffice opens it: types, filters, and hostile texts that stay texts."""

import shutil
import subprocess
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from pipelines.risk_list_xlsx import write_risk_list_xlsx
from tests.pipelines.test_risk_list_xlsx import a_list

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
HOSTILE = [
    "=1+1", "+84 901", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://evil","x")', "\t=1+1",
    "＝1+1", "00123", "1E5", "2024-03-01", "TRUE", "#N/A", "khách <b>Ánh</b> & \"Hà\"", "<r><t>=1</t></r>",
    "{=1+1}", "'=1+1", "of:=1+1", "=SUM(1;2)",
]  # fmt: skip


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> ElementTree.Element:
    """Let LibreOffice open the workbook and write what it understood as flat XML."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("office")
    listed = a_list(HOSTILE, reason_1=[f"{text}; lowers the chance" for text in HOSTILE]).assign(
        lifecycle=HOSTILE[::-1], act_by=pd.Timestamp("2026-03-20"), net_value=np.arange(len(HOSTILE)) - 3.25
    )
    write_risk_list_xlsx(listed, folder / "list.xlsx", "EUR")
    command = [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "fods"]
    subprocess.run(
        [*command, "--outdir", str(folder), str(folder / "list.xlsx")],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return ElementTree.parse(folder / "list.fods").getroot()  # noqa: S314 (we wrote it)


def cells(opened: ElementTree.Element) -> list[list[tuple[str | None, str | None, str]]]:
    """Type, value and text of each cell; cells that are said once for many are written out."""
    rows = []
    for row in opened.iter(f"{TABLE}table-row"):
        found: list[Any] = []
        for cell in row.iter(f"{TABLE}table-cell"):
            kind = cell.get(f"{OFFICE}value-type")
            value = cell.get(f"{OFFICE}value") or cell.get(f"{OFFICE}date-value")
            # Tabs and runs of blanks are elements of their own.
            text = "\n".join(_text(p) for p in cell.iter(f"{TEXT}p"))
            found += [(kind, value, text)] * min(int(cell.get(f"{TABLE}number-columns-repeated", 1)), 30)
        rows.append(found)
    return rows


def _text(paragraph: ElementTree.Element) -> str:
    said = paragraph.text or ""
    for one in paragraph:
        said += {f"{TEXT}tab": "\t", f"{TEXT}s": " "}.get(one.tag, one.text or "") + (one.tail or "")
    return said


@pytest.mark.heavy
def test_types_are_right_and_hostile_texts_stay_texts(opened: ElementTree.Element) -> None:
    head, *rows = cells(opened)
    names = [text for _, _, text in head]
    place = {name: names.index(name) for name in names if name}
    assert len(rows) >= len(HOSTILE)
    for row, text in zip(rows, HOSTILE, strict=False):
        assert row[place["customer_id"]] == ("string", None, text)
        assert row[place["reason_1"]][0] == "string"
        assert row[place["act_by"]][:2] == ("date", "2026-03-20")
        assert row[place["next_order_p20"]][:2] == ("date", "2026-03-09")
        assert row[place["p_churn_90d"]][0] == "percentage"
        assert row[place["value_at_risk"]][:2] == ("float", "1234.57")
        assert row[place["rank"]][0] == row[place["net_value"]][0] == "float"
        assert row[place["next_order_p50"]][0] is None
    assert [row[place["lifecycle"]][2] for row in rows[: len(HOSTILE)]] == HOSTILE[::-1]


@pytest.mark.heavy
def test_no_cell_has_a_formula_or_a_link(opened: ElementTree.Element) -> None:
    assert [cell for cell in opened.iter() if cell.get(f"{TABLE}formula")] == []
    assert not list(opened.iter(f"{TEXT}a"))


@pytest.mark.heavy
def test_the_rows_have_filters(opened: ElementTree.Element) -> None:
    """The frozen head is part of a view, of which there is none without a screen: openpyxl reads it."""
    [database] = opened.iter(f"{TABLE}database-range")
    assert database.get(f"{TABLE}display-filter-buttons") == "true"
    assert database.get(f"{TABLE}target-range-address", "").endswith(f"{len(HOSTILE) + 1}")
