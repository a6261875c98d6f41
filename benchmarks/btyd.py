"""How fast buy-till-you-die models are fitted and used, beside the libraries that one would otherwise use.

``python -m benchmarks.btyd`` gives every library the same columns of the same customers: the CDNOW sample
and simulated shops. Each turn has a process of its own, and the libraries take turns within a round. clvkit
and pymc-marketing are no dependencies: they run where they are installed, be it in another Python, which
needs no more than numpy, pandas and the library::

    python -m benchmarks.btyd --python clvkit=PATH pymc-marketing=PATH
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import btyd_data, measure
from benchmarks.btyd_figures import figures
from benchmarks.btyd_libraries import LIBRARIES
from benchmarks.btyd_table import table
from benchmarks.features import WHERE
from benchmarks.measure import say

PATIENCE = 120.0
"""Seconds: who took longer for a turn is not asked again on the same customers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every contender on every data set, print a table of each, write JSON."""
    args = _arguments(arguments)
    pythons = {name: dict(args.python).get(name, sys.executable) for name in args.only}
    pythons = {name: python for name, python in pythons.items() if _is_there(name, python)}
    machine = measure.machine()
    say(f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, seed {args.seed}")
    data = {}
    for label, origin, customers in _data_sets(args.customers, args.seed):
        say(f"{label}: {origin}; load {os.getloadavg()[0]:.1f}")
        facts = {"origin": origin, "load": os.getloadavg()[0]} | _race(customers, pythons, args.rounds)
        data[label] = facts
        say(table(label, facts))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps({"machine": machine, "seed": args.seed, "data": data}, indent=1))
    say(f"written: {args.json}")
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--customers", type=int, nargs="*", default=[100_000, 1_000_000], help="sizes of simulated shops"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument(
        "--python", type=_pair, nargs="+", default=[], metavar="NAME=PATH", help="who runs in another Python"
    )
    parser.add_argument("--seed", type=int, default=7)
    place = Path(os.environ.get(WHERE) or Path(tempfile.gettempdir()) / "repurchase-bench")
    parser.add_argument(
        "--json", type=Path, default=place / "results" / "btyd.json", help="where to write the figures"
    )
    args = parser.parse_args(arguments)
    args.only = list(dict.fromkeys(["ours", *args.only]))  # the ratios are to ours
    return args


def _pair(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if name not in LIBRARIES or shutil.which(path) is None:
        raise argparse.ArgumentTypeError(f"no Python there, or the name is none of {', '.join(LIBRARIES)}")
    return name, path


def _is_there(name: str, python: str) -> bool:
    module = LIBRARIES[name].module
    code = f"import sys, importlib.util as u; sys.exit(u.find_spec({module!r}) is None)"
    is_there = subprocess.run([python, "-c", code], cwd=measure.ROOT, check=False).returncode == 0
    if not is_there:
        say(f"{name}: cannot be imported here, left out")
    return is_there


def _data_sets(sizes: Sequence[int], seed: int) -> Iterator[tuple[str, str, pd.DataFrame]]:
    yield "CDNOW", "1/10 sample, calibration to 1997-09-30", btyd_data.cdnow()
    for size in sizes:
        shop = btyd_data.spec(size)
        params = ", ".join(
            f"{name} {getattr(shop, name)}" for name in ("r", "alpha", "a", "b", "p", "q", "v")
        )
        origin = f"simulated, {params}; {shop.days} days, customers come in the first {shop.acquisition_days}"
        yield f"{size:,}", origin, btyd_data.simulated(size, seed)


def _race(customers: pd.DataFrame, pythons: Mapping[str, str], rounds: int) -> dict[str, Any]:
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    impatient = set()
    with tempfile.TemporaryDirectory(prefix="btyd-") as scratch:
        columns: dict[str, Any] = {str(name): values.to_numpy() for name, values in customers.items()}
        np.savez(Path(scratch) / "customers.npz", **columns)
        for number in range(1, rounds + 1):
            for name, python in pythons.items():
                if name in impatient:
                    continue
                started = time.perf_counter()
                turns[name].append(_run(name, python, Path(scratch)))
                took = time.perf_counter() - started
                say(f"  round {number}: {name:15} {took:7.1f} s, its imports included")
                if took > PATIENCE:
                    impatient.add(name)
        return figures(turns, customers, Path(scratch))


def _run(name: str, python: str, scratch: Path) -> dict[str, Any]:
    """One turn; a library that dies (of memory, or on import) leaves the others their race."""
    out = scratch / f"{name}.npz"
    out.unlink(missing_ok=True)
    command = [python, "-m", "benchmarks.btyd_contender", name, "--customers", scratch / "customers.npz"]
    done = subprocess.run(
        [str(part) for part in [*command, "--out", out]],
        cwd=measure.ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        turn: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return turn
    if name == "ours":
        raise SystemExit(f"{name} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    why = f"exit code {done.returncode}: {(done.stderr.splitlines() or [''])[-1]}"
    return {"seconds": {}, "cpu_seconds": {}, "params": {}, "versions": {}, "errors": {"process": why}}


if __name__ == "__main__":
    sys.exit(main())
