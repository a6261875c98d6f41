"""What a comparison says in words, and its page: one file that fetches nothing and runs nothing."""

import base64
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from models.purchase import RECIPES
from pipelines.board import board_lines
from pipelines.board_page import board_page
from pipelines.verdict import verdict, verdict_page

WINNER = RECIPES["blend"]


@pytest.fixture(scope="module")
def folds() -> pd.DataFrame:
    """Rows on which the blend knows the truth, and everybody else the base rate."""
    rng = np.random.default_rng(5)
    n = 3000
    truth = rng.beta(1, 3, n)
    bought = (rng.random(n) < truth).astype(float)
    orders = bought * rng.integers(1, 4, n)
    table = {
        "customer_id": np.arange(n),
        "cutoff": 0,
        "bought": bought,
        "orders": orders,
        "spend": orders * 9.0,
    }
    table |= {
        f"{rule}_{what}": rng.random(n) for rule in ("formula", "last_period") for what in ("orders", "spend")
    }
    table |= {"bgnbd_orders": truth * 1.5, "orders_if_any": np.full(n, 2.0)}
    table |= {f"if_any_{m}_spend": np.full(n, 18.0) for m in ("btyd", "both", "boosting")}
    table |= {f"p_{name}": np.full(n, 0.25) for name in RECIPES}
    return pd.DataFrame(table).assign(p_blend=truth)


def test_boards_grades_and_nothing_suspicious(folds: pd.DataFrame) -> None:
    found = verdict(folds, WINNER, ["blend", "v9"], seed=1)
    assert found.board.index[0] == "blend"
    assert [g.candidate for g in found.grades] == ["blend"]  # v9 takes no part
    assert found.grades[0].letter == "A"
    assert found.suspicions == []
    text = "\n".join(found.lines())
    assert all(
        words in text for words in ("PR-AUC", "expected orders:", "expected spend:", "grade A", "blend_both")
    )


def test_columns_that_not_all_rows_have_take_no_part(folds: pd.DataFrame) -> None:
    champion = folds["p_blend"].where(folds.index > 10)
    found = verdict(folds.assign(p_champion_v1=champion, if_any_btyd_spend=np.nan), WINNER, ["blend"], seed=1)
    assert "champion_v1" not in found.board.index
    assert found.spend.empty
    assert not any("spend" in line for line in found.lines())


def test_too_good_is_said_on_the_page(folds: pd.DataFrame) -> None:
    found = verdict(folds.assign(p_blend=folds["bought"].clip(0.01, 0.99)), WINNER, ["blend"], seed=1)
    assert len(found.suspicions) == 2  # expected spend knows who bought, too
    assert "too good to be true" in verdict_page("folds", found, folds, ["blend"])


def test_a_board_of_an_earlier_version_is_shown(folds: pd.DataFrame) -> None:
    board = verdict(folds, WINNER, [], seed=1).board.drop(columns="pr_auc")
    lines = board_lines(board)
    place = lines[1].index("-" * 6, lines[0].index("PR-AUC"))
    assert lines[2][place : place + 6].strip() == "-"


def test_the_page_stands_alone(folds: pd.DataFrame) -> None:
    found = verdict(folds, WINNER, ["blend"], seed=1)
    page = verdict_page("Trained until 2025-03-01", found, folds, ["blend"])
    assert not re.search(r"https?:|<script|<link|url\(", page)
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) == page.count("<img") == 2
    assert all(base64.b64decode(p, validate=True).startswith(b"\x89PNG") for p in pictures)
    assert page.count("<table>") == 3
    assert found.grades[0].sentence in page
    assert page == verdict_page("Trained until 2025-03-01", found, folds, ["blend"])


def test_everything_is_escaped() -> None:
    evil = '<script>alert("1")</script>'
    board = pd.DataFrame({evil: [1.0], "is_rule": [True], "text": [evil]}, index=[evil])
    page = board_page(evil, [evil], {evil: board, "empty": board.iloc[:0]}, {'"' + evil: Figure()})
    assert "<script" not in page
    assert 'alt=""' not in page
    assert page.count("&lt;script&gt;") == 8
    assert "empty" not in page
    assert "<td>yes</td>" in page
