"""Judge how a broken input ended: in a readable refusal, or in a result that counting by hand confirms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from features.door import MAX_AMOUNT, MONEY_UNITS
from pipelines.engine import Engine
from pipelines.published_runs import faults, read_run
from pipelines.purchase_log import PurchaseLog
from tests.fuzz.by_hand import UNITS, Counted, Spent, Unreadable, count, read_rows, spent
from tests.fuzz.cases import Made

LONGEST_LINE = 2_000
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Facts:
    """What a command took from the log."""

    rows: int
    used: int
    aside: int
    customers: int | None
    units: int | None

    @classmethod
    def of(cls, engine: Engine, log: PurchaseLog) -> "Facts":
        """Add up what was kept."""
        lines = log.lines
        [found] = engine.frame(
            lines.aggregate(
                n=lines.count(),
                customers=lines.customer_id.nunique(),
                units=lines.amount.cast("decimal(38, 0)").sum(),
            )
        ).to_dict("records")
        aside = sum(log.rows.rows_quarantined.values())
        return cls(log.rows.rows_in, found["n"], aside, found["customers"], int(found["units"] or 0))


@dataclass(frozen=True)
class Scores:
    """What a run published: each customer's total spend, and the first value that no probability can have."""

    total_spend: dict[str, float]
    odd: str | None


def score_facts(run: Path) -> Scores:
    """Read a published run."""
    frame = pd.read_parquet(run / "scores.parquet")
    odd = None
    for name in (c for c in frame.columns if c.startswith(("p_purchase_", "p_churn_", "p_alive"))):
        values = frame[name].to_numpy(float)
        if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
            odd = f"{name}: {values[~((values >= 0) & (values <= 1))][:3]}"
    return Scores(dict(zip(frame["customer_id"], frame["total_spend"], strict=True)), odd)


@dataclass
class Outcome:
    """How a run ended.

    Parameters
    ----------
    code : int
        The exit code.
    screen : str
        What stood on stderr.
    facts : Facts, optional
        What was read, if it came to that.
    scores : Scores, optional
        What `score` published.
    """

    code: int
    screen: str
    facts: Facts | None = None
    scores: "Scores | None" = None


def problem_with(outcome: Outcome, made: Made) -> tuple[str | None, str]:
    """Say what is wrong with an ending, if anything is, and what was held against what."""
    wrong = next(chain(_screen(outcome, made), _left(outcome, made)), None)
    if wrong is not None or (outcome.facts is None and outcome.scores is None):
        return wrong, "refused"
    if made.counted is None and made.log is None:
        return None, "not judged"
    try:
        rows = [] if made.log is None else read_rows(made.log, made.mapping)
    except Unreadable as unreadable:
        return None, f"not judged: {unreadable}"
    judged = "not judged"
    if outcome.facts is not None:
        counted = made.counted or count(rows, made.mapping)
        wrong = next(_numbers(outcome.facts, counted, made.mapping), None)
        judged = "judged in part" if counted.doubtful else "judged"
    if wrong is None and outcome.scores is not None:
        by_hand = spent(rows, made.mapping, date.fromisoformat(made.command[-1]))
        wrong = next(_customers(outcome.scores, by_hand), None)
        judged = "judged in part" if by_hand is None or by_hand.has_refunds else "judged"
    return wrong, judged


def _screen(outcome: Outcome, made: Made) -> Iterator[str]:
    """Yield what is wrong with the exit code and with what was said."""
    if outcome.code not in made.codes:
        yield f"exit code {outcome.code}: {outcome.screen[-600:]}"
    if "Traceback" in outcome.screen:
        yield f"a traceback: {outcome.screen[-600:]}"
    lines = [line for line in outcome.screen.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("repurchase: ")]
    if outcome.code != 0 and (len(said) != 1 or lines[-1] != said[0]) and outcome.facts is None:
        yield f"not one line that says why: {outcome.screen[-600:]}"
    for line in said:
        if _UNPRINTABLE.search(line):
            yield f"unprintable signs: {line[:300]!r}"
        if len(line) > LONGEST_LINE:
            yield f"a line of {len(line)} signs: {line[:300]!r}"


def _left(outcome: Outcome, made: Made) -> Iterator[str]:
    """Yield what `score` has left that it should not have: half a run, or a run of what was refused."""
    if made.command[0] != "score":
        return
    out = made.config.parent / "out"
    if stages := [path.name for path in out.glob(".stage-*")]:
        yield f"half-written: {stages}"
    runs = list(out.glob("runs/*"))
    if outcome.code != 0 and (runs or (out / "latest").is_symlink()):
        yield f"refused, but published: {[path.name for path in runs]}"
    for run in runs:
        if wrong := faults(read_run(run)):
            yield f"published, but not whole: {wrong}"


def _numbers(got: Facts, counted: Counted, mapping: dict[str, str]) -> Iterator[str]:
    """Hold what was read against what was counted."""
    if got.rows != got.used + got.aside:
        yield f"rows are lost: {got}"
    if got.rows != counted.rows:
        yield f"read {got.rows} rows of {counted.rows}: {got}, by hand {counted}"
    if not counted.used <= got.used <= counted.used + counted.doubtful:
        yield f"used {got.used} rows, by hand {counted.used} to {counted.used + counted.doubtful}"
    if counted.doubtful or got.customers is None or got.units is None:
        return
    if got.customers != counted.customers:
        yield f"{got.customers} customers, by hand {counted.customers}"
    if "amount" in mapping or {"quantity", "unit_price"} <= set(mapping):
        yield from _money(got.units, counted)


def _money(units: int, counted: Counted) -> Iterator[str]:
    """Sums may differ by the rounding of each row."""
    per_row = 1 + MAX_AMOUNT * MONEY_UNITS * 2.0**-51
    if abs(units - counted.units) > counted.used * per_row:
        yield f"amounts sum to {units} units, by hand to {counted.units}"


def _customers(got: Scores, by_hand: Spent | None) -> Iterator[str]:
    """Hold the customers that were scored, and what they spent, against the log."""
    if got.odd is not None:
        yield f"no probability: {got.odd}"
    if by_hand is None:
        return
    if strangers := set(got.total_spend) - set(by_hand.buyers):
        yield f"scored, but no customers: {sorted(strangers)[:3]!r}"
    if by_hand.has_refunds:
        return
    if lost := set(by_hand.buyers) - set(got.total_spend):
        yield f"not scored: {sorted(lost)[:3]!r}"
    for customer, units in by_hand.buyers.items():
        spend = got.total_spend[customer]
        if abs(spend - units / UNITS) > 1e-3 * by_hand.rows + 1e-9 * abs(units) / UNITS:
            yield f"{customer[:60]!r} spent {spend}, by hand {Decimal(units) / UNITS}"
