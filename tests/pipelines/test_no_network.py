"""Every command works where there is no network, looks no name up, and connects to nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.conftest import AS_OF

ROOT = Path(__file__).resolve().parents[2]
SPY = """\
import os, sys

def spy(event, arguments):
    looked_up = event in ("socket.getaddrinfo", "socket.gethostbyname")
    connected = event == "socket.connect" and isinstance(arguments[1], tuple)
    if looked_up or connected:
        with open(os.environ["SPIED"], "a") as file:
            file.write(f"{event} {arguments[-4:]}\\n")

sys.addaudithook(spy)
"""
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        shutil.which("unshare") is None or os.geteuid() != 0, reason="needs unshare and the right to use it"
    ),
]


def test_no_command_needs_or_tries_a_network(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    spies = tmp_path_factory.mktemp("spy")
    (spies / "sitecustomize.py").write_text(SPY)
    spied = spies / "spied.txt"

    def alone(*words: str, code: int = 0) -> None:
        done = subprocess.run(
            ["unshare", "-n", sys.executable, "-m", "pipelines.cli", *words],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
            env={**os.environ, "PYTHONPATH": str(spies), "SPIED": str(spied)},
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"

    config = ("--config", str(shop))
    alone("--config", str(spies / "guess.toml"), "init", str(shop.parent / "orders.parquet"))
    alone(*config, "check")
    alone(*config, "train", "--as-of", AS_OF)
    alone(*config, "promote")
    alone(*config, "score", "--as-of", AS_OF)
    alone(*config, "compare")
    alone(*config, "history")
    alone(*config, "doctor")
    alone(*config, "rollback", code=6)
    alone(*config, "refresh", "--as-of", AS_OF, code=3)
    assert not spied.exists(), spied.read_text()


def test_the_spy_sees(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SPY)
    spied = tmp_path / "spied.txt"
    code = "import socket\ntry: socket.create_connection(('example.org', 80), 1)\nexcept OSError: pass"
    subprocess.run(
        ["unshare", "-n", sys.executable, "-c", code], check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SPIED": str(spied)},
    )  # fmt: skip
    assert "socket.getaddrinfo" in spied.read_text()
