"""One contender's turn, in a process of its own: does the work, prints what it took as one line of JSON."""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.stages import Stages

Work = Callable[[argparse.Namespace, Stages], None]


def main() -> None:
    """Run the contender that the arguments name; imports do not count as its work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=WORK)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--cutoffs", type=date.fromisoformat, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--spill", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--customers", type=int, default=200_000)
    args = parser.parse_args()
    prepare, stages = WORK[args.name], Stages()
    work = prepare()
    before, started = _cpu(), time.perf_counter()
    work(args, stages)
    took: dict[str, Any] = {"seconds": time.perf_counter() - started, "cpu_seconds": _cpu() - before}
    took |= {"peak_bytes": _peak(), "stages": stages.seconds}
    sys.stdout.write(json.dumps(took) + "\n")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> int:
    """Peak resident memory of this program; what Linux counts for the process begins with its parent's."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _ours_fixed() -> Work:
    from benchmarks import ours

    return lambda a, stages: ours.fixed(a.log, a.cutoffs[0], a.out, a.spill, a.threads, stages)


def _ours_full() -> Work:
    from benchmarks import ours

    return lambda a, stages: ours.full(a.log, a.cutoffs[0], a.out, a.spill, a.threads, stages)


def _ours_panel() -> Work:
    from benchmarks import ours

    return lambda a, stages: ours.panel(a.log, a.cutoffs, a.customers, a.out, a.spill, a.threads, stages)


def _sql() -> Work:
    from benchmarks import by_hand

    return lambda a, _: by_hand.fixed(a.log, a.cutoffs[0], a.out, a.spill, a.threads)


def _pandas() -> Work:
    from benchmarks import with_pandas

    return lambda a, _: with_pandas.plain(a.log, a.cutoffs[0], a.out)


def _pandas_tuned() -> Work:
    from benchmarks import with_pandas

    return lambda a, _: with_pandas.tuned(a.log, a.cutoffs[0], a.out)


def _lifetimes() -> Work:
    from benchmarks import with_lifetimes

    return lambda a, _: with_lifetimes.four_columns(a.log, a.cutoffs[0], a.out)


WORK = {
    "ours": _ours_fixed,
    "sql": _sql,
    "pandas": _pandas,
    "pandas-tuned": _pandas_tuned,
    "lifetimes": _lifetimes,
    "full": _ours_full,
    "panel": _ours_panel,
}

if __name__ == "__main__":
    main()
