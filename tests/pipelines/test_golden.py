"""The whole path on the CDNOW sample, held against figures that a run of this file wrote.

``REWRITE_GOLDEN=1 pytest tests/pipelines/test_golden.py`` writes them anew; say why in the commit.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.cli import main

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "cdnow_sample.json"
AS_OF = "1998-04-01"
CONFIG = """
[project]
name = "cdnow-sample"
[tables.transactions]
source = "sample.csv"
columns = { customer_id = "id", ordered_at = "date", amount = "amount" }
formats = { ordered_at = "%Y%m%d" }
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("golden")
    origin = find_spec("lifetimes").origin  # type: ignore[union-attr]
    log = pd.read_csv(
        Path(str(origin)).parent / "datasets" / "CDNOW_sample.txt",
        sep=r"\s+", header=None, names=["master", "id", "date", "cds", "amount"], dtype=str,
    )  # fmt: skip
    log.to_csv(folder / "sample.csv", index=False)
    config = folder / "repurchase.toml"
    config.write_text(CONFIG)
    for command in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
        assert main(["--config", str(config), "--quiet", *command]) == 0
    scores = pd.read_parquet(folder / "out" / "latest" / "scores.parquet")
    listed = pd.read_csv(folder / "out" / "latest" / "risk_list.csv", dtype={"customer_id": str})
    manifest = json.loads((folder / "out" / "latest" / "manifest.json").read_text())
    numbers = ["p_purchase_7d", "p_purchase_90d", "expected_orders_90d", "expected_spend_90d", "p_alive",
               "clv_365d", "value_at_risk", "total_spend", "frequency"]  # fmt: skip
    return {
        "recipe": manifest["model"]["recipe"],
        "inputs": manifest["inputs"]["transactions"],
        "customers": len(scores),
        "statuses": scores["status"].value_counts().sort_index().to_dict(),
        "listed": len(listed),
        "groups": listed["group"].value_counts().sort_index().to_dict(),
        "first_listed": list(listed["customer_id"][:5]),
        "sums": {name: float(scores[name].sum()) for name in numbers},
    }


@pytest.fixture(scope="module")
def golden(found: dict[str, Any]) -> dict[str, Any]:
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return dict(json.loads(GOLDEN.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "what", ["recipe", "inputs", "customers", "statuses", "listed", "groups", "first_listed"]
)
def test_counts_and_names(what: str, found: dict[str, Any], golden: dict[str, Any]) -> None:
    assert found[what] == golden[what]


def test_sums(found: dict[str, Any], golden: dict[str, Any]) -> None:
    assert found["sums"] == pytest.approx(golden["sums"], rel=1e-6)
