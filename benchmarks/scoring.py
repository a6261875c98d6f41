"""What a scoring run costs as a whole process, from raw log to published run, for shops of any size.

``python -m benchmarks.scoring --customers 10000 1000000 --engines duckdb spark`` simulates a shop of each
size, scores it by the command `repurchase score` as a scheduler would, and prints a table of all results that
lie in the folder; with ``--into docs/scaling.md`` it puts the table into that page. The champion is the
blend, which takes longest, trained once.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import measure
from benchmarks.features import WHERE
from benchmarks.logs import END, SHOP, Kind, make_log
from benchmarks.measure import GB, say
from benchmarks.watched import Watched, watch

SOLD = Kind("shop", replace(SHOP, acquisition_days=700.0, lines_per_order=1.7), 10)
TRAINED_ON = 10_000
"""Customers of the shop that the champion learns from; it may score any other."""
BEGIN, FINISH = "<!-- written by make bench-score -->", "<!-- to here -->"
STEPS = {
    "champion": "resolving",
    "read": "reading",
    "look": "looking at",
    "prove": "proving",
    "features": "features",
    "score": "scoring",
    "groups": "putting customers",
    "list": "whom to contact",
    "reasons": "reasons",
    "publish": "publishing",
}
CONFIG = """\
[project]
name = "bench"
currency = "EUR"
output = "out-{customers}-{engine}"
[tables.transactions]
source = "../{log}/*.parquet"
columns = {{ customer_id = "customer_id", order_id = "order_id", ordered_at = "ordered_at", \
product_id = "product_id", quantity = "quantity", unit_price = "unit_price" }}
[policy]
cancellation = {{ column = "order_id", prefix = "C" }}
[training]
max_customers = 30000
cutoffs = 5
[economics]
margin = 0.4
discount_rate = 0.1
acquisition_cost = 5.0
[engine]
kind = "{engine}"
{options}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is not there, run the rounds, print the table."""
    args = _arguments(arguments)
    room = args.data / "room"
    room.mkdir(parents=True, exist_ok=True)
    if args.train:
        return _train(args.train)
    if not (room / "mlflow.db").exists():
        config = _config(room, args, TRAINED_ON, "duckdb")
        watch(
            [sys.executable, "-m", "benchmarks.scoring", "--train", str(config)], measure.ROOT, room / "log"
        )
    for customers in args.customers:
        for engine in args.engines:
            _score(room, args, customers, engine)
    results = _results(args.data)
    lines = [*table(results), "", *beyond(results)]
    say("\n".join(lines))
    if args.into:
        before, _, rest = args.into.read_text("utf-8").partition(BEGIN)
        after = rest.partition(FINISH)[2]
        args.into.write_text("\n".join([before + BEGIN, *lines, FINISH + after]), "utf-8")
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--engines", nargs="+", default=["duckdb"], choices=("duckdb", "spark"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--memory", help="limit of the engine's memory, as it writes it: 6GB, or 6g for Spark"
    )
    parser.add_argument("--into", type=Path, help="page that shows the table")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    place = Path(os.environ.get(WHERE) or Path(tempfile.gettempdir()) / "repurchase-bench")
    parser.add_argument("--data", type=Path, default=place / "scoring", help=f"folder, or {WHERE}")
    return parser.parse_args(arguments)


def _config(room: Path, args: argparse.Namespace, customers: int, engine: str) -> Path:
    log = make_log(args.data, customers * SOLD.lines_per_customer, kind=SOLD)
    key = {"duckdb": "memory_limit", "spark": "spark.driver.memory"}[engine]
    options = f'options = {{ "{key}" = "{args.memory}" }}' if args.memory else ""
    file = room / f"{customers}-{engine}.toml"
    file.write_text(CONFIG.format(customers=customers, engine=engine, log=log.folder.name, options=options))
    return file


def _train(config: Path) -> int:
    """Train and promote as the commands do, but for the recipe: the one that takes longest, whoever won."""
    from models.purchase import RECIPES
    from pipelines import train
    from pipelines.cli import main as run
    from pipelines.training import Choice, Training, fit_scorer, train_scorer

    def largest(engine: Any, log: Any, config: Any, until: Any, step: Any) -> Training:
        found = train_scorer(engine, log, config, until, step)
        choice = Choice(RECIPES["blend"], 0.5, found.scorer.spend_range)
        scorer = fit_scorer(found.panel, found.scorer.btyd, choice, found.schedule, config, log)
        return replace(found, recipe=choice.recipe, scorer=scorer)

    train.train_scorer = largest
    named = ["--config", str(config), "--quiet"]
    trained = run([*named, "train", "--as-of", "2025-12-01"])
    return trained or run([*named, "promote", "--force", "--reason", "the one that takes longest"])


def _score(room: Path, args: argparse.Namespace, customers: int, engine: str) -> None:
    config = _config(room, args, customers, engine)
    facts = json.loads((room.parent / f"shop-{customers * 10}-7" / "_facts.json").read_text())
    turns: list[Watched] = []
    for number in range(1, args.rounds + 1):
        shutil.rmtree(room / f"out-{customers}-{engine}", ignore_errors=True)
        load = os.getloadavg()[0]
        command = [sys.executable, "-m", "pipelines.cli", "--config", config.name, "--json"]
        turn = watch([*command, "score", "--as-of", END.isoformat()], room, room / "log")
        turns.append(turn)
        say(f"{engine} {customers:,} {number}: {turn.seconds:.1f} s, load {load:.1f}: {turn.steps}")
        found = {
            "engine": engine,
            "customers": json.loads(turn.said)["customers"],
            "lines": facts["n_lines"],
            "memory": args.memory,
            "load": load,
            "machine": measure.machine(),
            "turns": [asdict(turn) for turn in turns],
        }
        file = args.data / "results" / f"{engine}-{customers}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(found, indent=1))


def _results(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(file.read_text()) for file in (folder / "results").glob("*.json")]
    return sorted(found, key=lambda one: (one["engine"], one["lines"]))


def table(results: Sequence[dict[str, Any]]) -> list[str]:
    """Lay out all results as Markdown: medians over the turns."""
    names = [
        "engine",
        "customers",
        "lines",
        "wall s",
        "CPU s",
        "peak GB",
        "driver GB",
        "memory limit",
        "load",
    ]
    rows = [[*names, *STEPS], ["---"] * (len(names) + len(STEPS))]
    for one in results:
        turns = one["turns"]
        figures = {
            key: median(turn[key] for turn in turns)
            for key in ("seconds", "cpu_seconds", "peak_bytes", "own_peak_bytes")
        }
        rows.append(
            [
                one["engine"],
                f"{one['customers']:,}",
                f"{one['lines']:,}",
                f"{figures['seconds']:.0f}",
                f"{figures['cpu_seconds']:.0f}",
                f"{figures['peak_bytes'] / GB:.2f}",
                f"{figures['own_peak_bytes'] / GB:.2f}",
                one["memory"] or "-",
                f"{one['load']:.0f}",
                *(f"{median(_took(turn, begin) for turn in turns):.1f}" for begin in STEPS.values()),
            ]
        )
    return ["| " + " | ".join(row) + " |" for row in rows]


def beyond(results: Sequence[dict[str, Any]]) -> list[str]:
    """Carry on, for each engine, the straight line through its two largest shops."""
    said = []
    for engine in dict.fromkeys(one["engine"] for one in results):
        sizes_of = [one for one in results if one["engine"] == engine]
        if len(sizes_of) < 2:
            continue
        less, more = sizes_of[-2:]
        cpu = [median(turn["cpu_seconds"] for turn in one["turns"]) for one in (less, more)]
        each = (cpu[1] - cpu[0]) / (more["customers"] - less["customers"])
        fixed = max(cpu[1] - each * more["customers"], 0.0)
        sizes = ", ".join(f"{n / 1e6:,.0f} million: {fixed + each * n:,.0f} s" for n in (1e7, 1e8))
        said.append(
            f"{engine}: {fixed:.0f} s of a processor for a shop of any size, {each * 1e6:.0f} s more for a "
            f"million customers; so {sizes}, to be divided by the processors that share the work."
        )
    return said


def _took(turn: dict[str, Any], begin: str) -> float:
    return float(sum(took for text, took in turn["steps"].items() if text.startswith(begin)))


if __name__ == "__main__":
    sys.exit(main())
