"""One library's turn, in a process of its own and perhaps another Python: numpy, pandas and the library."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.btyd_libraries import LIBRARIES
from benchmarks.contender import _cpu, _peak

STEPS = ("fit", "fit_spend", "alive", "orders", "buys", "clv")
NEEDS = {"alive": {"fit"}, "orders": {"fit"}, "buys": {"fit"}, "clv": {"fit", "fit_spend"}}
ENOUGH, MOST = 0.25, 20
"""What takes less than these seconds is done again, up to so many times: its first time alone says little."""


def main() -> None:
    """Run the library that the arguments name; imports and the making of its input are not its work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=LIBRARIES)
    parser.add_argument("--customers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    with np.load(args.customers) as columns:
        customers = pd.DataFrame(dict(columns))
    contender = LIBRARIES[args.name](customers)
    start = _peak()
    turn, results = run(contender)
    turn |= {"start_bytes": start, "peak_bytes": _peak(), "ends": list(contender.ends)}
    turn["versions"] = _versions(contender.module.replace("_", "-"))
    np.savez(args.out, **{name: _by_customer(values) for name, values in results.items()})
    sys.stdout.write("\n" + json.dumps(turn) + "\n")


def run(contender: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the steps that the library has; one that fails is written down, and what needs it is left out."""
    turn: dict[str, Any] = {"seconds": {}, "cpu_seconds": {}, "errors": {}, "params": {}}
    results: dict[str, Any] = {}
    for step in STEPS:
        if not hasattr(contender, step) or NEEDS.get(step, set()) & turn["errors"].keys():
            continue
        try:
            found, turn["seconds"][step], turn["cpu_seconds"][step] = _timed(getattr(contender, step))
        except Exception as error:
            turn["errors"][step] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        else:
            (turn["params"] if step.startswith("fit") else results)[step] = found
    return turn, results


def _timed(step: Callable[[], Any]) -> tuple[Any, float, float]:
    walls: list[float] = []
    cpus: list[float] = []
    while sum(walls) < ENOUGH and len(walls) < MOST:
        cpu, wall = _cpu(), time.perf_counter()
        found = step()
        walls.append(time.perf_counter() - wall)
        cpus.append(_cpu() - cpu)
    return found, statistics.median(walls), statistics.median(cpus)


def _by_customer(values: Any) -> Any:
    """One number a customer: a path of months is summed."""
    array = np.asarray(values, dtype=np.float64)
    return array.sum(axis=1) if array.ndim > 1 else array


def _versions(library: str) -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in ("numpy", "scipy", "pandas", library):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # ours: it is this very tree
            continue
    return found


if __name__ == "__main__":
    main()
