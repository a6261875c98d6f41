"""What is scored is what the model was trained on: each way in which a log can be broken, through the CLI."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.findings import Finding
from pipelines import score
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.registry import Registry
from tests.pipelines.conftest import AS_OF, everything

Change = Callable[[pd.DataFrame], pd.DataFrame]
LATER = "2025-03-29"


@pytest.fixture(autouse=True)
def _unproved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leak proof is not what is looked at here, and takes most of the time."""
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: None)


def broken(config: Path, change: Change) -> None:
    """Change the log."""
    path = config.with_name("orders.parquet")
    change(pd.read_parquet(path)).to_parquet(path)


def limited(config: Path, **limits: Any) -> None:
    """Set limits in the config."""
    keys = "".join(f"{key} = {json.dumps(value)}\n" for key, value in limits.items())
    config.write_text(config.read_text(encoding="utf-8") + f"[limits]\n{keys}", encoding="utf-8")


def refused(config: Path, capsys: Any, code: int, *words: str, as_of: str = LATER) -> None:
    """Score, and read why it does not: in one line, and nothing has been published."""
    before = everything(config.parent / "out" / "runs")
    assert main(["--config", str(config), "--quiet", "score", "--as-of", as_of]) == code
    said = capsys.readouterr().err
    for word in words:
        assert word in said, said
    assert "Traceback" not in said
    assert everything(config.parent / "out" / "runs") == before


def scored(config: Path, capsys: Any, as_of: str = LATER) -> dict[str, Any]:
    """Score; return the manifest."""
    capsys.readouterr()
    assert main(["--config", str(config), "--quiet", "--json", "score", "--as-of", as_of]) == 0
    said = json.loads(capsys.readouterr().out)
    found: dict[str, Any] = json.loads(Path(said["manifest"]).read_text(encoding="utf-8"))
    return found


def measured(config: Path, run_id: str) -> dict[str, float]:
    """Read the metrics of a scoring from its MLflow run."""
    registry = Registry(load_config(config))
    [run] = registry.client.search_runs([registry.experiment], f"tags.published_run = '{run_id}'")
    metrics: dict[str, float] = run.data.metrics
    return metrics


def without_november(log: pd.DataFrame) -> pd.DataFrame:
    return log[log["ordered_at"].dt.strftime("%Y-%m") != "2024-11"]


def with_text_prices(log: pd.DataFrame) -> pd.DataFrame:
    return log.assign(unit_price=log["unit_price"].astype("str"))


def with_broken_nights(log: pd.DataFrame) -> pd.DataFrame:
    """Six hundred new rows without a date, as after a change of the export."""
    return pd.concat([log, log.head(600).assign(ordered_at=pd.NaT)], ignore_index=True)


def in_cents(log: pd.DataFrame) -> pd.DataFrame:
    return log.assign(unit_price=log["unit_price"] * 100)


def test_a_log_that_has_lost_a_month_is_not_scored(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, without_november)
    refused(
        own_shop, capsys, 4, "orders.parquet: ", f"rows that the run of {AS_OF} saw are gone",
        "most of them of 2024-11", "bring back the rows, or train again", 'set [limits] shrunk_log = "warn"',
    )  # fmt: skip


def test_the_training_is_what_an_older_date_is_held_against(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, without_november)
    refused(own_shop, capsys, 4, "rows that the training saw are gone", as_of="2025-02-01")


def test_losses_of_single_nights_add_up(own_shop: Path, capsys: Any) -> None:
    """Two in three hundred rows are fewer than a hundredth; twice as many are more."""
    broken(own_shop, lambda log: log.drop(log.index[::150]))
    assert "shrunk" not in {w["code"] for w in scored(own_shop, capsys)["warnings"]}
    broken(own_shop, lambda log: log.drop(log.index[::150]))
    refused(own_shop, capsys, 4, "rows that the training saw are gone (1.", as_of="2025-03-30")


def test_a_log_that_was_loaded_twice_is_scored_and_told_of(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, lambda log: pd.concat([log, log], ignore_index=True))
    said = {w["code"]: w["text"] for w in scored(own_shop, capsys)["warnings"]}
    assert "nearly every one twice. The whole log looks loaded more than once" in said["double_load"]


def starting(day: str) -> Change:
    return lambda log: log[log["ordered_at"] >= pd.Timestamp(day)]


def test_an_export_of_the_newest_months_is_told_of_and_scored(own_shop: Path, capsys: Any) -> None:
    """The log began on 1 January 2024; four weeks after the scoring of before it begins four weeks later."""
    broken(own_shop, starting("2024-01-29"))
    said = {w["code"]: w["text"] for w in scored(own_shop, capsys)["warnings"]}
    assert "orders.parquet: the log begins on 2024-01-29, and began on 2024-01-01: " in said["log_start"]
    assert "shrunk" not in said


@pytest.mark.heavy
def test_an_export_of_the_newest_months_need_not_be_told_of(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, starting("2024-01-29"))
    limited(own_shop, shrunk_log="ignore")
    assert "log_start" not in {w["code"] for w in scored(own_shop, capsys)["warnings"]}


def test_a_log_of_which_more_is_gone_than_time_has_passed_is_not_scored(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, starting("2024-02-05"))
    refused(own_shop, capsys, 4, "are gone", "the oldest row is now of 2024-02, and was of 2024-01")


def test_what_is_gone_within_the_window_is_missed(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, lambda log: starting("2024-01-29")(without_november(log)))
    refused(own_shop, capsys, 4, "are gone", "most of them of 2024-11")


def test_an_emptied_log_is_refused(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, lambda log: log.head(0))
    refused(own_shop, capsys, 2, "orders.parquet: 0 rows in 6 columns")


def test_a_log_of_which_no_row_can_be_used_is_refused(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, lambda log: log.assign(customer_id=None))
    refused(own_shop, capsys, 2, "break the contract", "no_customer")


def test_a_column_that_is_gone_and_the_one_that_may_be_it(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, lambda log: log.rename(columns={"unit_price": "betrag"}))
    refused(
        own_shop, capsys, 2, "column 'unit_price' (for unit_price) is missing among 6 columns",
        "'betrag' is new and holds numbers, as it did", "was it renamed? Then write 'betrag' in [tables.",
    )  # fmt: skip
    broken(own_shop, lambda log: log.drop(columns="betrag"))
    refused(own_shop, capsys, 2, "column 'unit_price' (for unit_price) is missing among 5 columns", "known: ")


def test_a_column_of_another_kind_can_be_refused(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, with_text_prices)
    limited(own_shop, changed_columns="fail")
    refused(own_shop, capsys, 4, "column 'unit_price' (for unit_price) holds text and held numbers")


def test_an_old_log_can_be_refused_and_one_of_a_quiet_day_is_not(own_shop: Path, capsys: Any) -> None:
    limited(own_shop, old_log="fail", max_log_age=2)
    refused(
        own_shop, capsys, 4, "the log ends before 2025-06-24; 7 days up to 2025-07-01", as_of="2025-07-01"
    )


def test_drift_can_be_refused(own_shop: Path, capsys: Any) -> None:
    broken(own_shop, in_cents)
    limited(own_shop, drift="fail")
    refused(
        own_shop, capsys, 4, "features and scores are spread over the customers as at no time", "spend",
        "% were in the training", '[limits] drift = "warn"',
    )  # fmt: skip


def test_what_is_only_warned_of_is_scored_and_kept_in_the_manifest(own_shop: Path, capsys: Any) -> None:
    """All at once; and the run is what the next one is held against."""
    broken(own_shop, lambda log: with_broken_nights(with_text_prices(in_cents(without_november(log)))))
    limited(own_shop, shrunk_log="warn")
    found = scored(own_shop, capsys, "2025-06-30")
    warned = {warning["code"]: warning["text"] for warning in found["warnings"]}
    assert {"shrunk", "transactions_columns", "set_aside_jump", "log_end", "drift"} <= set(warned)
    assert "cannot be used (no_date)" in warned["set_aside_jump"]
    assert "(column 'ordered_at' (for ordered_at); is ordered_at mapped" in warned["set_aside_jump"]
    assert sum("the log ends before" in text for text in warned.values()) == 1
    drifted = [c["column"] for c in found["drift"]["columns"] if c["verdict"] == "drifted"]
    assert "total_spend" in drifted
    limits = [(c["psi"], c["limit"]) for c in found["drift"]["columns"] if c["limit"]]
    tracked = measured(own_shop, found["run_id"])
    assert tracked["drifted"] == len(drifted) > 1
    assert tracked["drift_worst"] == pytest.approx(max(psi / limit for psi, limit in limits))
    assert tracked["drift_worst"] > 1
    assert found["drift"]["customers"] == found["files"]["scores.parquet"]["rows"]
    months = found["inputs"]["transactions"]["rows_by_month"]
    assert "2024-11" not in months
    rows = found["inputs"]["transactions"]
    assert sum(months.values()) == rows["rows_used"] - rows["rows_not_yet_known"]
    limited_again = own_shop.read_text(encoding="utf-8").replace('shrunk_log = "warn"', 'shrunk_log = "fail"')
    own_shop.write_text(limited_again, encoding="utf-8")
    broken(
        own_shop, lambda log: log[log["ordered_at"].isna() | (log["ordered_at"] > pd.Timestamp("2024-02-01"))]
    )
    refused(
        own_shop, capsys, 4, "rows that the run of 2025-06-30 saw are gone", "2024-01", as_of="2025-06-30"
    )


def test_a_model_of_before_drift_was_looked_at_says_so(
    own_shop: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Registry.load
    monkeypatch.setattr(Registry, "load", lambda *given: replace(load(*given), reference=None))
    assert main(["--config", str(own_shop), "--json", "score", "--as-of", LATER]) == 0
    said = capsys.readouterr()
    assert said.err.count("  note: drift is not known: ") == 1
    answer = json.loads(said.out)
    assert "drift" not in {warning["code"] for warning in answer["warnings"]}
    manifest = json.loads(Path(answer["manifest"]).read_text(encoding="utf-8"))
    assert manifest["drift"] == {"known": False, "columns": []}
    assert not {"drifted", "drift_worst"} & set(measured(own_shop, answer["run_id"]))


def test_five_warnings_are_shown_and_the_others_counted(
    own_shop: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [Finding("warning", "made_up", f"the {n}th thing") for n in range(7)]
    monkeypatch.setattr(score, "date_warnings", lambda *_: many)
    found = scored(own_shop, capsys)
    assert sum(w["code"] == "made_up" for w in found["warnings"]) == 7
    for more in (len(found["warnings"]) - 5, 1):
        monkeypatch.setattr(score, "SHOWN", len(found["warnings"]) - more)
        assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", LATER]) == 0
        lines = capsys.readouterr().out.splitlines()
        shown = [line for line in lines if line.startswith("warning: ")]
        assert shown == [f"warning: {w['text']}" for w in found["warnings"][:-more]]
        words = f"{more} more warnings, in the manifest" if more > 1 else "1 more warning, in the manifest"
        assert lines.count(words) == 1
    assert max(len(line) for line in lines if line.startswith(("these customers", "in the last"))) < 110


@pytest.mark.heavy
@pytest.mark.parametrize("days", [1, 7, 14, 28, 60])
def test_a_healthy_shop_is_not_warned_of(own_shop: Path, capsys: Any, days: int) -> None:
    as_of = str((pd.Timestamp(AS_OF) + pd.Timedelta(days, "D")).date())
    found = scored(own_shop, capsys, as_of)
    assert [w for w in found["warnings"] if w["code"] in CODES] == []
    assert {c["verdict"] for c in found["drift"]["columns"]} <= {"steady", "moved", "not judged"}
    assert len(found["drift"]["columns"]) > 30


CODES = (
    "drift", "unseen_categories", "shrunk", "log_end", "events_end", "contacts_end", "set_aside_jump",
    "silent_channel", "transactions_columns", "events_columns", "contacts_columns", "customers_columns",
)  # fmt: skip
"""What a healthy shop is never told."""


@pytest.mark.heavy
@pytest.mark.parametrize("limit", ["drift", "shrunk_log", "changed_columns", "old_log"])
def test_what_is_ignored_is_not_said(own_shop: Path, capsys: Any, limit: str) -> None:
    codes = {
        "drift": "drift",
        "shrunk_log": "shrunk",
        "changed_columns": "transactions_columns",
        "old_log": "log_end",
    }
    broken(own_shop, lambda log: with_text_prices(in_cents(without_november(log))))
    limited(own_shop, **{"shrunk_log": "warn", limit: "ignore"})
    said = {warning["code"] for warning in scored(own_shop, capsys, "2025-06-30")["warnings"]}
    assert codes[limit] not in said
    assert said >= {*codes.values()} - {codes[limit]}


def test_dates_that_are_text_now_are_set_aside_or_read(own_shop: Path, capsys: Any) -> None:
    """Half of them in a form that cannot be read: more than `max_quarantined` allows."""
    odd = np.arange(6844) % 10 < 7

    def as_text(log: pd.DataFrame) -> pd.DataFrame:
        text = log["ordered_at"].astype("str")
        return log.assign(ordered_at=text.where(~odd[: len(log)], "am " + text))

    broken(own_shop, as_text)
    refused(own_shop, capsys, 2, "break the contract", "'no_date'", "column 'ordered_at'")


@pytest.mark.parametrize("limit", ["fail", "warn"])
def test_rows_that_cannot_be_read_any_more_are_not_called_gone(
    own_shop: Path, capsys: Any, limit: str
) -> None:
    """Fewer than `max_quarantined`, so that the door lets the log through."""

    def as_text(log: pd.DataFrame) -> pd.DataFrame:
        odd, days = np.arange(len(log)) % 10 < 4, log["ordered_at"].dt
        return log.assign(ordered_at=log["ordered_at"].astype("str").mask(odd, days.strftime("%d.%m.%Y")))

    broken(own_shop, as_text)
    limited(own_shop, shrunk_log=limit)
    words = ("are set aside for no_date, most likely the same (column 'ordered_at'", "; for example '")
    words += ('ordered_at = "%d.%m.%Y" }',)
    if limit == "fail":
        refused(own_shop, capsys, 4, *words, "hint: mend the rows, or train again if they are to stay away")
        return
    said = {w["code"]: w["text"] for w in scored(own_shop, capsys)["warnings"]}
    for word in words:
        assert word in said["shrunk"]
    assert "are gone" not in said["shrunk"]
