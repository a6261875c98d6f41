"""A store that was moved or copied reads from and writes to where it lies now."""

import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.config import load_config
from pipelines.failures import EnvironmentFailed
from pipelines.registry import Registry
from pipelines.store_moved import bring_home
from tests.pipelines.conftest import AS_OF, copy_as_it_is, everything
from tests.pipelines.test_model_life import register_again


def run(config: Path, *command: str) -> int:
    return main(["--config", str(config), "--quiet", "--json", *command])


def addresses(database: Path) -> set[str]:
    with sqlite3.connect(database) as store:
        return {
            str(row[0])
            for question in (
                "select artifact_location from experiments where name <> 'Default'",
                "select artifact_uri from runs",
                "select artifact_location from logged_models",
                "select storage_location from model_versions where storage_location like 'file:%'",
            )
            for row in store.execute(question)
        }


def in_a_process_of_its_own(config: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """As users run it: MLflow remembers, within a process, where a run's files lay."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "--config", str(config), "--quiet", "--json", *command],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_a_copy_leaves_the_place_it_came_from_alone(run_shop, tmp_path, capsys):
    before = everything(run_shop.parent)
    moved = tmp_path / "nơi khác" / "shop"
    config = copy_as_it_is(run_shop, moved)
    made = register_again(config)
    for command, code in ((["promote"], 3), (["history"], 0), (["compare"], 0), (["doctor"], 0)):
        done = in_a_process_of_its_own(config, *command)
        assert done.returncode == code, done.stderr
    registry = Registry(load_config(config))
    assert json.loads(registry.reopen(made.run_id).read("gate.json") or b"")["version"] == made.number
    assert everything(run_shop.parent) == before
    assert all(place.startswith((moved / "mlartifacts").as_uri()) for place in addresses(moved / "mlflow.db"))


def test_a_moved_shop_goes_on_where_it_lies(own_shop, tmp_path):
    moved = tmp_path / "moved"
    own_shop.parent.rename(moved)
    config = moved / own_shop.name
    for command in (["score", "--as-of", AS_OF], ["promote"], ["doctor"]):
        done = in_a_process_of_its_own(config, *command)
        assert done.returncode == 0, done.stderr
    assert not own_shop.parent.exists()


def _alive(config: Path, ready: object, go: object) -> None:
    with Registry(load_config(config)).run("alive"):
        ready.set()  # type: ignore[attr-defined]
        go.wait(60)  # type: ignore[attr-defined]


def test_a_store_at_work_under_another_path_is_left_alone(own_shop, tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    worker = context.Process(target=_alive, args=(own_shop, ready, go))
    worker.start()
    try:
        assert ready.wait(60)
        other = tmp_path / "other"
        other.symlink_to(own_shop.parent)
        database = other / "mlflow.db"
        before = addresses(own_shop.parent / "mlflow.db")
        artifacts = (other / "mlartifacts").as_uri()
        with pytest.raises(Exception, match="under another path") as raised:
            bring_home(database, artifacts, "shop", other / ".mlflow-running")
        assert raised.value.exit_code == 5
        assert addresses(database) == before
    finally:
        go.set()
        worker.join(60)
    before = (own_shop.parent / "mlartifacts").as_uri()
    assert bring_home(database, artifacts, "shop", other / ".mlflow-running") == before


def test_the_experiment_of_another_team_is_left_alone(run_shop, tmp_path):
    """MLflow's own server keeps artefacts under the same name."""
    config = copy_as_it_is(run_shop, tmp_path / "copy")
    theirs = (tmp_path / "theirs" / "mlartifacts").as_uri()
    with sqlite3.connect(config.parent / "mlflow.db") as store:
        store.execute(
            "insert into experiments (name, artifact_location, lifecycle_stage) values (?, ?, ?)",
            ("theirs", theirs, "active"),
        )
    assert in_a_process_of_its_own(config, "history").returncode == 0
    found = addresses(config.parent / "mlflow.db")
    assert theirs in found
    mine = found - {theirs}
    assert mine
    assert all(place.startswith((config.parent / "mlartifacts").as_uri()) for place in mine)


def test_a_store_that_is_locked_is_no_store_that_may_stay_as_it_is(run_shop, tmp_path, monkeypatch):
    config = copy_as_it_is(run_shop, tmp_path / "copy")
    database = config.parent / "mlflow.db"
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *words, **more: connect(*words, **{**more, "timeout": 0.1})
    )
    held = connect(database, isolation_level=None)
    held.execute("begin exclusive")
    with pytest.raises(EnvironmentFailed, match="could not be put right"):
        bring_home(database, (config.parent / "mlartifacts").as_uri(), "shop", tmp_path)
    held.close()


READ_ONLY = (
    "mount --bind {0} {0} && mount -o remount,bind,ro {0} && exec {1} -m pipelines.cli --config {2} {3}"
)


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0, reason="needs unshare and the right to use it"
)
def test_a_copy_that_may_only_be_read_is_looked_at_and_not_what_it_was_copied_from(run_shop, tmp_path):
    first = copy_as_it_is(run_shop, tmp_path / "first")
    assert in_a_process_of_its_own(first, "history").returncode == 0
    own_shop = copy_as_it_is(first, tmp_path / "copy")
    [file] = (first.parent / "mlartifacts").rglob("MLmodel")
    file.write_bytes(file.read_bytes() + b" ")
    for command in ("history", "doctor"):
        line = READ_ONLY.format(own_shop.parent, sys.executable, own_shop, command)
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", line], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
