"""The accuracy benchmark: trained before a cutoff, judged after it, and nobody is let off."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import accuracy, accuracy_others
from benchmarks.accuracy_data import EVALUATIONS, FAR, config_of
from benchmarks.accuracy_figures import RANKERS, lift_of_scores, marked, statistic_difference
from benchmarks.accuracy_others import other_libraries
from models.folds import Fold
from models.metrics import auc, lift
from models.purchase import RECIPES
from tests.cdnow_sample import purchase_days

FIRST = "cdnow-1997-10-01"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accuracy") / "sample.csv"
    purchase_days().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", [FIRST, pytest.param(f"{FIRST}-far", marks=pytest.mark.heavy)])
def test_everyone_is_judged_on_days_that_nobody_saw(
    name: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {n: of for n, of in accuracy_others.OTHERS.items() if n != "catboost"}
    monkeypatch.setattr(accuracy_others, "OTHERS", kept)
    file = tmp_path / "figures.json"
    assert accuracy.main(["--only", name, "--log", f"cdnow={log}", "--json", str(file)]) == 0
    [facts] = json.loads(file.read_text())["results"]
    learned = {n for n, r in RECIPES.items() if not r.is_rule}
    expected = learned if name.endswith("far") else {*RECIPES, *kept}
    assert {row["candidate"] for row in facts["probabilities"]} == expected
    days = purchase_days()
    bought = days[(days["amount"] > 0) & (days["date"] < "1997-10-01")]  # a gift alone makes no customer
    assert facts["customers"] == bought["customer_id"].nunique()
    assert facts["champion"] in expected
    assert {row["candidate"] for row in facts["ranks"]} >= set(RANKERS)
    best, second = facts["probabilities"][:2]
    assert facts["duels"]["best"]["rival"] in {best["candidate"], second["candidate"]}
    mean, low, high = facts["duels"]["bgnbd"]["log_loss"]
    assert low <= mean <= high
    assert {"formula", "last_period", "bgnbd_gamma_gamma"} < {row["candidate"] for row in facts["spend"]}
    assert {"formula", "last_period", "bgnbd"} < {row["candidate"] for row in facts["orders"]}
    if not name.endswith("far"):  # as many customers as there are, in thirds
        groups = facts["doubt"]["groups"]
        assert sum(g["customers"] for g in groups) == facts["customers"]
        assert all(g["held"] == (g["lo"] <= g["spend"] <= g["hi"]) for g in groups)
    printed = capsys.readouterr().out
    assert all(words in printed for words in ("PR-AUC", "log-loss over best", "decile_mape", "written: "))


def test_a_log_that_is_not_there_leaves_the_others_their_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accuracy.main(["--only", "retail", "--json", str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().out.count("--log retail=FILE") == 2
    with pytest.raises(SystemExit):
        accuracy.main(["--log", "retail=nowhere.csv"])


def test_evaluations_learn_from_labels_no_longer_than_they_judge(tmp_path: Path) -> None:
    assert len(EVALUATIONS) == 8
    assert all(max(e.horizons) == e.horizon for e in EVALUATIONS)
    assert max(FAR.horizons) < FAR.horizon
    config = config_of(FAR, tmp_path / "log.csv", tmp_path, seed=1)
    assert (config.target.horizons, config.target.primary_horizon) == ([63, 91, 154, 273], 154)
    assert FAR.cutoff + timedelta(FAR.horizon) == EVALUATIONS[2].cutoff + timedelta(91)  # where CDNOW ends


def test_an_interval_is_paired() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(1, 3, 2000)
    y = (rng.random(2000) < p).astype(float)
    noisy = p + rng.normal(0, 0.02, 2000)
    gap = statistic_difference(y, p, noisy, auc, seed=1)
    assert gap.mean == auc(y, p) - auc(y, noisy)
    assert gap.lo <= gap.mean <= gap.hi
    assert gap.hi - gap.lo < 0.01  # a fifth of what either's own interval would be
    assert statistic_difference(y, p, p, auc, seed=1) == (0, 0, 0)
    assert lift_of_scores(y, -5 + 3 * p) == pytest.approx(lift(y, p))


def test_limits_are_marked() -> None:
    assert marked(0.031, 0.03, ".3f") == "0.031!"
    assert marked(0.03, 0.03, ".3f") == "0.030 "
    assert marked(-0.11, 0.1, "+.0%") == "-11%!"


def test_other_libraries_see_what_our_trees_see() -> None:
    rng = np.random.default_rng(2)
    n = 400
    rows = {c: rng.random(n) for c in ("btyd_p_alive", "btyd_spend_per_day", "btyd_p_purchase_28d", "signal")}
    frame = pd.DataFrame(rows | {"btyd_days_if_any_28d": 1.0 + rng.random(n), "nothing": np.nan})
    frame["y_purchased_28d"] = (frame["signal"] > 0.5).astype(float)
    said = other_libraries(Fold(frame, frame, 28), ["signal", "nothing"], seed=1)
    assert {"p_sklearn_hist", "p_lightgbm_defaults"} <= set(said)
    assert all(auc(frame["y_purchased_28d"], said[name]) > 0.99 for name in said)
