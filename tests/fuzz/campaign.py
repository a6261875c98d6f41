"""Run a campaign: cases by the thousand, in worker processes that may die, hang or swell without ending it.

``python -m tests.fuzz.campaign --cases 10000`` prints a table of kinds and endings, and exits 1 on any
finding; ``--kind K --seed S`` runs one case again.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.broken_scores import prepare
from tests.fuzz.cases import Case
from tests.fuzz.kinds import SHARES
from tests.fuzz.processes import FIRST_SEED, run_processes
from tests.fuzz.run_case import Ending, emptied, run_case
from tests.fuzz.watch import MAX_BYTES, Watch

_LOOK_EVERY = 0.05
_SHOW_EVERY = 500


def plan(n: int, only: Sequence[str] = (), first_seed: int = 0) -> list[Case]:
    """Share a number of cases out among the kinds; each kind gets one at least."""
    shares = {kind: share for kind, share in SHARES.items() if not only or kind in only}
    total = sum(shares.values())
    counts = {kind: max(1, round(n * share / total)) for kind, share in shares.items()}
    return [Case(kind, first_seed + seed) for kind, count in counts.items() for seed in range(count)]


def work(connection: Connection, folder: Path) -> None:
    """Run the cases that come in, until none does."""
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # DuckDB takes such a process for a notebook and draws bars
    while (case := connection.recv()) is not None:
        ending = run_case(case, emptied(folder))
        emptied(folder)
        connection.send(ending)


class Worker:
    """A process that runs one case at a time, and is replaced when it dies of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        self.connection, theirs = multiprocessing.get_context("spawn").Pipe()
        self.process: Any = multiprocessing.get_context("spawn").Process(
            target=work, args=(theirs, self.folder), daemon=True
        )
        self.process.start()
        theirs.close()

    def begin(self, case: Case) -> None:
        """Hand a case over."""
        self.case, self.started, self.watch = case, time.perf_counter(), Watch(self.process.pid)
        self.connection.send(case)

    def ending(self) -> Ending | None:
        """Look how the case is doing: None while it runs and keeps to the limits."""
        if self.connection.poll():
            try:
                ended: Ending = self.connection.recv()
            except EOFError:
                return self._lost("died")
            if ended.peak > MAX_BYTES:
                return Ending(**{**vars(ended), "problem": ended.problem or f"{ended.peak >> 20} MiB"})
            return ended
        why = self.watch.broken()
        return None if why is None else self._lost(why)

    def _lost(self, why: str) -> Ending:
        seconds = time.perf_counter() - self.started
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        emptied(self.folder)
        self._start()
        return Ending(None, "", "not judged", f"{why}, exit code {code}", seconds, 0)

    def stop(self) -> None:
        """End the process."""
        self.connection.send(None)
        self.process.join()


def run(cases: Sequence[Case], n_workers: int) -> Iterator[tuple[Case, Ending]]:
    """Run cases on some workers; they end in any order."""
    left = list(reversed(cases))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        workers = [Worker(Path(scratch) / f"{n}") for n in range(min(n_workers, len(left)))]
        for worker in workers:
            worker.begin(left.pop())
        busy = list(workers)
        while busy:
            wait([worker.connection for worker in busy], timeout=_LOOK_EVERY)
            for worker in list(busy):
                if (ended := worker.ending()) is None:
                    continue
                yield worker.case, ended
                if left:
                    worker.begin(left.pop())
                else:
                    worker.stop()
                    busy.remove(worker)


ENDINGS = ("right", "in part", "not judged", "refused (2)", "not ready (4)", "other", "findings")


def ending_of(ended: Ending) -> str:
    """Name the column of the table that an ending belongs into."""
    if ended.problem is not None:
        return "findings"
    if ended.code == 0:
        return {"judged": "right", "judged in part": "in part"}.get(ended.judged, "not judged")
    return {2: "refused (2)", 4: "not ready (4)"}.get(ended.code or 0, "other")


def table(endings: dict[str, list[Ending]]) -> list[str]:
    """Lay out the counts of each kind, its slowest case and its largest."""
    head = ["kind", "cases", *ENDINGS, "slowest s", "peak MiB"]
    rows = [_row(kind, ended) for kind, ended in endings.items()]
    rows.append(_row("all", [e for ended in endings.values() for e in ended]))
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    return ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in [head, *rows]]


def _row(name: str, ended: Sequence[Ending]) -> list[str]:
    counts = [sum(ending_of(e) == column for e in ended) for column in ENDINGS]
    slowest, peak = max(e.seconds for e in ended), max(e.peak for e in ended) / (1 << 20)
    return [name, f"{len(ended):,}", *(f"{n:,}" for n in counts), f"{slowest:.1f}", f"{peak:,.0f}"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="how many in worker processes")
    parser.add_argument("--processes", type=int, default=0, help="how many as whole processes")
    parser.add_argument("--kind", action="append", default=[], help="only this kind (repeatable)")
    parser.add_argument("--seed", type=int, help="only this seed of the kind")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--endings", action="store_true", help="print how each case ended")
    args = parser.parse_args(argv)
    started = time.perf_counter()
    if args.seed is not None:
        inside = [Case(kind, args.seed) for kind in args.kind]
    else:
        inside = plan(args.cases, args.kind) if args.cases else []
    outside = plan(args.processes, args.kind, FIRST_SEED) if args.processes else []
    n_problems = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-shop-") as shop:
        if any(case.kind.startswith("score_") for case in [*inside, *outside]):
            prepare(Path(shop))
        for name, runs in (
            ("in worker processes", run(inside, args.workers)),
            ("as whole processes", run_processes(outside, args.workers)),
        ):
            n_problems += _told(name, runs, every=args.endings or args.seed is not None)
    print(f"{time.perf_counter() - started:,.0f} s, {n_problems} findings")
    return int(n_problems > 0)


def _told(name: str, runs: Iterator[tuple[Case, Ending]], *, every: bool) -> int:
    """Print the endings of some runs, and the table; return how many findings there are."""
    endings: dict[str, list[Ending]] = defaultdict(list)
    for case, ended in runs:
        endings[case.kind].append(ended)
        if sum(map(len, endings.values())) % _SHOW_EVERY == 0:
            print(f"{name}: {sum(map(len, endings.values())):,} cases", file=sys.stderr, flush=True)
        if ended.problem is not None or every:
            said = ended.problem or ended.said[:400]
            print(f"{case.kind} {case.seed}: {ended.code} [{ended.judged}] {said}", flush=True)
    if endings:
        print("\n".join([f"{name}:", *table(dict(sorted(endings.items())))]), flush=True)
    return sum(e.problem is not None for ended in endings.values() for e in ended)


if __name__ == "__main__":
    sys.exit(main())
