"""One evaluation: train as the shop would before the cutoff, then judge everyone on the days after it."""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from benchmarks.accuracy_data import Evaluation
from benchmarks.accuracy_figures import RANKERS
from benchmarks.accuracy_others import other_libraries
from models.btyd import Btyd
from models.folds import (
    best_rule,
    make_fold,
    spend_model,
    what_came,
)
from models.purchase import RECIPES, THEIRS, Recipe
from models.schedule import Schedule
from models.spend_range import SpendRange
from pipelines.config import Config
from pipelines.console import Console
from pipelines.engine import Engine, open_engine
from pipelines.purchase_log import PurchaseLog, open_log
from pipelines.training import (
    Choice,
    choose,
    feature_names,
    fit_scorer,
    load_panel,
    make_schedule,
    run_folds,
    with_usable_folds,
)


@dataclass(frozen=True)
class Judged:
    """What was learned before a cutoff, and its customers with all predictions and what came.

    Parameters
    ----------
    table : DataFrame
        One row a customer, as `models.folds.fold_table`, with `RANKERS` and other libraries.
    champion : Recipe
        Chosen on folds before the cutoff.
    rule : Recipe
        The best dumb rule of those folds.
    spend_model : str
        The spend model that they chose.
    spend_range : SpendRange or None
        How far off it was on them.
    folds : int
        How many there were.
    judged_horizon : int
        How far they looked, in days.
    """

    table: pd.DataFrame
    champion: Recipe
    rule: Recipe
    spend_model: str
    spend_range: SpendRange | None
    folds: int
    judged_horizon: int


@dataclass(frozen=True)
class Shopful:
    """A log as training sees it, and its future."""

    config: Config
    log: PurchaseLog
    schedule: Schedule
    panel: pd.DataFrame
    btyd: Btyd
    after: pd.DataFrame


def judge(evaluation: Evaluation, config: Config) -> Judged:
    """Train, choose, refit at the cutoff, and predict the horizon after it."""
    with open_engine(config) as engine:
        shop = _open(engine, evaluation, config)
    seed, judged = config.training.seed, shop.schedule.judged_horizon
    folds = run_folds(shop.panel, shop.schedule.folds, judged, config, shop.log)
    choice = choose(folds, judged, seed)
    is_far = evaluation.horizon > max(evaluation.horizons)
    predict = _far_table if is_far else _table
    return Judged(
        table=predict(shop, evaluation, choice.trees_weight),
        champion=choice.recipe,
        rule=best_rule(folds),
        spend_model=spend_model(choice.trees_weight),
        spend_range=choice.spend_range,
        folds=len(shop.schedule.folds),
        judged_horizon=judged,
    )


def _open(engine: Engine, evaluation: Evaluation, config: Config) -> Shopful:
    """Build the panel as training does, ignorant of what became known later, and apart from it the test."""
    quiet, cutoff = Console(quiet=True), evaluation.cutoff
    log = open_log(engine, config, quiet)
    end = cutoff + timedelta(evaluation.horizon)
    if log.end < end:
        raise SystemExit(f"{evaluation.name}: the log ends on {log.end}, before {end}")
    schedule = make_schedule(config, log, cutoff)
    panel, btyd = load_panel(engine, log, config, [*schedule.cutoffs, cutoff], cutoff)
    schedule = with_usable_folds(panel, schedule, config)
    after, _ = load_panel(engine, log, config, [cutoff], end)
    return Shopful(config, log, schedule, panel, btyd, after)


def _table(shop: Shopful, evaluation: Evaluation, _weight: float) -> pd.DataFrame:
    """Refit every candidate on the labels known by the cutoff, as for one more fold."""
    cutoff, h = pd.Timestamp(evaluation.cutoff), evaluation.horizon
    known = shop.panel[shop.panel["cutoff"] < cutoff]
    panel = pd.concat([known, shop.after], ignore_index=True)
    table = run_folds(panel, [evaluation.cutoff], h, shop.config, shop.log)
    features, seed = feature_names(shop.log, shop.config), shop.config.training.seed
    fold = make_fold(panel, cutoff, h)
    ranks = {name: rank(fold.test, h).to_numpy() for name, rank in RANKERS.items()}
    return pd.concat([table.assign(**ranks), other_libraries(fold, features, seed)], axis=1)


def _far_table(shop: Shopful, evaluation: Evaluation, weight: float) -> pd.DataFrame:
    """Let every learned candidate say what it would publish for a horizon that no label is as long as."""
    h, test = evaluation.horizon, shop.after
    table = what_came(test, h)
    table["bgnbd_orders"] = shop.btyd.bg.expected_purchases(h, test)
    table["bgnbd_gamma_gamma"] = table["bgnbd_orders"] * shop.btyd.spend_per_day(test)
    for recipe in (r for r in RECIPES.values() if not r.is_rule):
        choice = Choice(recipe, weight)
        scorer = fit_scorer(shop.panel, shop.btyd, choice, shop.schedule, shop.config, shop.log)
        said = scorer.score(test)
        for ours, theirs in (("p", "p_purchase"), ("orders", "expected_orders"), ("spend", "expected_spend")):
            table[f"{ours}_{recipe.name}"] = said[f"{theirs}_{h}d"].to_numpy()
        if recipe.name in THEIRS:  # under their own formula, not carried on by ours
            part = next(iter(scorer.purchase.parts.values()))[recipe.name]
            table[f"p_{recipe.name}"] = part.predict(test, h)
    table |= {name: rank(test, h).to_numpy() for name, rank in RANKERS.items()}
    table["rank_last_91d"] = test["orders_91d"].to_numpy()
    return pd.DataFrame(table)
