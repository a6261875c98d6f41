import json
import shutil

import numpy as np
import pandas as pd
import pytest

from features.leaks import LeakFinding
from pipelines import proof
from pipelines.cli import main
from tests.features.conftest import DATA
from tests.pipelines.conftest import AS_OF, CONFIG

CODES = {
    "history", "returns", "buyers", "rows", "double_load", "duplicates", "holes", "season", "growth",
    "newcomers", "churn_clock", "outliers", "amount_sizes",
}  # fmt: skip


def check(config, capsys, *options):
    code = main(["--config", str(config), "--quiet", "check", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def finding(said, code):
    (found,) = [f for f in said["findings"] if f["code"] == code]
    return found


def rewrite(shop, change):
    """Replace the shop's log by what `change` makes of it."""
    path = shop.parent / "orders.parquet"
    change(pd.read_parquet(path)).to_parquet(path)


def test_a_ready_log_says_with_what_it_would_learn(shop, capsys):
    log = pd.read_parquet(shop.parent / "orders.parquet")
    code, said = check(shop, capsys, "--as-of", AS_OF)
    assert code == 0
    assert said["ready"] is True
    assert "out-of-time folds to judge 90 days ahead" in said["verdict"]
    assert said["rows"]["rows_in"] == len(log)
    assert said["first_day"] == "2024-01-01"
    assert 0 < said["one_time_share"] < 1
    assert all(fold in said["cutoffs"] for fold in said["folds"])


def test_identical_rows_are_counted_and_kept(shop, capsys):
    before = check(shop, capsys)[1]["identical_rows"]
    path = shop.parent / "orders.parquet"
    log = pd.read_parquet(path)
    known = log[log["customer_id"].notna()]
    pd.concat([log, known.head(40)]).to_parquet(path)
    _, said = check(shop, capsys)
    assert said["identical_rows"] == before + 40
    assert said["rows"]["rows_used"] == len(known) + 40


def test_a_short_log_says_what_is_missing(shop, capsys):
    code, said = check(shop, capsys, "--as-of", "2024-02-20")
    assert code == 4
    assert said["ready"] is False
    assert "needs 6 more days" in said["verdict"]


def test_a_log_too_short_for_the_primary_horizon_judges_a_shorter_one(shop, capsys):
    code, said = check(shop, capsys, "--as-of", "2024-07-01")
    assert code == 0
    assert said["judged_horizon"] == 45
    assert "judging 90 days needs 26 more days" in said["verdict"]


@pytest.mark.heavy
def test_the_leak_proof_on_request(shop, capsys):
    code, said = check(shop, capsys, "--leaks", "--as-of", AS_OF)
    assert code == 0
    cutoffs = [p["cutoff"] for p in said["leak_proof"]]
    assert len(cutoffs) == 5
    assert cutoffs == sorted(set(cutoffs))
    assert cutoffs[-1] == AS_OF
    assert said["leak_proof"][1]["rows"] > said["leak_proof"][0]["rows"] > 0


def test_a_leak_stops_the_command_as_a_bug(shop, capsys, monkeypatch):
    def leaky(*_args):
        return [LeakFinding("deleted", 10, ("spend_90d",), "u1")]

    monkeypatch.setattr(proof, "prove_no_leak", leaky)
    assert main(["--config", str(shop), "--quiet", "check", "--leaks"]) == 1
    assert "features see the future (deleted): spend_90d" in capsys.readouterr().err


def test_findings_stand_worst_first_and_keep_their_keys(shop, capsys):
    _, said = check(shop, capsys)
    assert {f["code"] for f in said["findings"]} == CODES
    assert all(f.keys() == {"severity", "code", "text", "numbers"} for f in said["findings"])
    ranks = [["blocker", "warning", "note", "ok"].index(f["severity"]) for f in said["findings"]]
    assert ranks == sorted(ranks)
    assert said["state"] == ("ready with warnings" if 1 in ranks else "ready")
    assert said["churn_clock"] == finding(said, "churn_clock")["numbers"]
    assert said["churn_clock"]["fixed_window_days"] == 90
    assert said["churn_clock"]["all"]["days"] < said["churn_clock"]["all"]["return_days"]["90%"]
    assert sum(month["orders"] for month in said["months"]) == said["orders"]


def test_it_counts_the_buyers_that_a_training_would_see(shop, capsys):
    _, said = check(shop, capsys, "--as-of", AS_OF)
    log = pd.read_parquet(shop.parent / "orders.parquet").dropna(subset="customer_id")
    log = log[~log["order_id"].isin(log.loc[log["quantity"] < 0, "order_id"].str[1:]) & (log["quantity"] > 0)]
    newest = said["horizons"][-1]
    assert (newest["horizon"], newest["newest_cutoff"], newest["missing_days"]) == (90, "2024-12-01", 0)
    cutoff = pd.Timestamp(newest["newest_cutoff"])
    known = set(log.loc[log["ordered_at"] < cutoff, "customer_id"])
    ahead = log[log["ordered_at"].between(cutoff, pd.Timestamp(AS_OF), inclusive="left")]
    assert abs(newest["customers"] - len(known)) < 0.02 * len(known)  # refunds not known by then
    assert abs(newest["buyers"] - len(known & set(ahead["customer_id"]))) < 0.02 * len(known)


def test_a_doubled_month_is_a_warning_that_names_it_and_its_rows(shop, capsys):
    assert finding(check(shop, capsys)[1], "double_load")["severity"] == "ok"
    rewrite(shop, lambda log: pd.concat([log, log[log["ordered_at"].dt.strftime("%Y-%m") == "2024-05"]]))
    log = pd.read_parquet(shop.parent / "orders.parquet").dropna(subset="customer_id")
    n = int((log["ordered_at"].dt.strftime("%Y-%m") == "2024-05").sum())
    code, said = check(shop, capsys)
    found = finding(said, "double_load")
    assert (code, said["state"], found["severity"]) == (0, "ready with warnings", "warning")
    assert f"2024-05: {n:,} rows, nearly every one twice" in found["text"]
    assert f"Remove the {n // 2:,} copies" in found["text"]
    assert "look into first:" in said["verdict"]
    assert "double load" in said["verdict"]


def test_the_same_rows_under_two_files(shop, capsys):
    log = pd.read_parquet(shop.parent / "orders.parquet").sort_values("ordered_at")
    first, second = log.iloc[: len(log) * 2 // 3], log.iloc[len(log) // 2 :]
    first.to_csv(shop.parent / "export_1.csv", index=False)
    second.to_csv(shop.parent / "export_2.csv", index=False)
    shop.write_text(CONFIG.replace("orders.parquet", "export_*.csv"))
    found = finding(check(shop, capsys)[1], "same_rows_in_two_files")
    assert found["severity"] == "warning"
    both = log.iloc[len(log) // 2 : len(log) * 2 // 3].dropna(subset="customer_id").drop_duplicates()
    (pair,) = found["numbers"]["pairs"]
    assert (pair["one"], pair["other"], pair["rows"]) == ("export_1.csv", "export_2.csv", len(both))


def test_where_nobody_returns_everyone_gets_the_same_chance(shop, capsys):
    rewrite(
        shop, lambda log: log[log["quantity"] > 0].dropna(subset="customer_id").drop_duplicates("customer_id")
    )
    code, said = check(shop, capsys, "--as-of", AS_OF)
    assert (code, said["ready"]) == (0, True)
    assert said["one_time_share"] == 1
    assert "look into first: returns" in said["verdict"]
    assert "the same small chance for everyone; if guests" in finding(said, "returns")["text"]


def test_a_log_of_two_weeks_says_how_many_days_each_horizon_needs(shop, capsys):
    shop.write_text(CONFIG.replace("[14, 45, 90]", "[7, 90]"))
    rewrite(shop, lambda log: log[log["ordered_at"].between("2024-09-02", "2024-09-16", inclusive="left")])
    code, said = check(shop, capsys)
    assert (code, said["days"]) == (4, 14)
    assert "needs 28 more days" in said["verdict"]
    assert {h["horizon"]: h["missing_days"] for h in said["horizons"]} == {7: 28, 90: 194}
    assert finding(said, "churn_clock")["numbers"]["all"] is None


def test_weeks_without_a_row_are_a_hole(shop, capsys):
    assert finding(check(shop, capsys)[1], "holes")["severity"] == "ok"
    rewrite(shop, lambda log: log[~log["ordered_at"].between("2024-08-05", "2024-08-19", inclusive="left")])
    found = finding(check(shop, capsys)[1], "holes")
    (hole,) = found["numbers"]["holes"]
    assert (found["severity"], hole["first"], hole["last"]) == ("warning", "2024-08-05", "2024-08-18")


def test_late_rows_are_measured_where_the_log_says_when_they_came(shop, capsys):
    late = np.random.default_rng(1).random(10**6)
    rewrite(
        shop,
        lambda log: log.assign(
            booked=log["ordered_at"] + pd.to_timedelta(np.where(late[: len(log)] < 0.1, 20, 0), unit="D")
        ),
    )
    shop.write_text(CONFIG.replace('quantity = "quantity"', 'quantity = "quantity"\nrecorded_at = "booked"'))
    found = finding(check(shop, capsys, "--as-of", AS_OF)[1], "recording_delay")
    assert found["severity"] == "warning"
    assert found["numbers"]["late_share"] == pytest.approx(0.1, abs=0.02)
    assert found["numbers"]["p99_days"] == found["numbers"]["median_days_of_late"] == 20


def test_a_date_past_the_end_of_the_log_is_told(shop, capsys):
    code, said = check(shop, capsys, "--as-of", "2026-01-01")
    assert (code, said["until"]) == (0, "2025-06-24")
    assert finding(said, "log_end")["severity"] == "warning"


def test_an_order_that_carries_the_revenue_is_told_by_day_and_amount(shop, capsys):
    def slip(log):
        place = log.index[log["customer_id"].notna() & (log["quantity"] > 0)][100]
        log.loc[place, "unit_price"] = 1e6
        return log

    rewrite(shop, slip)
    log = pd.read_parquet(shop.parent / "orders.parquet")
    found = finding(check(shop, capsys)[1], "outliers")
    assert found["severity"] == "warning"
    slipped = log.loc[log["unit_price"].idxmax()]
    assert f"({slipped['ordered_at'].date()}" in found["text"]
    assert " is 1,0" in found["text"]
    assert slipped["order_id"] not in json.dumps(found)
    assert " EUR" in found["text"]


def test_a_log_without_amounts_has_no_outliers(shop, capsys):
    shop.write_text(CONFIG.replace('unit_price = "unit_price"\n', ""))
    code, said = check(shop, capsys)
    assert code == 0
    assert {f["code"] for f in said["findings"]} == CODES - {"outliers", "amount_sizes"}


def test_what_people_read_fits_a_terminal_and_ends_with_the_verdict(shop, capsys):
    assert main(["--config", str(shop), "--quiet", "check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith(("ready: ", "ready with warnings: "))
    assert max(map(len, lines[2:-1])) <= 110
    assert any(line.startswith("ok       history: ") for line in lines)
    assert any(line.startswith("day 8 to 14") for line in lines)


def look_at(path, folder, capsys):
    """Init and check a real log."""
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}; REPURCHASE_DATA names the folder above it")
    shutil.copy(path, folder / path.name)
    config = folder / "repurchase.toml"
    assert main(["--config", str(config), "init", str(folder / path.name)]) == 0
    capsys.readouterr()
    return check(config, capsys)


def test_online_retail(tmp_path, capsys):
    code, said = look_at(DATA / "online_retail" / "online_retail.parquet", tmp_path, capsys)
    assert (code, said["state"]) == (0, "ready with warnings")
    assert {f["code"] for f in said["findings"] if f["severity"] == "warning"} == {"rows", "holes"}
    assert finding(said, "holes")["numbers"]["closing_days"] == ["Saturdays"]
    holes = finding(said, "holes")["numbers"]["holes"]
    assert (holes[0]["first"], holes[0]["last"]) == ("2010-12-24", "2011-01-03")
    assert 90 <= said["churn_clock"]["all"]["days"] <= 120
    assert finding(said, "churn_clock")["severity"] == "ok"


def test_complete_journey(tmp_path, capsys):
    code, said = look_at(DATA / "complete_journey" / "transactions.parquet", tmp_path, capsys)
    assert (code, said["state"]) == (0, "ready with warnings")
    assert [f["code"] for f in said["findings"] if f["severity"] == "warning"] == ["buyers"]
    assert 14 <= said["churn_clock"]["all"]["days"] <= 21
    assert "long for this shop" in finding(said, "churn_clock")["text"]
    assert finding(said, "newcomers")["severity"] == "note"
