"""The list of customers to act on, as a workbook."""

from pathlib import Path
from typing import Any

import pandas as pd

from models.currency import cents
from pipelines.risk_list import is_money, is_share, rounded, text_columns
from pipelines.workbook import TEXT, Column, Sheet, write_workbook

NAME = "risk_list.xlsx"


def write_risk_list_xlsx(ranked: pd.DataFrame, path: Path, currency: str | None = None) -> int:
    """Write the list as a workbook: ids as text, days as days, numbers with their decimals.

    Parameters
    ----------
    ranked : DataFrame
        As `pipelines.score_file.to_act_on` gives it, with reasons or without: no longer than a sheet.
    path : Path
        The file to write.
    currency : str, optional
        For the decimals of amounts.

    Returns
    -------
    int
        How many customers are in it.

    Raises
    ------
    ContractError
        If a text is longer than a cell can hold.
    """
    shown = rounded(ranked, currency)
    texts = text_columns(shown)
    write_workbook(
        path, [Sheet("risk_list", [_column(c, shown[c], c in texts, currency) for c in shown.columns])]
    )
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
