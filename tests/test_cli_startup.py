"""The command answers at once, and MLflow's project file calls the same commands."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    "init", "check", "train", "compare", "promote", "refresh", "rollback", "history", "doctor", "score",
    "replay", "outcomes", "measure", "report", "show", "identify", "demo",
]  # fmt: skip
HEAVY = {
    "pandas",
    "numpy",
    "mlflow",
    "duckdb",
    "ibis",
    "sklearn",
    "scipy",
    "matplotlib",
    "pyarrow",
    "lifetimes",
}
HELP = """
import json, sys, time
from pipelines.cli import main
try:
    code = main(["--help"])
except SystemExit as stop:
    code = stop.code
sys.stderr.write(json.dumps({"code": code, "modules": sorted(sys.modules), "seconds": time.process_time()}))
"""


@pytest.fixture(scope="module")
def help_run() -> tuple[str, dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout, json.loads(done.stderr)


def test_help_lists_every_command(help_run: tuple[str, dict[str, Any]]) -> None:
    text, facts = help_run
    assert facts["code"] in (0, None)
    assert [command for command in COMMANDS if command not in text.split()] == []


def test_help_imports_nothing_heavy_and_takes_no_second(help_run: tuple[str, dict[str, Any]]) -> None:
    _, facts = help_run
    assert HEAVY & set(facts["modules"]) == set()
    assert facts["seconds"] < 1  # of the processor's time, so that a busy machine does not matter


def entry_points() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["entry_points"])


def test_every_command_is_an_entry_point() -> None:
    assert sorted(entry_points()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_entry_point_passes_its_parameters_on(name: str, tmp_path: Path) -> None:
    """Run its shell line as MLflow does, with every parameter quoted, against a stand-in for the command."""
    stand_in = tmp_path / ".venv" / "bin" / "repurchase"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    entry = entry_points()[name]
    values = {parameter: f"my {parameter}'s" for parameter in entry.get("parameters", {})}
    line = entry["command"].format(**{parameter: shlex.quote(value) for parameter, value in values.items()})
    environment = {"PATH": os.defpath}
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    passed_on = done.stdout.splitlines()
    assert name in passed_on
    assert sorted(values.values()) == sorted(word for word in passed_on if word.startswith("my "))


def test_mlflow_installs_the_lock_and_then_the_project() -> None:
    environment = yaml.safe_load((ROOT / "python_env.yaml").read_text(encoding="utf-8"))
    assert environment == {
        "python": "3.11",
        "build_dependencies": ["-r requirements.lock"],
        "dependencies": ["."],
    }
