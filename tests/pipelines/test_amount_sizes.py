"""Amounts of two sizes are said on every run, and so is a log of another size than the model's."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.cli import main
from tests.pipelines.vietnamese_shop import AMOUNT, lay_out, orders

AS_OF = "2024-10-27"
Ask = Callable[..., dict[str, Any]]


def dotted() -> pd.DataFrame:
    """The orders; nine amounts in ten have a dot between thousands."""
    log = orders()
    written = [
        f"{amount:,}".replace(",", ".") if n % 10 else f"{amount}" for n, amount in enumerate(log[AMOUNT])
    ]
    return log.assign(**{AMOUNT: written})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion that has learned from amounts with dots."""
    config = lay_out(tmp_path_factory.mktemp("shop"), dotted())
    for command in (["train", "--as-of", AS_OF], ["promote"]):
        assert main(["--config", str(config), "--quiet", *command]) == 0
    return config


@pytest.fixture
def ask(shop: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command and return its answer, of a score with the manifest."""

    def run(*command: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["--config", str(shop), "--quiet", "--json", *command]) == 0
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        if "manifest" in said and not said["already_published"]:
            assert (
                json.loads(Path(said["manifest"]).read_text(encoding="utf-8"))["warnings"] == said["warnings"]
            )
        return said

    return run


def warned(said: dict[str, Any]) -> dict[str, str]:
    return {warning["code"]: warning["text"] for warning in said["warnings"]}


def logged(shop: Path) -> dict[str, Any]:
    """What the training wrote down about its data."""
    (path,) = shop.parent.glob("mlartifacts/**/data.json")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


@pytest.mark.heavy
def test_train_and_score_repeat_what_check_says_of_dots(shop: Path, ask: Ask) -> None:
    lay_out(shop.parent, dotted())
    found = {f["code"]: f for f in ask("check")["findings"]}["amount_sizes"]
    example = found["text"].partition("for example '")[2].partition("'")[0]
    assert (found["severity"], example[-4:]) == ("warning", ".000")
    assert f"write {example.replace('.', '')}, not {example}" in found["text"]
    assert warned(logged(shop))["amount_sizes"] == found["text"]
    scored = warned(ask("score", "--as-of", AS_OF))
    assert scored["amount_sizes"] == found["text"]
    assert "amount_scale" not in scored


def test_a_log_of_another_size_than_the_models_is_told(shop: Path, ask: Ask) -> None:
    lay_out(shop.parent, orders())
    said = warned(ask("score", "--as-of", AS_OF))
    assert "amount_sizes" not in said
    assert said["amount_scale"].startswith("don.csv: the middle purchase is about ")
    assert ",000 VND, and was about " in said["amount_scale"]
    assert "0 times larger" in said["amount_scale"]
    assert logged(shop)["amounts"]["currency"] == "VND"


def test_a_model_of_before_says_nothing_of_sizes(shop: Path, ask: Ask) -> None:
    lay_out(shop.parent, orders())
    with sqlite3.connect(shop.with_name("mlflow.db")) as store:
        gone = store.execute("delete from model_version_tags where key = 'middle_purchase'").rowcount
    store.close()
    assert gone == 1
    assert "amount_scale" not in warned(ask("score", "--as-of", AS_OF))
