"""Promoted, scored, rolled back, forced, refreshed: the ledger knows, and the scores come back to the bit."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from pipelines import champion
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.promotions import ledger_path, read_promotions
from pipelines.registry import Registry
from pipelines.version import CHALLENGER, CHAMPION
from tests.pipelines.conftest import AS_OF, copy_shop

LATER = "2025-06-01"


def run(config, *command):
    return main(["--config", str(config), "--quiet", "--json", *command])


def said(capsys):
    return json.loads(capsys.readouterr().out)


def scores_of(config):
    return (config.parent / "out" / "latest" / "scores.parquet").read_bytes()


def manifest_of(config):
    return json.loads((config.parent / "out" / "latest" / "manifest.json").read_text("utf-8"))


def register_again(config, **tags):
    """Register the champion's scorer once more: a challenger that is as good, without a training."""
    registry = Registry(load_config(config))
    own = registry.champion()
    about = {name: own.tags[name] for name in ("leak_proof", "customers", "evidence")} | tags
    return registry.register(registry.load(own), registry.reopen(own.run_id), "again", about)


def test_the_first_promotion_is_on_record(own_shop, capsys):
    assert run(own_shop, "history") == 0
    found = said(capsys)
    [entry] = found["promotions"]
    version = Registry(load_config(own_shop)).champion()
    assert (entry["action"], entry["before"], entry["version"]) == ("promote", None, version.number)
    assert entry["digest"] == version.tags["digest"] == manifest_of(own_shop)["model"]["digest"]
    assert entry["verdict"] == "first"
    assert "beats the best dumb rule" in entry["reason"]
    assert "its files are those that were registered" in found["state"]


def test_the_verdict_stands_in_mlflow_with_every_number_and_limit(own_shop):
    registry = Registry(load_config(own_shop))
    run_of = registry.reopen(registry.champion().run_id)
    gate = json.loads(run_of.read("gate.json"))
    assert {check["name"] for check in gate["checks"]} > {"leak proof of the training", "calibration error"}
    assert all(check["passed"] for check in gate["checks"])
    page, text = run_of.read("gate.html").decode(), run_of.read("gate.md").decode()
    for check in gate["checks"]:
        assert check["value"] in text
        assert check["value"] in page
    assert "<script" not in page


def test_forced_scored_and_rolled_back_gives_the_first_scores_back(own_shop, capsys):
    first = scores_of(own_shop)
    made = register_again(own_shop)
    assert run(own_shop, "promote") == 3
    assert said(capsys)["verdict"] == "kept"
    assert run(own_shop, "promote", "--force") == 2
    assert "--reason" in capsys.readouterr().err
    assert run(own_shop, "promote", "--force", "--reason", "a drill") == 0
    found = said(capsys)
    assert (found["forced"], found["promoted"], found["verdict"]) == (True, True, "kept")
    assert run(own_shop, "score", "--as-of", AS_OF) == 0
    capsys.readouterr()
    assert manifest_of(own_shop)["model"]["version"] == made.number
    assert scores_of(own_shop) != first  # the version stands in every row
    assert run(own_shop, "rollback", "--reason", "the drill is over") == 0
    assert said(capsys)["version"] == "1"
    assert run(own_shop, "score", "--as-of", AS_OF) == 0
    assert scores_of(own_shop) == first
    entries = read_promotions(load_config(own_shop))
    assert [(e.action, e.before, e.version) for e in entries] == [
        ("promote", None, "1"), ("force", "1", made.number), ("rollback", made.number, "1"),
    ]  # fmt: skip
    assert entries[1].reason.startswith("forced: a drill; the gate said: ")
    capsys.readouterr()
    assert run(own_shop, "rollback") == 6  # there is none before the first
    assert "first champion" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_broken_off_between_alias_and_ledger_a_retry_goes_on_from_there(
    own_shop, capsys, monkeypatch, command
):
    """The disk is full just after the alias has moved."""
    made = register_again(own_shop)
    force = ("promote", "--force", "--reason", "một đợt thử")
    if command == "rollback":
        assert run(own_shop, *force) == 0

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(champion, "write_promotion", full)
        assert run(own_shop, *(force if command == "promote" else ("rollback",))) == 7
    registry = Registry(load_config(own_shop))
    there = registry.by_alias(CHAMPION).number
    assert there == (made.number if command == "promote" else "1")
    assert run(own_shop, "score", "--as-of", AS_OF) == 0
    assert "the alias was moved by other means" in capsys.readouterr().out
    if command == "promote":
        assert run(own_shop, "rollback") == 0
        assert registry.by_alias(CHAMPION).number == "1"
    else:  # it has gone back already, and there is none before the first
        assert run(own_shop, "rollback") == 6
        assert registry.by_alias(CHAMPION).number == "1"
    assert read_promotions(load_config(own_shop))[-1].version == "1"
    assert run(own_shop, "doctor") == 0


def test_a_rolled_back_challenger_does_not_come_back_by_itself(own_shop, capsys):
    register_again(own_shop)
    assert run(own_shop, "promote", "--force", "--reason", "a drill") == 0
    assert run(own_shop, "rollback") == 0
    capsys.readouterr()
    assert run(own_shop, "promote") == 6
    assert "no challenger" in capsys.readouterr().err


def register_newer(config):
    """Register the first champion's scorer as one that has seen a day more."""
    registry = Registry(load_config(config))
    own = registry.version("1")
    newer = replace(registry.load(own), trained_until="2025-03-02")
    about = {name: own.tags[name] for name in ("leak_proof", "customers", "evidence")}
    return registry.register(newer, registry.reopen(own.run_id), "newer", about)


def test_what_was_rolled_back_does_not_come_back_under_another_number(own_shop, capsys):
    """The same rows trained again, as a scheduler does, give the same model."""
    promoted = register_newer(own_shop)
    assert run(own_shop, "promote") == 0
    assert run(own_shop, "rollback", "--reason", "it calls everybody lost") == 0
    again = register_newer(own_shop)
    assert again.tags["digest"] != promoted.tags["digest"]
    capsys.readouterr()
    assert run(own_shop, "promote") == 3
    found = said(capsys)
    assert found["reason"].startswith(f"it learned the same as version {promoted.number}, which was rolled")
    assert "it calls everybody lost" in found["reason"]
    ledger, registry = ledger_path(load_config(own_shop)), Registry(load_config(own_shop))
    ledger.rename(ledger.with_suffix(".lost"))
    assert run(own_shop, "promote") == 3  # the version's tag remembers as well
    assert "it calls everybody lost" in said(capsys)["reason"]
    ledger.with_suffix(".lost").rename(ledger)
    assert run(own_shop, "promote", "--force", "--reason", "I was wrong") == 0
    assert registry.by_alias(CHAMPION).number == again.number
    assert not [v for v in registry.versions() if "rolled_back" in v.tags]
    assert run(own_shop, "rollback") == 0
    register_newer(own_shop)
    assert run(own_shop, "promote") == 3


def test_without_an_alias_rollback_gives_it_back(own_shop, capsys):
    registry = Registry(load_config(own_shop))
    registry.drop_alias(CHAMPION)
    assert run(own_shop, "history") == 6
    assert "`repurchase rollback --to 1`" in said(capsys)["wrong"][0]
    assert run(own_shop, "rollback", "--to", "1") == 0
    assert registry.by_alias(CHAMPION).number == "1"
    assert run(own_shop, "doctor") == 0


def test_a_reason_without_force_stands_in_the_ledger(run_shop, tmp_path, capsys):
    config = copy_shop(run_shop, tmp_path / "copy")
    registry = Registry(load_config(config))
    registry.client.delete_registered_model_alias(registry.name, CHAMPION)
    ledger_path(load_config(config)).unlink()
    assert run(config, "promote", "--reason", "the board said so") == 0
    [entry] = read_promotions(load_config(config))
    assert entry.action == "promote"
    assert entry.reason.startswith("the board said so; the gate said: ")


def test_promote_tells_of_a_pin_that_refuses_what_it_made(own_shop, capsys):
    made = register_again(own_shop)
    digest = Registry(load_config(own_shop)).champion().tags["digest"]
    own_shop.write_text(f'{own_shop.read_text("utf-8")}[mlflow]\nchampion_digest = "{digest}"\n', "utf-8")
    command = ["--config", str(own_shop), "--quiet", "promote", "--force", "--reason", "a drill"]
    assert main(command) == 0
    assert f'champion_digest = "{made.tags["digest"]}"' in capsys.readouterr().out
    assert run(own_shop, "score", "--as-of", AS_OF) == 6
    capsys.readouterr()
    assert run(own_shop, "history") == 6
    assert "pins" in said(capsys)["wrong"][0]


def test_a_broken_ledger_stops_the_gate_whatever_it_would_say(own_shop, capsys):
    register_again(own_shop)
    path = ledger_path(load_config(own_shop))
    path.write_bytes(path.read_bytes().replace(b"promote", b"Promote"))
    register_again(own_shop)
    path.write_bytes(path.read_bytes() + b'{"previous": "nothing"}\n')
    assert run(own_shop, "promote") == 6
    assert "is not what was written" in capsys.readouterr().err


def test_with_the_ledger_lost_history_says_so_and_rollback_takes_what_passed(own_shop, capsys):
    made = register_again(own_shop)
    assert run(own_shop, "promote", "--force", "--reason", "a drill") == 0
    ledger_path(load_config(own_shop)).unlink()
    capsys.readouterr()
    assert run(own_shop, "history") == 6
    assert "knows of no promotion: it is gone" in said(capsys)["wrong"][0]
    assert run(own_shop, "rollback") == 6
    words = capsys.readouterr().err
    assert f"does not know which champion was before version {made.number}" in words
    assert "`--to` takes 1" in words
    assert run(own_shop, "rollback", "--to", "1") == 0
    assert Registry(load_config(own_shop)).by_alias(CHAMPION).number == "1"


def test_rollback_says_whose_scores_are_still_shown(own_shop, capsys):
    register_again(own_shop)
    assert run(own_shop, "promote", "--force", "--reason", "a drill") == 0
    assert run(own_shop, "score", "--as-of", AS_OF) == 0
    capsys.readouterr()
    assert main(["--config", str(own_shop), "--quiet", "rollback"]) == 0
    assert (
        f"latest still shows scores of version 2; `repurchase score --as-of {AS_OF}`"
        in capsys.readouterr().out
    )


def test_nonsense_is_no_version(own_shop, capsys):
    for command in (["rollback", "--to", "last"], ["compare", "--versions", "1", "v2"]):
        assert run(own_shop, *command) == 2
        assert "is no number of a version" in capsys.readouterr().err
    assert run(own_shop, "rollback", "--to", "1") == 6
    assert "is champion already" in capsys.readouterr().err


def test_history_ends_with_the_line_that_pins(own_shop, capsys):
    assert main(["--config", str(own_shop), "--quiet", "history"]) == 0
    *_, line = capsys.readouterr().out.strip().splitlines()
    digest = Registry(load_config(own_shop)).champion().tags["digest"]
    assert line == f'to pin it: champion_digest = "{digest}"'


def test_a_found_champion_with_another_digest_is_not_let_in(own_shop, capsys):
    """Who can write the database and the files moves the alias back to a version they have changed."""
    registry = Registry(load_config(own_shop))
    register_again(own_shop)
    assert run(own_shop, "promote", "--force", "--reason", "a drill") == 0
    first = registry.version("1")
    registry.set_tag(first, "digest", f"sha256:{'0' * 64}")
    registry.crown(first)
    capsys.readouterr()
    for command in (["score", "--as-of", AS_OF], ["doctor", "--repair"], ["rollback"]):
        assert run(own_shop, *command) == 6, command
    assert read_promotions(load_config(own_shop))[-1].action == "force"


def test_evidence_that_was_touched_is_not_gone_by(own_shop, capsys):
    register_again(own_shop)
    [folds] = (own_shop.parent / "mlartifacts").rglob("folds.parquet")
    rows = pd.read_parquet(folds)
    rows.assign(p_blend=rows["bought"].clip(0.01, 0.99)).to_parquet(folds)
    assert run(own_shop, "promote") == 6
    assert "are not those that its training wrote down" in capsys.readouterr().err


def test_loaded_mlflows_way_the_champion_still_scores(own_shop):
    """MLflow and Python leave files of their own in the model's folder."""
    registry = Registry(load_config(own_shop))
    [folder] = [p.parent for p in (own_shop.parent / "mlartifacts").rglob("MLmodel")]
    mlflow.pyfunc.load_model(registry.champion().source)
    assert (folder / "registered_model_meta").exists()
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "pyfunc_model.cpython-311.pyc").write_bytes(b"x")
    assert run(own_shop, "score", "--as-of", AS_OF) == 0


def test_a_scored_runs_model_is_found_by_its_manifest(own_shop):
    model = manifest_of(own_shop)["model"]
    registry = Registry(load_config(own_shop))
    version = registry.version(model["version"])
    assert version.tags["digest"] == model["digest"]
    assert version.tags["verdict"] == "first"
    assert registry.reopen(version.run_id).read("gate.md")


def test_a_tag_that_was_changed_in_mlflow_is_not_believed(own_shop, capsys):
    """Who can write the store's database as well still cannot rewrite the ledger."""
    registry = Registry(load_config(own_shop))
    made = register_again(own_shop)
    registry.set_tag(registry.champion(), "digest", made.tags["digest"])
    assert run(own_shop, "score", "--as-of", AS_OF) == 6
    assert "was promoted with" in capsys.readouterr().err


def test_no_rollback_to_a_version_that_was_harmed_or_never_champion(own_shop, capsys):
    made = register_again(own_shop)
    assert run(own_shop, "rollback", "--to", made.number) == 6
    assert "no earlier champion" in capsys.readouterr().err
    assert run(own_shop, "promote", "--force", "--reason", "a drill") == 0
    capsys.readouterr()
    registry = Registry(load_config(own_shop))
    [folder] = [
        path.parent
        for path in (own_shop.parent / "mlartifacts").rglob("scorer.json")
        if registry.version("1").model_id in str(path)
    ]
    (folder / "scorer.json").write_text("{}")
    assert run(own_shop, "rollback") == 6
    assert "'artifacts/scorer/scorer.json' changed" in capsys.readouterr().err
    assert registry.by_alias(CHAMPION).number == made.number


def test_a_champion_set_by_hand_is_written_down_as_found(own_shop, capsys):
    registry = Registry(load_config(own_shop))
    made = register_again(own_shop)
    registry.crown(made)
    assert run(own_shop, "doctor") == 6
    assert "ledger does not say so" in said(capsys)["problems"][0]["text"]
    assert run(own_shop, "doctor", "--repair") == 0
    assert said(capsys)["healthy"]
    assert read_promotions(load_config(own_shop))[-1].action == "found"
    assert run(own_shop, "rollback") == 0
    assert registry.by_alias(CHAMPION).number == "1"


@pytest.mark.parametrize(("policy", "code"), [("warn", 0), ("refuse", 6)])
def test_an_old_champion_is_warned_of_or_refused(own_shop, capsys, policy, code):
    text = own_shop.read_text("utf-8")
    own_shop.write_text(f'{text}[limits]\nmax_champion_age = 30\nold_champion = "{policy}"\n', "utf-8")
    assert run(own_shop, "score", "--as-of", "2025-04-15") == code
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert "trained until 2025-03-01, 45 days before 2025-04-15" in text
    assert "repurchase refresh" in text
    assert manifest_of(own_shop)["as_of"] == ("2025-04-15" if code == 0 else AS_OF)


def test_limits_of_the_config_keep_a_challenger_out(own_shop, capsys):
    text = own_shop.read_text("utf-8")
    for limit, name in (
        ("max_ece = 0.000001", "calibration error"), ("min_rows = 100000", "test rows"),
        ("max_bias = 0.0001", "buyers promised"),
    ):  # fmt: skip
        register_again(own_shop)
        own_shop.write_text(f"{text}[gate]\n{limit}\n", "utf-8")
        assert run(own_shop, "promote") == 3
        found = said(capsys)
        failed = [check["name"] for check in found["checks"] if not check["passed"]]
        assert any(one.startswith(name) for one in failed)


def test_a_tenth_of_the_base_or_no_proof_is_kept_out_in_words(own_shop, capsys):
    register_again(own_shop, customers="100")
    assert run(own_shop, "promote") == 3
    assert said(capsys)["reason"].startswith("customers in its log, beside the champion's: 100 of ")
    register_again(own_shop, leak_proof="none")
    assert run(own_shop, "promote") == 3
    assert said(capsys)["reason"].startswith("leak proof of the training: not on record")


@pytest.mark.heavy
def test_refresh_a_month_later_and_what_changed(own_shop, capsys):
    code = run(own_shop, "refresh", "--as-of", LATER)
    found = said(capsys)
    assert code in (0, 3)
    assert found["promote"]["promoted"] == (code == 0)
    assert found["promote"]["verdict"] in {"better", "refresh", "kept"}
    assert found["train"]["trained_until"] == LATER
    registry = Registry(load_config(own_shop))
    assert registry.by_alias(CHALLENGER).number == "2"
    assert run(own_shop, "compare", "--versions", "1", "2") == 0
    compared = said(capsys)
    [pair] = compared["changes"]
    changed = {(c["what"], c["name"]) for c in pair["changes"]}
    assert {("model", "trained until"), ("data", "fingerprint of transactions")} <= changed
    assert not [c for c in pair["changes"] if c["what"] == "features"]


@pytest.mark.heavy
def test_segments_of_the_holdout(own_shop, capsys):
    assert run(own_shop, "compare") == 0
    found = said(capsys)
    board = pd.DataFrame(found["segments"])
    assert {"new", "one-time", "loyal", "silent"} >= set(board["segment"])
    log = pd.read_parquet(own_shop.parent / "orders.parquet")
    known = log[(log["ordered_at"] < AS_OF) & log["customer_id"].notna()]
    assert 0 < board.drop_duplicates("segment")["customers"].sum() <= known["customer_id"].nunique()


def test_the_ledger_is_beside_the_output_and_not_in_the_store(own_shop, tmp_path: Path):
    path = ledger_path(load_config(own_shop))
    assert path.parent == own_shop.parent / "out"
    shutil.rmtree(own_shop.parent / "mlartifacts")
    assert path.exists()
