"""Customers drawn by chance, as the feature builder lays them out, and a scorer of given parameters."""

from datetime import date

import numpy as np
import pyarrow as pa

from features.calendar import day_number
from models.bgnbd import BetaGeoModel
from models.btyd import Btyd
from models.economics import Economics
from models.gamma_gamma import GammaGammaModel
from models.purchase import RECIPES, BtydPart, PurchaseModel
from models.scorer import Scorer
from models.value import ValueModel
from pipelines.piece_scorer import PieceScorer

AS_OF = date(2025, 3, 1)
HORIZONS = (14, 90)
FEATURES = (
    "frequency", "recency", "T", "monetary_value", "days_since_last_order", "n_orders", "total_spend",
    "orders_14d", "spend_14d", "orders_90d", "spend_90d", "attr_tier",
)  # fmt: skip


def plain_scorer() -> Scorer:
    """BG/NBD and Gamma-Gamma of the published parameters, in days."""
    bg = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426}})
    btyd = Btyd(bg, GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}}))
    parts = {horizon: {"bgnbd": BtydPart(bg)} for horizon in HORIZONS}
    return Scorer(
        purchase=PurchaseModel(RECIPES["bgnbd"], parts, btyd),
        value=ValueModel(btyd, 90, orders_ratio=1.1, spend_ratio=0.9),
        horizons=HORIZONS,
        primary_horizon=90,
        clv_horizon=365,
        has_amounts=True,
        features=FEATURES,
        trained_until="2025-02-01",
        tier_edges=(0.6, 0.9),
        lapsed_below=0.05,
        categories={"attr_tier": ("gold", "silver")},
    )


def plain_work(version: str = "1") -> PieceScorer:
    """The scorer, ready to travel."""
    has = frozenset({"amounts", "customers"})
    terms = Economics(margin=0.4, discount_rate=0.1, acquisition_cost=5.0)
    return PieceScorer(plain_scorer(), terms, FEATURES, has, (("tier", "category"),), version, AS_OF)


def plain_rows(n: int, seed: int = 7) -> pa.Table:
    """Draw raw features, in no order, of customers whose ids sort otherwise than their numbers."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 700, n)
    frequency = rng.poisson(rng.gamma(0.4, 4.0, n)) * (age > 1)
    recency = np.where(frequency > 0, np.ceil(age * rng.uniform(0.0, 1.0, n) ** 0.5), 0).astype(np.int64)
    orders, spend = frequency + 1, rng.integers(10_000, 900_000, n)
    recent = {f"{what}_{h}d": rng.integers(0, 5, n) * by for h in HORIZONS for what, by in
              (("orders", 1), ("spend", 10_000))}  # fmt: skip
    columns = {
        "customer_id": [f"{text}{k}" for k, text in enumerate(rng.choice(["u", "é", "Z", "10"], n))],
        "cutoff": np.full(n, day_number(AS_OF)),
        "frequency": frequency,
        "recency": recency,
        "T": age,
        "monetary_value": np.where(frequency > 0, spend / 1e4, 0.0),
        "days_since_last_order": age - recency,
        "n_orders": orders,
        "total_spend": orders * spend,
        **recent,
        "attr_tier": rng.choice(["gold", "silver", "tin"], n),
    }
    return pa.table(columns).select(["customer_id", "cutoff", *FEATURES]).take(rng.permutation(n))
