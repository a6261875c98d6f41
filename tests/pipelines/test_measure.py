"""What past lists brought: against counts by hand, with a planted effect, and where nothing can be said."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.wording import Language
from models.uplift import effect_of
from models.uplift_table import COLUMNS, LEAST_BUYERS
from pipelines.measure_words import verdict
from pipelines.words import Voice
from tests.pipelines.conftest import AS_OF, copy_shop
from tests.pipelines.test_outcomes import by_hand, put_run, say

BY, MIDDLE = "2025-06-19", "2025-04-01"


@pytest.fixture
def own(run_shop: Path, tmp_path: Path) -> Path:
    return copy_shop(run_shop, tmp_path / "own")


def listed(config: Path) -> pd.DataFrame:
    path = config.parent / "out" / "scores" / f"as_of={AS_OF}" / "risk_list.csv"
    return pd.read_csv(path, dtype={"customer_id": "str"}).set_index("customer_id")


def measured(capsys: Any, config: Path, by: str = BY) -> tuple[pd.DataFrame, dict[str, Any]]:
    code, said, error = say(capsys, config, "measure", "--as-of", by)
    assert (code, error) == (0, "")
    written = config.parent / "out" / "measure" / f"as_of={by}" / "measure.csv"
    assert said["table"] == str(written)
    found = pd.read_csv(written)
    assert list(found.columns) == COLUMNS
    assert [line["measure"] for line in said["effects"]] == found["measure"].tolist()
    return found, said


def whole(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["by"] == "campaign"].set_index("measure")


def add_orders(config: Path, who: list[str], day: str, price: float) -> None:
    """Let customers order once more."""
    path = config.parent / "orders.parquet"
    log = pd.read_parquet(path)
    more = pd.DataFrame(
        {
            "customer_id": who,
            "order_id": [f"more {k}" for k in range(len(who))],
            "ordered_at": pd.Timestamp(day),
            "product_id": log["product_id"].iloc[0],
            "quantity": 1,
            "unit_price": price,
        }
    )
    more = more.astype({name: log[name].dtype for name in more.columns})
    pd.concat([log, more], ignore_index=True).to_parquet(path)


def with_config(config: Path, text: str) -> None:
    config.write_text(f"{config.read_text('utf-8')}{text}", "utf-8")


@pytest.mark.parametrize("by", [BY, MIDDLE])
def test_what_came_is_what_is_counted_by_hand(own: Path, capsys: Any, by: str) -> None:
    """Also where the window is open: then up to the date that was asked for, of all alike."""
    found, said = measured(capsys, own, by)
    rows = listed(own)
    log = pd.read_parquet(own.parent / "orders.parquet")
    came = by_hand(log, AS_OF, 90, until=None if by == BY else by).reindex(rows.index, fill_value=0)
    assert said["customers"] == len(rows)
    is_contact = (rows["group"] == "contact").to_numpy()
    parts = [("campaign", "list", np.ones(len(rows), dtype=bool))]
    parts += [("risk_tier", tier, (rows["risk_tier"] == tier).to_numpy()) for tier in ("high", "medium")]
    parts += [
        ("lifecycle", one, (rows["lifecycle"] == one).to_numpy()) for one in sorted({*rows["lifecycle"]})
    ]
    assert len(parts) > 4
    assert found[["by", "group"]].drop_duplicates().to_numpy().tolist() == [[*p[:2]] for p in parts]
    for kind, group, some in parts:
        mine = found[(found["by"] == kind) & (found["group"] == group)].set_index("measure")
        assert list(mine.index) == ["buyers", "orders", "revenue"]  # without margin no profit
        for measure, column in (("buyers", "buyers"), ("orders", "orders"), ("revenue", "spend")):
            wanted = effect_of(
                came[column].to_numpy(float)[some],
                is_contact[some],
                rows["risk_tier"].to_numpy(object)[some],
                rows["expected_spend_90d"].to_numpy(float)[some],
            )
            line = mine.loc[measure]
            assert (line["contacts"], line["controls"]) == (wanted.contacts, wanted.controls)
            bought = came["buyers"].to_numpy() > 0
            least = min((bought & some & is_contact).sum(), (bought & some & ~is_contact).sum())
            ends = [wanted.low, wanted.high] if least >= LEAST_BUYERS else [np.nan, np.nan]
            assert line[["each", "low", "high", "alone"]].to_numpy(float) == pytest.approx(
                [wanted.each, *ends, wanted.alone], nan_ok=True
            )


def test_a_planted_effect_is_found_and_said_in_words(own: Path, capsys: Any) -> None:
    rows = listed(own)
    contacts = rows.index[rows["group"] == "contact"].tolist()
    before, _ = measured(capsys, own)
    add_orders(own, contacts, "2025-04-02", 40.0)
    with_config(own, "[economics]\nmargin = 0.25\n[campaign]\ncost = 2.0\n")
    found, _ = measured(capsys, own)
    was, now = whole(before), whole(found)
    assert (was["verdict"] == "too early").all()
    assert (now["verdict"] == "more").all()
    assert now.loc["orders", "each"] - was.loc["orders", "each"] == pytest.approx(1.0)
    assert now.loc["revenue", "each"] - was.loc["revenue", "each"] == pytest.approx(40.0)
    # The run was published when a contact cost nothing.
    assert now.loc["profit", "each"] == pytest.approx(0.25 * now.loc["revenue", "each"])
    from pipelines.cli import main

    capsys.readouterr()
    assert main(["--config", str(own), "--quiet", "measure", "--as-of", BY]) == 0
    text = capsys.readouterr().out
    assert f"Campaign list: {len(contacts)} customers to contact, {len(rows) - len(contacts)} left" in text
    assert "Orders: " in text
    assert "more than without contacts (95% sure: " in text
    assert "each listing is taken as one contact" in text
    assert "comparisons of groups: luck alone lets about 1 of them look like an effect" in text
    assert re.search(
        r"^list +lifecycle +churned +orders +\d+ +\d+ +[\d-]+ +[\d-]+ +\d+ +more$", text, re.MULTILINE
    )


def with_contacts(config: Path, rows: pd.DataFrame) -> None:
    rows.to_csv(config.parent / "contacts.csv", index=False)
    with_config(
        config,
        '[tables.contacts]\nsource = "contacts.csv"\ncolumns = { customer_id = "who", sent_at = "sent", '
        'campaign_id = "campaign", channel = "channel", cost = "cost" }\n[economics]\nmargin = 0.5\n',
    )


def test_contacts_bring_costs_and_the_channel_of_before(own: Path, capsys: Any) -> None:
    rows = listed(own)
    ids, is_contact = rows.index.to_numpy(), (rows["group"] == "contact").to_numpy()
    zalo = np.arange(len(ids)) % 2 == 0
    earlier = pd.DataFrame({"who": ids, "sent": "2025-02-01", "campaign": "older", "cost": 9.0,
                            "channel": np.where(zalo, "zalo", "email")})  # fmt: skip
    oldest = earlier.assign(sent="2025-01-01", channel="post")
    # Half of those to contact are reached, twice, by post; one of those left alone as well.
    reached = [*ids[is_contact][::2].repeat(2), ids[~is_contact][0]]
    sent = pd.DataFrame({"who": reached, "sent": "2025-03-05", "campaign": "list", "cost": 1.5,
                         "channel": "post"})  # fmt: skip
    late, other = sent.assign(sent="2025-06-15"), sent.assign(campaign="another")
    before, _ = measured(capsys, own)
    with_contacts(own, pd.concat([oldest, earlier, sent, late, other]))
    found, said = measured(capsys, own)
    channels = found[found["by"] == "channel"]
    assert channels["group"].unique().tolist() == ["email", "zalo"]
    by = channels[channels["measure"] == "orders"].set_index("group")
    assert by.loc["zalo", "contacts"] == (zalo & is_contact).sum()
    assert by.loc["zalo", "controls"] == (zalo & ~is_contact).sum()
    line, revenue = whole(found).loc["profit"], whole(found).loc["revenue"]
    assert revenue["each"] == pytest.approx(whole(before).loc["revenue", "each"])
    log = pd.read_parquet(own.parent / "orders.parquet")
    spend = by_hand(log, AS_OF, 90).reindex(rows.index, fill_value=0)["spend"].to_numpy(float)
    cost = pd.Series(1.5, index=reached).groupby(level=0).sum().reindex(ids, fill_value=0).to_numpy()
    expected = rows["expected_spend_90d"].to_numpy(float)
    wanted = effect_of(spend * 0.5 - cost, is_contact, rows["risk_tier"].to_numpy(object), expected)
    assert line[["each", "low", "high"]].to_numpy(float) == pytest.approx(
        [wanted.each, wanted.low, wanted.high]
    )
    assert said["customers"] == len(rows)


def test_who_is_listed_again_counts_once_and_costs_twice(own: Path, capsys: Any) -> None:
    plan = json.loads((own.parent / "out" / "latest" / "manifest.json").read_text("utf-8"))["campaign"]
    with_config(own, "[economics]\nmargin = 0.5\n")
    again = put_run(own, "2025-04-10", campaign=plan | {"cost": 3.0})
    once, said = measured(capsys, own, "2025-04-12")  # the second list is too young
    assert len(said["runs"]) == 1
    # The first list's prices hold, so that it must have one.
    manifest = own.parent / "out" / "scores" / f"as_of={AS_OF}" / "manifest.json"
    facts = json.loads(manifest.read_text("utf-8")) | {"campaign": plan | {"cost": 3.0}}
    manifest.write_text(json.dumps(facts), "utf-8")
    dear, _ = measured(capsys, own, "2025-04-12")
    both, said = measured(capsys, own, BY)
    (again / "manifest.json").write_text("{}", "utf-8")
    first, left = measured(capsys, own, BY)
    assert len(said["runs"]) == 2
    assert len(left["runs"]) == 1
    assert (both["contacts"] == first["contacts"]).all()
    assert whole(both).loc["orders", "each"] == whole(first).loc["orders", "each"]
    for found, other in ((dear, once), (both, first)):
        difference = whole(found).loc["profit", "each"] - whole(other).loc["profit", "each"]
        assert difference == pytest.approx(-3.0)


def test_a_run_under_pseudonyms_is_measured_alike(own: Path, capsys: Any) -> None:
    """The draw is over the shop's own ids, and so are the purchases."""
    from pipelines.cli import main

    with_ids, _ = measured(capsys, own)
    with_config(own, '[privacy]\nlists = "pseudonyms"\n')
    assert main(["--config", str(own), "--quiet", "score", "--as-of", AS_OF]) == 0
    assert listed(own).index.str.startswith("c_").all()
    found, _ = measured(capsys, own)
    pd.testing.assert_frame_equal(found, with_ids)


def test_a_young_list_is_too_early_and_says_when(own: Path, capsys: Any) -> None:
    code, _, said = say(capsys, own, "measure", "--as-of", "2025-03-05")
    assert code == 4
    assert "too early: by 2025-03-05 no list is 7 days old; the first, of 2025-03-01, will be with" in said
    assert "--as-of 2025-03-08" in said
    assert not (own.parent / "out" / "measure").exists()


@pytest.mark.parametrize(
    ("campaign", "said"),
    [({"share": 0}, "nobody was left alone"), (None, "it was published before lists left anyone alone")],
)
def test_lists_without_anyone_left_alone_are_left_out_by_name(
    own: Path, capsys: Any, campaign: dict[str, Any] | None, said: str
) -> None:
    manifest = own.parent / "out" / "latest" / "manifest.json"
    facts = json.loads(manifest.read_text("utf-8"))
    facts |= {"campaign": facts["campaign"] | campaign} if campaign else {}
    facts = facts if campaign else {name: fact for name, fact in facts.items() if name != "campaign"}
    manifest.write_text(json.dumps(facts), "utf-8")
    code, _, error = say(capsys, own, "measure", "--as-of", BY)
    assert code == 4
    assert f"the list of {AS_OF} is left out: {said}" in error


def test_without_a_run_there_is_nothing_to_measure(shop: Path, capsys: Any) -> None:
    code, _, error = say(capsys, shop, "measure")
    assert code == 6
    assert "no run has been published" in error


LINE = {"measure": "revenue", "verdict": "too early", "total": 1e6, "total_low": -2e5, "total_high": 22e5,
        "low": -2.0, "needed": 1234.0}  # fmt: skip
NAN = float("nan")


@pytest.mark.parametrize(
    ("language", "changes", "said"),
    [
        ("en", {}, "Revenue: too early (₫1,000,000; 95% sure: −₫200,000 to ₫2,200,000): about 1,300 more"),
        ("vi", {}, "Doanh thu: chưa đủ dữ liệu để kết luận (1.000.000 ₫; khoảng tin cậy 95%: −200.000 ₫ đến"),
        (
            "en",
            {"verdict": "no effect"},
            "Revenue: no effect (₫1,000,000; 95% sure: −₫200,000 to ₫2,200,000)",
        ),
        ("en", {"verdict": "less"}, "contacting did harm"),
        ("vi", {"verdict": "more", "measure": "orders"}, "Đơn hàng: tăng thêm 1.000.000 so với khi không"),
        ("en", {"needed": NAN}, "those left alone have brought nothing"),
        ("vi", {"needed": NAN, "low": NAN, "total": NAN}, "một trong hai nhóm có quá ít khách"),
    ],
)
def test_verdicts_in_words(language: Language, changes: dict[str, Any], said: str) -> None:
    assert said in verdict(LINE | changes, Voice(language, "VND"))


def test_without_a_date_the_whole_log_is_looked_at(own: Path, capsys: Any) -> None:
    end = pd.read_parquet(own.parent / "orders.parquet")["ordered_at"].max().date()
    code, said, _ = say(capsys, own, "measure")
    assert code == 0
    assert Path(said["table"]).parent.name == f"as_of={date.fromordinal(end.toordinal() + 1)}"


def test_a_list_of_nobody_is_measured_as_nothing(own: Path, capsys: Any) -> None:
    from pipelines.cli import main

    with_config(own, "[campaign]\nbudget = 0.5\ncost = 1.0\n")
    assert main(["--config", str(own), "--quiet", "score", "--as-of", AS_OF]) == 0
    assert len(listed(own)) == 0
    capsys.readouterr()
    code, said, error = say(capsys, own, "measure", "--as-of", BY)
    assert (code, said["customers"], said["effects"], error) == (0, 0, [], "")
