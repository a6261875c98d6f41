"""The MLproject entry points run for real, through `mlflow run`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.conftest import AS_OF

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.heavy


def mlflow_run(
    entry: str, work: Path, manager: str = "local", **parameters: str
) -> subprocess.CompletedProcess[str]:
    options = [part for key, value in parameters.items() for part in ("-P", f"{key}={value}")]
    return subprocess.run(
        [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", entry, f"--env-manager={manager}", *options],
        cwd=work, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
             "MLFLOW_TRACKING_URI": f"sqlite:///{work}/project.db"},
    )  # fmt: skip


def test_train_promote_and_score_as_entry_points(
    shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    work = tmp_path_factory.mktemp("work")
    dated = {"as_of": AS_OF}
    for entry, parameters in (
        ("check", {}), ("train", dated), ("promote", {}), ("score", dated), ("compare", {}), ("history", {}),
        ("doctor", {}),
    ):  # fmt: skip
        done = mlflow_run(entry, work, config=str(shop), **parameters)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (shop.parent / "out" / "latest" / "risk_list.csv").exists()


def test_a_failing_entry_point_fails_the_run(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = mlflow_run("score", tmp_path_factory.mktemp("work"), config=str(shop), as_of=AS_OF)
    assert done.returncode != 0
    assert "no model has been trained" in done.stdout + done.stderr


def test_in_an_environment_of_its_own(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """MLflow builds it from python_env.yaml, with uv or with virtualenv."""
    manager = next((tool for tool in ("uv", "virtualenv") if shutil.which(tool)), None)
    if manager is None:
        pytest.skip("needs uv or virtualenv, with which MLflow builds environments")
    done = mlflow_run("check", tmp_path_factory.mktemp("work"), manager, config=str(shop))
    assert done.returncode == 0, done.stdout + done.stderr
