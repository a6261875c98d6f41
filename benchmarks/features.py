"""How fast features are built, and in how much memory, beside what one would otherwise use.

``python -m benchmarks.features COMMAND``, with one of these commands:

make   generate the log only
check  every contender once, at two cutoffs: do they agree on every customer?
fixed  the fixed set of features: ours, SQL by hand, pandas, and lifetimes for its four columns
full   our build of every feature of every customer at one cutoff
panel  our build at 12 cutoffs on a sample of customers, beside the full one
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.fixed_set import FOUR, disagreements
from benchmarks.logs import END, Log, make_log
from benchmarks.measure import Job, say

CONTENDERS = ("ours", "sql", "pandas", "pandas-tuned", "lifetimes")
TURNS = {"fixed": (CONTENDERS, "sql"), "full": (("full",), "full"), "panel": (("full", "panel"), "full")}
WHERE = "REPURCHASE_BENCH"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the log unless it is there, run the command, print a table, write JSON."""
    args = _arguments(arguments)
    log = make_log(args.data, args.lines, args.seed)
    say(
        f"{log.folder}: {log.n_lines:,} lines, {log.n_customers:,} customers, {log.n_bytes / 1e9:.2f} GB, "
        f"made in {log.seconds:.0f} s"
    )
    if args.command == "make":
        return 0
    found = _check(log, args) if args.command == "check" else _race(log, args)
    file = args.json or args.data / "results" / f"{args.command}-{args.lines}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    facts = {"lines": log.n_lines, "customers": log.n_customers, "bytes": log.n_bytes}
    file.write_text(
        json.dumps({"command": args.command, "log": facts, "machine": measure.machine(), **found}, indent=1)
    )
    say(f"written: {file}")
    return int(any(found["disagreements"].values()))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("make", "check", *TURNS))
    parser.add_argument("--lines", type=int, default=1_000_000, help="size of the log, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, help="contenders of `fixed` and `check`")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--customers", type=int, default=200_000, help="sample of the panel")
    parser.add_argument("--seed", type=int, default=7)
    place = os.environ.get(WHERE) or Path(tempfile.gettempdir()) / "repurchase-bench"
    parser.add_argument(
        "--data", type=Path, default=Path(place), help=f"folder for logs and results, or {WHERE}"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    return parser.parse_args(arguments)


def _race(log: Log, args: argparse.Namespace) -> dict[str, Any]:
    names, against = TURNS[args.command]
    if args.command == "fixed" and args.only:
        names, against = args.only, "sql" if "sql" in args.only else args.only[0]
    months = [END - timedelta(28 * back) for back in range(12)]
    with tempfile.TemporaryDirectory(prefix="turns-", dir=args.data) as scratch:
        job = Job(log.folder, months, Path(scratch), args.threads, args.customers)
        turns = measure.run_rounds(names, args.rounds, job)
        differ = _disagreements(job, names) if args.command == "fixed" else {}
    say(_shown(measure.machine()) + "\n" + measure.table(turns, against))
    return {"contenders": measure.as_json(turns), "disagreements": differ}


def _check(log: Log, args: argparse.Namespace) -> dict[str, Any]:
    names = args.only or CONTENDERS
    differ: dict[str, dict[str, int]] = {}
    for cutoff in (END, END - timedelta(200)):
        say(f"cutoff {cutoff}")
        with tempfile.TemporaryDirectory(prefix="turns-", dir=args.data) as scratch:
            job = Job(log.folder, [cutoff], Path(scratch), args.threads)
            measure.run_rounds(names, 1, job)
            differ |= {f"{name}, {cutoff}": n for name, n in _disagreements(job, names).items()}
    return {"disagreements": differ}


def _disagreements(job: Job, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Compare everyone's last result with the SQL's, or else with the first contender's."""
    judge = "sql" if "sql" in names else names[0]
    differ: dict[str, dict[str, int]] = {}
    for name in names:
        if name == "lifetimes":  # knows no refunds: compared on customers who have none
            differ[name] = disagreements(job.out(judge), job.out(name), FOUR, "refund_share = 0")
        elif name != judge:
            differ[name] = disagreements(job.out(judge), job.out(name))
    for name, features in differ.items():
        say(
            f"{name} against {judge}: "
            + (f"customers who differ: {features}" if features else "the same on every row")
        )
    return differ


def _shown(facts: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, {facts['system']}, "
        f"Python {facts['python']}, {packages}; load {facts['load']:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
