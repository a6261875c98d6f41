"""How far down a list goes, who on it is left alone, and what a contact is worth."""

from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from models.control import in_control
from models.net_value import highest_offer, net_value
from pipelines.campaign import CAMPAIGN_COLUMNS, CampaignList, campaign_list
from pipelines.config import CampaignSection, Config, EconomicsSection, load_config
from pipelines.risk_list import write_risk_list
from pipelines.risk_list_xlsx import write_risk_list_xlsx

N = 400


def ranked(n: int = N) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rank": range(1, n + 1),
            "customer_id": [f"khách {number}" for number in range(n)],
            "p_churn_90d": np.linspace(0.9, 0.5, n),
            "value_at_risk": np.linspace(1_000.0, 1.0, n),
            "hold": pd.Series([""] * n, dtype="str"),
        }
    )


@pytest.fixture
def config(shop: Path) -> Config:
    return load_config(shop)


def made(config: Config, *, terms: dict[str, Any] | None = None, has_amounts: bool = True,
         n: int = N, held: str = "", **campaign: Any) -> CampaignList:  # fmt: skip
    changed = {"campaign": CampaignSection(**campaign), "economics": EconomicsSection(**(terms or {}))}
    rows = ranked(n)
    if held:  # every third
        rows.loc[rows.index % 3 == 0, "hold"] = held
    return campaign_list(rows, config.model_copy(update=changed), 90, has_amounts=has_amounts)


def test_without_limits_everybody_stays_and_a_tenth_is_left_alone(config: Config) -> None:
    found = made(config)
    assert found.listed.equals(ranked().drop(columns="hold"))
    assert list(found.columns) == CAMPAIGN_COLUMNS
    control = found.columns["group"] == "control"
    assert control.tolist() == in_control(ranked()["customer_id"], "list", 0.1).tolist()
    assert 20 < control.sum() < 60
    assert found.facts == {
        "id": "list", "share": 0.1, "listed": N, "contacts": N - control.sum(), "controls": control.sum(),
        "holds": 0, "cost": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "contacts"),
    [({"capacity": 50}, 50), ({"budget": 21.0, "cost": 0.5}, 42), ({"capacity": 9, "budget": 9.0}, 9)],
)
def test_a_list_holds_as_many_contacts_as_can_be_made_and_the_controls_among_them(
    config: Config, limits: dict[str, Any], contacts: int
) -> None:
    found = made(config, control_share=0.3, **limits)
    groups = found.columns["group"]
    assert (groups == "contact").sum() == found.facts["contacts"] == contacts
    assert groups.iloc[-1] == "contact"
    whole = made(config, control_share=0.3)
    assert groups.tolist() == whole.columns["group"].tolist()[: len(groups)]
    assert (groups == "control").sum() == found.facts["controls"] > 0
    assert found.listed["rank"].tolist() == list(range(1, len(groups) + 1))


def test_the_money_of_each_contact_stands_beside_it_and_what_does_not_pay_is_not_listed(
    config: Config,
) -> None:
    terms = {"margin": 0.4, "save_rate": 0.1}
    found = made(config, terms=terms, cost=8.0)
    rows = ranked()
    worth = net_value(rows["value_at_risk"].to_numpy(), 0.4, 0.1, 8.0)
    offer = highest_offer(rows["value_at_risk"].to_numpy(), rows["p_churn_90d"].to_numpy(), 0.4, 0.1, 8.0)
    kept = int((worth >= 0).sum())
    assert 0 < kept == len(found.listed) < N
    np.testing.assert_allclose(found.columns["net_value"], worth[:kept])
    np.testing.assert_allclose(found.columns["highest_offer"], offer[:kept])
    assert set(found.columns["contact_cost"]) == {8.0}
    brings = rows["value_at_risk"].to_numpy()[:kept] * 0.4 * 0.1
    np.testing.assert_allclose(found.columns["expected_return"], brings)
    assert found.columns["net_value"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("terms", "has_amounts"),
    [({"margin": 0.4}, True), ({"save_rate": 0.1}, True), ({"margin": 0.4, "save_rate": 0.1}, False)],
)
def test_without_margin_save_rate_or_amounts_no_money_is_said_and_nobody_left_out(
    config: Config, terms: dict[str, float], has_amounts: bool
) -> None:
    found = made(config, terms=terms, has_amounts=has_amounts, cost=1e9)
    assert found.columns[["net_value", "highest_offer"]].isna().all(axis=None)
    assert len(found.listed) == N


def test_who_is_let_alone_for_now_is_in_neither_group_and_takes_nobodys_place(config: Config) -> None:
    found = made(config, held="contacted_recently", capacity=50, control_share=0.3)
    groups, is_held = found.columns["group"], found.columns["hold"] != ""
    assert (groups[is_held] == "hold").all()
    assert (found.columns["hold"][~is_held] == "").all()
    control = in_control(found.listed["customer_id"], "list", 0.3)
    assert groups[~is_held].tolist() == np.where(control, "control", "contact")[~is_held].tolist()
    assert found.facts["contacts"] == (groups == "contact").sum() == 50
    assert found.facts["holds"] == is_held.sum() > 20
    assert found.facts["controls"] == (groups == "control").sum() > 10


@pytest.mark.parametrize("limits", [{"n": 0}, {"budget": 0.5, "cost": 1.0}])
def test_a_list_of_nobody_keeps_its_columns(config: Config, limits: dict[str, Any]) -> None:
    found = made(config, **limits)
    assert (len(found.listed), list(found.columns)) == (0, CAMPAIGN_COLUMNS)
    assert (found.facts["contacts"], found.facts["controls"]) == (0, 0)


def test_money_is_written_as_money_and_groups_as_text(config: Config, tmp_path: Path) -> None:
    found = made(config, terms={"margin": 0.4, "save_rate": 0.1}, capacity=5)
    listed = found.listed.join(found.columns)
    write_risk_list_xlsx(listed, tmp_path / "l.xlsx", "VND")
    sheet = openpyxl.load_workbook(tmp_path / "l.xlsx").worksheets[0]
    cells = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (cells["net_value"].value, cells["net_value"].number_format) == (40, "#,##0")
    assert (cells["highest_offer"].data_type, cells["group"].value) == ("n", "contact")
    without = made(config, capacity=5)
    write_risk_list(without.listed.join(without.columns), tmp_path / "l.csv", "VND")
    assert pd.read_csv(tmp_path / "l.csv")[["net_value", "highest_offer"]].isna().all(axis=None)
