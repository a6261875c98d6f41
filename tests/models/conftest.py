"""Data with published answers, and panels of simulated shops."""

import warnings
from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.build import build_panel, to_model_frame
from features.catalogue import visible_features
from features.contracts import TransactionsContract
from features.door import at_the_door, used_lines
from features.history import make_history
from features.records import Records
from models.btyd import with_btyd_by_cutoff
from models.folds import ORDERS_NAME, PART_NAMES, VALUE_NAME, fold_table, make_fold, run_part
from models.purchase import RECIPES, PurchaseModel, fit_part
from models.schedule import plan
from models.scorer import Scorer
from models.simulate import ShopSpec, SimulatedShop, simulate_shop
from models.value import fit_value
from tests.cdnow_sample import purchase_days

CALIBRATION_END = pd.Timestamp("1997-09-30")  # included, as in the papers


def _summary(days: pd.DataFrame) -> pd.DataFrame:
    """One row a customer, in weeks to the last included day, with what they bought in the 39 weeks after."""
    known = days[days["date"] <= CALIBRATION_END]
    first = known.groupby("customer_id")["date"].min().rename("first")
    known = known.join(first, on="customer_id")
    repeats = known[known["date"] > known["first"]].groupby("customer_id")
    summary = pd.DataFrame(
        {
            "frequency": repeats.size(),
            "recency": (repeats["date"].max() - first).dt.days / 7,
            "monetary_value": repeats["amount"].mean(),
        },
        index=first.index,
    ).fillna(0.0)
    summary["T"] = (CALIBRATION_END - first).dt.days / 7
    later = days[days["date"] > CALIBRATION_END].groupby("customer_id").size()
    summary["holdout"] = later.reindex(summary.index, fill_value=0)
    return summary


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """The 2,357 customers of the CDNOW sample; index: their number in the sample, as in the papers."""
    return _summary(purchase_days())


@pytest.fixture(scope="session")
def lifetimes() -> ModuleType:
    """The archived reference implementation; its import trips over what pandas has deprecated since."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("lifetimes")


# ---- panels of simulated shops, through the real door, ledger and feature builder ------------------------

HORIZONS = (28, 90)
LIVELY = {"r": 0.8, "alpha": 50.0, "a": 0.7, "b": 2.5}
"""Busier than CDNOW, so that two thousand customers are enough to tell good models from bad ones."""


def _built(log: pd.DataFrame, contract: TransactionsContract, cutoffs: list[date]) -> pd.DataFrame:
    connection = ibis.duckdb.connect()
    raw = connection.create_table("raw", pa.Table.from_pandas(log, preserve_index=False))
    lines = connection.create_table("lines", used_lines(at_the_door(raw, contract)))
    history = make_history(Records(lines, has=contract.has))
    built = build_panel(history, cutoffs, HORIZONS, cutoffs[-1]).to_pandas()
    connection.disconnect()
    return to_model_frame(built, visible_features(HORIZONS, contract.has), HORIZONS)


def _panel(shop: SimulatedShop, columns: dict[str, str]) -> SimpleNamespace:
    """The training panel of a shop at automatic cutoffs and at its end, as training builds it."""
    spec = shop.spec
    first = date.fromisoformat(spec.start)
    until = first + timedelta(days=spec.days)
    schedule = plan(first, until, HORIZONS, HORIZONS[-1])
    contract = TransactionsContract(columns)
    bare = _built(shop.transactions, contract, [*schedule.cutoffs, until])
    frame, btyd = with_btyd_by_cutoff(bare, HORIZONS, has_amounts=contract.has_amounts)
    return SimpleNamespace(
        frame=frame,
        bare=bare,
        btyd=btyd,
        shop=shop,
        schedule=schedule,
        until=pd.Timestamp(until),
        newest=frame[frame["cutoff"] == pd.Timestamp(until)],
        features=tuple(
            f.name for f in visible_features(HORIZONS, contract.has) if f.unit != "category"
        ),  # text: test_categories
        horizons=HORIZONS,
        has_amounts=contract.has_amounts,
    )


@pytest.fixture(scope="session")
def build() -> Callable[..., pd.DataFrame]:
    """Build the features and labels of a log, at cutoffs of which the last is the end of what is known."""
    return lambda log, columns, cutoffs: _built(log, TransactionsContract(columns), cutoffs)


@pytest.fixture(scope="session")
def panel() -> SimpleNamespace:
    """A shop with amounts: 2,000 customers, two years, BG/NBD and Gamma-Gamma are its truth."""
    shop = simulate_shop(ShopSpec(n_customers=2000, acquisition_days=550, **LIVELY), seed=20)
    columns = ("customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price")
    return _panel(shop, {name: name for name in columns})


@pytest.fixture(scope="module")
def large() -> tuple[SimpleNamespace, pd.DataFrame]:
    """A shop of the same kind as `panel`, large enough that chance hides no regret; and all its folds."""
    shop = simulate_shop(ShopSpec(n_customers=8000, acquisition_days=550, **LIVELY), seed=22)
    columns = ("customer_id", "order_id", "ordered_at", "quantity", "unit_price")
    found = _panel(shop, {name: name for name in columns})
    return found, _fold_table(found, 90)


@pytest.fixture(scope="session")
def panel_without_amounts() -> SimpleNamespace:
    """A log that knows who bought and when, and nothing else."""
    shop = simulate_shop(ShopSpec(n_customers=1500, acquisition_days=550, **LIVELY), seed=21)
    return _panel(shop, {name: name for name in ("customer_id", "order_id", "ordered_at")})


def _fold_table(panel: SimpleNamespace, horizon: int) -> pd.DataFrame:
    names = [*PART_NAMES, ORDERS_NAME, *([VALUE_NAME] if panel.has_amounts else [])]
    tables = []
    for cutoff in panel.schedule.folds:
        fold = make_fold(panel.frame, pd.Timestamp(cutoff), horizon)
        found: dict[str, np.ndarray] = {}
        for name in names:
            found |= run_part(name, fold, panel.features, seed=7)
        tables.append(fold_table(fold, found))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="session")
def folds(panel: SimpleNamespace) -> pd.DataFrame:
    """Every candidate on every fold of the shop with amounts, 90 days ahead."""
    return _fold_table(panel, 90)


@pytest.fixture(scope="session")
def folds_without_amounts(panel_without_amounts: SimpleNamespace) -> pd.DataFrame:
    return _fold_table(panel_without_amounts, 90)


@pytest.fixture(scope="session")
def fit_scorer() -> Callable[..., Scorer]:
    """Refit a recipe on all mature labels of a panel, as training does with the winner."""

    def fit(panel: SimpleNamespace, recipe: str, *, trees_weight: float = 0.0, **options: Any) -> Scorer:
        chosen, until = RECIPES[recipe], panel.until
        train = {h: make_fold(panel.frame, until, h).train for h in panel.horizons}
        trained = options.pop("trained", panel.horizons)
        parts = {
            h: {name: fit_part(name, train[h], panel.newest, h, panel.features, 7) for name in chosen.weights}
            for h in trained
        }
        value = fit_value(
            train[trained[-1]], panel.btyd, trained[-1], panel.features, trees_weight=trees_weight, seed=7
        )
        scorer = Scorer(
            purchase=PurchaseModel(chosen, parts, panel.btyd),
            value=value,
            horizons=panel.horizons,
            primary_horizon=panel.horizons[-1],
            clv_horizon=options.pop("clv_horizon", 365),
            has_amounts=panel.has_amounts,
            features=panel.features,
            trained_until=panel.until.date().isoformat(),
            **options,
        )
        return scorer.with_base(panel.newest)

    return fit


@pytest.fixture(scope="session")
def blend_scorer(panel: SimpleNamespace, fit_scorer: Callable[..., Scorer]) -> Scorer:
    """All three parts, and trees for the spend: the largest scorer there is."""
    return fit_scorer(panel, "blend", trees_weight=1.0)
