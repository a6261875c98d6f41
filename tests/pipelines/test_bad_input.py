"""Each way of getting it wrong ends with its exit code and one line, and writes nothing."""

import json
import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.publish import date_lock
from tests.pipelines.conftest import CONFIG, everything


def expect(
    config: Path, capsys: pytest.CaptureFixture[str], command: list[str], code: int, *said: str
) -> None:
    before = everything(config.parent)
    assert main(["--config", str(config), "--quiet", *command]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [line for line in printed.err.splitlines() if line]
    assert len(lines) == 1, printed.err
    for text in said:
        assert text in lines[0], lines[0]
    assert everything(config.parent) == before


@pytest.mark.parametrize("command", [["check"], ["train"]])
def test_a_missing_column(shop, capsys, command):
    shop.write_text(CONFIG.replace('"unit_price"', '"unit_prise"'))
    expect(shop, capsys, command, 2, "orders.parquet", "'unit_prise'", "among 6 columns",
           "did you mean 'unit_price'?")  # fmt: skip


def test_an_unreadable_file(shop, capsys):
    (shop.parent / "orders.parquet").write_bytes(b"PAR1 this is no parquet")
    expect(shop, capsys, ["train"], 2, "orders.parquet", "cannot be read", "hint")


def test_a_truncated_file(shop, capsys):
    log = shop.parent / "orders.parquet"
    log.write_bytes(log.read_bytes()[:-500])
    expect(shop, capsys, ["train"], 2, "orders.parquet", "cannot be read", "hint")


def test_an_absent_file(shop, capsys):
    (shop.parent / "orders.parquet").unlink()
    expect(shop, capsys, ["check"], 2, "'orders.parquet'", "no such file", "hint")


def test_an_empty_log(shop, capsys):
    log = shop.parent / "orders.parquet"
    pd.read_parquet(log).head(0).to_parquet(log)
    expect(shop, capsys, ["train"], 2, "orders.parquet", "0 rows", "6 columns", "hint")


def test_an_empty_csv(shop, capsys):
    (shop.parent / "orders.csv").write_text("")
    shop.write_text(CONFIG.replace("orders.parquet", "orders.csv"))
    expect(shop, capsys, ["train"], 2, "orders.csv")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("currency", "curency", ["unknown key 'project.curency'", "did you mean 'currency'?"]),
        ("[target]", "[tarket]", ["unknown key 'tarket'", "did you mean 'target'?"]),
        ("primary_horizon = 90", "primary_horizon = 91", ["primary_horizon 91 is not among horizons"]),
        ('"EUR"', '"EUR"\ntimezone = "Mars/Base"', ["project.timezone", "unknown timezone 'Mars/Base'"]),
        ("[project]", "[project", ["cannot be read as TOML"]),
        (
            'customer_id = "customer_id"',
            'client_id = "customer_id"',
            ["'client_id' is not a transaction column", "known: customer_id"],
        ),
        ("[target]", '[engine]\nkind = "sparc"\n[target]', ["engine.kind", "spark", "duckdb"]),
        ("[target]", '[engine]\noptions = { nonsense = "1" }\n[target]', ["nonsense"]),
        (
            "[target]",
            "[engine]\noptions = { threads = 999999999 }\n[target]",
            ["threads = 999999999 is more than 1,024", "as many as the machine has cores"],
        ),
    ],
)
def test_a_wrong_config(shop, capsys, old, new, said):
    shop.write_text(CONFIG.replace(old, new, 1))
    expect(shop, capsys, ["train"], 2, *said)


def test_no_config(tmp_path, capsys):
    expect(
        tmp_path / "repurchase.toml", capsys, ["check"], 2, "repurchase.toml", "no such config file", "init"
    )


@pytest.mark.parametrize("command", ["check", "train"])
def test_an_as_of_before_the_first_purchase(shop, capsys, command):
    said = ["orders.parquet", "before 2023-05-01", "2024-01-01"]
    expect(shop, capsys, [command, "--as-of", "2023-05-01"], 4, *said)


def test_scoring_before_the_first_purchase(own_shop, capsys):
    expect(own_shop, capsys, ["score", "--as-of", "2023-05-01"], 4, "no purchase before 2023-05-01")


def test_too_little_history_says_how_much_is_missing(shop, capsys):
    expect(shop, capsys, ["train", "--as-of", "2024-02-20"], 4, "50 days of history", "needs 6 more days")


def test_a_shop_of_one_customer(shop, capsys):
    log = shop.parent / "orders.parquet"
    rows = pd.read_parquet(log).dropna(subset="customer_id")
    rows.assign(customer_id="only").to_parquet(log)
    expect(shop, capsys, ["train", "--as-of", "2025-03-01"], 4, "no test cutoff knows more than 1")


def test_too_many_rows_set_aside(shop, capsys):
    log = shop.parent / "orders.parquet"
    rows = pd.read_parquet(log)
    rows.loc[rows.index[: len(rows) * 2 // 3], "customer_id"] = None
    rows.to_parquet(log)
    expect(
        shop, capsys, ["train"], 2, "orders.parquet", "max_quarantined = 0.5", "'no_customer'", "customer_id"
    )


def test_scoring_without_a_champion(shop, capsys):
    expect(
        shop, capsys, ["score", "--as-of", "2025-03-01"], 6, "no model has been trained", "repurchase train"
    )


def test_promoting_and_comparing_without_a_training(shop, capsys):
    expect(shop, capsys, ["promote"], 6, "no model has been trained")
    expect(shop, capsys, ["compare"], 6, "no model has been trained")


def test_a_target_the_champion_does_not_predict(own_shop, capsys):
    own_shop.write_text(own_shop.read_text().replace("[14, 45, 90]", "[7, 90]"))
    expect(own_shop, capsys, ["score", "--as-of", "2025-03-01"], 6, "[7, 90]", "train again")


def test_a_date_that_is_none(shop, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--config", str(shop), "score", "--as-of", "tomorrow"])
    assert stopped.value.code == 2
    assert "'tomorrow' is not a date" in capsys.readouterr().err


def test_a_bug_ends_with_one_line_and_a_traceback_in_a_file(shop, capsys, monkeypatch):
    import pipelines.check

    def broken(*_args, **_options):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(pipelines.check, "open_log", broken)
    assert main(["--config", str(shop), "--quiet", "check"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: planted" in err
    assert "Traceback" not in err
    trace = Path(re.search(r"traceback in (\S+)", err).group(1))
    assert "planted" in trace.read_text()
    trace.unlink()


@pytest.mark.heavy
def test_a_training_past_the_end_of_the_log_stops_where_it_ends(shop, capsys):
    assert main(["--config", str(shop), "train", "--as-of", "2026-01-01", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["trained_until"] == "2025-06-24"
    assert "training sees rows before 2025-06-24, where the log ends, not 2026-01-01" in printed.err


def test_a_few_broken_dates_do_not_stretch_the_log(shop, capsys):
    log = shop.parent / "orders.parquet"
    rows = pd.read_parquet(log)
    broken = (
        rows[rows["customer_id"].notna()]
        .head(2)
        .assign(ordered_at=[pd.Timestamp("1970-01-01"), pd.Timestamp("2099-01-01")])
    )
    pd.concat([rows, broken]).to_parquet(log)
    assert main(["--config", str(shop), "check", "--json"]) == 0
    printed = capsys.readouterr()
    said = json.loads(printed.out)
    assert (said["first_day"], said["until"], said["stray_rows"]) == ("2024-01-01", "2025-06-24", 2)
    assert "2 rows lie more than a year outside" in printed.err


def test_amounts_that_are_all_zero(shop, capsys):
    log = shop.parent / "orders.parquet"
    pd.read_parquet(log).assign(unit_price=0.0).to_parquet(log)
    for command in ("check", "train"):
        expect(shop, capsys, [command], 4, "orders.parquet", "no purchase with a positive amount")


def test_scoring_long_after_the_log_has_ended(own_shop, capsys):
    expect(
        own_shop,
        capsys,
        ["score", "--as-of", "2026-06-01"],
        4,
        "the log ends before 2025-06-24",
        "lapsed; hint: load the newest export, or score a date that the log reaches, such as 2025-06-24",
    )


def test_comparing_after_the_target_was_changed(own_shop, capsys):
    own_shop.write_text(own_shop.read_text().replace("[14, 45, 90]", "[7, 90]"))
    expect(own_shop, capsys, ["compare"], 6, "[target]", "train again")


def test_a_store_in_a_folder_that_is_none(shop, capsys):
    shop.write_text(CONFIG + '[mlflow]\ntracking_uri = "sqlite:///nowhere/mlflow.db"\n')
    expect(shop, capsys, ["train"], 7, "nowhere", "no folder that can be written")


def test_a_second_run_of_the_same_date(own_shop, capsys):
    with date_lock(own_shop.parent / "out", date(2025, 3, 1)):
        expect(own_shop, capsys, ["score", "--as-of", "2025-03-01"], 5, "another run is at work")


def test_an_unreadable_date_of_record_is_set_aside(shop, capsys):
    log = shop.parent / "orders.parquet"
    rows = pd.read_parquet(log)
    rows.assign(booked=["13/25/2024"] * 7 + ["2024-01-05"] * (len(rows) - 7)).to_parquet(log)
    shop.write_text(CONFIG.replace('quantity = "quantity"', 'quantity = "quantity"\nrecorded_at = "booked"'))
    assert main(["--config", str(shop), "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["rows_quarantined"]["no_recorded_date"] > 0
