"""Text among the features: what is told apart, what is not, and what it does for those who bought once."""

import json
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.btyd import with_btyd_by_cutoff
from models.categories import FEW, MOST, as_numbers, learn_categories, with_categories
from models.folds import make_fold
from models.metrics import ece
from models.purchase import RECIPES, PurchaseModel, fit_part
from models.reason_words import reason_texts
from models.reasons import reasons
from models.scorer import Scorer
from models.value import fit_value
from models.witnesses import find_grounds

GOOD, BAD, ODD = "starter kit", "gift card", "odd end"
CUTOFFS = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(8, 19)]


def rows(values: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [f"u{n}" for n in range(len(values))], "city": values, "T": 1.0})


def test_rare_and_missing_values_are_one() -> None:
    table = rows([GOOD] * FEW + [BAD] * (FEW + 1) + [ODD] * (FEW - 1) + [None] * 100)
    learned = learn_categories(table)
    assert learned == {"city": (BAD, GOOD)}
    found = as_numbers(with_categories(table, learned)["city"])
    np.testing.assert_array_equal(found[: 2 * FEW + 1], [1.0] * FEW + [0.0] * (FEW + 1))
    assert np.isnan(found[2 * FEW + 1 :]).all()


def test_a_customer_counts_once_however_many_cutoffs_saw_them() -> None:
    assert learn_categories(pd.concat([rows([GOOD] * (FEW - 1))] * 5)) == {"city": ()}


def test_values_at_most() -> None:
    many = rows([f"city {n:03}" for n in range(2 * MOST) for _ in range(FEW)])
    assert learn_categories(many)["city"] == tuple(f"city {n:03}" for n in range(MOST))


def test_a_column_without_any_text() -> None:
    table = rows(["x", "y"]).assign(city=pd.Series([None, None], dtype="str"))
    learned = learn_categories(table)
    assert learned == {"city": ()}
    assert np.isnan(as_numbers(with_categories(table, learned)["city"])).all()


def test_values_are_those_of_the_training_rows_of_a_fold(once: pd.DataFrame) -> None:
    """A product that came up after the fold's labels ended is none of its values."""
    late = once["cutoff"] >= pd.Timestamp(2025, 5, 1)
    changed = once.assign(first_product=once["first_product"].where(~late, "brand new"))
    fold = make_fold(changed, pd.Timestamp(2025, 5, 1), 90)
    assert set(fold.train["first_product"].cat.categories) == {GOOD, BAD}
    assert fold.test["first_product"].isna().all()


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """3,000 customers: who began with the good product comes back once, sooner or later; others hardly do."""
    rng = np.random.default_rng(5)
    n = 3000
    first = pd.Timestamp(2024, 6, 1) + pd.to_timedelta(rng.uniform(0, 480, n), unit="D")
    product = rng.choice([GOOD, BAD], n, p=[0.4, 0.6])
    comes = rng.random(n) < np.where(product == GOOD, 0.8, 0.1)
    again = first + pd.to_timedelta(rng.exponential(120, n) + 1, unit="D")
    names = np.array([f"u{k:05}" for k in range(n)])
    begun = pd.DataFrame({"customer_id": names, "ordered_at": first, "product_id": product})
    back = pd.DataFrame({"customer_id": names, "ordered_at": again, "product_id": ODD})[comes]
    return pd.concat([begun, back]).assign(amount=20.0).sort_values("ordered_at", ignore_index=True)


@pytest.fixture(scope="module")
def once(log: pd.DataFrame, build: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    columns = {name: name for name in log.columns}
    bare = build(log[log["ordered_at"] < "2025-10-01"], columns, [*CUTOFFS, date(2025, 10, 1)])
    return with_btyd_by_cutoff(bare, (28, 90), has_amounts=True)[0]


def test_one_time_buyers_have_numbers_of_their_own(once: pd.DataFrame) -> None:
    """The first product is all that tells them apart, and what is said of them is what comes."""
    until = pd.Timestamp(2025, 7, 1)
    fold = make_fold(once, until, 90)
    names = tuple(
        name for name in once.columns if not name.startswith(("y_", "btyd_", "customer_id", "cutoff"))
    )
    _, btyd = with_btyd_by_cutoff(once[once["cutoff"] <= until], (28, 90), has_amounts=True)
    parts = {n: fit_part(n, fold.train, fold.test, 90, names, 7) for n in RECIPES["boosting"].weights}
    value = fit_value(fold.train, btyd, 90, names, trees_weight=1.0, seed=7)
    model = PurchaseModel(RECIPES["boosting"], {90: parts}, btyd)
    kinds = {"first_product": tuple(fold.train["first_product"].cat.categories), "second_product": (),
             "third_product": ()}  # fmt: skip
    scorer = Scorer(model, value, (90,), 90, 365, has_amounts=True, features=names,
                    trained_until="2025-07-01", categories=kinds,
                    grounds=find_grounds(model, 90, {90: fold.train}, fold.test, names, 7))  # fmt: skip
    frame = once[once["cutoff"] == until]
    scores = scorer.score(frame)
    state, trees = scorer.to_state()
    again = Scorer.from_state(json.loads(json.dumps(state)), trees)
    pd.testing.assert_frame_equal(again.score(frame), scores, check_exact=True)
    single = (frame["n_orders"] == 1).to_numpy()
    said, came = scores["p_purchase_90d"].to_numpy(), frame["y_purchased_90d"].to_numpy()
    good = (frame["first_product"] == GOOD).to_numpy()
    rates = {kind: came[single & (good == (kind == GOOD))].mean() for kind in (GOOD, BAD)}
    means = {kind: said[single & (good == (kind == GOOD))].mean() for kind in (GOOD, BAD)}
    assert rates[GOOD] > 3 * rates[BAD]
    assert means[GOOD] == pytest.approx(rates[GOOD], rel=0.3)
    assert means[GOOD] > 5 * means[BAD]
    assert ece(came[single], said[single]) < 0.06
    plain = btyd.p_purchase(90, frame)  # sees no product
    assert plain[single & good].mean() == pytest.approx(plain[single & ~good].mean(), rel=0.2)
    told = reasons(scorer, frame[single])
    first = told[told["feature"] == "first_product"]
    assert len(first) > 0.9 * single.sum()
    assert set(first["text"]) == {GOOD, BAD}
    assert ((first["contribution"] > 0) == (first["text"] == GOOD)).all()
    assert first["value"].isna().all()
    [said_so] = reason_texts(first.head(1), frame, {"first_product": "category"}, "en", None)
    assert said_so.startswith(f"main product of the first purchase: {first['text'].iloc[0]}; ")
