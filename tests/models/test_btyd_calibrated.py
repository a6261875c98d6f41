"""Doubt that is calibrated: over two thousand simulated shops, intervals hold as often as they say."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, kstest

from models.beta_geo import BetaGeoBase
from models.bgnbd import BetaGeoModel
from models.doubt import total_range
from models.gamma_gamma import GammaGammaModel
from models.mbgnbd import ModifiedBetaGeoModel
from tests.models.story import drawn_histories

pytestmark = pytest.mark.heavy

TRUTH = {"r": 0.8, "alpha": 50.0, "a": 0.7, "b": 2.5}
SPEND = {"p": 6.0, "q": 4.0, "v": 15.0}
SHOPS, CUSTOMERS, AGE, HORIZON = 2000, 6000, 365.0, 90.0
KINDS = [BetaGeoModel, ModifiedBetaGeoModel]


def assert_covers(hits: list[bool], level: float, name: str) -> None:
    """The 99.9 % interval of the coverage that was seen contains the level that was promised."""
    low, high = binomtest(sum(hits), len(hits)).proportion_ci(0.999)
    assert low <= level <= high, f"{name}: {np.mean(hits):.4f} of {len(hits)}, for {level}"


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_of_parameters_and_of_group_totals(kind: type[BetaGeoBase]) -> None:
    """Groups of 200: whoever comes first, one-time buyers alone, and those who bought most."""
    params: dict[str, list[bool]] = {name: [] for name in TRUTH}
    totals: dict[str, list[bool]] = {"first": [], "one-time": [], "most": []}
    for seed in range(SHOPS):
        shop = drawn_histories(
            TRUTH, CUSTOMERS, AGE, HORIZON, seed, leaves_at_once=kind is ModifiedBetaGeoModel
        )
        model = kind().fit(shop)
        for name, (low, high) in model.params_interval(0.95).items():
            params[name].append(low <= TRUTH[name] <= high)
        groups = {
            "first": shop.head(200),
            "one-time": shop[shop["frequency"] == 0].head(200),
            "most": shop.nlargest(200, "frequency"),
        }
        for name, group in groups.items():
            low, high = total_range(model, HORIZON, group, level=0.8)
            totals[name].append(low <= group["later"].sum() <= high)
    for name, hits in params.items():
        assert_covers(hits, 0.95, name)
    for name, hits in totals.items():
        assert 0.75 <= np.mean(hits) <= 0.85, (name, np.mean(hits))


def test_intervals_of_the_spend_models_parameters() -> None:
    hits: dict[str, list[bool]] = {name: [] for name in SPEND}
    for seed in range(SHOPS):
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 8, CUSTOMERS)
        rate = rng.gamma(SPEND["q"], 1 / SPEND["v"], CUSTOMERS)
        model = GammaGammaModel().fit(x, rng.gamma(SPEND["p"] * x) / (x * rate))
        for name, (low, high) in model.params_interval(0.95).items():
            hits[name].append(low <= SPEND[name] <= high)
    for name, of in hits.items():
        assert_covers(of, 0.95, name)


@pytest.mark.parametrize("kind", KINDS)
def test_customers_counts_are_uniform_in_their_distributions(kind: type[BetaGeoBase]) -> None:
    """Randomised probability integral transform, for all and for each class of frequency."""
    shop = drawn_histories(TRUTH, 60_000, AGE, HORIZON, 5, leaves_at_once=kind is ModifiedBetaGeoModel)
    history, later = shop[["frequency", "recency", "T"]], shop["later"].to_numpy()
    model = kind().fit(history)
    below = 1 - model.p_at_least(later, HORIZON, history)
    place = below + np.random.default_rng(1).random(len(shop)) * model.pmf(later, HORIZON, history)
    classes = pd.Series(place).groupby(shop["frequency"].clip(upper=6).to_numpy())
    for name, places in [("all", pd.Series(place)), *classes]:
        assert kstest(places, "uniform").pvalue > 1e-3, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_customers_buy_as_often_as_p_purchase_says(kind: type[BetaGeoBase]) -> None:
    """For one-time buyers, too, where one library is wrong for all of them."""
    params = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}
    shop = drawn_histories(params, 1_000_000, 38.86, 39.0, 3, leaves_at_once=kind is ModifiedBetaGeoModel)
    model = kind.from_dict({"params": params})
    p = model.p_purchase(39, shop)
    bought = (shop["later"] > 0).to_numpy()
    groups = pd.Series(np.arange(len(shop))).groupby(
        [shop["frequency"].clip(upper=8), (shop["recency"] / 10).astype(int)]
    )
    for name, rows in groups:
        error = np.sqrt((p[rows] * (1 - p[rows])).sum())
        assert abs(bought[rows].sum() - p[rows].sum()) < 4 * error + 1, name
