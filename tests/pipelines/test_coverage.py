"""`check` holds the tables beside the purchases against them: another system's ids, another time."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.cli import main
from tests.pipelines.other_shop import CONFIG, write_shop
from tests.pipelines.period_shop import daily_log, dated
from tests.pipelines.test_period_commands import lay_out


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("tables"))


def found(config: Path, capsys: Any, *options: str) -> dict[str, dict[str, Any]]:
    assert main(["--config", str(config), "--quiet", "check", "--json", *options]) == 0
    return {f["code"]: f for f in json.loads(capsys.readouterr().out)["findings"]}


def own(shop: Path, config: str) -> Path:
    path = shop.with_name("own.toml")
    path.write_text(config, encoding="utf-8")
    return path


def test_tables_that_fit_are_fine_but_for_the_contacts_that_begin_in_june(shop: Path, capsys: Any) -> None:
    said = found(shop, capsys)
    for code in ("events_customers", "contacts_customers", "customers_customers", "events_days"):
        assert said[code]["severity"] == "ok"
    orders, events = (pd.read_parquet(shop.with_name(f"{name}.parquet")) for name in ("orders", "events"))
    assert said["events_customers"]["numbers"] == {
        "customers": events["Khách"].nunique(),
        "buyers": orders["customer_id"].nunique(),
        "both": len({*events["Khách"].dropna()} & {*orders["customer_id"]}),
    }
    assert "customers_days" not in said
    contacts = said["contacts_days"]
    assert (contacts["severity"], contacts["numbers"]["first"]) == ("warning", "2024-06-01")
    assert contacts["numbers"]["days_late"] == 152
    earlier = found(shop, capsys, "--as-of", "2024-05-20")["contacts_days"]
    assert "contacts: no row before 2024-05-20" in earlier["text"]


def test_ids_of_another_system_are_a_warning(shop: Path, capsys: Any) -> None:
    events = pd.read_parquet(shop.with_name("events.parquet"))
    events.assign(Khách="web-" + events["Khách"]).to_parquet(shop.with_name("other_events.parquet"))
    people = pd.read_csv(shop.with_name("customers.csv"), dtype=str)
    people.assign(id=people.index + 10**6).to_csv(shop.with_name("other_people.csv"), index=False)
    config = CONFIG.replace("events.parquet", "other_events.parquet").replace(
        '"customers.csv"', '"other_people.csv"'
    )
    said = found(own(shop, config), capsys)
    for name in ("events", "customers"):
        assert said[f"{name}_customers"]["severity"] == "warning"
        assert said[f"{name}_customers"]["numbers"]["both"] == 0
        assert (
            "0 are among the 300 who bought: are the ids those of another system?"
            in (said[f"{name}_customers"]["text"])
        )
    assert said["contacts_customers"]["severity"] == "ok"


def test_events_that_end_early_and_a_broken_date_among_them(shop: Path, capsys: Any) -> None:
    events = pd.read_parquet(shop.with_name("events.parquet"))
    events = events[events["lúc"] < "2024-07-01"]
    broken = events.dropna(subset="Khách").head(2)
    broken = broken.assign(lúc=[pd.Timestamp("1970-01-01"), pd.Timestamp("2099-12-31")])
    pd.concat([events, broken]).to_parquet(shop.with_name("early_events.parquet"))
    said = found(own(shop, CONFIG.replace("events.parquet", "early_events.parquet")), capsys)["events_days"]
    assert said["severity"] == "warning"
    assert said["numbers"]["last"] == "2024-06-30"
    assert said["numbers"]["first"] >= "2023-12-31"
    assert "days before the purchases: everyone looks as if nothing had happened since" in said["text"]


def test_a_newest_month_that_is_cut_short(tmp_path: Path, capsys: Any) -> None:
    daily = daily_log()
    cut = daily[daily["ordered_at"] < pd.Timestamp("2025-05-07")]
    config = lay_out(tmp_path, dated(cut, "month"), [30, 90])
    said = found(config, capsys)["newest_period"]
    assert said["severity"] == "warning"
    rows = int((cut["ordered_at"] >= "2025-05-01").sum())
    assert said["numbers"]["rows"] == rows
    assert f"the newest month, from 2025-05-01 on, has {rows} rows" in said["text"]
    assert "train with --as-of 2025-05-01" in said["text"]
    assert "newest_period" not in found(config, capsys, "--as-of", "2025-05-01")  # it is not looked at
