"""A model whose files were touched is refused before anything looks into them."""

import json
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import mlflow
import numpy as np
import pytest

from pipelines import registry as registry_module
from pipelines.config import load_config
from pipelines.failures import Refused
from pipelines.model_files import check_digest, digest, listing, read_model, scorer_part
from pipelines.registry import Registry
from tests.pipelines import tampering
from tests.pipelines.tampering import HARMS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def champion(run_shop, tmp_path_factory):
    """A registry of the finished shop, the champion, and where its files lie: a copy to harm."""
    registry = Registry(load_config(run_shop))
    version = registry.champion()
    [original] = [
        path.parent
        for path in (run_shop.parent / "mlartifacts").rglob("MLmodel")
        if version.model_id in str(path)
    ]
    return registry, version, original


def test_the_listing_names_every_file(champion):
    registry, version, original = champion
    stored = read_model(original)
    assert set(stored) == {p.relative_to(original).as_posix() for p in tampering.files(original)}
    assert digest(stored) == version.tags["digest"]
    assert {"MLmodel", "pyfunc_model.py", "artifacts/scorer/scorer.json"} < set(stored)
    assert set(scorer_part(stored)) > {"scorer.json"}
    assert registry.verified(version) == stored


def test_a_changed_file_is_named(champion):
    _, version, original = champion
    stored = read_model(original)
    manifest, expected = listing(stored), version.tags["digest"]
    harmed = {**stored, "MLmodel": b"x"}
    del harmed["artifacts/scorer/scorer.json"]
    with pytest.raises(Refused, match=r"'MLmodel' changed; 'artifacts/scorer/scorer.json' gone"):
        check_digest(harmed, expected, manifest)
    # a manifest that was changed as well says nothing
    with pytest.raises(Refused, match="were changed: digest"):
        check_digest({**stored, "MLmodel": b"x"}, expected, {"MLmodel": "0"})


def campaign(champion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int) -> Counter[str]:
    """Harm a copy in n ways; count by harm what was refused before anything was deserialised."""
    registry, version, original = champion
    folder = tmp_path / "model"
    monkeypatch.setattr(Registry, "_moved", lambda _self, _folder: folder)
    opened: list[object] = []
    monkeypatch.setattr(registry_module, "from_files", opened.append)
    shutil.copytree(original, folder)
    registry.load(version)
    assert len(opened) == 1  # as it was, it is loaded
    rng, refused = np.random.default_rng(1), Counter[str]()
    for k in range(n):
        for path in (folder, tmp_path / "outside", tmp_path / "outside.d"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.copytree(original, folder)
        harm = HARMS[k % len(HARMS)]
        harm(folder, rng)
        with pytest.raises(Refused):
            registry.load(version)
        refused[harm.__name__] += 1
    assert len(opened) == 1
    return refused


def test_whatever_is_done_to_the_files_they_are_refused(champion, tmp_path, monkeypatch):
    refused = campaign(champion, tmp_path, monkeypatch, 10 * len(HARMS))
    assert set(refused.values()) == {10}


@pytest.mark.heavy
def test_five_thousand_times(champion, tmp_path, monkeypatch):
    refused = campaign(champion, tmp_path, monkeypatch, 5000)
    assert sum(refused.values()) == 5000
    assert set(refused) == {harm.__name__ for harm in HARMS}


def test_a_link_of_the_whole_folder_and_an_absent_one(champion, tmp_path):
    _, _, original = champion
    (tmp_path / "linked").symlink_to(original)
    for folder in (tmp_path / "linked", tmp_path / "absent"):
        with pytest.raises(Refused, match="no folder"):
            read_model(folder)


def test_a_store_that_was_moved_finds_its_files_again(run_shop, tmp_path):
    """MLflow's database holds absolute paths; the champion scores all the same, and years later."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(run_shop.parent, moved, symlinks=True)
    registry = Registry(load_config(moved / "repurchase.toml"))
    hidden = run_shop.parent / "mlartifacts"
    hidden.rename(hidden.with_name("away"))
    try:
        assert registry.load(registry.champion()).trained_until
    finally:
        hidden.with_name("away").rename(hidden)


CONTROL = """\
import os, sys
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
import mlflow.pyfunc
mlflow.pyfunc.load_model(sys.argv[1])
print("loaded")
"""


def other_numbers(folder: Path) -> None:
    """Let the model promise something else."""
    path = folder / "artifacts" / "scorer" / "scorer.json"
    state = json.loads(path.read_text("utf-8"))
    state["lapsed_below"] = 0.99
    path.write_text(json.dumps(state), "utf-8")


HARM_THAT_MLFLOW_TAKES = {
    "code beside the model, named in MLmodel": (partial(tampering.code_in_mlmodel, rng=None), "ran"),
    "another script": (partial(tampering.another_script, rng=None), "loaded"),
    "other numbers": (other_numbers, "loaded"),
    "a file more": (partial(tampering.add, name="notes.txt", data=b"x"), "loaded"),
    "a pickle more": (partial(tampering.add, name="model.pkl", data=pickle.dumps(1)), "loaded"),
    "a link for a folder": (partial(tampering.link_a_folder, rng=None), "loaded"),
}


@pytest.mark.heavy
@pytest.mark.parametrize("harm", HARM_THAT_MLFLOW_TAKES)
def test_control_what_mlflows_own_loader_takes(champion, tmp_path, harm):
    """Without our checks the same harm goes through, and shipped code runs; docs/security.md names these."""
    _, version, original = champion
    folder = tmp_path / "model"
    shutil.copytree(original, folder)
    do, said = HARM_THAT_MLFLOW_TAKES[harm]
    do(folder)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CONTROL, str(folder)],
        capture_output=True, text=True, check=False, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert said in done.stdout + done.stderr, done.stderr
    with pytest.raises(Refused):
        check_digest(read_model(folder), version.tags["digest"])


def test_mlflow_is_not_asked_to_load(champion, monkeypatch):
    registry, version, _ = champion
    monkeypatch.setattr(
        mlflow.pyfunc, "load_model", lambda *_a, **_k: pytest.fail("MLflow's loader was used")
    )
    assert registry.load(version).trained_until
