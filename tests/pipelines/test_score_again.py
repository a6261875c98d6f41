"""Scoring a date again, and rebuilding what was said of one."""

import json
import threading
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import engine, score
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.failures import Locked
from pipelines.pseudonyms import KEY_FILE
from pipelines.publish import date_lock
from pipelines.published_runs import current_run, faults
from pipelines.registry import Registry
from pipelines.scoring_record import record_scoring
from tests.pipelines.conftest import AS_OF, everything

DAY = date.fromisoformat(AS_OF)


def run(config: Path, capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> dict:
    assert main(["--config", str(config), "--quiet", "--json", *command]) == code
    return json.loads(capsys.readouterr().out) if code == 0 else {}


def change_the_past(config: Path, change) -> None:
    log = config.parent / "orders.parquet"
    change(pd.read_parquet(log)).to_parquet(log)


def test_the_same_again_is_nothing_to_do(own_shop, capsys):
    before = everything(own_shop.parent / "out")
    answer = run(own_shop, capsys, "score", "--as-of", AS_OF)
    assert answer["already_published"]
    assert answer["run_id"] == current_run(own_shop.parent / "out", DAY).run_id
    assert everything(own_shop.parent / "out") == before


def test_rows_that_came_later_change_nothing_of_a_day(own_shop, capsys):
    change_the_past(own_shop, lambda rows: pd.concat([rows, rows.tail(50)]).sample(frac=1, random_state=7))
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]


def test_rows_that_change_the_past_make_another_run_that_says_what_changed(own_shop, capsys):
    before = current_run(own_shop.parent / "out", DAY)
    listed = before.scores()["customer_id"]
    gone = set(listed.head(5))
    change_the_past(own_shop, lambda rows: rows[~rows["customer_id"].isin(gone)])
    answer = run(own_shop, capsys, "score", "--as-of", AS_OF)
    assert not answer["already_published"]
    changed = answer["supersedes"]
    assert changed["run_id"] == before.run_id
    assert changed["because"] == ["inputs.transactions"]
    assert (changed["customers_new"], changed["customers_gone"]) == (0, 5)
    assert changed["probabilities_moved"] == 0  # a customer's score depends on no one else's rows
    assert answer["customers"] == len(listed) - 5
    assert faults(before) == []


def test_other_settings_make_another_run_but_not_where_it_goes_or_how_long_it_stays(own_shop, capsys):
    text = own_shop.read_text()
    own_shop.write_text(text + "[limits]\nkeep_runs = 7\n")
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]
    own_shop.write_text(text.replace('"EUR"', '"VND"'))
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["supersedes"]["because"] == ["config"]


@pytest.mark.parametrize("harmed", ["risk_list.csv", "scores.parquet", "manifest.json"])
def test_a_damaged_run_is_made_again(own_shop, capsys, harmed):
    damaged = current_run(own_shop.parent / "out", DAY)
    (damaged.folder / harmed).write_text("x")
    answer = run(own_shop, capsys, "score", "--as-of", AS_OF)
    assert answer["run_id"] != damaged.run_id
    assert answer["content"] == damaged.manifest["content"]
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]


def test_one_waits_for_another_run_of_the_same_date_if_asked(own_shop, capsys):
    held, answers = date_lock(own_shop.parent / "out", DAY), []
    with held:
        waiting = threading.Thread(
            target=lambda: answers.append(
                main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF, "--wait"])
            )
        )
        waiting.start()
        waiting.join(2)
        assert waiting.is_alive()
    waiting.join()
    assert answers == [0]
    assert "nothing to do" in capsys.readouterr().out


def test_a_run_is_rebuilt_though_another_model_is_champion_and_the_log_goes_on(own_shop, capsys):
    out = own_shop.parent / "out"
    first = current_run(out, DAY)
    for command in (["train", "--as-of", "2025-02-01"], ["promote", "--force", "--reason", "a test"]):
        run(own_shop, capsys, *command)
    later = run(own_shop, capsys, "score", "--as-of", AS_OF)
    assert later["supersedes"]["because"] == ["model"]
    text = own_shop.read_text()
    own_shop.write_text(text.replace('"EUR"', '"USD"'))  # settings of now do not count
    change_the_past(own_shop, lambda rows: pd.concat([rows, rows.tail(9)]))
    before = everything(out)
    for name, content in ((first.run_id, first.manifest["content"]), (AS_OF, later["content"])):
        answer = run(own_shop, capsys, "replay", name)
        assert answer["reproduced"]
        assert answer["content"] == content
    assert everything(out) == before


def test_a_run_is_rebuilt_in_pieces_of_another_size(own_shop, capsys, monkeypatch):
    monkeypatch.setattr(engine, "PIECE", 101)
    assert run(own_shop, capsys, "replay", "latest")["reproduced"]


def test_what_cannot_be_rebuilt_says_why(own_shop, capsys):
    def refused(code: int, *said: str) -> None:
        assert main(["--config", str(own_shop), "--quiet", "replay", "latest"]) == code
        printed = capsys.readouterr().err
        assert all(text in printed for text in said), printed

    latest = current_run(own_shop.parent / "out", DAY)
    manifest = latest.folder / "manifest.json"
    whole = manifest.read_text()
    manifest.write_text(whole.replace(latest.manifest["content"], "sha256:" + "0" * 64))
    refused(1, "came out otherwise from the same model and rows")
    manifest.write_text(whole.replace(latest.manifest["model"]["digest"], "sha256:" + "0" * 64))
    refused(6, "was scored with version 1 of digest sha256:000000")
    manifest.write_text(whole)
    scores = latest.folder / "scores.parquet"
    kept = scores.read_bytes()
    scores.write_bytes(kept + b"x")
    refused(6, "is not as it was published: scores.parquet was changed")
    scores.write_bytes(kept)
    change_the_past(own_shop, lambda rows: rows.assign(unit_price=rows["unit_price"] + np.float64(0.01)))
    refused(2, "transactions: the rows known before 2025-03-01 are not those", "hint")


def test_a_run_under_pseudonyms_says_the_same_of_everyone(own_shop, capsys):
    out = own_shop.parent / "out"
    plain = current_run(out, DAY).scores()
    text = own_shop.read_text()
    own_shop.write_text(text + '[privacy]\nlists = "pseudonyms"\n')
    answer = run(own_shop, capsys, "score", "--as-of", AS_OF)
    again = current_run(out, DAY)
    named = again.scores()
    assert again.manifest["privacy"]["lists"] == "pseudonyms"
    assert named["customer_id"].is_monotonic_increasing
    assert named["customer_id"].str.fullmatch(r"c_[0-9a-f]{24,}").all()
    rest = [name for name in plain if name != "customer_id"]
    pd.testing.assert_frame_equal(
        named.sort_values(rest[2:], ignore_index=True)[rest],
        plain.sort_values(rest[2:], ignore_index=True)[rest],
    )
    listed = pd.read_csv(again.folder / "risk_list.csv")
    reasons = pd.read_parquet(again.folder / "reasons.parquet")
    assert set(listed["customer_id"]) | set(reasons["customer_id"]) <= set(named["customer_id"])
    first = run(own_shop, capsys, "identify", listed["customer_id"][0])["customer_id"]
    assert (
        plain.set_index("customer_id").loc[first, "value_at_risk"]
        == plain["value_at_risk"][
            plain["status"].eq("scored") & plain["risk_tier"].isin(["high", "medium"])
        ].max()
    )
    assert answer["supersedes"]["because"] == ["config", "pseudonyms"]
    assert answer["supersedes"]["names_changed"]
    [said] = [w["text"] for w in answer["warnings"] if w["code"] == "named_runs"]
    assert "but 1 earlier run lists customers by their ids, in out/runs, such as " in said
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]
    assert run(own_shop, capsys, "replay", AS_OF)["reproduced"]


def test_a_lost_key_is_missed_and_another_one_makes_another_run(own_shop, capsys):
    own_shop.write_text(own_shop.read_text() + '[privacy]\nlists = "pseudonyms"\n')
    first = run(own_shop, capsys, "score", "--as-of", AS_OF)
    key = own_shop.parent / KEY_FILE
    key.rename(key.with_name("lost"))
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 2
    said = capsys.readouterr().err
    assert f"the key is gone, and run {first['run_id']} lists pseudonyms made with it" in said
    assert "hint: bring it back" in said
    assert not key.exists()
    key.touch(0o600)
    key.write_text("k" * 40)
    assert main(["--config", str(own_shop), "--quiet", "replay", AS_OF]) == 6
    assert "cannot be rebuilt: it lists pseudonyms made with another key" in capsys.readouterr().err
    second = run(own_shop, capsys, "score", "--as-of", AS_OF)
    assert second["supersedes"]["because"] == ["pseudonyms"]
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]


def test_a_run_is_rebuilt_from_a_log_and_a_key_that_were_moved(own_shop, capsys):
    text = own_shop.read_text() + '[privacy]\nlists = "pseudonyms"\n'
    own_shop.write_text(text)
    run(own_shop, capsys, "score", "--as-of", AS_OF)
    folder = own_shop.parent
    (folder / "elsewhere").mkdir()
    for name in ("orders.parquet", KEY_FILE):
        (folder / name).rename(folder / "elsewhere" / name)
    moved = text.replace('"orders.parquet"', '"elsewhere/orders.parquet"')
    own_shop.write_text(f'{moved}key_file = "elsewhere/{KEY_FILE}"\n')
    assert run(own_shop, capsys, "replay", AS_OF)["reproduced"]


def test_the_champion_is_resolved_when_its_date_is_ours(own_shop, capsys, monkeypatch):
    trusted, asked = score.trusted_champion, []

    def under_the_lock(config, registry):
        with pytest.raises(Locked), date_lock(config.output, DAY):
            pass
        asked.append(registry)
        return trusted(config, registry)

    monkeypatch.setattr(score, "trusted_champion", under_the_lock)
    assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]
    assert len(asked) == 1


def tracked(config: Path, run_id: str) -> int:
    registry = Registry(load_config(config))
    return len(registry.client.search_runs([registry.experiment], f"tags.published_run = '{run_id}'"))


def test_a_run_that_was_published_and_not_tracked_is_tracked_by_the_next_job(own_shop, capsys, monkeypatch):
    published = current_run(own_shop.parent / "out", DAY)
    registry = Registry(load_config(own_shop))
    [before] = registry.client.search_runs(
        [registry.experiment], f"tags.published_run = '{published.run_id}'"
    )
    registry.client.delete_run(before.info.run_id)  # as if the job had been killed before
    assert tracked(own_shop, published.run_id) == 0
    for _ in range(2):
        assert run(own_shop, capsys, "score", "--as-of", AS_OF)["already_published"]
        assert tracked(own_shop, published.run_id) == 1


def test_what_mlflow_does_not_take_is_a_warning(own_shop, monkeypatch):
    from mlflow.exceptions import MlflowException

    said = []
    console = type("Quiet", (), {"warn": lambda _, text: said.append(text)})()

    def fails(*_, **__):
        raise MlflowException("Param value is too long", error_code=1000)  # INVALID_PARAMETER_VALUE

    monkeypatch.setattr(Registry, "run", fails)
    monkeypatch.setattr("pipelines.scoring_record._is_tracked", lambda *_: False)
    published = current_run(own_shop.parent / "out", DAY)
    record_scoring(Registry(load_config(own_shop)), published, console)
    assert said == ["published, but not tracked in MLflow: Param value is too long"]


def test_a_run_is_delivered_though_nothing_can_be_cleaned_up(own_shop, capsys, monkeypatch):
    def fails(*_):
        raise OSError("the disk is read-only")

    monkeypatch.setattr(score, "clean_up", fails)
    own_shop.write_text(own_shop.read_text() + '[sinks]\nduckdb = "shop.duckdb"\n')
    assert main(["--config", str(own_shop), "--quiet", "--json", "score", "--as-of", AS_OF]) == 0
    printed = capsys.readouterr()
    assert list(json.loads(printed.out)["sinks"].values()) == [
        current_run(own_shop.parent / "out", DAY).manifest["files"]["scores.parquet"]["rows"]
    ]
    assert "was not removed: the disk is read-only" in printed.err
