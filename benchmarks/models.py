"""How long it takes to train on a large shop, to score all of it and to give reasons, and in how much memory.

``python -m benchmarks.models`` simulates a shop, trains on it as `repurchase train` does (without MLflow),
builds everyone's features, and hands them to a process of its own that scores them with every output but
reasons, in rounds; a last process gives reasons for as many customers as a list has. Beside scoring stands
what lifetimes takes for its three outputs on the same customers.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from benchmarks import measure
from benchmarks.features import WHERE
from benchmarks.measure import GB, ROOT, say
from benchmarks.stages import Stages

AS_OF = date(2025, 12, 31)
CONFIG = """\
[project]
name = "bench"
currency = "EUR"
[tables.transactions]
source = "log.parquet"
columns = {{ customer_id = "customer_id", order_id = "order_id", ordered_at = "ordered_at", \
product_id = "product_id", quantity = "quantity", unit_price = "unit_price" }}
[policy]
cancellation = {{ column = "order_id", prefix = "C" }}
[training]
max_customers = {sample}
[economics]
margin = 0.4
discount_rate = 0.1
acquisition_cost = 5.0
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the shop unless it is there, run the turns, print and write what they took."""
    args = _arguments(arguments)
    folder = args.data / f"models-{args.customers}-{args.seed}"
    if args.turn:
        sys.stdout.write(json.dumps(TURNS[args.turn](folder, args)) + "\n")
        return 0
    _make(folder, args)
    machine = measure.machine()
    say(f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; load {machine['load']:.1f}")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in TURNS}
    for name in TURNS:
        for number in range(1, (1 if name in ONCE else args.rounds) + 1):
            facts = _run(name, args)
            found[name].append(facts)
            stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in facts["stages"].items())
            say(f"{name} {number}: {stages}; {facts['said']}; peak {facts['peak_bytes'] / GB:.2f} GB")
    for name, turns in found.items():
        for stage in turns[0]["stages"]:
            seconds = median(turn["stages"][stage] for turn in turns)
            say(f"median of {len(turns)}: {name}, {stage}: {seconds:.1f} s")
    file = args.data / "results" / f"models-{args.customers}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": machine, "customers": args.customers, "turns": found}, indent=1))
    say(f"written: {file}")
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=200_000, help="customers of the panel")
    parser.add_argument("--listed", type=int, default=20_000, help="customers who get reasons")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--turn", choices=TURNS, help=argparse.SUPPRESS)
    place = Path(os.environ.get(WHERE) or Path(tempfile.gettempdir()) / "repurchase-bench")
    parser.add_argument(
        "--data", type=Path, default=place, help=f"folder for the shop and results, or {WHERE}"
    )
    return parser.parse_args(arguments)


def _make(folder: Path, args: argparse.Namespace) -> None:
    from models.simulate import ShopSpec, simulate_shop

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "repurchase.toml").write_text(CONFIG.format(sample=args.sample))
    log = folder / "log.parquet"
    if not log.exists():
        spec = ShopSpec(n_customers=args.customers, start="2024-01-01", days=730, acquisition_days=700.0,
                        lines_per_order=2.0, refund_share=0.03, anonymous_share=0.05,
                        season_amplitude=0.4)  # fmt: skip
        simulate_shop(spec, args.seed).transactions.to_parquet(log)
    rows = pd.read_parquet(log, columns=["customer_id"])
    say(f"{log}: {len(rows):,} lines of {rows['customer_id'].nunique():,} customers")


def _run(name: str, args: argparse.Namespace) -> dict[str, Any]:
    given = {"customers": args.customers, "sample": args.sample, "listed": args.listed, "seed": args.seed}
    options = [text for key, value in given.items() for text in (f"--{key}", str(value))]
    command = [sys.executable, "-m", "benchmarks.models", "--turn", name, "--data", str(args.data), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def _facts(stages: Stages, said: str) -> dict[str, Any]:
    own, child = (
        resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # Of the children the kernel keeps the largest alone, and as many as there are cores ran at once.
    return {"stages": stages.seconds, "said": said, "peak_bytes": own + child * (os.cpu_count() or 1)}


def _train(folder: Path, _args: argparse.Namespace) -> dict[str, Any]:
    """Train, and leave the scorer and everyone's features for the other turns."""
    from models.purchase import RECIPES
    from pipelines.config import load_config
    from pipelines.console import Console
    from pipelines.engine import open_engine
    from pipelines.model_files import write_files
    from pipelines.purchase_log import open_log
    from pipelines.scorer_files import to_files
    from pipelines.scoring import features_of, piece_scorer
    from pipelines.training import Choice, fit_scorer, train_scorer

    stages, console, config = Stages(), Console(quiet=True), load_config(folder / "repurchase.toml")
    with open_engine(config) as engine:
        with stages("reading the log"):
            log = open_log(engine, config, console)
        with stages("training"):
            trained = train_scorer(engine, log, config, AS_OF, console.step)
        largest = Choice(RECIPES["blend"], 0.5, trained.scorer.spend_range)
        with stages("refitting as the blend"):  # the champion that takes longest, whoever won
            scorer = fit_scorer(trained.panel, trained.scorer.btyd, largest, trained.schedule, config, log)
        with stages("features of everyone"):
            work = piece_scorer(log, config, scorer, "1", AS_OF)
            frame = work.frame(engine.frame(features_of(engine, log, work)))
    files = folder / f"scorer-{time.time_ns()}"
    write_files(to_files(scorer), files)
    (folder / "scorer").unlink(missing_ok=True)
    (folder / "scorer").symlink_to(files.name)
    frame.to_parquet(folder / "frame.parquet")
    kept = f"{len(trained.panel):,} panel rows, {len(trained.schedule.folds)} folds"
    return _facts(stages, f"{kept}, {trained.recipe.name} won, {len(scorer.features)} features")


def _opened(folder: Path) -> tuple[Any, pd.DataFrame]:
    from pipelines.scorer_files import from_files

    files = {path.name: path.read_bytes() for path in (folder / "scorer").resolve().iterdir()}
    return from_files(files), pd.read_parquet(folder / "frame.parquet")


def _score(folder: Path, _args: argparse.Namespace) -> dict[str, Any]:
    """Score everyone, with a discount rate and a cost: nothing is left out but reasons."""
    from pipelines.config import load_config

    stages, terms = Stages(), load_config(folder / "repurchase.toml").economics.terms
    scorer, frame = _opened(folder)
    with stages("scoring"):
        scores = scorer.score(frame, terms)
    scores.assign(customer_id=frame["customer_id"]).to_parquet(folder / "scores.parquet")
    return _facts(stages, f"{len(scores):,} customers, {len(scores.columns)} outputs, terms {asdict(terms)}")


def _reasons(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    from models.reasons import reasons

    stages = Stages()
    scorer, frame = _opened(folder)
    worth = pd.read_parquet(folder / "scores.parquet", columns=["value_at_risk"])["value_at_risk"]
    listed = frame[(worth.rank(method="first", ascending=False) <= args.listed).to_numpy()]
    with stages("reasons"):
        told = reasons(scorer, listed, ())
    return _facts(stages, f"{len(told):,} reasons for {len(listed):,} customers")


def _lifetimes(folder: Path, _args: argparse.Namespace) -> dict[str, Any]:
    """What lifetimes takes for the three outputs that it has, of the same customers."""
    from benchmarks.btyd_libraries import HISTORY, Lifetimes

    stages = Stages()
    frame = pd.read_parquet(folder / "frame.parquet", columns=[*HISTORY, "monetary_value"]).astype(float)
    library = Lifetimes(frame[frame["monetary_value"].isna() | (frame["monetary_value"] >= 0)].fillna(0.0))
    with stages("fitting"):
        library.fit()
        library.fit_spend()
    with stages("scoring"):
        for step in (library.alive, library.orders, library.clv):
            step()
    return _facts(stages, f"{len(library.customers):,} customers, 3 outputs, one horizon")


TURNS: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "train": _train,
    "score": _score,
    "lifetimes": _lifetimes,
    "reasons": _reasons,
}
ONCE = {"train", "lifetimes"}

if __name__ == "__main__":
    sys.exit(main())
