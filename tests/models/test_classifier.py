"""Learned probabilities beat the base rate out of time, and move the right way."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.btyd import with_btyd
from models.classifier import Boosting, boosting_inputs, fit_boosting, trees_from_text, trees_to_text
from models.folds import Fold, make_fold
from models.logistic import COLUMNS, LEAST_RIDGE, RIDGE, Logistic, fit_logistic
from models.metrics import auc, log_loss

H = 90
LEARNED = ["logistic", "logistic_btyd", "boosting", "boosting_btyd"]


@pytest.fixture(scope="module")
def fold(panel: SimpleNamespace) -> Fold:
    return make_fold(panel.frame, pd.Timestamp(panel.schedule.folds[-1]), H)


@pytest.fixture(scope="module")
def logistic(fold: Fold) -> Logistic:
    return fit_logistic(fold.train, outcome(fold.train), H, has_btyd=False)


@pytest.fixture(scope="module")
def logistic_btyd(fold: Fold) -> Logistic:
    return fit_logistic(fold.train, outcome(fold.train), H, has_btyd=True)


@pytest.fixture(scope="module")
def boosting(fold: Fold, panel: SimpleNamespace) -> Boosting:
    return fit_boosting(fold.train, outcome(fold.train), panel.features, H, 7)


@pytest.fixture(scope="module")
def boosting_btyd(fold: Fold, panel: SimpleNamespace) -> Boosting:
    return fit_boosting(fold.train, outcome(fold.train), panel.features, H, 7, from_btyd=True)


def outcome(frame: pd.DataFrame) -> np.ndarray:
    return frame[f"y_purchased_{H}d"].to_numpy()


@pytest.mark.parametrize("which", LEARNED)
def test_beats_the_base_rate_out_of_time(which: str, fold: Fold, request: pytest.FixtureRequest) -> None:
    model, happened = request.getfixturevalue(which), outcome(fold.test)
    p = model.predict(fold.test, H)
    assert p.shape == (len(fold.test),)
    assert ((p > 0) & (p < 1)).all()
    best_constant = np.full(len(p), happened.mean())  # even the rate that nobody could know beforehand
    assert log_loss(happened, p) < log_loss(happened, best_constant) - 0.05
    assert auc(happened, p) > 0.7


@pytest.mark.parametrize("which", LEARNED)
def test_more_recent_is_likelier(
    which: str, fold: Fold, panel: SimpleNamespace, request: pytest.FixtureRequest
) -> None:
    """The same customers, had their silence been shorter, buy rather more likely."""
    model = request.getfixturevalue(which)
    silent = fold.test[(fold.test["frequency"] >= 2) & (fold.test["days_since_last_order"] > 60)]
    recent = with_btyd(last_order(silent, 5), panel.btyd, panel.horizons)
    before = model.predict(with_btyd(silent, panel.btyd, panel.horizons), H)
    assert len(silent) > 100
    assert model.predict(recent, H).mean() > before.mean() + 0.1


def last_order(frame: pd.DataFrame, days_ago: float) -> pd.DataFrame:
    """Move the last order, and all that follows from it."""
    recency = frame["T"] - days_ago
    gap = recency / frame["frequency"]
    window = {f"orders_{w}d": np.maximum(frame[f"orders_{w}d"], 1) for w in (7, 14, 28, 90, 180, 365)}
    return frame.assign(
        recency=recency,
        days_since_last_order=days_ago,
        mean_gap=gap,
        purchase_cycles=frame["T"] / gap,
        silent_cycles=days_ago / gap,
        **window,
    )


@pytest.mark.parametrize("which", LEARNED)
def test_more_frequent_is_likelier(
    which: str, fold: Fold, panel: SimpleNamespace, request: pytest.FixtureRequest
) -> None:
    """Of customers who bought within the last month, those who had come more often buy more likely."""
    model = request.getfixturevalue(which)
    recent = fold.test[fold.test["days_since_last_order"] <= 28]
    p = pd.Series(model.predict(recent, H), recent.index)
    often = recent["frequency"] / recent["T"] > (recent["frequency"] / recent["T"]).median()
    assert p[often].mean() > p[~often].mean() + 0.1


@pytest.mark.parametrize("column", ["frequency", "orders_28d", "orders_90d"])
def test_the_logistic_rises_with_orders(column: str, fold: Fold) -> None:
    """Alone, without the columns that say nearly the same, each count has a positive weight."""
    rest = [c for c in COLUMNS if c != column]
    alone = fold.train.assign(**dict.fromkeys(rest, 0.0))
    model = fit_logistic(alone, outcome(fold.train), H, has_btyd=False)
    weights = dict(zip(COLUMNS, model.coef, strict=True))
    assert weights[column] > 0.1
    assert max(abs(weights[c]) for c in rest) < 1e-9


def test_logistic_does_not_depend_on_the_order_of_rows(fold: Fold, logistic: Logistic) -> None:
    again = fit_logistic(fold.train, outcome(fold.train), H, has_btyd=False)
    assert again == logistic
    mixed = fold.train.sample(frac=1, random_state=5)
    other = fit_logistic(mixed, outcome(mixed), H, has_btyd=False)
    np.testing.assert_allclose(other.predict(fold.test, H), logistic.predict(fold.test, H), atol=1e-5)


def test_boosting_does_not_depend_on_the_order_of_rows(
    fold: Fold, boosting: Boosting, panel: SimpleNamespace
) -> None:
    expected = boosting.predict(fold.test, H)
    again = fit_boosting(fold.train, outcome(fold.train), panel.features, H, 7).predict(fold.test, H)
    np.testing.assert_array_equal(again, expected)
    mixed = fold.train.sample(frac=1, random_state=5)
    other = fit_boosting(mixed, outcome(mixed), panel.features, H, 7).predict(fold.test, H)
    # sums of gradients round differently, which may turn a tie between two splits
    assert np.abs(other - expected).mean() < 2e-3


def test_logistic_json_round_trip_is_exact(fold: Fold, logistic: Logistic) -> None:
    again = Logistic.from_dict(json.loads(json.dumps(logistic.to_dict())))
    assert again == logistic
    np.testing.assert_array_equal(again.predict(fold.test, H), logistic.predict(fold.test, H))


def test_logistic_is_what_scikit_learn_fits(fold: Fold, logistic: Logistic) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    logs = [np.log1p(f[list(COLUMNS)].to_numpy()) for f in (fold.train, fold.test)]
    seen = [np.clip(table, logs[0].min(axis=0), logs[0].max(axis=0)) for table in logs]
    ridge = 1 / (LEAST_RIDGE + RIDGE * len(fold.train))
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=ridge, max_iter=1000))
    expected = theirs.fit(seen[0], outcome(fold.train)).predict_proba(seen[1])[:, 1]
    np.testing.assert_allclose(logistic.predict(fold.test, H), expected, atol=1e-6)


def test_a_negative_balance_is_no_obstacle(fold: Fold, logistic: Logistic) -> None:
    owing = fold.test.head(3).assign(total_spend=-50.0)
    level = fold.test.head(3).assign(total_spend=0.0)
    np.testing.assert_array_equal(logistic.predict(owing, H), logistic.predict(level, H))


def test_a_constant_column_is_no_obstacle(fold: Fold) -> None:
    flat = fold.train.assign(total_spend=3.0)
    p = fit_logistic(flat, outcome(flat), H, has_btyd=False).predict(fold.test, H)
    assert np.isfinite(p).all()


def test_boosting_inputs_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "b": [1.0, 2.0],
            "a": [3.0, np.nan],
            "btyd_p_purchase_28d": [0.5, 0.0],
            "btyd_days_if_any_28d": [1.0, np.e],
            "btyd_p_alive": [0.25, 1.0],
            "btyd_spend_per_day": [np.e, np.nan],
        }
    )
    found = boosting_inputs(frame, ("a", "b"), 28)
    impossible = np.log(1e-6 / (1 - 1e-6))
    expected = [[3, 1, 0, 0, 0.25, 1], [np.nan, 2, impossible, 1, 1, np.nan]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_boosting_reads_its_own_horizon(fold: Fold, boosting: Boosting) -> None:
    swapped = fold.test.assign(btyd_p_purchase_90d=fold.test["btyd_p_purchase_28d"])
    other = fold.test.assign(btyd_p_purchase_28d=0.5)
    expected = boosting.predict(fold.test, H)
    np.testing.assert_array_equal(boosting.predict(other, H), expected)
    assert boosting.predict(swapped, H).mean() < expected.mean() - 0.02


def test_trees_survive_as_text(fold: Fold, boosting: Boosting, panel: SimpleNamespace) -> None:
    again = Boosting(boosting.features, trees_from_text(trees_to_text(boosting.trees)))
    np.testing.assert_array_equal(again.predict(fold.test, H), boosting.predict(fold.test, H))


def test_what_starts_from_bgnbd_and_learns_nothing_is_bgnbd(fold: Fold, panel: SimpleNamespace) -> None:
    """Columns that tell nothing leave what the buy-till-you-die model says, but for its level."""
    blank = fold.train.assign(**dict.fromkeys(panel.features, 0.0), btyd_p_alive=1.0, btyd_spend_per_day=1.0)
    blank = blank.assign(**{f"btyd_days_if_any_{H}d": 1.0})
    drawn = (np.random.default_rng(3).random(len(blank)) < blank[f"btyd_p_purchase_{H}d"]).astype(float)
    model = fit_boosting(blank, drawn.to_numpy(), panel.features, H, 7, from_btyd=True)
    p, theirs = model.predict(blank, H), blank[f"btyd_p_purchase_{H}d"].to_numpy()
    assert np.abs(p - theirs).mean() < 0.03


def test_boosting_learns_from_a_log_without_amounts(panel_without_amounts: SimpleNamespace) -> None:
    """Spend is then missing in every row, which scikit-learn's binning refuses."""
    panel = panel_without_amounts
    fold = make_fold(panel.frame, pd.Timestamp(panel.schedule.folds[-1]), H)
    assert fold.train["btyd_spend_per_day"].isna().all()
    p = fit_boosting(fold.train, outcome(fold.train), panel.features, H, 7).predict(fold.test, H)
    base = np.full(len(p), outcome(fold.test).mean())
    assert log_loss(outcome(fold.test), p) < log_loss(outcome(fold.test), base)


def test_boosting_learns_where_nobody_has_come_back(panel: SimpleNamespace) -> None:
    once = panel.frame[(panel.frame["frequency"] == 0) & (panel.frame["y_purchased_90d"].notna())]
    once = once.assign(btyd_spend_per_day=np.nan)
    assert once["mean_gap"].isna().all()
    model = fit_boosting(once, outcome(once), panel.features, H, 7)
    p = model.predict(panel.newest, H)  # who, since then, do have gaps and a spend
    assert np.isfinite(p).all()
