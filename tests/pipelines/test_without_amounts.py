"""A log of customers and dates alone: probabilities for everyone, money refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from tests.pipelines.conftest import AS_OF

CONFIG = """
[project]
name = "visits"
[tables.transactions]
source = "visits.csv"
columns = { customer_id = "customer_id", ordered_at = "ordered_at" }
[target]
horizons = [14, 90]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, orders: Path) -> Path:
    folder = tmp_path_factory.mktemp("visits")
    log = pd.read_parquet(orders)
    log.loc[log["quantity"] > 0, ["customer_id", "ordered_at"]].to_csv(folder / "visits.csv", index=False)
    (folder / "repurchase.toml").write_text(CONFIG)
    for command in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
        assert main(["--config", str(folder / "repurchase.toml"), "--quiet", *command]) == 0
    return folder


def test_probabilities_for_all_and_money_for_none(folder):
    scores = pd.read_parquet(folder / "out" / "latest" / "scores.parquet")
    money = ["monetary_value", "total_spend", "expected_spend_14d", "expected_spend_90d", "clv_365d"]
    assert scores[money].isna().all().all()
    assert scores[["p_purchase_90d", "expected_orders_90d", "value_at_risk"]].notna().all().all()


def test_value_at_risk_counts_orders(folder):
    scores = pd.read_parquet(folder / "out" / "latest" / "scores.parquet")
    orders = scores["expected_orders_90d"] / scores["p_purchase_90d"]
    np.testing.assert_allclose(scores["value_at_risk"], scores["p_churn_90d"] * orders, rtol=1e-9)


def test_the_terminal_speaks_of_orders(folder, capsys):
    config = str(folder / "repurchase.toml")
    assert main(["--config", config, "--quiet", "score", "--as-of", AS_OF]) == 0
    assert "orders at risk" in capsys.readouterr().out


def test_a_model_without_amounts_refuses_a_log_with_them(folder, orders, tmp_path, capsys):
    text = CONFIG.replace("visits.csv", str(orders)).replace(
        'ordered_at = "ordered_at"',
        'ordered_at = "ordered_at", quantity = "quantity", unit_price = "unit_price"',
    )
    text += f'[mlflow]\ntracking_uri = "sqlite:///{folder}/mlflow.db"\n'
    (tmp_path / "repurchase.toml").write_text(text)
    assert main(["--config", str(tmp_path / "repurchase.toml"), "--quiet", "score", "--as-of", AS_OF]) == 6
    assert "other amounts" in capsys.readouterr().err
    assert not (tmp_path / "out" / "runs").exists()


def test_manifest_says_what_was_used(folder):
    manifest = json.loads((folder / "out" / "latest" / "manifest.json").read_text())
    assert manifest["inputs"]["transactions"]["rows_netted"] == 0


def test_the_card_of_a_customer_speaks_of_orders(folder, capsys):
    config = str(folder / "repurchase.toml")
    scores = pd.read_parquet(folder / "out" / "latest" / "scores.parquet").set_index("customer_id")
    customer = scores["n_orders"].idxmax()
    assert main(["--config", config, "--quiet", "show", customer]) == 0
    said = capsys.readouterr().out
    assert "The log has no amounts, so nothing is said of money." in said
    assert "no customer lifetime value" in said
    assert f"At stake within 90 days: {scores.loc[customer, 'value_at_risk']:,.2f} orders" in said
    assert "Spend" not in said
    assert main(["--config", config, "--quiet", "--json", "show", "--html", customer]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {key for order in found["orders"] for key in order} == {"day", "is_refund"}  # nor has it numbers
    days = {order["day"] for order in found["orders"]}
    assert len(days) == scores.loc[customer, "frequency"] + 1
    assert found["p_alive_by_todays_model"][-1]["p_alive"] == scores.loc[customer, "p_alive"]
    assert "<svg" in Path(found["html"]).read_text("utf-8")
