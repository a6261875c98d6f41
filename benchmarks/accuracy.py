"""How right we are on logs whose future is known, beside the dumb rules and other models.

``python -m benchmarks.accuracy`` trains on each log as a shop would before a cutoff, lets its folds choose a
champion, and judges that and every other candidate on the days after, which nothing has seen. CDNOW comes
with lifetimes; the other logs are named, unless their package is installed::

    python -m benchmarks.accuracy --log retail=FILE journey=FILE --only retail journey
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.accuracy_data import EVALUATIONS, FAR, SHOPS, Evaluation, config_of, log_file
from benchmarks.accuracy_facts import facts_of
from benchmarks.accuracy_run import judge
from benchmarks.accuracy_table import evaluation_table, summary
from benchmarks.features import WHERE
from benchmarks.measure import say

NAMES = {f"{e.shop}-{e.cutoff}" + ("-far" if e is FAR else ""): e for e in (*EVALUATIONS, FAR)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evaluations, print a table of each and one of all, write JSON."""
    args = _arguments(arguments)
    machine, results = measure.machine(), []
    for evaluation in _chosen(args.only):
        with tempfile.TemporaryDirectory(prefix="accuracy-") as folder:
            facts = _evaluate(evaluation, dict(args.log), Path(folder), args.seed)
        if facts is None:
            continue
        results.append(facts)
        say(f"{evaluation_table(facts)}\n{facts['seconds']:.0f} s\n")
        # after each, so that a run that is broken off leaves what it found
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(
            json.dumps({"machine": machine, "seed": args.seed, "results": results}, indent=1)
        )
    if results:
        say(summary(results))
        say(f"written: {args.json}")
    return 0 if results else 2


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*SHOPS, *NAMES], default=list(NAMES), metavar="EVALUATION",
        help="shops or evaluations: " + ", ".join([*SHOPS, *NAMES]),
    )  # fmt: skip
    parser.add_argument(
        "--log", type=_pair, nargs="+", default=[], metavar="SHOP=FILE", help="where a log is"
    )
    parser.add_argument("--seed", type=int, default=7)
    place = Path(os.environ.get(WHERE) or Path(tempfile.gettempdir()) / "repurchase-bench")
    parser.add_argument(
        "--json", type=Path, default=place / "results" / "accuracy.json", help="where to write the figures"
    )
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if name not in SHOPS or not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"no file there, or the shop is none of {', '.join(SHOPS)}")
    return name, Path(path).resolve()


def _chosen(only: Sequence[str]) -> list[Evaluation]:
    return [e for name, e in NAMES.items() if name in only or e.shop in only]


def _evaluate(
    evaluation: Evaluation, logs: dict[str, Path], folder: Path, seed: int
) -> dict[str, Any] | None:
    """Run one; a log that is not there leaves the others their turn."""
    try:
        log = log_file(evaluation.shop, folder, logs)
    except FileNotFoundError as missing:
        say(f"{evaluation.name}: left out, {missing}")
        return None
    started = time.perf_counter()
    judged = judge(evaluation, config_of(evaluation, log, folder, seed))
    return facts_of(evaluation, judged, seed) | {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    sys.exit(main())
