"""The clock against brute force, closed forms, and shops whose future is known."""

import json
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from models.churn_clock import learn_clock
from models.clock_words import by_kind, judge_clock, likeliest
from models.silences import ENOUGH, Silences, silence_bands
from models.simulate import ShopSpec, simulate_shop


def silences_of(customers: list[list[int]], until: int) -> Silences:
    """Count the silences of customers given by their purchase days."""
    closed, still = np.zeros(until + 1, dtype=np.int64), np.zeros(until + 1, dtype=np.int64)
    for days in customers:
        seen = [day for day in days if day < until]
        for day, following in pairwise(seen):
            closed[following - day] += 1
        if seen:
            still[until - 1 - seen[-1]] += 1
    return Silences(closed, still)


def geometric(n: int, leave: float, daily: float, span: int, seed: int) -> Silences:
    """Silences that begin anywhere in the log and end each day with chance `daily`, or never."""
    rng = np.random.default_rng(seed)
    length = np.where(rng.random(n) < leave, 10**6, rng.geometric(daily, n))
    watched = span - 1 - rng.integers(0, span, n)
    closed = np.bincount(length[length <= watched], minlength=span + 1)
    return Silences(closed, np.bincount(watched[length > watched], minlength=span + 1))


def purchase_days(spec: ShopSpec, seed: int) -> pd.DataFrame:
    log = simulate_shop(spec, seed).transactions
    day = (log["ordered_at"] - pd.Timestamp(spec.start)).dt.days
    return pd.DataFrame({"customer": log["customer_id"], "day": day}).drop_duplicates()


def counted(days: pd.DataFrame, until: int) -> Silences:
    seen = days[days["day"] < until].groupby("customer")["day"].apply(lambda d: sorted(d.tolist()))
    return silences_of(seen.tolist(), until)


def chance_if_all_were_seen(days: pd.DataFrame, until: int, window: int) -> np.ndarray:
    """The chances of the same silences, each followed for a year past the end of the log: no estimate."""
    ordered = days.sort_values(["customer", "day"])
    gap = ordered.groupby("customer")["day"].shift(-1) - ordered["day"]
    length = gap[ordered["day"] < until].fillna(10**6).to_numpy()
    longer = np.array([(length > s).mean() for s in range(366)])
    return 1 - longer[window:] / longer[:-window]


def test_hazard_is_the_share_of_customers_at_that_silence_who_buy_on_the_next_day() -> None:
    rng = np.random.default_rng(5)
    customers = [sorted(set(rng.integers(0, 60, rng.integers(1, 9)).tolist())) for _ in range(40)]
    standing, bought = np.zeros(62), np.zeros(62)
    for days in customers:  # each customer, on each day of the log after the first purchase
        for today in range(days[0] + 1, 60):
            silence = today - max(d for d in days if d < today)
            standing[silence] += 1
            bought[silence] += today in days
    silences = silences_of(customers, 60)
    np.testing.assert_array_equal(silences.at_risk[1:], standing[1 : silences.at_risk.size])
    np.testing.assert_array_equal(silences.closed, bought[: silences.closed.size])
    np.testing.assert_allclose(silences.hazard * np.maximum(silences.at_risk, 1), silences.closed)


def test_without_ongoing_silences_survival_is_the_plain_share() -> None:
    lengths = np.array([1, 1, 2, 5, 5, 9])
    silences = Silences(np.bincount(lengths, minlength=11), np.zeros(11, dtype=np.int64))
    np.testing.assert_allclose(silences.survival, [(lengths > t).mean() for t in range(11)], atol=1e-15)


@pytest.mark.parametrize(("leave", "daily"), [(0.2, 1 / 20), (0.5, 1 / 10), (0.1, 1 / 40)])
def test_the_clock_is_the_closed_form_one(leave: float, daily: float) -> None:
    stays = (1 - leave) * (1 - daily) ** np.arange(365)
    off, covered = [], 0
    for seed in range(20):
        clock = learn_clock(geometric(5000, leave, daily, span=730, seed=seed), 730)
        assert clock is not None
        assert clock.returned_share == pytest.approx(1 - leave, abs=0.03)
        chance = stays / (stays + leave) * (1 - (1 - daily) ** clock.window)
        exact = int(np.argmax(chance <= chance[0] / 2))
        assert None not in (clock.days, clock.low, clock.high)
        off.append(clock.days - exact)
        covered += clock.low <= exact <= clock.high
    assert abs(np.mean(off)) <= 1 + 0.02 * exact
    assert covered >= 17  # of 20, by 95 % limits


def test_leaving_out_those_still_silent_hides_that_anybody_leaves() -> None:
    silences = geometric(5000, 0.2, 1 / 20, span=730, seed=1)
    closed_only = learn_clock(Silences(silences.closed, np.zeros_like(silences.ongoing)), 730)
    assert closed_only is not None
    assert closed_only.days is None


def test_where_buying_has_no_memory_silence_says_nothing() -> None:
    clock = learn_clock(geometric(20_000, 0.0, 1 / 30, span=730, seed=2), 730)
    assert clock is not None
    assert (clock.days, clock.low, clock.high) == (None, None, None)
    assert clock.judged_days > 90
    finding = judge_clock({"all": clock, "first_purchase": None, "repeat": None}, [], 90, 0.5)
    assert finding.severity == "note"
    assert "does not halve" in finding.text


SHOPS = {
    "most never return": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
    "frequent": {"r": 1.5, "alpha": 20.0, "a": 0.8, "b": 6.0},
    "nobody leaves, but paces differ": {"r": 0.8, "alpha": 20.0, "a": 1e-3, "b": 1000.0},
    "seasonal": {"r": 1.5, "alpha": 20.0, "a": 0.8, "b": 6.0, "season_amplitude": 0.7},
    "closed on Sundays": {"r": 1.5, "alpha": 20.0, "a": 0.8, "b": 6.0, "weekday_weights": (1,) * 6 + (1e-6,)},
}  # fmt: skip


@pytest.mark.parametrize("name", SHOPS)
@pytest.mark.parametrize("acquisition_days", [0, 730])
def test_the_clock_is_right_about_a_shop_whose_future_is_known(name: str, acquisition_days: int) -> None:
    spec = ShopSpec(n_customers=2000, days=1096, acquisition_days=acquisition_days, **SHOPS[name])
    days = purchase_days(spec, seed=4)
    clock = learn_clock(counted(days, 730), 730)
    assert clock is not None
    assert clock.days is not None
    chance = chance_if_all_were_seen(days, 730, clock.window)
    assert clock.chance_fresh == pytest.approx(chance[0], abs=0.01)
    assert clock.chance_silent == pytest.approx(chance[clock.days], abs=0.03)
    assert abs(clock.days - int(np.argmax(chance <= chance[0] / 2))) <= 3


def test_a_longer_log_moves_the_clock_little() -> None:
    days = purchase_days(ShopSpec(n_customers=2000, acquisition_days=730, **SHOPS["frequent"]), seed=3)
    found = [learn_clock(counted(days, until), until) for until in (250, 400, 730)]
    clocks = [clock.days for clock in found if clock is not None and clock.days is not None]
    assert len(clocks) == 3
    assert max(clocks) - min(clocks) <= 5


def test_faster_shops_have_faster_clocks() -> None:
    slow = learn_clock(geometric(5000, 0.2, 1 / 40, 730, seed=1), 730)
    fast = learn_clock(geometric(5000, 0.2, 1 / 10, 730, seed=1), 730)
    assert slow is not None
    assert fast is not None
    assert slow.days is not None
    assert fast.days is not None
    assert fast.days < slow.days


def test_too_little_to_learn_from() -> None:
    assert learn_clock(silences_of([[0, 3], [1]], 14), 14) is None
    few = geometric(ENOUGH // 2, 0.2, 1 / 10, 730, seed=1)
    assert learn_clock(few, 730) is None
    finding = judge_clock({"all": None, "first_purchase": None, "repeat": None}, [], 90, None)
    assert (finding.severity, finding.numbers["all"]) == ("note", None)


def test_nothing_is_said_of_silences_longer_than_half_the_log() -> None:
    clock = learn_clock(geometric(20_000, 0.2, 1 / 60, span=120, seed=1), 120)
    assert clock is not None
    assert clock.support == 60
    assert clock.days is None


def test_a_second_wave_is_told() -> None:
    rng = np.random.default_rng(1)
    length = np.where(rng.random(4000) < 0.6, rng.geometric(1 / 10, 4000), 360 + rng.integers(0, 10, 4000))
    silences = Silences(np.bincount(length, minlength=1100), np.zeros(1100, dtype=np.int64))
    clock = learn_clock(silences, 1099)
    assert clock is not None
    assert clock.days is not None
    assert clock.days < 60
    assert clock.second_wave is not None
    assert 350 <= clock.second_wave <= 370
    finding = judge_clock({"all": clock, "first_purchase": None, "repeat": None}, [], 28, None)
    assert f"around day {clock.second_wave}" in finding.text


def test_bands_add_up_and_name_the_likeliest_days() -> None:
    length = np.concatenate([np.arange(8, 15).repeat(60), np.arange(1, 8).repeat(5), np.full(500, 200)])
    closed = np.bincount(length[length < 200], minlength=201)
    silences = Silences(closed, np.bincount(length[length == 200], minlength=201))
    bands = silence_bands(silences)
    assert sum(band.returns for band in bands) == closed.sum()
    assert [(band.after, band.until) for band in bands][:3] == [(0, 7), (7, 14), (14, 28)]
    assert bands[1].chance == pytest.approx(420 / 920)
    assert bands[-1].chance is None
    assert "days 8 to 14" in likeliest(bands)


@pytest.mark.parametrize(("primary", "severity", "said"), [
    (28, "ok", "fits that"), (365, "note", "is long for this shop"), (7, "note", "is short for this shop"),
])  # fmt: skip
def test_the_clock_stands_beside_the_fixed_window(primary: int, severity: str, said: str) -> None:
    silences = geometric(20_000, 0.2, 1 / 10, 730, seed=1)
    clock = learn_clock(silences, 730)
    finding = judge_clock(
        {"all": clock, "first_purchase": None, "repeat": clock}, silence_bands(silences), primary, 0.25
    )
    assert finding.severity == severity
    assert said in finding.text
    assert f"{primary} days (after {primary} days it is 25%)" in finding.text
    assert json.loads(json.dumps(finding.numbers))["all"]["return_days"].keys() == {"50%", "80%", "90%"}
    (line,) = by_kind(finding.numbers)
    assert re.fullmatch(
        r"of later purchases, \d\d\.\d% lead to .* within 365 days, half of those within 7", line
    )
