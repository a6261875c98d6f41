"""Shops that are not like others: each ends with a useful answer, and none with a crash."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main

DAYS, AS_OF = 420, "2025-02-24"
CONFIG = """\
[project]
name = "odd"
[tables.transactions]
source = "orders.csv"
columns = { customer_id = "who", ordered_at = "day", amount = "amount" }
[target]
horizons = [14, 60]
primary_horizon = 60
[training]
cutoffs = 4
"""
Shop = Callable[[np.random.Generator], pd.DataFrame]


def drawn(rng: np.random.Generator, first: np.ndarray, gap: np.ndarray, leaves: float) -> pd.DataFrame:
    """Orders from the day each customer first came on, at their own mean gap, until they leave."""
    rows = []
    for who, (start, mean) in enumerate(zip(first, gap, strict=True)):
        day = start
        while day < DAYS:
            rows.append((f"c{who:04}", day, round(float(rng.gamma(4, 6)) + 1, 2)))
            if rng.random() < leaves:
                break
            day += 1 + rng.exponential(mean)
    table = pd.DataFrame(rows, columns=["who", "day", "amount"])
    return table.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(table["day"].astype(int), unit="D"))


def usual(rng: np.random.Generator, n: int = 300) -> pd.DataFrame:
    return drawn(rng, rng.uniform(0, 300, n), rng.gamma(2, 25, n) + 3, leaves=0.15)


def one_huge_customer(rng: np.random.Generator) -> pd.DataFrame:
    """One buys every day, for a thousand times the usual amount."""
    days = pd.date_range("2024-01-01", periods=DAYS)
    whale = pd.DataFrame({"who": "whale", "day": days, "amount": rng.gamma(4, 6000, DAYS).round(2)})
    return pd.concat([usual(rng), whale])


def one_cohort(rng: np.random.Generator) -> pd.DataFrame:
    """All of them first came in one week."""
    return drawn(rng, rng.uniform(0, 7, 300), rng.gamma(2, 30, 300) + 3, leaves=0.15)


def everyone_is_new(rng: np.random.Generator) -> pd.DataFrame:
    """The shop is old enough, but nearly all its customers came in the last month."""
    old = drawn(rng, rng.uniform(0, 200, 80), rng.gamma(2, 25, 80) + 3, leaves=0.1)
    new = drawn(rng, rng.uniform(DAYS - 30, DAYS, 400), rng.gamma(2, 25, 400) + 3, leaves=0.1)
    return pd.concat([old, new.assign(who="n" + new["who"])])


def pure_chance(rng: np.random.Generator) -> pd.DataFrame:
    """Who buys is drawn anew every day from all alike: nothing can be learned about anyone."""
    days = np.arange(DAYS).repeat(6)
    who = rng.integers(0, 400, len(days))
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    return pd.DataFrame({"who": [f"c{n:04}" for n in who], "day": at, "amount": 20.0})


def all_spend_the_same(rng: np.random.Generator) -> pd.DataFrame:
    return usual(rng).assign(amount=49.0)


def orders_by_the_week(rng: np.random.Generator) -> pd.DataFrame:
    """The log knows of every order the Monday of its week, and no more."""
    shop = usual(rng)
    return shop.assign(day=shop["day"] - pd.to_timedelta(shop["day"].dt.day_of_week, unit="D"))


def five_customers(rng: np.random.Generator) -> pd.DataFrame:
    return drawn(rng, rng.uniform(0, 30, 5), np.full(5, 20.0), leaves=0.0)


def everyone_always_returns(rng: np.random.Generator) -> pd.DataFrame:
    """A subscription in all but name: every customer buys every week."""
    return drawn(rng, rng.uniform(0, 60, 100), np.full(100, 3.0), leaves=0.0)


def nobody_returns(rng: np.random.Generator) -> pd.DataFrame:
    return usual(rng).drop_duplicates("who")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def command(*words: str) -> tuple[int, str]:
        code = main(["--config", str(tmp_path / "repurchase.toml"), "--quiet", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


def lay_out(folder: Path, orders: pd.DataFrame) -> None:
    orders.to_csv(folder / "orders.csv", index=False)
    (folder / "repurchase.toml").write_text(CONFIG, "utf-8")


def heavy(shop: Shop) -> object:
    return pytest.param(shop, marks=pytest.mark.heavy)


@pytest.mark.parametrize(
    "shop",
    [
        one_huge_customer,
        *map(heavy, (one_cohort, everyone_is_new, pure_chance, all_spend_the_same, orders_by_the_week)),
    ],
)
def test_the_whole_way(shop: Shop, tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    orders = shop(np.random.default_rng(4))
    lay_out(tmp_path, orders)
    for words in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
        code, said = run(*words)
        assert code == 0, said
    scores = pd.read_parquet(tmp_path / "out" / "latest" / "scores.parquet").set_index("customer_id")
    assert set(scores.index) == set(orders["who"])
    of_cost = ("clv_net_365d", "clv_to_cac")  # not known here
    numbers = scores[
        [c for c in scores if c.startswith(("p_", "expected_", "clv_", "value_")) and c not in of_cost]
    ]
    assert np.isfinite(numbers).all().all()
    assert (scores["p_purchase_14d"] <= scores["p_purchase_60d"] + 1e-12).all()
    assert (scores["expected_spend_60d_lo"] <= scores["expected_spend_60d_hi"]).all()
    recent = orders[orders["day"] >= "2024-12-26"]
    if shop is not everyone_is_new:  # sixty days back, in a shop that does not change
        expected = scores["p_purchase_60d"].sum()
        assert expected == pytest.approx(recent["who"].nunique(), rel=0.35)
    if shop is one_huge_customer:
        assert scores["expected_spend_60d"].idxmax() == "whale"
        rest = scores.drop("whale")
        spent = recent.loc[recent["who"] != "whale", "amount"].sum()
        assert rest["expected_spend_60d"].sum() == pytest.approx(
            spent, rel=0.5
        )  # the others pay no part of it


@pytest.mark.heavy
def test_chance_alone_falls_back_to_a_rule_or_beats_it(
    tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    """Whatever is promoted there says about the same of everyone who has been a customer for long."""
    lay_out(tmp_path, pure_chance(np.random.default_rng(9)))
    assert run("train", "--as-of", AS_OF)[0] == 0
    code, said = run("promote")
    assert code == 0, said
    assert run("score", "--as-of", AS_OF)[0] == 0
    scores = pd.read_parquet(tmp_path / "out" / "latest" / "scores.parquet")
    old = scores[scores["T"] > 200]  # of newcomers, who has bought once at all is known too well
    assert old["p_purchase_60d"].std() < 0.06


@pytest.mark.parametrize(
    ("shop", "as_of", "chance"),
    [
        (everyone_always_returns, AS_OF, (0.99, 1)),
        pytest.param(nobody_returns, "2024-10-27", (0, 0.01), marks=pytest.mark.heavy),
    ],
)
def test_where_all_end_alike_everyone_gets_the_base_rate(
    shop: Shop, as_of: str, chance: tuple[float, float], tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    lay_out(tmp_path, shop(np.random.default_rng(4)))
    code, said = run("check", "--as-of", as_of)
    assert code == 0
    assert "the same" in said
    assert run("train", "--as-of", as_of)[0] == 0
    code, said = run("promote")
    assert code == 0, said
    assert "fallback" in said
    code, said = run("score", "--as-of", as_of)
    assert code == 0, said
    assert run("compare")[0] == 0
    scores = pd.read_parquet(tmp_path / "out" / "latest" / "scores.parquet")
    assert scores["p_purchase_60d"].nunique() == 1
    assert chance[0] < scores["p_purchase_60d"].iloc[0] < chance[1]
    assert set(scores["status"]) == {"not_identifiable"}


@pytest.mark.heavy
def test_five_customers(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    lay_out(tmp_path, five_customers(np.random.default_rng(4)))
    code, said = run("train", "--as-of", AS_OF)
    assert code in (0, 4), said
    assert "Traceback" not in said
    code, said = run("check", "--as-of", AS_OF)
    assert code in (0, 4), said


@pytest.mark.heavy
def test_the_verdict_names_the_rule_it_fell_back_to(
    tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    lay_out(tmp_path, pure_chance(np.random.default_rng(4)))
    assert run("train", "--as-of", AS_OF)[0] == 0
    code, said = run("--json", "promote")
    answer = json.loads(said[said.index("{") :])
    assert code == 0
    assert answer["verdict"] in ("first", "fallback")
    assert answer["reason"]
