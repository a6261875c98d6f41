"""Folds judge on customers as they went on: nothing that is judged has seen what it is judged on."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.baselines import RULES
from models.bgnbd import BetaGeoModel
from models.folds import (
    PART_NAMES,
    VALUE_NAME,
    best_rule,
    choose_recipe,
    labelled_by,
    log_loss_difference,
    make_fold,
    measure,
    newer_half,
    run_part,
)
from models.leaderboard import measure_orders, measure_spend
from models.metrics import log_loss
from models.purchase import RECIPES, Recipe

H = 90
LEARNED = [r.name for r in RECIPES.values() if not r.is_rule]


# ---- nothing from the future -----------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [28, 90])
def test_training_ends_before_the_test_begins(panel: SimpleNamespace, horizon: int) -> None:
    for cutoff in map(pd.Timestamp, panel.schedule.folds):
        fold = make_fold(panel.frame, cutoff, horizon)
        length = pd.Timedelta(days=horizon)
        assert (fold.train["cutoff"] + length <= cutoff).all()
        left_out = panel.frame.index.difference(fold.train.index)
        assert (panel.frame.loc[left_out, "cutoff"] + length > cutoff).all()
        assert fold.train[f"y_purchased_{horizon}d"].notna().all()
        assert (fold.test["cutoff"] == cutoff).all()
        assert fold.test["customer_id"].is_unique
        assert fold.horizon == horizon


def test_a_label_of_whole_months_is_known_where_they_end() -> None:
    """From the first of February to the first of May are 89 days, and the label of 90 is known then."""
    rows = pd.DataFrame({"cutoff": pd.to_datetime(["2023-02-01", "2023-03-01"])})
    may = pd.Timestamp("2023-05-01")
    assert labelled_by(rows, may, 90).empty
    ends = rows.assign(label_end_90d=pd.to_datetime(["2023-05-01", "2023-06-01"]))
    assert labelled_by(ends, may, 90)["cutoff"].tolist() == [pd.Timestamp("2023-02-01")]


def test_a_label_that_ends_with_the_cutoff_is_known_then() -> None:
    cutoff = pd.Timestamp("2024-06-01")
    at = [cutoff - pd.Timedelta(days=d) for d in (29, 28, 27, 0, -1)]
    fold = make_fold(pd.DataFrame({"cutoff": at, "row": range(5)}), cutoff, 28)
    assert fold.train["row"].tolist() == [0, 1]
    assert fold.test["row"].tolist() == [3]


@pytest.mark.parametrize("name", [*PART_NAMES, VALUE_NAME])
def test_what_happens_after_the_cutoff_cannot_reach_a_prediction(panel: SimpleNamespace, name: str) -> None:
    """Labels that reach past the cutoff, and all that later rows say, are turned upside down."""
    cutoff = pd.Timestamp(panel.schedule.folds[1])
    future = panel.frame.copy()
    reaches = future["cutoff"] + pd.Timedelta(days=H) > cutoff
    labels = [c for c in future.columns if c.startswith("y_")]
    future.loc[reaches, "y_purchased_90d"] = 1 - future.loc[reaches, "y_purchased_90d"]
    future.loc[reaches, [c for c in labels if c != "y_purchased_90d"]] = 1e6
    later = future["cutoff"] > cutoff
    numbers = future.select_dtypes("number").columns.difference(labels)
    future.loc[later, numbers] = future.loc[later, numbers] * 3 + 1
    honest, other = (
        run_part(name, make_fold(f, cutoff, H), panel.features, 7) for f in (panel.frame, future)
    )
    assert honest.keys() == other.keys()
    for part, expected in honest.items():
        assert len(expected) == (panel.frame["cutoff"] == cutoff).sum()
        np.testing.assert_array_equal(other[part], expected)


@pytest.mark.parametrize("name", ["base_rate", "recency_rule", "logistic", "boosting", VALUE_NAME])
def test_what_happened_before_does_reach_it(panel: SimpleNamespace, name: str) -> None:
    """The proof above would hold for something that learns nothing, too."""
    cutoff = pd.Timestamp(panel.schedule.folds[1])
    past = panel.frame.copy()
    known = past["cutoff"] + pd.Timedelta(days=H) <= cutoff
    past.loc[known, "y_purchased_90d"] = 1 - past.loc[known, "y_purchased_90d"]
    past.loc[known, "y_spend_90d"] += 50.0
    honest, other = (run_part(name, make_fold(f, cutoff, H), panel.features, 7) for f in (panel.frame, past))
    for part in honest:
        assert np.abs(honest[part] - other[part]).mean() > 0.05


def test_inputs_are_left_as_they_were(panel: SimpleNamespace) -> None:
    before = panel.frame.copy()
    fold = make_fold(panel.frame, pd.Timestamp(panel.schedule.folds[0]), H)
    for name in [*PART_NAMES, VALUE_NAME]:
        run_part(name, fold, panel.features, 7)
    pd.testing.assert_frame_equal(panel.frame, before)


# ---- the table -------------------------------------------------------------------------------------------


def test_the_table_holds_every_candidate_on_every_test_row(
    folds: pd.DataFrame, panel: SimpleNamespace
) -> None:
    tests = panel.frame[panel.frame["cutoff"].isin(map(pd.Timestamp, panel.schedule.folds))]
    assert len(folds) == len(tests)
    assert {f"p_{name}" for name in RECIPES} <= set(folds.columns)
    assert {"if_any_btyd_spend", "if_any_boosting_spend"} <= set(folds.columns)
    p = folds[[f"p_{name}" for name in RECIPES]]
    assert ((p > 0) & (p < 1)).all().all()
    keyed = folds.merge(tests, on=["cutoff", "customer_id"], validate="one_to_one")
    assert len(keyed) == len(folds)
    assert (keyed["bought"] == keyed["y_purchased_90d"]).all()
    assert (keyed["spend"] == keyed["y_spend_90d"]).all()
    assert (keyed["last_period_spend"] == keyed["spend_90d"]).all()
    by_hand = keyed["average_order_value"] * keyed["n_orders"] / keyed["T"] * 90
    np.testing.assert_allclose(keyed["formula_spend"], by_hand)


def test_without_amounts_there_is_no_spend_to_judge(folds_without_amounts: pd.DataFrame) -> None:
    assert not [c for c in folds_without_amounts.columns if c.startswith("if_any_")]
    assert np.isfinite(folds_without_amounts[[f"p_{n}" for n in RECIPES]]).all().all()


def test_measures_of_one_column_by_hand() -> None:
    table = pd.DataFrame({"bought": [1.0, 0, 0, 1], "p_x": [0.8, 0.2, 0.6, 0.7], "p_y": [0.5] * 4})
    board = measure(table, ["p_x", "p_y"])
    assert board.index.tolist() == ["x", "y"]
    assert board.loc["x", "log_loss"] == pytest.approx(-np.log([0.8, 0.8, 0.4, 0.7]).mean())
    assert board.loc["x", "brier"] == pytest.approx((0.04 + 0.04 + 0.36 + 0.09) / 4)
    assert board.loc["x", "auc"] == 1
    assert board.loc["y", "auc"] == 0.5
    assert board.loc["y", "ece"] == 0


def test_spend_measures_by_hand() -> None:
    table = pd.DataFrame({"spend": [0.0, 10.0, 30.0]})
    right, high, wrong = np.array([0.0, 10, 30]), np.array([0.0, 20, 60]), np.array([30.0, 10, 0])
    board = measure_spend(table, {"right": right, "high": high, "wrong": wrong})
    assert board["bias"].tolist() == [0, 1, 0]
    backwards = (2 * np.mean([0, 0.25, 1]) - 1) / (2 * np.mean([0.75, 1, 1]) - 1)
    assert board["gini"].tolist() == pytest.approx([1, 1, backwards])
    assert board["spearman"].tolist() == pytest.approx([1, 1, -1])
    assert board["decile_mape"].tolist()[:2] == pytest.approx(
        [0, 0.7]
    )  # nothing promised, nothing brought: 0


def test_orders_measures_by_hand() -> None:
    table = pd.DataFrame({"orders": [0.0, 1.0, 3.0]})
    board = measure_orders(table, {"right": np.array([0.0, 1, 3]), "high": np.array([1.0, 1, 7])})
    assert board.loc["right"].tolist() == [0, 0, 0, 0]
    assert board.loc["high"].tolist() == pytest.approx(
        [5 / 3, np.sqrt(17 / 3), np.log(2) * np.sqrt(2 / 3), 1.25]
    )


# ---- the choice ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contest() -> Callable[..., pd.DataFrame]:
    """Make a fold table in which each named candidate knows the truth with so much noise (in logits)."""

    def make(n: int = 4000, **noise: float) -> pd.DataFrame:
        rng = np.random.default_rng(9)
        truth = rng.normal(-1, 1.5, n)
        blur = rng.normal(0, 1, n)  # the same for all, so that equal noise is equal to the last bit
        table = {
            "customer_id": np.arange(n) // 2,
            "cutoff": pd.Timestamp("2025-01-01"),
            "bought": (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(float),
        }
        for name in RECIPES:
            table[f"p_{name}"] = 1 / (1 + np.exp(-truth - noise.get(name, 3.0) * blur))
        return pd.DataFrame(table)

    return make


RULE = RECIPES["recency_rule"]


def chosen(table: pd.DataFrame, rule: Recipe = RULE) -> str:
    return choose_recipe(table, rule, seed=1).name


def test_the_best_is_chosen(contest: Callable[..., pd.DataFrame]) -> None:
    assert chosen(contest(recency_rule=1.5, bgnbd=1.2, logistic=0.9, boosting=0.2, blend=1.0)) == "boosting"
    assert chosen(contest(recency_rule=1.5, bgnbd=1.2, logistic=0.9, boosting=1.0, blend=0.2)) == "blend"


def test_the_simplest_of_those_that_tie_where_the_blend_is_out(contest: Callable[..., pd.DataFrame]) -> None:
    everyone = dict.fromkeys(LEARNED, 0.3) | {"blend": 3.0}
    assert chosen(contest(recency_rule=1.5, **everyone)) == "bgnbd"
    assert chosen(contest(recency_rule=1.5, **everyone | {"bgnbd": 1.0})) == "mbgnbd"
    family = dict.fromkeys(["bgnbd", "mbgnbd", "lifetimes_bgnbd", "pareto_nbd"], 1.0)
    assert chosen(contest(recency_rule=1.5, **everyone | family)) == "logistic"


def ahead(table: pd.DataFrame, name: str, by: float) -> pd.DataFrame:
    """A candidate's log-loss is lower than the blend's by this much on every row, whatever happened."""
    happened = table["bought"] == 1
    p = np.where(happened, table["p_blend"], 1 - table["p_blend"]) ** (1 - by)
    return table.assign(**{f"p_{name}": np.where(happened, p, 1 - p)})


def test_the_blend_unless_another_is_clearly_ahead(contest: Callable[..., pd.DataFrame]) -> None:
    table = contest(recency_rule=1.5, blend=0.3)
    assert chosen(ahead(table, "bgnbd", 0.001)) == "blend"  # a tie
    assert chosen(ahead(table, "bgnbd", 0.05)) == "bgnbd"
    few = contest(n=60, recency_rule=3.0, blend=0.3)
    lucky = few.assign(p_boosting=np.where(np.arange(60) < 3, few["bought"] * 0.98 + 0.01, few["p_blend"]))
    assert chosen(lucky) == "blend"  # on three customers


def test_the_newer_half_of_the_folds_decides(contest: Callable[..., pd.DataFrame]) -> None:
    table = contest(recency_rule=1.5, blend=0.3, logistic=0.3, bgnbd=0.3)
    first = table.index < len(table) // 2
    dated = table.assign(cutoff=np.where(first, pd.Timestamp("2024-06-01"), pd.Timestamp("2025-01-01")))
    halves = [ahead(dated[first], "logistic", 0.3), ahead(dated[~first], "bgnbd", 0.05)]
    assert chosen(pd.concat(halves)) == "bgnbd"


def test_the_rule_where_nothing_beats_it(contest: Callable[..., pd.DataFrame]) -> None:
    assert chosen(contest(recency_rule=0.2)) == "recency_rule"
    assert chosen(contest(recency_rule=1.0, **dict.fromkeys(LEARNED, 1.0))) == "recency_rule"  # a draw


def test_better_on_few_customers_is_not_clearly_better(contest: Callable[..., pd.DataFrame]) -> None:
    many, few = contest(recency_rule=1.0, logistic=0.8), contest(n=20, recency_rule=1.0, logistic=0.8)
    assert chosen(many) == "logistic"
    assert chosen(few) == "recency_rule"


def test_a_candidate_must_beat_the_rule_itself(contest: Callable[..., pd.DataFrame]) -> None:
    """The simpler one ties with the best, but not clearly ahead of the rule: it is not eligible."""
    table = contest(recency_rule=0.5, blend=0.0)
    sometimes = np.random.default_rng(0).random(len(table)) < 0.5
    wild = np.where(sometimes, np.where(table["bought"] == 1, 0.999, 0.001), 0.5)
    table = table.assign(p_bgnbd=table["p_recency_rule"], p_logistic=wild)
    assert log_loss_difference(table, "p_recency_rule", "p_bgnbd", 1).lo == 0
    assert chosen(table) != "bgnbd"


def test_the_best_rule(contest: Callable[..., pd.DataFrame]) -> None:
    assert best_rule(contest(formula_rule=1.0, blend=0.0)).name == "formula_rule"
    assert best_rule(contest(last_period_rule=1.0, formula_rule=1.5)).name == "last_period_rule"


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_where_all_end_alike_the_base_rate_is_chosen_and_no_ranking_is_measured(
    contest: Callable[..., pd.DataFrame], outcome: float
) -> None:
    table = contest(blend=0.0, recency_rule=0.0, base_rate=1.0).assign(bought=outcome)
    assert best_rule(table).name == "base_rate"
    assert chosen(table, best_rule(table)) == "base_rate"
    found = measure(table, ["p_base_rate"]).loc["base_rate"]
    assert found[["auc", "pr_auc", "lift_10"]].isna().all()
    assert found[["log_loss", "brier", "ece"]].notna().all()


def test_a_difference_above_zero_means_the_second_is_better(contest: Callable[..., pd.DataFrame]) -> None:
    table = contest(logistic=0.0, bgnbd=1.0)
    found = log_loss_difference(table, "p_bgnbd", "p_logistic", seed=1)
    losses = [log_loss(table["bought"], table[c]) for c in ("p_bgnbd", "p_logistic")]
    assert 0 < found.lo < found.mean < found.hi
    assert found.mean == pytest.approx(losses[0] - losses[1])


# ---- against the truth -----------------------------------------------------------------------------------


def test_models_beat_the_rules_on_a_bgnbd_shop(folds: pd.DataFrame) -> None:
    """The shop is BG/NBD, so it wins; the blend pays little, and everything learned beats the best rule."""
    loss = measure(folds, [f"p_{n}" for n in RECIPES])["log_loss"]
    rule = best_rule(folds)
    assert loss["bgnbd"] < loss["blend"] < loss[["logistic", "boosting"]].min()
    assert loss[["logistic", "boosting"]].max() < loss[rule.name]
    assert loss[["recency_rule", "last_period_rule", "formula_rule"]].max() < loss["base_rate"] - 0.03
    assert loss["blend"] - loss["bgnbd"] < 0.015
    assert loss["lifetimes_bgnbd"] == pytest.approx(loss["bgnbd"], abs=1e-5)
    assert log_loss_difference(folds, f"p_{rule.name}", "p_bgnbd", 1).lo > 0.02
    newer = measure(newer_half(folds), [f"p_{n}" for n in RECIPES])["log_loss"]
    assert newer[choose_recipe(folds, rule, seed=1).name] - newer["bgnbd"] < 0.002


def test_bgnbd_leaves_little_to_regret(folds: pd.DataFrame, panel: SimpleNamespace) -> None:
    """Against the probabilities of one who knows each customer's rate and life, which nothing can beat."""
    shop = panel.shop
    truth = pd.concat(
        [shop.p_purchase(cutoff, H).rename("truth").reset_index().assign(cutoff=cutoff)
         for cutoff in map(pd.Timestamp, panel.schedule.folds)]
    )  # fmt: skip
    rows = folds.merge(truth, on=["cutoff", "customer_id"], how="left")
    assert rows["truth"].notna().all()

    def regret(p: pd.Series) -> float:
        """Expected log-loss above the floor: no luck of the draw in it."""
        t, p = rows["truth"].clip(1e-12, 1 - 1e-12), p.clip(1e-12, 1 - 1e-12)
        return float((t * np.log(t / p) + (1 - t) * np.log((1 - t) / (1 - p))).mean())

    spec = shop.spec
    drawn = BetaGeoModel.from_dict({"params": {n: getattr(spec, n) for n in ("r", "alpha", "a", "b")}})
    keyed = rows.merge(panel.frame, on=["cutoff", "customer_id"])
    best = pd.Series(drawn.p_purchase(float(H), keyed["frequency"], keyed["recency"], keyed["T"]))
    # what is lost against the drawn parameters; what both lose against the floor no history can tell
    lost = {name: regret(rows[f"p_{name}"]) - regret(best) for name in RECIPES}
    assert -0.001 < lost["bgnbd"] < 0.003
    assert lost["bgnbd"] < lost["blend"] < min(lost["logistic"], lost["boosting"])
    assert max(lost["logistic"], lost["boosting"]) < min(lost[name] for name in RULES)
    assert lost["bgnbd"] < 0.1 * lost[best_rule(folds).name]
    assert rows["p_bgnbd"].mean() == pytest.approx(rows["truth"].mean(), abs=0.02)


@pytest.mark.heavy
def test_where_bgnbd_is_the_truth_the_champion_loses_next_to_nothing(
    large: tuple[SimpleNamespace, pd.DataFrame],
) -> None:
    """Against BG/NBD with the very parameters that the shop was drawn from."""
    panel, table = large
    champion = choose_recipe(table, best_rule(table), seed=1)
    drawn = BetaGeoModel.from_dict(
        {"params": {n: getattr(panel.shop.spec, n) for n in ("r", "alpha", "a", "b")}}
    )
    keyed = table.merge(panel.frame, on=["cutoff", "customer_id"])
    table = table.assign(p_drawn=drawn.p_purchase(float(H), keyed["frequency"], keyed["recency"], keyed["T"]))
    # On the newer half of the folds, by which it was chosen: the first know one or two past cutoffs.
    gap = log_loss_difference(newer_half(table), f"p_{champion.name}", "p_drawn", seed=1)
    assert gap.mean < 0.002, (champion.name, gap)
    assert gap.lo > -0.003
