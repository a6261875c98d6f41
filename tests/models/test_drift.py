"""Drift is called where customers have changed, and not where a shop has only gone on."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.bins import Bins, number_bins
from models.categories import learn_categories
from models.drift import CHANCE, Distance, chance_limit, distances, movement, psi
from models.drift_words import drift_text, what_moved
from models.reference import LEAST, Reference, added, learn_reference, some_of_each
from models.scorer import Scorer
from models.simulate import ShopSpec, simulate_shop

UNTIL = date(2024, 6, 1)
LOG = ("customer_id", "order_id", "ordered_at", "quantity", "unit_price")
COLUMNS = 60
NEVER = 1e-9
Build = Callable[..., pd.DataFrame]


def customers(pick: np.random.Generator, n: int, until: date = UNTIL) -> pd.DataFrame:
    """Columns of all kinds, that depend on each other: counts, amounts, shares, many zeros, gaps, text."""
    common = pick.normal(size=(n, 1))
    drawn = 0.6 * common + 0.8 * pick.normal(size=(n, COLUMNS))
    kinds = (
        np.exp,
        lambda v: np.where(v > 0.3, np.exp(v), 0.0),
        lambda v: np.where(v > 1.9, np.exp(v), 0.0),
        lambda v: np.where(v > 1, np.nan, v),
        lambda v: np.floor(np.exp(v)),
        lambda v: np.where(v > 2.5, np.nan, np.minimum(np.abs(v).round(1), 1.0)),
    )
    columns = {f"f{k}": kinds[k % len(kinds)](drawn[:, k]) for k in range(COLUMNS)}
    city = np.array(list("abcdefgh"))[np.clip((common[:, 0] * 2 + 4).astype(int), 0, 7)]
    return pd.DataFrame({"customer_id": np.arange(n).astype(str), **columns, "attr_city": city}).assign(
        cutoff=pd.Timestamp(until)
    )


def learned(frame: pd.DataFrame) -> Reference:
    found = learn_reference(
        frame, pd.DataFrame(index=frame.index), learn_categories(frame), UNTIL - timedelta(900)
    )
    assert found is not None
    return found


def called(reference: Reference, frame: pd.DataFrame, most: float = 0.25, days: int = 0) -> list[str]:
    counts = reference.count(frame, pd.DataFrame(index=frame.index))
    found = distances(reference, counts, UNTIL + timedelta(days), most)
    return [far.column for far in found if far.verdict == "drifted"]


def false_alarms(n: int, m: int, times: int, most: float) -> float:
    pick = np.random.default_rng(n + m)
    pairs = ((learned(customers(pick, n)), customers(pick, m)) for _ in range(times))
    return float(np.mean([bool(called(reference, later, most)) for reference, later in pairs]))


def power(n: int, m: int, times: int, change: Callable[[pd.DataFrame], pd.DataFrame], name: str) -> float:
    pick = np.random.default_rng(n + m)
    pairs = ((learned(customers(pick, n)), change(customers(pick, m))) for _ in range(times))
    return float(np.mean([name in called(reference, later) for reference, later in pairs]))


def moved(frame: pd.DataFrame) -> pd.DataFrame:
    """One column of 61 moves by two thirds of its spread: a PSI of about 0.45."""
    return frame.assign(f0=frame["f0"] * np.exp(2 / 3))


def emptied(frame: pd.DataFrame) -> pd.DataFrame:
    """A fifth of the customers lose a value."""
    return frame.assign(f4=frame["f4"].where(np.arange(len(frame)) % 5 > 0))


@pytest.mark.parametrize(("n", "m"), [(300, 300), (1000, 100)])
def test_chance_alone_is_hardly_ever_called(n: int, m: int) -> None:
    """Without the limit below which nothing matters: a few draws; 2,000 in the heavy test."""
    assert false_alarms(n, m, 12, NEVER) <= 0.09


@pytest.mark.heavy
@pytest.mark.parametrize(("n", "m"), [(100, 100), (100, 5000), (150, 300), (1000, 100), (1000, 1000)])
def test_false_alarms_are_as_rare_as_they_are_said_to_be(n: int, m: int) -> None:
    """2,000 draws in all."""
    assert false_alarms(n, m, 400, NEVER) <= CHANCE + 0.01


@pytest.mark.parametrize("change", [moved, emptied])
def test_a_shift_is_called(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    assert power(1000, 1000, 5, change, "f0" if change is moved else "f4") == 1


@pytest.mark.heavy
@pytest.mark.parametrize(("n", "m"), [(400, 400), (400, 5000), (1000, 1000), (2000, 400)])
def test_power_at_a_declared_shift(n: int, m: int) -> None:
    """2,000 draws in all: 250 of each."""
    assert power(n, m, 250, moved, "f0") >= 0.95
    assert power(n, m, 250, emptied, "f4") >= 0.95


def test_few_customers_have_no_reference() -> None:
    pick = np.random.default_rng(1)
    few, enough = customers(pick, LEAST - 1), customers(pick, LEAST)
    nothing = pd.DataFrame(index=few.index)
    assert learn_reference(few, nothing, {}, UNTIL) is None
    assert learn_reference(enough, pd.DataFrame(index=enough.index), {}, UNTIL) is not None


def test_looks_with_few_customers_are_left_out() -> None:
    pick = np.random.default_rng(1)
    looks = [(date(2024, 2, 1), 150), (date(2024, 3, 1), 300), (date(2024, 4, 1), 900), (UNTIL, 1000)]
    frame = pd.concat([customers(pick, n, at) for at, n in looks], ignore_index=True)
    assert learned(frame).cutoffs == ("2024-03-01", "2024-04-01", "2024-06-01")


def test_counts_of_pieces_add_up_and_the_state_comes_back_the_same() -> None:
    frame = customers(np.random.default_rng(3), 500)
    reference, none = learned(frame), pd.DataFrame()
    pieces = reference.count(frame[:200], none), reference.count(frame[200:], none)
    assert added(*pieces) == reference.count(frame, none)
    state = json.loads(json.dumps(reference.to_dict()))
    assert Reference.from_dict(state) == reference


def test_what_the_state_holds_is_no_customers_value() -> None:
    frame = customers(np.random.default_rng(4), 400)
    state = learned(frame).to_dict()["columns"]
    owned = frame.select_dtypes("number").stack()
    rare = set(owned[owned.groupby(owned).transform("size") < 40])
    edges = {edge for column in state.values() for edge in column.get("edges", ())}
    assert edges
    assert not edges & rare


def test_a_look_of_long_ago_is_near_enough() -> None:
    """Every second month a campaign reaches everyone: what is far from the newest look is no drift."""
    pick = np.random.default_rng(5)
    looks = [UNTIL - timedelta(30 * k) for k in range(7)]
    frame = pd.concat(
        [
            customers(pick, 400, at).assign(contacts_28d=float(k % 2) + (pick.random(400) < 0.05))
            for k, at in enumerate(looks)
        ],
        ignore_index=True,
    )
    reference, later = learned(frame), customers(pick, 400).assign(contacts_28d=1.0)
    assert "contacts_28d" not in called(reference, later, days=30)
    only_newest = learned(frame[frame["cutoff"] == pd.Timestamp(UNTIL)])
    assert "contacts_28d" in called(only_newest, later)
    assert "contacts_28d" in called(reference, later.assign(contacts_28d=9.0), days=30)


def ageing(column: str = "days_since_last_order") -> Reference:
    """All customers grow a day older each day; a look every 30 days."""
    pick = np.random.default_rng(6)
    age = pick.normal(300, 40, 2000)
    frames = [
        pd.DataFrame({"cutoff": pd.Timestamp(UNTIL - timedelta(30 * k)), column: age - 30 * k})
        for k in range(7)
    ]
    return learned(pd.concat(frames, ignore_index=True))


@pytest.mark.parametrize(("days", "older", "is_drift"), [(30, 30, False), (30, 90, True), (360, 360, False)])
def test_a_shop_may_move_as_it_has_moved(days: int, older: int, is_drift: bool) -> None:
    age = np.random.default_rng(6).normal(300, 40, 2000)
    found = called(ageing(), pd.DataFrame({"days_since_last_order": age + older}), days=days)
    assert bool(found) is is_drift


def test_what_cannot_be_judged_is_shown_without_a_limit() -> None:
    frame = pd.DataFrame({"T": [1e4] * 300, "orders_365d": [9.0] * 300, "orders_28d": [9.0] * 300})
    seen = pd.concat(
        [frame.assign(**dict.fromkeys(frame, 0.0), cutoff=pd.Timestamp(d)) for d in (date(2024, 1, 1), UNTIL)]
    )
    reference = learn_reference(
        seen.reset_index(drop=True), pd.DataFrame(index=range(600)), {}, UNTIL - timedelta(370)
    )
    assert reference is not None
    found = {d.column: d for d in distances(reference, reference.count(frame, frame), UNTIL, 0.25)}
    assert {name: d.verdict for name, d in found.items()} == {
        "T": "not judged",  # moves with the calendar
        "orders_365d": "drifted",
        "orders_28d": "drifted",
    }
    later = distances(reference, reference.count(frame, frame), UNTIL + timedelta(6), 0.25)
    assert {d.column for d in later if d.limit is None} == {"T", "orders_365d"}  # the year was hardly full
    assert found["T"].limit is None
    assert found["T"].psi > 5


def test_one_look_tells_nothing_of_how_a_shop_moves() -> None:
    reference = learned(customers(np.random.default_rng(1), 300))
    assert movement(reference, "f0", 0) == 0
    assert movement(reference, "f0", 1) is None


def test_psi_is_that_of_the_book() -> None:
    then, now = [100] * 10, [80, 90, 100, 110, 120, 100, 100, 100, 100, 100]
    p, q = (np.array(x) / 1000 for x in (then, now))
    assert psi(then, now) == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=0.02)
    assert psi(then, now) == pytest.approx(psi(now, then))
    assert chance_limit(then, now, 0.05) == pytest.approx(16.919 * 0.002, abs=1e-5)  # chi-square, 9 degrees


def panel_of(shop: ShopSpec, seed: int, build: Build, looks: list[date]) -> pd.DataFrame:
    """The features of a shop's customers; what they went on to do is no feature."""
    built = build(simulate_shop(shop, seed).transactions, {name: name for name in LOG}, looks)
    return built[[name for name in built if not name.startswith("y_")]]


HEALTHY = {
    "growing": ShopSpec(n_customers=1500, days=600, acquisition_days=600),
    "all at once": ShopSpec(n_customers=1500, days=600, acquisition_days=90),
    "seasonal": ShopSpec(n_customers=1500, days=900, acquisition_days=900, season_amplitude=0.5),
    "busy": ShopSpec(n_customers=600, days=600, acquisition_days=600, r=1.2, alpha=12.0, a=0.5, b=4.0),
    "small": ShopSpec(n_customers=250, days=600, acquisition_days=600, r=0.8, alpha=30.0),
}


@pytest.mark.heavy
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_shop_is_never_called(name: str, build: Build) -> None:
    """Trained on most of it, as `train` would, and looked at up to 60 days later; four shops of each kind."""
    spec = HEALTHY[name]
    until = date(2024, 1, 1) + timedelta(spec.days - 61)
    looks = [until - timedelta(d) for d in (0, 7, 28, 49, 70, 90, 140, 190, 240, 290, 340)]
    after = [until + timedelta(d) for d in (1, 7, 14, 28, 60)]
    for seed in range(4):
        panel = panel_of(spec, seed, build, [*sorted(looks), *after])
        seen = some_of_each(panel, until, 7)
        reference = learn_reference(seen, pd.DataFrame(index=seen.index), {}, date(2024, 1, 1))
        assert reference is not None
        for day in after:
            now = panel[panel["cutoff"] == pd.Timestamp(day)]
            found = distances(reference, reference.count(now, now), day, 0.25)
            assert [far for far in found if far.verdict == "drifted"] == []


def test_broken_feeds_are_called(panel: SimpleNamespace) -> None:
    """On features of a simulated shop, two weeks after its training."""
    reference = learn_reference(
        panel.bare, pd.DataFrame(index=panel.bare.index), {}, date.fromisoformat(panel.shop.spec.start)
    )
    assert reference is not None
    now, day = panel.newest, panel.until.date() + timedelta(14)
    money = [name for name in now if "spend" in name or name in ("monetary_value", "average_order_value")]
    feeds = {
        "as it was": now,
        "cents": now.assign(**{name: now[name] * 100 for name in money}),
        "silent": now.assign(orders_28d=0.0, orders_90d=0.0, orders_14d=0.0),
        "constant": now.assign(mean_gap=now["mean_gap"].median()),
        "lost": now.assign(mean_gap=np.nan),
    }
    found = {
        name: [
            d.column for d in distances(reference, reference.count(f, f), day, 0.25) if d.verdict == "drifted"
        ]
        for name, f in feeds.items()
    }
    assert found.pop("as it was") == []
    assert "total_spend" in found["cents"]
    assert "orders_90d" in found["silent"]
    assert found["constant"] == found["lost"] == ["mean_gap"]


def test_the_scorer_keeps_the_reference_of_its_features_and_scores(
    blend_scorer: Scorer, panel: SimpleNamespace
) -> None:
    scorer = blend_scorer.with_reference(panel.bare, date.fromisoformat(panel.shop.spec.start), 7)
    reference = scorer.reference
    assert reference is not None
    assert set(reference.bins) == {*scorer.features, *scorer.watched}
    assert reference.cutoffs[-1] == scorer.trained_until
    assert set(reference.scores) == {
        "p_purchase_28d",
        "p_purchase_90d",
        "expected_orders_90d",
        "expected_spend_90d",
    }
    state, trees = scorer.to_state()
    plain = json.loads(json.dumps(state))
    assert len(json.dumps(plain["reference"], indent=1)) < 200_000
    assert Scorer.from_state(plain, trees).reference == reference
    for key in ("reference", "tables"):  # a model of before has neither
        del plain[key]
    before = Scorer.from_state(plain, trees)
    assert (before.reference, before.tables) == (None, {})
    counts = reference.count(panel.newest, scorer.score(panel.newest))
    assert set(counts) == set(reference.bins)
    assert {d.verdict for d in distances(reference, counts, panel.until.date(), 0.25)} <= {
        "steady",
        "not judged",
    }


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ([100, 100, 800, 0], "80% are now above 90, 12% were in the training"),
        ([900, 50, 50, 0], "90% are now at most 30, 60% were in the training"),
        ([300, 140, 60, 500], "50% are now empty, 0% were in the training"),
    ],
)
def test_what_moved_is_said_in_shares(now: list[int], words: str) -> None:
    assert what_moved(Bins((30.0, 90.0)), [600, 280, 120, 0], now) == words


def test_a_value_of_its_own_is_said_as_such() -> None:
    bins = number_bins(pd.Series([0.0] * 100))
    assert what_moved(bins, [0, 100, 0, 0], [0, 50, 50, 0]) == "50% are now above 0, 0% were in the training"
    assert (
        what_moved(bins, [0, 0, 100, 0], [0, 50, 50, 0]) == "50% are now at most 0, 0% were in the training"
    )
    assert (
        what_moved(bins, [50, 50, 0, 0], [0, 100, 0, 0]) == "100% are now 0 or more, 50% were in the training"
    )
    text = Bins(values=("web", "shop"))
    assert what_moved(text, [50, 50, 0, 0], [90, 10, 0, 0]) == "90% are now 'web', 50% were in the training"
    assert "of a value that the model does not tell apart" in what_moved(text, [50, 50, 0, 0], [40, 0, 60, 0])
    assert "are now empty" in what_moved(text, [50, 50, 0, 0], [40, 0, 0, 60])


def test_three_columns_are_told_and_the_rest_counted() -> None:
    reference = learned(customers(np.random.default_rng(1), 300))
    names = ("frequency", "recency", "n_orders", "mean_gap")
    moved = replace(
        reference,
        bins=dict.fromkeys(names, reference.bins["f0"]),
        counts=dict.fromkeys(names, reference.counts["f0"]),
    )
    now = dict.fromkeys(names, [0] * (len(reference.counts["f0"][0]) - 1) + [300])
    drifted = [Distance(name, 3.0, 0.25, "drifted", reference.cutoffs[0]) for name in names]
    said = drift_text(moved, drifted, now, 60)
    assert said.startswith("4 of 60 features and scores are spread over the customers as at no time")
    assert "repeat purchases (frequency, PSI 3.00, limit 0.25): 100% are now empty" in said
    assert "; and 1 more. A table is broken" in said
    assert "mean_gap" not in said
