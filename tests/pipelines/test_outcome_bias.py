"""What the newest ledger says of the champion, as a finding for a scoring run."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.outcomes import expected_against_actual
from pipelines.config import load_config
from pipelines.outcome_bias import judge_outcomes
from pipelines.version import DIGEST, Version
from tests.models.test_outcomes import world

CHAMPION = Version("3", "run", "models:/m", {DIGEST: "sha256:three"})
TODAY = date(2025, 9, 1)


def lay_out(shop: Path, by: str, promise: float, *horizons: int, customers: int = 4000) -> Path:
    """Close a ledger of the champion that promised `promise` times what is true."""
    rng = np.random.default_rng(1)
    rows = [
        world(rng, customers, promise).assign(horizon=h, model_version="3", model_digest="sha256:three")
        for h in horizons
    ]
    path = shop.parent / "out" / "outcomes" / f"as_of={by}" / "outcomes.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    expected_against_actual(pd.concat(rows)).to_csv(path, index=False)
    return path


def test_a_promise_that_was_not_kept_is_said(shop: Path) -> None:
    lay_out(shop, "2025-08-01", 1.5, 14, 90)
    found = judge_outcomes(load_config(shop), CHAMPION, TODAY)
    assert found is not None
    assert (found.severity, found.code, found.numbers["horizon"]) == ("warning", "outcomes", 90)
    numbers = found.numbers
    assert numbers["actual"] < numbers["low"] < numbers["expected"]
    off = numbers["actual"] / numbers["expected"] - 1
    assert f"version 3 promised {numbers['expected']:,.0f} buyers within 90 days" in found.text
    assert f"{numbers['actual']:,.0f} came: {off:+.0%}, where luck alone leaves " in found.text
    assert "[limits] max_outcome_bias is 25% (outcomes/as_of=2025-08-01)" in found.text


def test_kept_promises_nothing_closed_and_others_say_nothing(shop: Path) -> None:
    config = load_config(shop)
    assert judge_outcomes(config, CHAMPION, TODAY) is None
    lay_out(shop, "2025-08-01", 1.0, 90)
    assert judge_outcomes(config, CHAMPION, TODAY) is None
    lay_out(shop, "2025-08-01", 1.5, 90)
    for other in (("4", "sha256:three"), ("3", "sha256:another")):
        assert judge_outcomes(config, Version(other[0], "r", "s", {DIGEST: other[1]}), TODAY) is None


@pytest.mark.parametrize(("most", "said"), [(0.1, True), (0.6, False)])
def test_the_limit_is_the_configs(shop: Path, most: float, said: bool) -> None:
    text = shop.read_text(encoding="utf-8") + f"[limits]\nmax_outcome_bias = {most}\n"
    shop.write_text(text, encoding="utf-8")
    lay_out(shop, "2025-08-01", 1.2, 90)
    assert (judge_outcomes(load_config(shop), CHAMPION, TODAY) is not None) == said


def test_luck_is_not_called_drift(shop: Path) -> None:
    """Of 20 customers the number of buyers is off by a quarter easily."""
    shop.write_text(
        shop.read_text(encoding="utf-8") + "[limits]\nmax_outcome_bias = 0.01\n", encoding="utf-8"
    )
    lay_out(shop, "2025-08-01", 1.0, 90, customers=20)
    assert judge_outcomes(load_config(shop), CHAMPION, TODAY) is None


def test_the_newest_ledger_up_to_the_date_speaks(shop: Path) -> None:
    lay_out(shop, "2025-07-01", 1.0, 90)
    lay_out(shop, "2025-08-01", 1.5, 14)  # 90 days are not over: the longest that is
    lay_out(shop, "2025-10-01", 1.0, 90)
    config = load_config(shop)
    found = judge_outcomes(config, CHAMPION, TODAY)
    assert found is not None
    assert found.numbers["horizon"] == 14
    assert judge_outcomes(config, CHAMPION, date(2025, 10, 1)) is None
    assert judge_outcomes(config, CHAMPION, date(2025, 7, 31)) is None
    assert judge_outcomes(config, CHAMPION, date(2025, 6, 30)) is None


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\x01", None])
def test_a_ledger_that_makes_no_sense_is_said(shop: Path, content: str | None) -> None:
    path = lay_out(shop, "2025-08-01", 1.0, 90)
    if content is None:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(",90,", ",ninety,"), encoding="utf-8")
    else:
        path.write_text(content, encoding="utf-8")
    found = judge_outcomes(load_config(shop), CHAMPION, TODAY)
    assert found is not None
    assert "cannot be read" in found.text
