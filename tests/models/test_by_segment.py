"""Segments hold everyone once, and their measures are those of their rows."""

import numpy as np
import pandas as pd
import pytest

from models.by_segment import NEW_DAYS, segment_board, segments_of
from models.metrics import log_loss


def customers(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("age", "silence", "frequency", "segment"),
    [
        (NEW_DAYS - 1, 3, 5, "new"),
        (NEW_DAYS, NEW_DAYS, 0, "one-time"),
        (700, 90, 2, "loyal"),
        (700, 240, 2, "silent"),  # its mean gap is 230 days
        (700, 220, 2, "loyal"),
        (700, 91, 30, "silent"),
    ],
)
def test_where_one_belongs(age: float, silence: float, frequency: float, segment: str) -> None:
    one = customers(frequency=[frequency], T=[age], days_since_last_order=[silence])
    assert segments_of(one).tolist() == [segment]


def test_measures_are_of_the_segments_rows() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(1, 3, 4000)
    table = pd.DataFrame({
        "segment": rng.choice(["new", "loyal"], 4000), "bought": (rng.random(4000) < p).astype(float),
        "p_a": p, "p_b": 0.25,
    })  # fmt: skip
    board = segment_board(table, ["a", "b"])
    assert board[["segment", "candidate"]].to_numpy().tolist() == [
        ["loyal", "a"], ["loyal", "b"], ["new", "a"], ["new", "b"],
    ]  # fmt: skip
    assert board.drop_duplicates("segment")["customers"].sum() == 4000
    new = table[table["segment"] == "new"]
    row = board.iloc[2]
    assert row["log_loss"] == pytest.approx(log_loss(new["bought"].to_numpy(), new["p_a"].to_numpy()))
    assert row["promised"] == pytest.approx(new["p_a"].mean())
    assert row["bought"] == pytest.approx(new["bought"].mean())


def test_a_segment_that_all_ends_alike_has_no_ranking() -> None:
    table = pd.DataFrame({"segment": "new", "bought": [0.0, 0.0], "p_a": [0.1, 0.2]})
    assert np.isnan(segment_board(table, ["a"])["auc"].iloc[0])
