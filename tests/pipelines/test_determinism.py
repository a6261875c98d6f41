"""Two runs of the whole path on the same data give the same bytes, on one thread and on two."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.conftest import AS_OF, CONFIG, lay_out

SETTINGS = {"one": ("1", "first"), "two": ("2", "second")}


def run_path(folder: Path, orders: Path, threads: str) -> list[bytes]:
    folder.mkdir()
    config = lay_out(folder, orders, CONFIG + f'[engine]\noptions = {{ threads = "{threads}" }}\n')
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
                   "LOKY_MAX_CPU_COUNT": threads, "PYTHONHASHSEED": threads}  # fmt: skip
    for command in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "--config", str(config), "--quiet", *command],
            env=environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    published = ("scores.parquet", "risk_list.csv", "reasons.parquet")
    return [(folder / "out" / "latest" / name).read_bytes() for name in published]


@pytest.mark.heavy
def test_scores_are_the_same_to_the_last_bit(tmp_path: Path, orders: Path) -> None:
    assert run_path(tmp_path / "one", orders, "1") == run_path(tmp_path / "two", orders, "2")
