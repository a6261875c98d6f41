"""Run cases as whole processes, as a scheduler does, and judge what is left of them: code, screen, answer."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.cases import Case, Made, lay_out
from tests.fuzz.oracle import Facts, Outcome, problem_with, score_facts
from tests.fuzz.run_case import Ending, emptied
from tests.fuzz.watch import MAX_BYTES, Watch

FIRST_SEED = 1_000_000
"""From here on count the seeds of whole processes, so that they are other cases than those in process."""

TRAINED = (
    "column_types",
    "numbers",
    "ids",
    "dates",
    "huge_sums",
    "text_bytes",
    "tables_beside",
    "config_values",
)
"""Kinds of which the first case is not checked but trained on."""


def run_processes(cases: Sequence[Case], n_workers: int) -> Iterator[tuple[Case, Ending]]:
    """Run each case in a process of its own, some beside each other."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch, ThreadPoolExecutor(n_workers) as pool:

        def one(numbered: tuple[int, Case]) -> tuple[Case, Ending]:
            number, case = numbered
            return case, run_process(case, emptied(Path(scratch) / str(number)))

        yield from pool.map(one, enumerate(cases))


def run_process(case: Case, folder: Path) -> Ending:
    """Lay a case out, run the command in a process that is watched, and judge it."""
    made = lay_out(case, folder)
    command = ("train",) if case.kind in TRAINED and case.seed == FIRST_SEED else made.command
    arguments = [
        sys.executable,
        "-m",
        "pipelines.cli",
        "--config",
        str(made.config),
        "--quiet",
        "--json",
        *command,
    ]
    start = time.perf_counter()
    with (folder / ".out").open("wb") as out, (folder / ".err").open("wb") as err:
        process = subprocess.Popen(arguments, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                   cwd=Path.cwd(), env={**os.environ, "TMPDIR": str(folder)})  # fmt: skip
        watch = Watch(process.pid)
        while (why := watch.broken()) is None and process.poll() is None:
            time.sleep(0.05)
        if why is not None:
            process.kill()
        code = process.wait()
    seconds = time.perf_counter() - start
    screen = (folder / ".err").read_text(errors="replace")
    said = [line for line in screen.splitlines() if line.strip()]
    if why is not None or code < 0 or watch.peak > MAX_BYTES:
        problem = why or f"exit code {code}, {watch.peak >> 20} MiB"
        return Ending(code, said[-1] if said else "", "not judged", problem, seconds, watch.peak)
    outcome = Outcome(code, screen)
    problem, judged = _judged(outcome, made, command, (folder / ".out").read_text(errors="replace"))
    return Ending(code, said[-1] if said else "", judged, problem, seconds, watch.peak)


def _judged(outcome: Outcome, made: Made, command: Sequence[str], answer: str) -> tuple[str | None, str]:
    """Hold the answer against the count by hand, as far as it says what was read."""
    if outcome.code == 0 or (command[0] == "check" and answer):
        try:
            said = json.loads(answer)
        except ValueError:
            return f"no JSON on stdout: {answer[:200]!r}", "judged"
        if command[0] == "check":
            rows = said["rows"]
            aside = sum(rows["rows_quarantined"].values())
            outcome.facts = Facts(rows["rows_in"], rows["rows_used"], aside, None, None)
        elif command[0] == "score":
            outcome.scores = score_facts(Path(said["folder"]))
    return problem_with(outcome, made)
