import csv
from pathlib import Path

import pandas as pd
import pytest

from pipelines.cell_text import original
from pipelines.risk_list import write_risk_list
from pipelines.score_file import to_act_on
from tests.pipelines.plain_list import risk_list


def scores(**changes) -> pd.DataFrame:
    base = {
        "customer_id": ["a", "b", "c", "d", "e"],
        "status": ["scored", "scored", "scored", "too_new", "already_lapsed"],
        "risk_tier": ["high", "medium", "low", "high", "high"],
        "p_churn_90d": [0.9, 0.5, 0.1, 0.9, 0.99],
        "value_at_risk": [10.0, 20.0, 90.0, 50.0, 70.0],
        "expected_spend_90d": 1.234567,
        "clv_365d": 5.0,
        "days_since_last_order": 3,
        "n_orders": 2,
        "total_spend": 30.0,
        "frequency": 1,
        "recency": 7,
        "T": 10,
        "next_order_p20": pd.Timestamp("2026-01-02"),
        "next_order_p50": pd.NaT,
        "next_order_p80": pd.NaT,
    }
    return pd.DataFrame(base | changes)


def listed(folder: Path, table: pd.DataFrame) -> list[tuple[int, str]]:
    """Rank and customer of those to act on, by both programs."""
    table.to_parquet(folder / "scores.parquet")
    ours = to_act_on(folder / "scores.parquet", 90, 365, folder).listed
    plain = risk_list(table, 90, 365)
    assert list(plain["customer_id"]) == list(ours["customer_id"])
    return list(zip(ours["rank"], ours["customer_id"], strict=True))


def test_only_scored_customers_of_the_upper_tiers_are_listed_by_value_at_risk(tmp_path):
    assert listed(tmp_path, scores()) == [(1, "b"), (2, "a")]


def test_equal_value_is_ordered_by_customer(tmp_path):
    assert listed(tmp_path, scores(value_at_risk=1.0)) == [(1, "a"), (2, "b")]
    odd = scores(value_at_risk=1.0, status="scored", risk_tier="high", customer_id=["b", "B", "é", "10", "9"])
    assert [who for _, who in listed(tmp_path, odd)] == ["10", "9", "B", "b", "é"]


def test_an_empty_list_keeps_its_header(tmp_path):
    assert write_risk_list(risk_list(scores(status="too_new"), 90, 365), tmp_path / "list.csv") == 0
    assert (tmp_path / "list.csv").read_text().startswith('"rank","customer_id","risk_tier"')


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "＝1", "\n=1"])
def test_a_hostile_id_cannot_become_a_formula(tmp_path, text):
    ranked = risk_list(scores(customer_id=[text, "b", "c", "d", "e"]), 90, 365)
    write_risk_list(ranked, tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="") as handle:
        cells = [row["customer_id"] for row in csv.DictReader(handle)]
    assert cells[1].startswith("'")
    assert original(cells[1]) == text
