"""What is drawn is what the models say; the tracking of CDNOW is the published one.

Source: [BTYD] the walkthrough of that R package, section BG/NBD.
"""

from collections.abc import Callable
from io import BytesIO
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.stats import gamma

from features.errors import ContractError
from models.beta_geo import BetaGeoBase
from models.bgnbd import BetaGeoModel
from models.btyd_plots import alive_history_figure, calibration_figure, frequency_recency_heatmap
from models.btyd_tracking import tracking, tracking_figure
from models.gamma_gamma import GammaGammaModel
from models.gamma_gamma_plots import spend_density, spend_figure
from models.mbgnbd import ModifiedBetaGeoModel
from tests.cdnow_sample import purchase_days

DAY = 1 / 7
BG = BetaGeoModel.from_dict(
    {"params": {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}}
)  # [CLVTools]
MBG = ModifiedBetaGeoModel.from_dict({"params": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}})
GG = GammaGammaModel.from_dict({"params": {"p": 6.25, "q": 3.74, "v": 15.44}})
MODELS = pytest.mark.parametrize("model", [BG, MBG], ids=["bg", "mbg"])


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    """Purchase days of the sample, orders of one day merged; `week` counts from 1 January 1997 as 0."""
    lines = purchase_days()
    return lines.assign(week=(lines["date"] - pd.Timestamp("1997-01-01")).dt.days / 7)


@pytest.fixture(scope="module")
def first(days: pd.DataFrame) -> pd.Series:
    return days.groupby("customer_id")["week"].min()


@pytest.fixture(scope="module")
def weeks(days: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    return tracking(BG, first, days["week"], until=78)


# ---- tracking --------------------------------------------------------------------------------------------


def test_tracking_of_weeks_20_to_25_matches_btyd_walkthrough(weeks: pd.DataFrame) -> None:
    """Week 20 ends before day 140 after 1 January; parameters of a calibration to 30 September."""
    printed = weeks.loc[20:25]
    assert printed["actual_cumulative"].tolist() == [1359, 1414, 1484, 1517, 1573, 1672]
    expected = [1312.458, 1387.346, 1460.392, 1531.713, 1601.418, 1669.600]
    assert printed["expected_cumulative"].to_numpy() == pytest.approx(expected, abs=1e-3)


def test_tracking_reaches_the_totals_of_calibration_and_holdout(weeks: pd.DataFrame) -> None:
    assert weeks["actual_cumulative"][[39, 78]].tolist() == [2457, 2457 + 1882]
    assert weeks["end"].tolist() == list(range(1, 79))


def test_tracking_adds_up(weeks: pd.DataFrame) -> None:
    for name in ("actual", "expected"):
        assert weeks[name].cumsum().to_numpy() == pytest.approx(weeks[f"{name}_cumulative"].to_numpy())
        assert (weeks[name] >= 0).all()


def test_tracking_by_the_day_agrees_with_tracking_by_the_week(
    days: pd.DataFrame, first: pd.Series, weeks: pd.DataFrame
) -> None:
    by_day = tracking(BG, first, days["week"], until=78, period=DAY)
    whole = (days["week"] * 7).round().astype(int).value_counts()
    firsts = (first * 7).round().astype(int).value_counts()
    repeats = whole.sub(firsts, fill_value=0).reindex(range(546), fill_value=0)
    assert by_day["actual"].tolist() == repeats.tolist()
    assert by_day["expected_cumulative"][6::7].to_numpy() == pytest.approx(
        weeks["expected_cumulative"].to_numpy()
    )


def test_a_purchase_at_an_edge_belongs_to_the_period_after_it() -> None:
    """0.3 / 0.1 is a little less than 3, and yet 0.3 is the end of the third tenth."""
    assert tracking(BG, [0], [0, 0.3], until=0.4, period=0.1)["actual"].tolist() == [0, 0, 0, 1]
    assert len(tracking(BG, [0], [0, 0.3], until=0.3, period=0.1)) == 3


@MODELS
def test_expected_is_the_sum_over_customers(model: BetaGeoBase) -> None:
    table = tracking(model, [0, 0, 1.5, 2.0], [0, 0, 1.5, 2.0, 3.0], until=3.9)
    assert len(table) == 3  # the fourth period is not over
    ages = [[1, 1], [2, 2, 0.5], [3, 3, 1.5, 1]]
    by_hand = [model.expected_purchases_of_a_newcomer(each).sum() for each in ages]
    assert table["expected_cumulative"].to_numpy() == pytest.approx(by_hand)
    assert table["actual"].tolist() == [0, 0, 0]  # the one at 3.0 belongs to the fourth


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purchases": [1.0, 2.0]}, r"1 of 2 first purchases are not among the purchases.*0\.0"),
        ({"purchases": [0.0, 1.0], "first_purchase_times": [1, 1]}, "1 of 2 first purchases"),
        ({"purchases": [0, 1, -3, -4]}, r"purchases negative: 2 of 4.*'position': 2"),
        ({"purchases": [0, 1, np.nan]}, r"purchases missing or infinite: 1 of 3.*'position': 2"),
        ({"first_purchase_times": []}, "first_purchase_times must be a list of numbers"),
        ({"purchases": pd.to_datetime(["1997-01-01", "1997-01-02"])}, "purchases must be .* hint: dates"),
        ({"until": 0.5}, "no period is over"),
        ({"until": pd.Timestamp("1997-01-01")}, "until must be a number above 0"),
        ({"period": 0}, "period must be a number above 0"),
    ],
)
def test_tracking_refuses(change: dict[str, object], message: str) -> None:
    given = {"first_purchase_times": [0, 1], "purchases": [0, 1, 2], "until": 3, "period": 1} | change
    with pytest.raises(ContractError, match=message):
        tracking(BG, **given)


def test_tracking_figure_draws_the_table(weeks: pd.DataFrame) -> None:
    figure = tracking_figure(weeks, calibration_end=39, unit="weeks")
    for axes, suffix in zip(figure.axes, ["", "_cumulative"], strict=True):
        actual, expected, end = axes.lines
        assert actual.get_ydata().tolist() == weeks[f"actual{suffix}"].tolist()
        assert expected.get_ydata().tolist() == weeks[f"expected{suffix}"].tolist()
        assert actual.get_xdata().tolist() == expected.get_xdata().tolist() == weeks["end"].tolist()
        assert list(end.get_xdata()) == [39, 39]
        assert "weeks" in axes.get_xlabel()
        assert [text.get_text() for text in axes.get_legend().texts] == [
            "actual", "expected", "end of calibration",
        ]  # fmt: skip


@pytest.mark.parametrize("end", [79, 0, np.nan])
def test_tracking_figure_refuses_an_end_outside_the_table(weeks: pd.DataFrame, end: float) -> None:
    with pytest.raises(ContractError, match=r"calibration_end.*for example"):
        tracking_figure(weeks, end)


# ---- heat map --------------------------------------------------------------------------------------------


@MODELS
@pytest.mark.parametrize("horizon", [None, 39])
def test_heatmap_draws_what_the_model_says(model: BetaGeoBase, horizon: float | None) -> None:
    figure = frequency_recency_heatmap(model, 40, horizon, max_frequency=12, unit="weeks")
    cells = figure.axes[0].images[0].get_array().filled(np.nan)
    assert cells.shape == (101, 13)
    x, t_x = np.arange(1, 13), 0.4 * np.arange(1, 101)
    columns, rows = (grid.ravel() for grid in np.meshgrid(x, t_x))
    history = columns, rows, np.full(len(rows), 40)
    said = model.p_alive(*history) if horizon is None else model.p_purchase(horizon, *history)
    assert cells[1:, 1:].ravel() == pytest.approx(said)
    once = model.p_alive(0, 0, 40) if horizon is None else model.p_purchase(horizon, 0, 0, 40)
    assert cells[0, 0] == pytest.approx(once[0])


def test_heatmap_masks_customers_that_cannot_be() -> None:
    axes = frequency_recency_heatmap(BG, 20, max_frequency=5, max_recency=40).axes[0]
    mask = np.ma.getmaskarray(axes.images[0].get_array())
    assert not mask[0, 0]  # bought once
    assert mask[1:, 0].all()  # recency without a repeat purchase
    assert mask[0, 1:].all()  # a repeat purchase at recency 0
    assert not mask[1:51, 1:].any()  # up to recency 20, the age, included
    assert mask[51:, :].all()  # older at the last purchase than now


def test_heatmap_cells_lie_over_their_numbers() -> None:
    figure = frequency_recency_heatmap(BG, 40, max_frequency=12, unit="weeks")
    axes, bar = figure.axes
    left, right, bottom, top = axes.images[0].get_extent()
    assert (left + 0.5, right - 0.5) == (0, 12)
    assert (bottom + 0.2, top - 0.2) == pytest.approx((0, 40))
    assert axes.images[0].origin == "lower"
    assert axes.images[0].get_clim() == (0, 1)
    assert to_hex(axes.get_facecolor()) == to_hex("lightgrey")
    assert bar.get_ylabel() == "P(alive)"
    assert "weeks" in axes.get_ylabel()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"T": 0}, "T must be a number above 0; for example 0"),
        ({"horizon": -1}, "horizon must be"),
        ({"max_frequency": 0}, "max_frequency must be"),
        ({"max_recency": np.inf}, "max_recency must be"),
    ],
)
def test_heatmap_refuses(change: dict[str, float], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        frequency_recency_heatmap(BG, **({"T": 40} | change))


# ---- one customer ----------------------------------------------------------------------------------------


@MODELS
def test_alive_history_knows_on_each_day_what_had_happened_by_then(model: BetaGeoBase) -> None:
    axes = alive_history_figure(model, [107, 100, 112, 107, 500], until=115, horizon=4).axes[0]
    alive, purchase = axes.lines
    assert alive.get_xdata().tolist() == purchase.get_xdata().tolist() == list(range(16))
    x = [0] * 7 + [1] * 5 + [2] * 4
    t_x = [0] * 7 + [7] * 5 + [12] * 4
    assert alive.get_ydata() == pytest.approx(model.p_alive(x, t_x, range(16)))
    assert purchase.get_ydata() == pytest.approx(model.p_purchase(4, x, t_x, range(16)))
    assert [segment[0][0] for segment in axes.collections[0].get_segments()] == [0, 7, 12]
    assert axes.get_xlabel() == "days since the first purchase"


def test_alive_history_in_weeks_steps_by_the_day(days: pd.DataFrame) -> None:
    """Customer 1516, whose first 26 repeats are known from [BTYD]: P(alive) at the end of calibration."""
    times = days.loc[days["customer_id"] == "1516", "week"]
    end = float(272 / 7)
    line = alive_history_figure(BG, times, until=end, step=DAY, unit="weeks").axes[0].lines[0]
    assert line.get_ydata()[-1] == pytest.approx(0.9688523, abs=5e-6)
    since = ((times - times.min()) * 7).round().to_numpy()
    ages = np.arange(31 * 7 + 1)
    x = [(since <= age).sum() - 1 for age in ages]
    t_x = [since[since <= age].max() / 7 for age in ages]
    assert line.get_ydata() == pytest.approx(BG.p_alive(x, t_x, ages / 7))


def test_alive_history_agrees_with_lifetimes(lifetimes: ModuleType) -> None:
    fitter = lifetimes.BetaGeoFitter()
    fitter.params_ = pd.Series(BG.params_)
    line = alive_history_figure(BG, [0, 20, 90], until=270).axes[0].lines[0]
    theirs = [fitter.conditional_probability_alive(*h) for h in ((1, 20, 89), (2, 90, 90), (2, 90, 270))]
    assert line.get_ydata()[[89, 90, 270]] == pytest.approx(np.ravel(theirs))


def test_alive_history_takes_one_call_for_all_days(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    whole = BetaGeoModel.p_alive
    monkeypatch.setattr(BetaGeoModel, "p_alive", lambda *args: calls.append(args) or whole(*args))
    alive_history_figure(BG, [0, 3], until=1000)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purchase_times": []}, "purchase_times must be a list of numbers"),
        ({"purchase_times": [1, np.nan]}, r"purchase_times missing or infinite: 1 of 2"),
        ({"purchase_times": pd.to_datetime(["1997-01-01"])}, "hint: dates"),
        ({"until": 1}, "no purchase lies before until = 1"),
        ({"step": 0}, "step must be"),
        ({"horizon": 0}, "horizon must be"),
    ],
)
def test_alive_history_refuses(change: dict[str, object], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        alive_history_figure(BG, **({"purchase_times": [1, 2], "until": 9} | change))


# ---- calibration -----------------------------------------------------------------------------------------


def test_calibration_figure_draws_the_means_of_cdnow(cdnow: pd.DataFrame) -> None:
    """Actual and expected means by frequency, 0 to 7 and above [BTYD]."""
    axes = calibration_figure(BG, cdnow, cdnow["holdout"], 39, unit="weeks").axes[0]
    actual, expected = axes.containers[0].lines[0], axes.lines[-1]
    assert actual.get_ydata() == pytest.approx(
        [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594], abs=6e-5
    )
    assert expected.get_ydata() == pytest.approx(
        [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570], abs=2.5e-4
    )
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert (labels[0], labels[-1]) == ("0\nn=1,411", "7+\nn=64")
    assert axes.get_ylabel() == "mean purchases in 39 weeks"


def test_calibration_figure_bars_are_two_standard_errors(cdnow: pd.DataFrame) -> None:
    axes = calibration_figure(BG, cdnow, cdnow["holdout"], 39).axes[0]
    low, high = axes.containers[0].lines[2][0].get_segments()[1][:, 1]
    once = cdnow.loc[cdnow["frequency"] == 1, "holdout"]
    assert high - low == pytest.approx(4 * once.std() / np.sqrt(len(once)))


@pytest.mark.parametrize(
    ("holdout", "message"),
    [
        ([1, 2], "one count for each of 3 customers; it has 2 values"),
        ([1, -2, 0], r"3 values, 1 of them no counts; for example -2\.0"),
        ([1, 0.5, 0.2], r"3 values, 2 of them no counts; for example 0\.5"),
        ([1, 0, np.nan], "holdout missing or infinite: 1 of 3"),
    ],
)
def test_calibration_figure_refuses(holdout: list[float], message: str) -> None:
    shop = pd.DataFrame({"frequency": [0, 1, 2], "recency": [0, 3, 4], "T": [9, 9, 9]})
    with pytest.raises(ContractError, match=message):
        calibration_figure(BG, shop, holdout, 39)


# ---- spend -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [[1], [7], [0, 1, 1, 3, 20]])
def test_spend_density_integrates_to_1(frequency: list[int]) -> None:
    area = quad(lambda log_m: np.exp(log_m) * spend_density(GG, [np.exp(log_m)], frequency)[0], -8, 16)
    assert area[0] == pytest.approx(1, abs=1e-6)


def test_spend_density_is_the_mixture_of_gammas_it_is_derived_from() -> None:
    """The mean of x Gamma(p, nu) orders is Gamma(p x, nu x), and nu differs as Gamma(q, v)."""

    def by_hand(m: float, x: int) -> float:
        def both(nu: float) -> float:
            spread = gamma.pdf(nu, 3.74, scale=1 / 15.44)
            return float(gamma.pdf(m, 6.25 * x, scale=1 / (nu * x)) * spread)

        return float(quad(both, 0, 5)[0])

    m = [10.0, 30.0, 90.0]
    mixed = [(2 * by_hand(each, 1) + by_hand(each, 6)) / 3 for each in m]
    assert spend_density(GG, m, [1, 0, 6, 1]) == pytest.approx(mixed, rel=1e-6)


def test_spend_figure_draws_the_repeat_buyers_of_cdnow(cdnow: pd.DataFrame) -> None:
    axes = spend_figure(GG, cdnow, unit="dollars").axes[0]
    repeat = cdnow[cdnow["frequency"] > 0]
    top = repeat["monetary_value"].quantile(0.99)
    shown = sum(bar.get_height() * bar.get_width() for bar in axes.patches)
    assert shown == pytest.approx((repeat["monetary_value"] <= top).mean())
    tenth = axes.patches[9]
    inside = repeat["monetary_value"].between(tenth.get_x(), tenth.get_x() + tenth.get_width())
    assert tenth.get_height() == pytest.approx(inside.mean() / tenth.get_width())
    line = axes.lines[0]
    assert line.get_ydata() == pytest.approx(spend_density(GG, line.get_xdata(), repeat["frequency"]))
    assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(shown, abs=0.02)
    assert "dollars" in axes.get_xlabel()
    assert "946 repeat buyers" in [text.get_text() for text in axes.get_legend().texts]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: spend_figure(GG, [0, 0], [0, 0]), "none of 2 customers has a repeat purchase"),
        (lambda: spend_figure(GG, [1, 2], [5, -1]), "monetary_value .* for 1 of 2 customers"),
        (lambda: spend_density(GG, [1.0], [0]), "none of 1 customers has a repeat purchase"),
        (lambda: spend_density(GG, [1.0], [-1]), "frequency is negative"),
        (lambda: spend_density(GG, [1.0, 0.0], [1]), r"spend is not above 0 at 1 points; for example 0\.0"),
    ],
)
def test_spend_refuses(draw: Callable[[], object], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        draw()


# ---- all -------------------------------------------------------------------------------------------------


def test_figures_save_to_png(cdnow: pd.DataFrame, weeks: pd.DataFrame) -> None:
    figures: list[Figure] = [
        frequency_recency_heatmap(BG, 39, 39),
        tracking_figure(weeks, 39),
        alive_history_figure(BG, [0, 3], until=30, horizon=4),
        calibration_figure(BG, cdnow, cdnow["holdout"], 39),
        spend_figure(GG, cdnow),
    ]
    for figure in figures:
        file = BytesIO()
        figure.savefig(file, format="png")
        assert file.getvalue().startswith(b"\x89PNG")
        assert all(axes.get_xlabel() or axes.get_ylabel() for axes in figure.axes)
