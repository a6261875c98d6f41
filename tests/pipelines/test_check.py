import json

import pandas as pd

from features.leaks import LeakFinding
from pipelines import proof
from pipelines.cli import main
from tests.pipelines.conftest import AS_OF


def check(config, capsys, *options):
    code = main(["--config", str(config), "--quiet", "check", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


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


def test_the_leak_proof_on_request(shop, capsys):
    code, said = check(shop, capsys, "--leaks", "--as-of", AS_OF)
    assert code == 0
    assert [p["cutoff"] for p in said["leak_proof"]] == ["2024-07-31", AS_OF]
    assert said["leak_proof"][1]["rows"] > said["leak_proof"][0]["rows"] > 0


def test_a_leak_stops_the_command_as_a_bug(shop, capsys, monkeypatch):
    def leaky(*_args):
        return [LeakFinding("deleted", 10, ("spend_90d",), "u1")]

    monkeypatch.setattr(proof, "prove_no_leak", leaky)
    assert main(["--config", str(shop), "--quiet", "check", "--leaks"]) == 1
    assert "features see the future (deleted): spend_90d" in capsys.readouterr().err
