"""Groups of customers: who is where, who holds on to a group, and that moves add up."""

import numpy as np
import pandas as pd
import pytest

from models.migration import BEHAVIOUR, MODEL, TIME, migration, why_moved
from models.segments import AXES, LIFECYCLES, TIERS, Rules, group, recency_names

RULES = Rules(
    tier_edges=(0.5, 0.8),
    recency_days=(7, 14, 28),
    new_days=60,
    loyal_orders=5,
    premium_value=100.0,
    churned_days=180,
    rfm_edges={"r": (10.0, 30.0, 60.0, 120.0), "f": (1.0, 2.0, 3.0, 5.0), "m": (20.0, 50.0, 100.0, 300.0)},
)
USUAL = {
    "p_churn": 0.3, "status": "scored", "n_orders": 2, "days_since_last_order": 20, "T": 100,
    "total_spend": 60.0, "first_order_value": 30.0, "last_order_value": 30.0,
}  # fmt: skip


def one(**facts: object) -> pd.Series:
    return group(pd.DataFrame([{**USUAL, **facts}]), RULES).iloc[0]


@pytest.mark.parametrize(
    ("facts", "lifecycle"),
    [
        ({}, "standard"),
        ({"n_orders": 1, "T": 60}, "new"),
        ({"n_orders": 1, "T": 61}, "standard"),
        ({"n_orders": 1, "T": 10, "first_order_value": 100.0}, "premium"),
        ({"last_order_value": 100.0}, "premium"),
        ({"n_orders": 5, "last_order_value": 100.0}, "loyal"),
        ({"n_orders": 5, "days_since_last_order": 180}, "churned"),
        ({"status": "already_lapsed"}, "churned"),
        ({"last_order_value": 95.0}, "standard"),
        ({"last_order_value": 95.0, "was_lifecycle": "premium"}, "premium"),
        ({"last_order_value": 85.0, "was_lifecycle": "premium"}, "standard"),
        ({"first_order_value": np.nan, "last_order_value": np.nan}, "standard"),
    ],
)
def test_the_first_rule_that_holds_gives_the_group(facts: dict[str, object], lifecycle: str) -> None:
    assert one(**facts)["lifecycle"] == lifecycle


@pytest.mark.parametrize(("days", "name"), [(0, "0-7"), (7, "0-7"), (8, "8-14"), (28, "15-28"), (29, "29+")])
def test_recency_groups_end_with_their_day(days: int, name: str) -> None:
    assert one(days_since_last_order=days)["recency_group"] == name
    assert recency_names(RULES.recency_days) == ["0-7", "8-14", "15-28", "29+"]


@pytest.mark.parametrize(
    ("p", "was", "days", "ordered", "tier"),
    [
        (0.79, None, None, None, "medium"), (0.8, None, None, None, "high"),
        (0.81, "medium", 30, False, "medium"),  # past the edge, not past the slack of 0.02
        (0.83, "medium", 30, False, "high"),
        (0.83, "medium", 5, False, "medium"),  # too soon
        (0.83, "medium", 5, True, "high"),  # they ordered: nothing is too soon
        (0.79, "high", 30, False, "high"), (0.77, "high", 30, False, "medium"),
        (0.10, "high", 30, False, "low"),
    ],
)  # fmt: skip
def test_a_risk_group_is_left_past_its_slack_and_not_too_soon(p, was, days, ordered, tier):
    facts = {"p_churn": p}
    if was is not None:
        facts |= {"was_risk_group": was, "risk_days": days, "has_ordered": ordered}
    assert one(**facts)["risk_group"] == tier


def test_scores_of_five_rise_with_what_is_good() -> None:
    people = pd.DataFrame([{**USUAL, "days_since_last_order": d, "n_orders": n, "total_spend": s}
                           for d, n, s in ((1, 9, 999.0), (30, 2, 50.0), (500, 1, 1.0))])  # fmt: skip
    found = group(people, RULES)
    assert found["rfm"].tolist() == ["555", "422", "111"]


def test_rules_come_back_from_plain_values() -> None:
    assert Rules.from_dict(RULES.to_dict()) == RULES


@pytest.mark.parametrize(
    ("ordered", "model", "rules", "axis", "why"),
    [
        (True, True, True, "risk_group", BEHAVIOUR), (False, True, False, "risk_group", MODEL),
        (False, True, False, "lifecycle", TIME), (False, False, True, "lifecycle", MODEL),
        (False, False, False, "risk_group", TIME),
    ],
)  # fmt: skip
def test_a_move_has_one_reason(ordered, model, rules, axis, why):
    people = pd.DataFrame({axis: ["a"], f"was_{axis}": ["b"], "has_ordered": [ordered]})
    assert why_moved(people, axis, another_model=model, other_rules=rules).tolist() == [why]


def test_moves_add_up_to_the_base_and_to_those_who_are_gone() -> None:
    rng = np.random.default_rng(3)
    names = {"risk_group": TIERS, "recency_group": ["0-7", "8+"], "lifecycle": LIFECYCLES}
    rows = pd.DataFrame({"has_ordered": rng.random(500) < 0.3})
    gone, new = rng.random(500) < 0.1, rng.random(500) < 0.1
    for axis in AXES:
        rows[axis] = pd.Series(rng.choice(names[axis], 500)).where(~gone, None)
        rows[f"was_{axis}"] = pd.Series(rng.choice(names[axis], 500)).where(~new | gone, None)
        rows[f"why_{axis}"] = why_moved(rows, axis, another_model=False, other_rules=False)
    table = migration(rows)
    for axis in AXES:
        part = table[table["axis"] == axis]
        assert part["customers"].sum() == 500
        assert part.loc[part["after"] != "-", "customers"].sum() == (~gone).sum()
        assert part.loc[part["after"] == "-", "why"].eq("gone").all()
        assert part.loc[part["before"] == part["after"], "why"].eq("").all()
