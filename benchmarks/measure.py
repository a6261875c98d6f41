"""Runs contenders in turn, each time in a fresh process, and writes down what they took."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
GB = 1e9
PACKAGES = ("duckdb", "ibis-framework", "pandas", "pyarrow", "numpy", "lifetimes")


@dataclass(frozen=True)
class Turn:
    """What one run took: time of the wall and of the processors for the work, peak memory and disk."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    spill_bytes: int
    stages: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What every contender is to do."""

    log: Path
    cutoffs: Sequence[date]
    scratch: Path
    threads: int = 2
    customers: int = 200_000

    def out(self, name: str) -> Path:
        return self.scratch / f"{name}.parquet"


def run_rounds(names: Sequence[str], rounds: int, job: Job) -> dict[str, list[Turn]]:
    """Run A B C A B C …, so that what else the machine does falls on all alike."""
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name in names:
            turn = _run(name, job)
            turns[name].append(turn)
            say(f"  round {number}: {name:13} {turn.seconds:8.1f} s  {turn.peak_bytes / GB:5.2f} GB")
    return turns


def _run(name: str, job: Job) -> Turn:
    spill = job.scratch / "spill"
    shutil.rmtree(spill, ignore_errors=True)
    spill.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.contender", name, "--log", job.log, "--out", job.out(name)]
    command += ["--spill", spill, "--threads", job.threads, "--customers", job.customers]
    command += ["--cutoffs", *job.cutoffs]
    environment = os.environ | {"OMP_NUM_THREADS": str(job.threads)}  # Arrow's threads too
    peak = PeakDisk(spill)
    with peak:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    shutil.rmtree(spill, ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"{name} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    return Turn(**json.loads(done.stdout.splitlines()[-1]), spill_bytes=peak.bytes)


class PeakDisk:
    """Watches a folder from a thread and keeps the most that its files ever took."""

    def __init__(self, folder: Path, every: float = 0.05) -> None:
        self.bytes, self._folder, self._every = 0, folder, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            files = (Path(at, name) for at, _, names in os.walk(self._folder) for name in names)
            self.bytes = max(self.bytes, sum(map(_blocks, files)))


def _blocks(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:  # gone since it was listed
        return 0


def table(turns: dict[str, list[Turn]], against: str) -> str:
    """Lay out medians, and their ratios to one contender's."""
    base = {key: _median(turns[against], key) for key in ("seconds", "cpu_seconds", "peak_bytes")}
    rows = [
        f"{'':13} {'seconds':>8} {'(min–max)':>15} {'cpu s':>8} {'peak GB':>8} {'spill GB':>8}"
        f"  ratios to {against}"
    ]
    for name, of in turns.items():
        seconds = [turn.seconds for turn in of]
        ratios = {key: _median(of, key) / base[key] for key in base}
        rows.append(
            f"{name:13} {_median(of, 'seconds'):8.2f} {f'({min(seconds):.1f}–{max(seconds):.1f})':>15}"
            f" {_median(of, 'cpu_seconds'):8.2f} {_median(of, 'peak_bytes') / GB:8.2f}"
            f" {_median(of, 'spill_bytes') / GB:8.2f}  time {ratios['seconds']:.2f}"
            f", cpu {ratios['cpu_seconds']:.2f}, memory {ratios['peak_bytes']:.2f}"
        )
        rows += [
            f"  {stage:22} {statistics.median(t.stages[stage] for t in of):6.2f}" for stage in of[0].stages
        ]
    return "\n".join(rows)


def _median(turns: Iterable[Turn], key: str) -> float:
    return float(statistics.median(getattr(turn, key) for turn in turns))


def as_json(turns: dict[str, list[Turn]]) -> dict[str, Any]:
    """Medians, and every single turn."""
    keys = ("seconds", "cpu_seconds", "peak_bytes", "spill_bytes")
    return {
        name: {"median": {key: _median(of, key) for key in keys}, "turns": [asdict(turn) for turn in of]}
        for name, of in turns.items()
    }


def machine() -> dict[str, Any]:
    """Say on what it was measured."""
    facts: dict[str, Any] = {"system": platform.platform(), "python": platform.python_version()}
    facts["cores"], facts["load"] = os.cpu_count(), os.getloadavg()[0]
    facts["memory_gb"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB, 1)
    cpuinfo = Path("/proc/cpuinfo")
    models = (
        [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if cpuinfo.is_file()
        else []
    )
    facts["processor"] = models[0].split(":")[1].strip() if models else platform.processor()
    return facts | {"packages": {name: version(name) for name in PACKAGES}}


def say(text: str) -> None:
    """Print at once: a benchmark is watched."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
