import json

import numpy as np
import pandas as pd
import pytest

from models import tripwire
from models.gate import judge
from models.purchase import RECIPES
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.promote import gather
from pipelines.registry import Registry
from pipelines.version import CHAMPION, Version


def said(capsys):
    return json.loads(capsys.readouterr().out)


def run(config, *command):
    return main(["--config", str(config), "--quiet", "--json", *command])


def test_the_same_challenger_again_is_a_no_op(own_shop, capsys):
    assert run(own_shop, "promote") == 0
    assert said(capsys)["verdict"] == "none"


def test_retraining_on_newer_data_renews_the_champion_and_a_dry_run_changes_nothing(
    own_shop, capsys, monkeypatch
):
    monkeypatch.setattr(tripwire, "AUC_LIMIT", 0.5)
    assert run(own_shop, "train", "--as-of", "2025-06-01") == 0
    trained = said(capsys)
    assert [g["candidate"] for g in trained["grades"]] == [trained["recipe"]]
    [warning] = [w["text"] for w in trained["warnings"] if w["code"] == "too_good"]
    assert "too good to be true (above 0.5); the leak proof has passed" in warning
    assert trained["version"] == "2"
    names = [row["candidate"] for row in trained["leaderboard"]]
    assert (
        "champion_v1" not in names
    )  # its folds are only those after all it has seen: not on the whole board
    registry = Registry(load_config(own_shop))
    assert run(own_shop, "promote", "--dry-run") in (0, 3)
    would = said(capsys)
    assert registry.by_alias(CHAMPION).number == "1"
    code = run(own_shop, "promote")
    verdict = said(capsys)
    assert verdict["verdict"] == would["verdict"]
    assert verdict["verdict"] in {"better", "refresh", "kept"}
    assert (code == 0) == verdict["promoted"] == (verdict["verdict"] != "kept")
    assert registry.by_alias(CHAMPION).number == ("2" if verdict["promoted"] else "1")
    assert registry.version("2").tags["verdict"] == verdict["verdict"]


def test_a_champion_that_this_version_cannot_load_stands_in_nobodys_way(own_shop, capsys):
    """Retrained on the same log after an upgrade: its recipe's name alone would say that it is no better."""
    registry = Registry(load_config(own_shop))
    old = registry.champion()
    about = {name: old.tags[name] for name in ("leak_proof", "customers", "evidence")}
    made = registry.register(
        registry.load(old), registry.reopen(old.run_id), "the same, trained again", about
    )
    assert run(own_shop, "promote", "--dry-run") == 3
    assert said(capsys)["verdict"] == "kept"
    registry.set_tag(old, "schema", "1")
    assert run(own_shop, "promote") == 0
    found = said(capsys)
    assert found["verdict"] == "first"
    assert found["reason"].endswith("cannot be loaded by this one")
    assert registry.champion().number == made.number


def folds(rng: np.random.Generator, skill: dict[str, float], n: int = 4000) -> pd.DataFrame:
    """Fold rows on which a candidate's probabilities are as sharp as its skill (0: the base rate)."""
    truth = rng.beta(1, 3, n)
    table = {"customer_id": np.arange(n), "cutoff": 0, "bought": (rng.random(n) < truth).astype(float)}
    for name in RECIPES:
        table[f"p_{name}"] = 0.25 + skill.get(name, 0.0) * (truth - 0.25)
    return pd.DataFrame(table)


def version(number: str, recipe: str, until: str = "2025-03-01") -> Version:
    tags = {"recipe": recipe, "trained_until": until, "leak_proof": "passed", "customers": "1000"}
    return Version(number, "run", "source", tags)


@pytest.mark.parametrize(
    ("skill", "challenger", "champion", "word"),
    [
        ({"blend": 1.0}, "blend", None, "first"),
        ({"blend": 1.0, "bgnbd": 0.3}, "blend", "bgnbd", "better"),
        ({"blend": 0.9}, "blend", "blend", "refresh"),
        ({"blend": 0.3, "bgnbd": 1.0}, "blend", "bgnbd", "kept"),
        ({"recency_rule": 0.5}, "recency_rule", None, "fallback"),
        ({"recency_rule": 0.5, "bgnbd": 1.0}, "recency_rule", "bgnbd", "kept"),
        ({"blend": 0.5, "recency_rule": 1.0}, "blend", None, "kept"),
    ],
)
def test_the_gate_on_folds_of_known_skill(skill, challenger, champion, word):
    table = folds(np.random.default_rng(5), skill)
    evidence = gather(
        table,
        version("2", challenger, "2025-04-01"),
        None if champion is None else version("1", champion),
        seed=3,
    )
    assert judge(evidence).word == word


@pytest.mark.parametrize(
    ("until", "word"), [("2025-02-01", "kept"), ("2025-03-01", "kept"), ("2025-03-02", "refresh")]
)
def test_only_newer_data_renew_a_champion(until, word):
    table = folds(np.random.default_rng(5), {"blend": 0.9})
    evidence = gather(table, version("2", "blend", until), version("1", "blend"), seed=3)
    assert judge(evidence).word == word


def test_an_older_challenger_never_replaces_a_newer_champion():
    table = folds(np.random.default_rng(5), {"blend": 1.0, "bgnbd": 0.2})
    evidence = gather(table, version("2", "blend", "2024-12-01"), version("1", "bgnbd"), seed=3)
    assert judge(evidence).word == "kept"
    assert "90 days less" in judge(evidence).reason


def test_a_stored_champion_stands_for_itself_on_folds_after_its_training():
    table = folds(np.random.default_rng(5), {"blend": 0.9, "bgnbd": 0.2})
    stored = table["p_bgnbd"].where(table.index < 3000)  # on the last rows it may not be judged
    table["p_champion_v1"] = np.where(stored.notna(), table["p_blend"], np.nan)
    evidence = gather(table, version("2", "blend"), version("1", "bgnbd"), seed=3)
    assert evidence.over_champion.mean == 0.0  # its stored predictions, not its recipe's
    assert judge(evidence).word == "kept"
