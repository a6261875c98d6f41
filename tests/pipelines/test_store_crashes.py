"""Cold starts, races and kills: nobody crashes, no version is lost, and the champion is always whole."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.config import load_config
from pipelines.leftovers import dead_runs, pending_models
from pipelines.model_files import digest
from pipelines.registry import Registry
from pipelines.version import CHAMPION, EVIDENCE, EVIDENCE_FILES
from tests.pipelines.conftest import AS_OF

ROOT = Path(__file__).resolve().parents[2]
OPEN = (
    "import sys; from pathlib import Path; from pipelines.config import load_config;"
    "from pipelines.registry import Registry; Registry(load_config(Path(sys.argv[1])), create=True)"
)


def start(*command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *command],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def repurchase(config: Path, *words: str) -> "subprocess.Popen[bytes]":
    return start("-m", "pipelines.cli", "--config", str(config), "--quiet", *words)


def is_whole(config: Path) -> None:
    """The doctor mends what there is, finds nothing more, and the champion can be loaded."""
    assert main(["--config", str(config), "--quiet", "doctor", "--repair"]) == 0
    assert main(["--config", str(config), "--quiet", "doctor"]) == 0
    registry = Registry(load_config(config))
    champion = registry.by_alias(CHAMPION)
    if champion is not None:
        assert registry.load(champion).trained_until
    stuck = registry.client.search_runs([registry.experiment], "attributes.status = 'RUNNING'")
    assert not stuck


def test_a_run_whose_process_died_is_found_and_ended(own_shop):
    code = (
        "import sys, os; from pathlib import Path; from pipelines.config import load_config;"
        "from pipelines.registry import Registry; r = Registry(load_config(Path(sys.argv[1])));"
        "c = r.run('doomed'); run = c.__enter__();"
        "r.client.create_logged_model(r.experiment, 'half', run.run_id);"
        "os.kill(os.getpid(), 9)"
    )
    assert start("-c", code, str(own_shop)).wait(120) == -signal.SIGKILL
    registry = Registry(load_config(own_shop))
    with registry.run("alive"):
        found = [*dead_runs(registry, repair=False), *pending_models(registry, repair=False)]
        assert [problem.code for problem in found] == ["run"]  # while it seems alive, so does its model
        assert "'doomed'" in found[0].text
        mended = [*dead_runs(registry, repair=True), *pending_models(registry, repair=True)]
        assert [(problem.code, problem.mended) for problem in mended] == [("run", True), ("model", True)]
        assert not [*dead_runs(registry, repair=False), *pending_models(registry, repair=False)]
    is_whole(own_shop)


@pytest.mark.parametrize("harm", ["a broken version", "a broken champion", "no database", "half a database"])
def test_what_the_doctor_says(own_shop, capsys, harm):
    registry = Registry(load_config(own_shop))
    victims = [p.parent for p in (own_shop.parent / "mlartifacts").rglob("MLmodel")]
    if harm == "a broken version":
        champion = registry.champion()
        made = registry.register(registry.load(champion), registry.reopen(champion.run_id), "again")
        [folder] = [
            path.parent
            for path in (own_shop.parent / "mlartifacts").rglob("MLmodel")
            if made.model_id in str(path)
        ]
        shutil.rmtree(folder)
        expected, word = 0, "marked as broken, used by nobody: version 2"
    elif harm == "a broken champion":
        (victims[0] / "MLmodel").write_text("flavors: {}")
        expected, word = 6, "the champion cannot be used"
    elif harm == "no database":
        (own_shop.parent / "mlflow.db").unlink()
        expected, word = 6, "is gone, and a champion was promoted in it"
    else:
        data = (own_shop.parent / "mlflow.db").read_bytes()
        (own_shop.parent / "mlflow.db").write_bytes(data[: len(data) // 2])
        expected, word = 6, "bring it back from a backup"
    capsys.readouterr()
    assert main(["--config", str(own_shop), "--quiet", "doctor", "--repair"]) == expected
    assert word in capsys.readouterr().out
    if harm == "a broken version":
        assert registry.by_alias("challenger") is None
        is_whole(own_shop)
        capsys.readouterr()
        assert main(["--config", str(own_shop), "--quiet", "doctor"]) == 0
        assert word in capsys.readouterr().out  # it is not forgotten


def test_a_mark_goes_when_the_files_are_back(own_shop, capsys):
    registry = Registry(load_config(own_shop))
    champion = registry.champion()
    made = registry.register(registry.load(champion), registry.reopen(champion.run_id), "again")
    [file] = [p for p in (own_shop.parent / "mlartifacts").rglob("scorer.json") if made.model_id in str(p)]
    file.rename(file.with_suffix(".away"))
    doctor = ["--config", str(own_shop), "--quiet", "doctor"]
    assert main(doctor) == 6
    assert "broken" not in registry.version(made.number).tags
    assert main([*doctor, "--repair"]) == 0
    assert "broken" in registry.version(made.number).tags
    file.with_suffix(".away").rename(file)
    capsys.readouterr()
    assert main(doctor) == 6
    assert "to mend: version 2 is marked as broken, and its files are whole again" in capsys.readouterr().out
    assert registry.by_alias("challenger") is None
    assert main([*doctor, "--repair", "yes"]) == 0
    assert "broken" not in registry.version(made.number).tags
    assert registry.by_alias("challenger").number == made.number


def test_with_all_artefacts_away_no_version_is_marked(own_shop, capsys):
    folder = own_shop.parent / "mlartifacts"
    folder.rename(folder.with_name("away"))
    assert main(["--config", str(own_shop), "--quiet", "doctor", "--repair"]) == 6
    assert f"not mended: {folder} is not there, and all models with it" in capsys.readouterr().out
    folder.with_name("away").rename(folder)
    assert "broken" not in Registry(load_config(own_shop)).version("1").tags
    is_whole(own_shop)


@pytest.mark.heavy
def test_twenty_cold_starts_of_four_processes(shop):
    for _ in range(20):
        for path in shop.parent.glob("mlflow.db*"):
            path.unlink()
        opened = [start("-c", OPEN, str(shop)) for _ in range(4)]
        assert [process.wait(300) for process in opened] == [0, 0, 0, 0]


def _register(config: Path, times: int) -> None:
    registry = Registry(load_config(config))
    champion = registry.champion()
    scorer = registry.load(champion)
    trained = registry.reopen(champion.run_id)
    folds, data = (trained.read(path) or b"" for path in EVIDENCE_FILES)
    for _ in range(times):
        with registry.run("again") as run:
            run.frame(pd.read_parquet(BytesIO(folds)), EVIDENCE_FILES[0])
            run.text(data.decode(), EVIDENCE_FILES[1])
            evidence = digest({path: run.read(path) or b"" for path in EVIDENCE_FILES})
            registry.register(scorer, run, "again", {**champion.tags, EVIDENCE: evidence})


@pytest.mark.heavy
def test_four_processes_register_fifty_each_and_none_is_lost(own_shop):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_register, args=(own_shop, 50)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(900)
        assert worker.exitcode == 0
    registry = Registry(load_config(own_shop))
    numbers = [int(version.number) for version in registry.versions()]
    assert sorted(numbers) == list(range(1, 202))
    for version in registry.versions()[::20]:
        assert registry.verified(version)


def kill_after(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Kill a process and all it has started; False if it was faster."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.heavy
@pytest.mark.parametrize("command", ["train", "promote"])
def test_killed_at_any_moment_the_store_can_be_made_whole(own_shop, command):
    rng, killed = np.random.default_rng(7), 0
    words = ["train", "--as-of", AS_OF] if command == "train" else ["promote", "--force", "--reason", "drill"]
    if command == "promote":
        _register(own_shop, 1)
    began = time.perf_counter()
    assert repurchase(own_shop, *words).wait(600) in (0, 3)
    whole = time.perf_counter() - began
    for _ in range(8 if command == "train" else 20):
        if command == "promote":
            _register(own_shop, 1)
        # What writes to the store comes at the end: half of the kills go there.
        share = rng.uniform(0.55, 1.0) if rng.random() < 0.5 else rng.uniform(0.0, 1.0)
        killed += kill_after(repurchase(own_shop, *words), share * whole)
        is_whole(own_shop)
    assert killed >= 4
