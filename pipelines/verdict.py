"""What a comparison says: three boards, a grade in words, and what is too good to be true."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from models.folds import best_rule
from models.grade import Grade, grade
from models.leaderboard import leaderboard, orders_board, spend_board
from models.purchase import Recipe
from models.tripwire import too_good
from pipelines.board import amount_lines, board_lines
from pipelines.board_page import board_page
from pipelines.plots import gains_figure, reliability_figure


@dataclass(frozen=True)
class Verdict:
    """The boards of one table of test rows.

    Parameters
    ----------
    board, orders, spend : DataFrame
        Probabilities; expected orders; expected spend (empty without amounts).
    grades : list of Grade
        Of those whose use is in question.
    suspicions : list of str
        What is too good to be true.
    """

    board: pd.DataFrame
    orders: pd.DataFrame
    spend: pd.DataFrame
    grades: list[Grade]
    suspicions: list[str]

    @property
    def sentences(self) -> list[str]:
        """One grade a line."""
        return [found.sentence for found in self.grades]

    def lines(self) -> list[str]:
        """Lay everything out for a terminal."""
        orders, spend = amount_lines(self.orders), amount_lines(self.spend)
        return [
            *board_lines(self.board),
            *(["expected orders:", *orders] if orders else []),
            *(["expected spend:", *spend] if spend else []),
            *self.sentences,
        ]


def verdict(folds: pd.DataFrame, recipe: Recipe, graded: list[str], seed: int) -> Verdict:
    """Measure a table of test rows.

    Parameters
    ----------
    folds : DataFrame
        From `models.folds.fold_table`; ``p_`` columns that not all rows have take no part.
    recipe : Recipe
        Whose expected orders and spend are measured.
    graded : list of str
        Candidates to grade, those that take part.
    seed : int
        For the bootstrap.
    """
    board = leaderboard(folds.dropna(axis="columns"), seed)
    orders, spend = orders_board(folds, recipe), spend_board(folds, recipe)
    grades = [grade(board, name) for name in graded if name in board.index]
    return Verdict(board, orders, spend, grades, too_good(board, spend))


def verdict_page(
    title: str,
    found: Verdict,
    folds: pd.DataFrame,
    names: list[str],
    more: Mapping[str, pd.DataFrame] | None = None,
) -> str:
    """Write it as a page, with the reliability and the gains of `names`, BG/NBD and the best dumb rule.

    Tables of `more` come after those of the verdict, under their headings.
    """
    shown = list(dict.fromkeys([*names, "bgnbd", best_rule(folds).name]))
    shown = [name for name in shown if f"p_{name}" in folds and folds[f"p_{name}"].notna().all()]
    boards = {
        "Probability of a purchase": found.board,
        "Expected orders": found.orders,
        "Expected spend": found.spend,
        **(more or {}),
    }
    figures = {
        "Reliability: predicted probability against what happened": reliability_figure(folds, shown),
        "Gains: share of the buyers among the best-ranked customers": gains_figure(folds, shown),
    }
    return board_page(title, [*found.sentences, *found.suspicions], boards, figures)
