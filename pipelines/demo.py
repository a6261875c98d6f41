"""`repurchase demo`: the main job on the CDNOW log that the lifetimes package installs."""

from collections.abc import Callable
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from pipelines.check import check
from pipelines.compare import compare
from pipelines.config import Config, load_config
from pipelines.console import Answer, Console
from pipelines.failures import NotPromoted
from pipelines.promote import promote
from pipelines.score import score
from pipelines.train import train

HORIZON = 90
AS_OF = date(1998, 4, 1)
"""So that the log holds one whole horizon after it, in which the list can be held to account."""

CONFIG = """\
# The demo's configuration; docs: README.md. The log is CDNOW's, in US dollars.
[project]
name = "cdnow-demo"
currency = "USD"

[tables.transactions]
source = "orders.csv"
columns = { customer_id = "customer_id", ordered_at = "date", quantity = "cds", amount = "amount" }
"""


def demo(console: Console, folder: Path) -> Answer:
    """Write the log and a config into `folder`, then check, train, compare, promote and score.

    Parameters
    ----------
    console : Console
        Where progress goes.
    folder : Path
        Made if it does not exist; everything lies under it.
    """
    config = _prepare(folder)
    steps: tuple[tuple[str, Callable[[], Answer]], ...] = (
        ("check: is the log ready?", lambda: check(config, console, as_of=AS_OF)),
        ("train: every candidate, judged out of time", lambda: train(config, console, AS_OF)),
        ("promote: only over the dumb rules", lambda: promote(config, console)),
        ("compare: on the 90 days that training never saw", lambda: compare(config, console)),
    )
    for title, command in steps:
        console.say(f"\n{title}")
        answer = command()
        for line in answer.lines:
            console.say(f"  {line}")
        if answer.exit_code not in (0, NotPromoted.exit_code):
            return answer
    console.say(f"\nscore: every customer as of {AS_OF}")
    scored = score(config, console, AS_OF)
    return Answer(scored.data, ["", *_found(config, Path(scored.data["folder"])), *scored.lines[-2:]])


def cdnow_log() -> pd.DataFrame:
    """Read the CDNOW log: 69,659 purchases of 23,570 customers who first bought in early 1997.

    Fader and Hardie's master data set, as the lifetimes package installs it.
    """
    package = find_spec("lifetimes")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("lifetimes")
    return pd.read_csv(
        Path(package.origin).parent / "datasets" / "CDNOW_master.txt",
        sep=r"\s+",
        skiprows=1,
        names=["customer_id", "date", "cds", "amount"],
        dtype={"customer_id": str},
        parse_dates=["date"],
        date_format="%Y%m%d",
    )


def _prepare(folder: Path) -> Config:
    folder.mkdir(parents=True, exist_ok=True)
    cdnow_log().to_csv(folder / "orders.csv", index=False)
    path = folder / "repurchase.toml"
    path.write_text(CONFIG, "utf-8")
    return load_config(path)


def _found(config: Config, folder: Path) -> list[str]:
    """Hold the list to account: what was expected, and what the log says came."""
    scores = pd.read_parquet(folder / "scores.parquet")
    orders = pd.read_csv(config.folder / "orders.csv", dtype={"customer_id": str}, parse_dates=["date"])
    end = pd.Timestamp(AS_OF + timedelta(HORIZON))
    came = orders[(orders["date"] >= pd.Timestamp(AS_OF)) & (orders["date"] < end) & (orders["amount"] > 0)]
    bought = scores["customer_id"].isin(came["customer_id"])
    p = scores[f"p_purchase_{HORIZON}d"]
    top = p >= p.quantile(0.9)
    return [
        f"What was found: of {len(scores):,} customers, about {p.sum():,.0f} were expected to buy in the "
        f"{HORIZON} days from {AS_OF}; {bought.sum():,} did.",
        f"Of the tenth most likely to buy, {bought[top].mean():.0%} did (expected {p[top].mean():.0%}); "
        f"of all others, {bought[~top].mean():.0%} (expected {p[~top].mean():.0%}).",
        "The risk list ranks the customers worth keeping by what would be lost with them. Which rows, model "
        f"and settings it rests on stands in {folder / 'manifest.json'}",
    ]
