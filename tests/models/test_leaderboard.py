"""The leaderboard says who is ahead, by how much, and how sure that is."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.baselines import RULES
from models.folds import best_rule, log_loss_difference, measure
from models.leaderboard import REFERENCE, leaderboard, orders_board, spend_board
from models.metrics import aggregate_bias, normalised_gini
from models.purchase import RECIPES

GAINS = ["over_rule", "over_rule_lo", "over_rule_hi", "over_bgnbd", "over_bgnbd_lo", "over_bgnbd_hi"]


@pytest.fixture(scope="module")
def board(folds: pd.DataFrame) -> pd.DataFrame:
    return leaderboard(folds, seed=1)


def test_every_candidate_once_and_the_best_first(board: pd.DataFrame) -> None:
    assert sorted(board.index) == sorted(RECIPES)
    assert board["log_loss"].is_monotonic_increasing
    assert board.columns.tolist() == [
        "log_loss", "brier", "auc", "pr_auc", "ece", "lift_10", "is_rule", *GAINS,
    ]  # fmt: skip
    assert np.isfinite(board[GAINS]).all().all()
    assert set(board.index[board["is_rule"]]) == set(RULES)


def test_gains_are_the_paired_differences(board: pd.DataFrame, folds: pd.DataFrame) -> None:
    rule = best_rule(folds).name
    for name in board.index:
        for label, reference in (("over_rule", rule), ("over_bgnbd", REFERENCE)):
            expected = log_loss_difference(folds, f"p_{reference}", f"p_{name}", seed=1)
            found = board.loc[name, [label, f"{label}_lo", f"{label}_hi"]].astype(float)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        board["over_rule"], board.loc[rule, "log_loss"] - board["log_loss"], atol=1e-12
    )


def test_a_reference_is_exactly_level_with_itself(board: pd.DataFrame, folds: pd.DataFrame) -> None:
    assert (board.loc[best_rule(folds).name, GAINS[:3]] == 0).all()
    assert (board.loc[REFERENCE, GAINS[3:]] == 0).all()


def test_intervals_hold_their_estimate(board: pd.DataFrame) -> None:
    for label in ("over_rule", "over_bgnbd"):
        assert (board[f"{label}_lo"] <= board[label]).all()
        assert (board[label] <= board[f"{label}_hi"]).all()


def test_stored_versions_take_part(folds: pd.DataFrame, board: pd.DataFrame) -> None:
    """A champion's own predictions are one more column; it is no rule, and it displaces none."""
    clairvoyant = folds["bought"].clip(0.01, 0.99)
    more = leaderboard(folds.assign(p_champion_v3=clairvoyant), seed=1)
    assert more.index[0] == "champion_v3"
    assert not more.loc["champion_v3", "is_rule"]
    assert more.loc["champion_v3", "over_rule_lo"] > 0.4
    pd.testing.assert_frame_equal(more.drop("champion_v3"), board)


def test_a_tie_is_in_order_of_name(folds: pd.DataFrame) -> None:
    twins = folds.assign(p_zebra=folds["p_bgnbd"], p_ape=folds["p_bgnbd"])
    assert leaderboard(twins, seed=1).index[:3].tolist() == ["ape", "bgnbd", "zebra"]


def test_the_same_seed_gives_the_same_board(folds: pd.DataFrame, board: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(leaderboard(folds, seed=1), board)
    other = leaderboard(folds, seed=2)
    assert (other["over_rule_lo"] != board["over_rule_lo"]).any()
    pd.testing.assert_frame_equal(other[["log_loss", "auc"]], board[["log_loss", "auc"]])


def test_the_table_is_left_as_it_was(folds: pd.DataFrame) -> None:
    before = folds.copy()
    leaderboard(folds, seed=1)
    spend_board(folds, RECIPES["blend"])
    pd.testing.assert_frame_equal(folds, before)


def test_log_loss_is_over_all_folds_at_once(folds: pd.DataFrame, board: pd.DataFrame) -> None:
    by_fold = [measure(rows, ["p_blend"])["log_loss"]["blend"] for _, rows in folds.groupby("cutoff")]
    sizes = folds.groupby("cutoff").size()
    assert board.loc["blend", "log_loss"] == pytest.approx(np.average(by_fold, weights=sizes))


# ---- orders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shop", ["folds", "folds_without_amounts"])
def test_orders_candidates(shop: str, request: pytest.FixtureRequest) -> None:
    table = request.getfixturevalue(shop)
    board = orders_board(table, RECIPES["blend"])
    assert board.index.tolist() == ["formula", "last_period", "bgnbd", "blend_orders"]
    assert board.columns.tolist() == ["mae", "rmse", "rmsle", "bias"]
    expected = table["p_blend"] * table["orders_if_any"]
    assert board.loc["blend_orders", "bias"] == pytest.approx(aggregate_bias(table["orders"], expected))
    assert (table["orders_if_any"] >= 1).all()
    assert ((table["orders"] > 0) == (table["bought"] == 1)).all()


def test_a_model_expects_orders_better_than_the_rules(folds: pd.DataFrame) -> None:
    board = orders_board(folds, RECIPES["bgnbd"])
    assert board.loc["bgnbd_orders", "rmse"] < board.loc[["formula", "last_period"], "rmse"].min()
    assert abs(board.loc["bgnbd_orders", "bias"]) < 0.1
    assert board.loc["formula", "bias"] > 0.5  # past rates last for ever: nobody leaves


# ---- spend -----------------------------------------------------------------------------------------------


def test_spend_candidates(folds: pd.DataFrame) -> None:
    board = spend_board(folds, RECIPES["blend"])
    assert board.index.tolist() == [
        "formula", "last_period", "bgnbd_gamma_gamma", "blend_gamma_gamma", "blend_both", "blend_boosting",
    ]  # fmt: skip
    expected = folds["p_blend"] * folds["if_any_boosting_spend"]
    assert board.loc["blend_boosting", "gini"] == pytest.approx(normalised_gini(folds["spend"], expected))
    assert board.loc["blend_boosting", "bias"] == pytest.approx(aggregate_bias(folds["spend"], expected))


def test_gamma_gamma_beats_the_spend_rules_on_its_own_shop(folds: pd.DataFrame) -> None:
    board = spend_board(folds, RECIPES["bgnbd"])
    assert board.loc["bgnbd_gamma_gamma", "gini"] > board.loc[["formula", "last_period"], "gini"].max() + 0.02
    assert abs(board.loc["bgnbd_gamma_gamma", "bias"]) < 0.15  # whales
    assert board.loc["formula", "bias"] > 0.5  # past rates last for ever: nobody leaves
    assert board.index.is_unique  # the winner's own line is the same one here
    assert board.index[-1] == "bgnbd_boosting"


def test_no_spend_board_without_amounts(folds_without_amounts: pd.DataFrame) -> None:
    board = spend_board(folds_without_amounts, RECIPES["bgnbd"])
    assert board.empty
    assert board.columns.tolist() == ["gini", "spearman", "decile_mape", "bias"]


def test_no_spend_board_where_a_fold_has_no_spend_model(folds: pd.DataFrame) -> None:
    first = folds["cutoff"] == folds["cutoff"].min()
    gaps = folds.assign(if_any_btyd_spend=folds["if_any_btyd_spend"].where(~first))
    assert spend_board(gaps, RECIPES["bgnbd"]).empty


def test_the_shop_is_worth_judging(folds: pd.DataFrame, panel: SimpleNamespace) -> None:
    assert folds["cutoff"].nunique() == len(panel.schedule.folds) > 3
    assert 0.2 < folds["bought"].mean() < 0.5
