"""Training without MLflow: panel, folds, the winner, and the scorer it becomes."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import ibis.expr.types as ir
import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from features.build import build_panel, to_model_frame
from features.calendar import day_number
from features.history import make_history
from features.periods import Period
from features.rfm import WINDOWS, rfm
from features.snapshot import sample_customers
from models.btyd import Btyd, btyd_columns, with_btyd_by_cutoff
from models.categories import learn_categories, with_categories
from models.chance_range import ChanceRange, fit_chance_range
from models.contacted import Contacted
from models.folds import (
    ORDERS_NAME,
    PART_NAMES,
    VALUE_NAME,
    best_rule,
    choose_recipe,
    choose_trees_weight,
    fold_table,
    has_both,
    label_end,
    labelled_by,
    make_fold,
    run_part,
    spend_model,
)
from models.purchase import RECIPES, BtydPart, Part, PurchaseModel, Recipe, fit_part
from models.schedule import Schedule, plan, ready_on
from models.scorer import Scorer
from models.spend_range import SpendRange, fit_spend_range
from models.value import fit_value
from models.witnesses import find_grounds
from pipelines.config import Config
from pipelines.console import Step
from pipelines.contacted import without_contacted
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.period_rows import window_end
from pipelines.purchase_log import PurchaseLog, require_purchase
from pipelines.table_records import table_records


@dataclass(frozen=True)
class Training:
    """What a training found.

    Parameters
    ----------
    schedule : Schedule
        When it looked.
    panel : DataFrame
        Feature and label rows with their ``btyd_`` columns.
    folds : DataFrame
        Test rows of all folds with every candidate's prediction.
    recipe : Recipe
        The winner; a dumb rule where nothing beats the best of them.
    scorer : Scorer
        The winner refitted on all mature labels.
    contacted : Contacted
        How many labels are of customers whom lists had to contact.
    """

    schedule: Schedule
    panel: pd.DataFrame
    folds: pd.DataFrame
    recipe: Recipe
    scorer: Scorer
    contacted: Contacted

    @property
    def newest(self) -> pd.DataFrame:
        """The customers as of the end of the training."""
        return self.panel[self.panel["cutoff"] == pd.Timestamp(self.schedule.until)]

    @property
    def spend_coverage(self) -> dict[str, float]:
        """Share of customers whose spend lay inside the 80 % interval, by third of the expected spend."""
        spend_range = self.scorer.spend_range
        return dict(spend_range.coverage) if spend_range else {}


@dataclass(frozen=True)
class Choice:
    """What the folds chose.

    Parameters
    ----------
    recipe : Recipe
        The probability of a purchase.
    trees_weight : float
        Of the trees in what a buyer spends.
    spend_range : SpendRange or None
        How far both were off.
    chance_range : ChanceRange or None
        How far the probability was off.
    """

    recipe: Recipe
    trees_weight: float = 0.0
    spend_range: SpendRange | None = None
    chance_range: ChanceRange | None = None


def choose(folds: pd.DataFrame, horizon: int, seed: int) -> Choice:
    """Choose a recipe and a spend model by folds of `horizon` days, and learn how far they were off."""
    recipe, weight = choose_recipe(folds, best_rule(folds), seed), choose_trees_weight(folds, seed)
    spend_range = fit_spend_range(folds, recipe.name, spend_model(weight))
    return Choice(recipe, weight, spend_range, fit_chance_range(folds, recipe.name, horizon))


def make_schedule(config: Config, log: PurchaseLog, until: date) -> Schedule:
    """Plan cutoffs and folds, or say how many days are missing."""
    require_purchase(log, config.tables.transactions.source, until)
    target, wish = config.target, config.training.cutoffs
    schedule = plan(
        log.first_day,
        until,
        target.horizons,
        target.primary_horizon,
        None if wish == "auto" else wish,
        log.period,
    )
    if schedule is None:
        missing = (ready_on(log.first_day, target.horizons[0], log.period) - until).days
        more = f"needs {missing} more days" if missing > 0 else "needs other [training] cutoffs"
        raise NotReady(
            f"{config.tables.transactions.source}: {(until - log.first_day).days} days of history "
            f"before {until} cannot judge a horizon of {target.horizons[0]} days; {more}"
        )
    return schedule


def load_panel(
    engine: Engine, log: PurchaseLog, config: Config, cutoffs: Sequence[date], observed_until: date
) -> tuple[pd.DataFrame, Btyd]:
    """Build features and labels at `cutoffs`, on a customer sample of bounded size.

    Returns
    -------
    DataFrame, Btyd
        The panel with ``btyd_`` columns, and the buy-till-you-die models of the newest cutoff.
    """
    horizons = config.target.horizons
    # Counted on what is known by the newest cutoff: later customers must not change who is in the sample.
    known = log.lines.filter(log.lines.known_day < day_number(max(cutoffs)))

    def kept_sample(table: ir.Table, name: str) -> ir.Table:
        return engine.keep(sample_customers(table, share, config.training.seed), f"sample_{name}")

    share = config.training.max_customers / max(engine.number(known.customer_id.nunique()), 1)
    sample = log.records if share >= 1 else log.records.changed(kept_sample)
    history = make_history(sample, engine.keep)
    end_of = window_end(log.period, [*cutoffs], horizons)
    raw = engine.frame(build_panel(history, cutoffs, horizons, observed_until, end_of))
    if raw.empty:
        raise NotReady(
            f"{config.tables.transactions.source}: no purchase with a positive amount before {max(cutoffs)}"
        )
    frame = to_model_frame(raw, log.features(horizons), horizons)
    if log.period.kind != "day":
        frame = frame.assign(**_label_ends(frame["cutoff"], horizons, log.period))
    return with_btyd_by_cutoff(frame, horizons, has_amounts=log.has_amounts)


def _label_ends(
    cutoffs: "pd.Series[pd.Timestamp]", horizons: Sequence[int], period: Period
) -> dict[str, "pd.Series[Any]"]:
    """Columns that say where each row's labels end: after whole weeks or months, not after so many days."""
    found = {}
    for h in horizons:
        ends = {c: pd.Timestamp(period.end_of(c.date(), h)) for c in cutoffs.unique()}
        found[label_end(h)] = cutoffs.map(ends)
    return found


def feature_names(log: PurchaseLog, config: Config) -> tuple[str, ...]:
    """Name the feature columns that models see, in order."""
    return tuple(f.name for f in log.features(config.target.horizons))


def run_folds(
    panel: pd.DataFrame, cutoffs: Sequence[date], horizon: int, config: Config, log: PurchaseLog
) -> pd.DataFrame:
    """Refit every part before each fold, in parallel, and collect the test rows."""
    features, seed = feature_names(log, config), config.training.seed
    folds = [make_fold(panel, pd.Timestamp(c), horizon) for c in cutoffs]
    names = [*PART_NAMES, ORDERS_NAME, *([VALUE_NAME] if log.has_amounts else [])]
    jobs = [(name, fold) for fold in folds for name in names]
    results = in_parallel(run_part, ((name, fold, features, seed) for name, fold in jobs))
    tables = []
    for fold in folds:
        parts: dict[str, Any] = {}
        for (_, owner), found in zip(jobs, results, strict=True):
            parts |= found if owner is fold else {}
        tables.append(fold_table(fold, parts))
    return pd.concat(tables, ignore_index=True)


def fit_scorer(
    panel: pd.DataFrame,
    btyd: Btyd,
    choice: Choice,
    schedule: Schedule,
    config: Config,
    log: PurchaseLog,
) -> Scorer:
    """Refit what the folds chose on all labels that are mature by ``schedule.until``."""
    recipe, trees_weight, as_built = choice.recipe, choice.trees_weight, panel
    target, features, seed = config.target, feature_names(log, config), config.training.seed
    until = pd.Timestamp(schedule.until)
    if recipe.family != "bgnbd":  # all that a score says then rests on the same story of who leaves
        panel, btyd = with_btyd_by_cutoff(
            panel, target.horizons, has_amounts=log.has_amounts, family=recipe.family
        )
    # As for a fold: from the rows whose outcome is known, be it at the shortest horizon.
    categories = learn_categories(labelled_by(panel, until, target.horizons[0]))
    panel = with_categories(panel, categories)
    newest = panel[panel["cutoff"] == until]
    train = {h: make_fold(panel, until, h).train for h in target.horizons}
    pairs = [(h, name) for h in target.horizons if len(train[h]) for name in recipe.weights]
    jobs = [(h, name) for h, name in pairs if name != recipe.family]  # that one is fitted already
    fitted = in_parallel(fit_part, ((name, train[h], newest, h, features, seed) for h, name in jobs))
    found: dict[tuple[int, str], Part] = dict(zip(jobs, fitted, strict=True))
    parts = {
        h: {name: found.get((h, name)) or BtydPart(btyd.bg) for name in recipe.weights} for h, _ in pairs
    }
    judged = schedule.judged_horizon
    used = features if trees_weight or recipe.has_trees else rfm_only(features, target.horizons)
    value = fit_value(train[judged], btyd, judged, features, trees_weight=trees_weight, seed=seed)
    purchase = PurchaseModel(recipe, parts, btyd)
    scorer = Scorer(
        purchase=purchase,
        value=value,
        horizons=tuple(target.horizons),
        primary_horizon=target.primary_horizon,
        clv_horizon=target.clv_horizon,
        has_amounts=log.has_amounts,
        features=used,
        trained_until=schedule.until.isoformat(),
        spend_range=choice.spend_range,
        # Seasons move a longer horizon otherwise.
        chance_range=choice.chance_range if judged == target.primary_horizon else None,
        period=log.period.kind,
        categories={name: values for name, values in categories.items() if name in used},
        grounds=find_grounds(purchase, target.primary_horizon, train, newest, features, seed, in_parallel),
    )
    # All it sees when it scores.
    scorer = scorer.with_base(newest[["customer_id", "cutoff", *used, *btyd_columns(newest)]])
    return scorer.with_reference(as_built, log.first_day, seed)


def rfm_only(features: Sequence[str], horizons: Sequence[int]) -> tuple[str, ...]:
    """Keep what a model without trees looks at: scoring builds nothing else, and needs no other table."""
    plain = {f.name for f in rfm([*WINDOWS, *horizons])} | {"days_since_last_order"}
    return tuple(name for name in features if name in plain)


def train_scorer(
    engine: Engine,
    log: PurchaseLog,
    config: Config,
    until: date,
    step: Callable[[str], AbstractContextManager[Step]],
) -> Training:
    """Run the whole of a training on what was known strictly before `until`; `step` is a console's."""
    schedule = make_schedule(config, log, until)
    span = f"{schedule.cutoffs[0]} to {schedule.cutoffs[-1]}"
    with step(f"panel of {len(schedule.cutoffs)} cutoffs, {span}") as at_work:
        panel, btyd = load_panel(engine, log, config, [*schedule.cutoffs, until], until)
        at_work.rows = len(panel)
    with step("looking for customers whom lists had to contact"):
        panel, contacted = without_contacted(engine, log, config, panel, schedule.judged_horizon, until)
    schedule = with_usable_folds(panel, schedule, config)
    with step(f"{len(schedule.folds)} out-of-time folds, {len(RECIPES)} candidates each") as at_work:
        folds = run_folds(panel, schedule.folds, schedule.judged_horizon, config, log)
        at_work.rows = len(folds)
    choice = choose(folds, schedule.judged_horizon, config.training.seed)
    with step(f"refitting the winner, {choice.recipe.name}, on all mature labels"):
        scorer = fit_scorer(panel, btyd, choice, schedule, config, log)
        scorer = replace(scorer, tables=table_records(engine, log, config, until))
    return Training(schedule, panel, folds, choice.recipe, scorer, contacted)


def with_usable_folds(panel: pd.DataFrame, schedule: Schedule, config: Config) -> Schedule:
    """Keep the folds that can judge: something to learn from, and buyers as well as others to test on.

    Where everyone returns, or nobody does, all are kept that have something to learn from: they can show a
    base rate.
    """
    horizon = schedule.judged_horizon
    tests = {c: panel[panel["cutoff"] == pd.Timestamp(c)] for c in schedule.folds}
    able = [
        c
        for c, test in tests.items()
        if test["customer_id"].nunique() > 1 and len(labelled_by(panel, pd.Timestamp(c), horizon))
    ]
    if not able:
        customers = max(test["customer_id"].nunique() for test in tests.values())
        raise NotReady(
            f"{config.tables.transactions.source}: no test cutoff knows more than {customers:,} customers, "
            "and nothing can be judged on so few"
        )
    telling = [c for c in able if has_both(tests[c][f"y_purchased_{horizon}d"].to_numpy())]
    return replace(schedule, folds=tuple(telling or able))


def in_parallel(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Run calls in separate processes, one thread each, so that results do not depend on their number."""
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        return list(joblib.Parallel(n_jobs=-1)(joblib.delayed(_on_one_thread)(function, *c) for c in calls))


def _on_one_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    with threadpool_limits(1):  # with one worker joblib stays in this process, and its own limit does nothing
        return function(*arguments)


def pseudonymised(folds: pd.DataFrame) -> pd.DataFrame:
    """Replace customer ids by running numbers: what is logged must not name anyone."""
    codes = np.unique(folds["customer_id"].to_numpy().astype(str), return_inverse=True)[1]
    return folds.assign(customer_id=codes)
