"""The benchmark of whole scoring runs: what it watches, and what it makes of the figures."""

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scoring import STEPS, beyond, table
from benchmarks.watched import watch

MEGABYTES = 80
HUNGRY = f"""
import subprocess, sys, time
sys.stderr.write("  reading a.parquet … 1.5 s\\n  reading b.parquet …\\n  warning: x\\n 0.5 s\\n")
more = bytearray({MEGABYTES} << 20) if "more" in sys.argv else None
if more is None:
    print("the answer", flush=True)
    subprocess.run([sys.executable, sys.argv[0], "more"], check=True)
time.sleep(1.5)
"""


def test_a_command_is_watched_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "hungry.py").write_text(HUNGRY)
    found = watch([sys.executable, str(tmp_path / "hungry.py")], tmp_path, tmp_path / "log")
    assert found.said == "the answer\n"
    assert found.steps["reading a.parquet"] == 3.0  # the child says so, too
    assert found.seconds > 3.0
    assert found.cpu_seconds > 0
    assert found.own_peak_bytes < MEGABYTES << 20 < found.peak_bytes < 4 * MEGABYTES << 20


def test_a_command_may_keep_what_python_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = "import sys; print(sys.dont_write_bytecode)"
    assert watch([sys.executable, "-c", program], tmp_path, tmp_path / "log").said == "False\n"


def test_a_command_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such thing"):
        watch([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path, tmp_path / "log")


def result(customers: int, cpu: float, engine: str = "duckdb") -> dict[str, Any]:
    turn = {"seconds": cpu / 2, "cpu_seconds": cpu, "peak_bytes": 3e9, "own_peak_bytes": 2e9,
            "steps": {"reading a": 1.5, "scoring x": 2.5}}  # fmt: skip
    return {"engine": engine, "customers": customers, "lines": 10 * customers, "memory": None, "load": 0.2,
            "turns": [turn, turn]}  # fmt: skip


def test_the_table_and_the_line_beyond_it() -> None:
    results = [result(100_000, 20.0), result(1_000_000, 110.0), result(100_000, 90.0, "spark")]
    head, _, *rows = table(results)
    assert head.count("|") == rows[0].count("|") == len(STEPS) + 10
    assert rows[1].startswith("| duckdb | 1,000,000 | 10,000,000 | 55 | 110 | 3.00 | 2.00 | - | 0 |")
    [said] = beyond(results)
    assert said.startswith("duckdb: 10 s of a processor for a shop of any size, 100 s more for a million")
    assert "10 million: 1,010 s, 100 million: 10,010 s" in said
