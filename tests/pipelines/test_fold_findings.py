"""What the folds of a training leave in doubt is said with it."""

from types import SimpleNamespace

import pandas as pd
import pytest

from pipelines.fold_findings import fold_warnings, why_not_the_first


def folds(known: int, buyers: int) -> pd.DataFrame:
    rows = {"cutoff": pd.Timestamp("2025-01-01"), "bought": [1.0] * buyers + [0.0] * (known - buyers)}
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("known", "buyers", "primary", "codes"),
    [
        (1000, 300, 90, []),
        (30, 13, 90, ["buyers"]),
        (1000, 300, 365, ["judged_horizon"]),
        (30, 13, 365, ["buyers", "judged_horizon"]),
    ],
)
def test_what_is_said(known: int, buyers: int, primary: int, codes: list[str]) -> None:
    found = fold_warnings(folds(known, buyers), SimpleNamespace(judged_horizon=90), primary)
    assert [finding.code for finding in found] == codes
    assert all(f"{primary} days" in f.text for f in found if f.code == "judged_horizon")


def test_why_another_than_the_first_was_taken() -> None:
    board = pd.DataFrame({"log_loss": [0.6, 0.6017, 0.7]}, index=["bgnbd", "blend", "base_rate"])
    assert why_not_the_first(board, "bgnbd", is_rule=False) == ""
    assert why_not_the_first(board, "base_rate", is_rule=True) == ""
    said = why_not_the_first(board, "blend", is_rule=False)
    assert said.startswith("bgnbd stands first over all folds, by 0.0017")
    assert "blend is taken (a mean of models" in said
