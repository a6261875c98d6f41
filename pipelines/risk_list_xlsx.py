"""The list of customers to act on, as a workbook."""

from pathlib import Path
from typing import Any

import pandas as pd

from features.wording import Language
from models.currency import cents
from pipelines.risk_list import is_money, is_share, rounded, text_columns
from pipelines.workbook import MOST_ROWS, TEXT, Column, Sheet, write_workbook

NAME = "risk_list.xlsx"
_CUT = {
    "en": (
        "not all",
        "A sheet holds no more than {:,} customers, those ranked first; risk_list.csv has all {:,}.",
    ),
    "vi": ("chưa đủ", "Trang tính chỉ chứa {:,} khách hàng đứng đầu; risk_list.csv có đủ cả {:,}."),
}
"""Tab and text of the sheet that says so; the tab is in view from the first."""


def write_risk_list_xlsx(
    ranked: pd.DataFrame, path: Path, currency: str | None = None, language: Language = "en"
) -> int:
    """Write the list as a workbook: ids as text, days as days, numbers with their decimals.

    Parameters
    ----------
    ranked : DataFrame
        As `pipelines.risk_list.risk_list` gives it, with reasons or without.
    path : Path
        The file to write.
    currency : str, optional
        For the decimals of amounts.
    language : {"en", "vi"}
        Of what is said where a sheet is too short for the list.

    Returns
    -------
    int
        How many customers are in it: all of them, or as many as a sheet takes.

    Raises
    ------
    ContractError
        If a text is longer than a cell can hold.
    """
    shown = rounded(ranked.head(MOST_ROWS - 1), currency)
    texts = text_columns(shown)
    sheets = [Sheet("risk_list", [_column(c, shown[c], c in texts, currency) for c in shown.columns])]
    if len(shown) < len(ranked):
        tab, text = _CUT[language]
        told = pd.Series([text.format(len(shown), len(ranked))])
        sheets.append(Sheet(tab, [Column(tab, told, TEXT, 100)]))
    write_workbook(path, sheets)
    return len(shown)


def _column(name: str, values: "pd.Series[Any]", is_text: bool, currency: str | None) -> Column:
    wide = max(10.0, len(name) + 4)  # the filter's arrow takes its place
    if is_text:
        return Column(name, values, TEXT, 60 if name.startswith("reason_") else max(wide, 20))
    if values.dtype.kind == "M":
        return Column(name, values, "yyyy-mm-dd", max(wide, 12))
    if is_share(name):
        return Column(name, values, "0.0%", wide)
    if is_money(name):
        return Column(name, values, "#,##0.00" if cents(currency) else "#,##0", max(wide, 14))
    return Column(name, values, "0", wide)
