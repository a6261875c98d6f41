"""What changed between two versions is listed, and what did not is not."""

from typing import Any

from pipelines.changes import Change, Facts, changes, flat
from pipelines.version import Version


def facts(**changed: Any) -> Facts:
    data = {
        "rows_used": 100,
        "folds": ["a", "b"],
        "features": ["T", "frequency"],
        "fingerprints": {"transactions": "1"},
    }
    config = {"target": {"horizons": [30, 90]}, "training": {"seed": 7}}
    tags = {"recipe": "blend", "trained_until": "2025-01-01", "digest": "sha256:aa"}
    return Facts(
        Version("1", "run", "models:/m-1", tags | changed.get("tags", {})),
        data | changed.get("data", {}),
        config | changed.get("config", {}),
        {"sha256": "abc"},
        {"log_loss": 0.4} | changed.get("measures", {}),
    )


def test_nothing_changed() -> None:
    assert changes(facts(), facts()) == []


def test_everything_that_changed_is_named_once() -> None:
    after = facts(
        tags={"digest": "sha256:bb"},
        data={"rows_used": 120, "folds": ["b", "c"], "features": ["T", "recency"],
              "fingerprints": {"transactions": "2"}},
        config={"training": {"seed": 8}},
        measures={"log_loss": 0.39},
    )  # fmt: skip
    assert changes(facts(), after) == [
        Change("model", "digest", "sha256:aa", "sha256:bb"),
        Change("data", "rows_used", "100", "120"),
        Change("data", "fingerprint of transactions", "1", "2"),
        Change("config", "training.seed", "7", "8"),
        Change("features", "frequency", "yes", "no"),
        Change("features", "recency", "no", "yes"),
        Change("measures of its own folds", "log_loss", "0.4000", "0.3900"),
    ]


def test_what_one_version_does_not_say_is_a_dash() -> None:
    [change] = changes(facts(), facts(config={"gate": {"max_ece": 0.1}}))
    assert change == Change("config", "gate.max_ece", "-", "0.1")


def test_names_are_paths() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": None}, "e": [], "f": 0}) == {"a.b.c": 1, "f": 0}
