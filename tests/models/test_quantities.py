"""The counts, the next purchase, the newcomer and the CLV path: published numbers and their own mathematics.

Sources: [Hardie] his BG/NBD spreadsheet, in lifetimes' tests; [BTYD] its walkthrough; [lifetimes] its tests.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from models.clv import clv_path, period_ends
from models.gamma_gamma import GammaGammaModel
from models.mbgnbd import ModifiedBetaGeoModel

ROUNDED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
AT_THE_PEAK = BetaGeoModel.from_dict(
    {"params": {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}}
)
BG = BetaGeoModel.from_dict({"params": ROUNDED})
MBG = ModifiedBetaGeoModel.from_dict({"params": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}})
GG = GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}})
SHOP = pd.DataFrame(
    {"frequency": [0, 1, 2, 7, 60], "recency": [0, 1.71, 30.43, 20.0, 38.0],
     "T": [38.86, 38.86, 38.86, 25.0, 40.0], "monetary_value": [0.0, 10.0, 22.35, 30.0, 5.0]}
)  # fmt: skip
BOTH = pytest.mark.parametrize("model", [BG, MBG], ids=["bg", "mbg"])


def test_newcomers_purchases_match_hardies_sheet() -> None:
    """Under the parameters at the likelihood's peak, not the rounded ones."""
    times = [0.1428571, 1.0, 3.0, 31.8571, 32.0, 78.0]
    published = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576]
    assert AT_THE_PEAK.expected_purchases_of_a_newcomer(times) == pytest.approx(published, abs=5e-4)


def test_a_newcomers_year_matches_the_btyd_walkthrough() -> None:
    assert AT_THE_PEAK.expected_purchases_of_a_newcomer(52) == pytest.approx([1.444004], rel=1e-5)


@pytest.mark.parametrize(
    ("n", "t", "published"), [(10, 2, 1.07869e-7), (0, 39, 0.5737864), (11, 30, 0.0019995214)]
)
def test_pmf_of_a_newcomer_matches_lifetimes_tests(n: int, t: float, published: float) -> None:
    assert BG.pmf(n, t, 0, 0, 0) == pytest.approx([published], rel=2e-3)


@BOTH
def test_counts_add_up(model: BetaGeoModel) -> None:
    counts = np.arange(2000)[:, None]
    pmf = model.pmf(counts, 39, SHOP)
    assert (pmf > -1e-15).all()
    assert pmf.sum(axis=0) == pytest.approx(np.ones(5), abs=1e-9)
    assert (counts * pmf).sum(axis=0) == pytest.approx(model.expected_purchases(39, SHOP), rel=1e-9)
    mean = model.expected_purchases(39, SHOP)
    assert ((counts - mean) ** 2 * pmf).sum(axis=0) == pytest.approx(model.variance(39, SHOP), rel=1e-8)
    assert 1 - pmf[0] == pytest.approx(model.p_purchase(39, SHOP), abs=1e-12)
    assert (model.p_at_least(0, 39, SHOP) == 1).all()


@BOTH
def test_the_next_purchase_time_turns_p_purchase_around(model: BetaGeoModel) -> None:
    for probability in (0.01, 0.2, 0.5, 0.9, 0.999):
        time = model.next_purchase_time(probability, SHOP)
        never = np.isinf(time)
        assert (never == (model.p_alive(SHOP) <= probability)).all()
        there = model.p_purchase(np.where(never, 1.0, time), SHOP)
        assert there[~never] == pytest.approx(np.full((~never).sum(), probability), rel=1e-12)
    assert (model.next_purchase_time(0, SHOP) == 0).all()


@BOTH
def test_several_probabilities_give_one_row_each(model: BetaGeoModel) -> None:
    rows = model.next_purchase_time([[0.1], [0.3]], SHOP)
    assert (rows == [model.next_purchase_time(share, SHOP) for share in (0.1, 0.3)]).all()
    assert (model.next_purchase_time([0.1] * 5, SHOP) == rows[0]).all()
    assert (model.next_purchase_time([0.1, 0.3], SHOP.head(1)) == rows[:, 0]).all()


@pytest.mark.parametrize("probability", [-0.1, 1.1, np.nan, [0.1, 0.2, 0.3, 0.4, 5]])
def test_a_probability_must_be_one(probability: float) -> None:
    with pytest.raises(ContractError, match="probability must lie between 0 and 1; for example"):
        BG.next_purchase_time(probability, SHOP)


def test_probabilities_must_fit_beside_the_customers() -> None:
    with pytest.raises(ContractError, match=r"probability of shape \(3,\) .* 5 customers.*\(k, 1\)"):
        BG.next_purchase_time([0.1, 0.2, 0.3], SHOP)


@BOTH
@pytest.mark.parametrize("horizons", [[1.0, 39.0], [0.0, 1.0, 10.0, 39.0, 100.0]])  # five, as customers are
def test_variance_of_several_horizons_has_one_row_each(model: BetaGeoModel, horizons: list[float]) -> None:
    rows = model.variance(np.array(horizons)[:, None], SHOP)
    assert rows.shape == (len(horizons), 5)
    assert (rows == [model.variance(each, SHOP) for each in horizons]).all()


@pytest.mark.parametrize("n", [-1, 0.5])
def test_a_count_must_be_one(n: float) -> None:
    with pytest.raises(ContractError, match="whole and not negative"):
        BG.pmf(n, 39, SHOP)


def test_periods_end_by_the_calendar() -> None:
    assert period_ends(date(2024, 1, 31), 3) == [29, 60, 90]  # the end of February, of March, of April
    assert period_ends(date(2026, 1, 1), 2, "quarter") == [90, 181]
    assert period_ends(date(2023, 6, 1), 2, "year") == [366, 731]
    assert period_ends(date(2026, 1, 1), 2, "week") == [7, 14]


def test_the_clv_path_adds_up() -> None:
    ends = [30.0, 61.0, 90.0]
    path = clv_path(BG, GG, SHOP, ends)
    whole = BG.expected_purchases(90, SHOP) * GG.expected_spend(SHOP)
    assert path.shape == (5, 3)
    assert path.sum(axis=1) == pytest.approx(whole, rel=1e-12)
    assert (path > 0).all()
    net = clv_path(BG, GG, SHOP, ends, discount_rate=0.1, margin=0.4)
    assert net == pytest.approx(path * 0.4 * 1.1 ** (-np.array(ends) / 365.25), rel=1e-12)


@pytest.mark.parametrize("ends", [[0.0, 30.0], [30.0, 30.0], [-1.0]])
def test_ends_must_rise(ends: list[float]) -> None:
    with pytest.raises(ContractError, match="ends of periods must rise"):
        clv_path(BG, GG, SHOP, ends)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ends": [30.0, np.inf]}, r"ends missing or infinite: 1 of 2; for example .*inf"),
        ({"ends": [np.nan, 30.0]}, r"ends missing or infinite: 1 of 2; for example .*nan"),
        ({"ends": 30.0}, "ends must be a list of numbers"),
        ({"ends": []}, "ends must be a list of numbers"),
        ({"discount_rate": -1.5}, r"discount_rate must be a number above -1; for example -1\.5"),
        ({"discount_rate": np.nan}, "discount_rate must be .*; for example nan"),
        ({"discount_rate": np.inf}, "discount_rate must be .*; for example inf"),
        ({"margin": -0.1}, r"margin must be .*; for example -0\.1"),
        ({"margin": np.nan}, "margin must be .*; for example nan"),
        ({"margin": np.inf}, "margin must be .*; for example inf"),
    ],
)
def test_the_clv_path_refuses(change: dict[str, object], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        clv_path(BG, GG, SHOP, **({"ends": [30.0]} | change))


def test_dates_are_no_numbers() -> None:
    """numpy would take them for nanoseconds since 1970."""
    dates = pd.to_datetime(["2024-01-01"] * 5)
    with pytest.raises(
        ContractError, match=r"T must be numbers, not dates; hint: dates: give the time since"
    ):
        BG.p_alive(SHOP["frequency"], SHOP["recency"], dates)


def test_a_frame_is_as_good_as_columns_and_a_lost_column_is_named() -> None:
    columns = [SHOP[c].tolist() for c in ("frequency", "recency", "T")]
    assert (BG.p_purchase(39, SHOP) == BG.p_purchase(39, *columns)).all()
    assert (GG.expected_spend(SHOP) == GG.expected_spend(columns[0], SHOP["monetary_value"])).all()
    with pytest.raises(ContractError, match="lacks recency"):
        BG.p_alive(SHOP.rename(columns={"recency": "recencyy"}))
    with pytest.raises(ContractError, match="recency and T are missing"):
        BG.p_alive([1, 2])
