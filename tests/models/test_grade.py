"""A letter for people who do not read log-losses, and a warning about what is too good to be true."""

import pandas as pd
import pytest

from models.grade import GOOD, GREAT, RULE_WORDS, grade
from models.leaderboard import leaderboard, spend_board
from models.purchase import RECIPES
from models.tripwire import AUC_LIMIT, SPEARMAN_LIMIT, too_good


def board(gain: float, lo: float, hi: float) -> pd.DataFrame:
    """A model that takes this share off the log-loss of the best of two rules."""
    rows = {
        "log_loss": [0.4 * (1 - gain), 0.4, 0.5],
        "is_rule": [False, True, True],
        "over_rule": [0.4 * gain, 0.0, -0.1],
        "over_rule_lo": [0.4 * lo, 0.0, -0.12],
        "over_rule_hi": [0.4 * hi, 0.0, -0.08],
    }
    return pd.DataFrame(rows, index=["blend", "formula_rule", "base_rate"])


@pytest.mark.parametrize(
    ("gain", "lo", "letter"),
    [
        (0.3, GREAT + 1e-6, "A"),
        (0.3, GREAT - 1e-6, "B"),
        (0.1, GOOD + 1e-6, "B"),
        (0.1, GOOD - 1e-6, "C"),
        (0.3, 1e-6, "C"),
        (0.3, 0.0, "D"),
        (0.3, -0.01, "D"),
        (-0.1, -0.2, "D"),
    ],
)
def test_letters(gain: float, lo: float, letter: str) -> None:
    found = grade(board(gain, lo, 0.4), "blend")
    assert found.letter == letter
    assert (found.rule, found.gain, found.lo, found.hi) == pytest.approx(("formula_rule", gain, lo, 0.4))
    assert found.sentence.startswith(f"grade {letter}, ")
    assert RULE_WORDS["formula_rule"] in found.sentence


def test_a_rule_is_a_d() -> None:
    found = grade(board(-0.1, -0.2, 0.0), "formula_rule")
    assert found.letter == "D"
    assert "no model is surely better than going by each customer's past orders" in found.sentence
    assert grade(board(0.3, -0.1, 0.4), "blend").sentence.startswith(
        "grade D, use the rule of thumb: blend is"
    )


def test_the_rules_have_words() -> None:
    assert set(RULE_WORDS) == {r.name for r in RECIPES.values() if r.is_rule}


def test_a_real_board_is_graded_and_trips_nothing(folds: pd.DataFrame) -> None:
    found = leaderboard(folds, seed=1)
    assert grade(found, "bgnbd").letter in "AB"
    assert too_good(found, spend_board(folds, RECIPES["bgnbd"])) == []


def test_a_planted_leak_trips(folds: pd.DataFrame) -> None:
    leaky = folds.assign(p_leak=folds["bought"].clip(0.01, 0.99), formula_spend=folds["spend"] * 2)
    said = too_good(leaderboard(leaky, seed=1), spend_board(leaky, RECIPES["bgnbd"]))
    assert len(said) == 2
    assert "AUC of 1.000 (leak)" in said[0]
    assert "spend of 1.000 (formula)" in said[1]


def test_where_it_trips() -> None:
    spend = pd.DataFrame({"spearman": [SPEARMAN_LIMIT]}, index=["formula"])
    at_limit = pd.DataFrame({"auc": [AUC_LIMIT]}, index=["blend"])
    assert too_good(at_limit, spend) == []
    assert len(too_good(at_limit + 1e-6, spend + 1e-6)) == 2
    assert too_good(at_limit, pd.DataFrame(columns=["gini", "spearman"])) == []
