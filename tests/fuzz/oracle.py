"""Judge how a broken input ended: with a readable refusal, or with a result that counting by hand confirms."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from features.door import MAX_AMOUNT, MONEY_UNITS
from pipelines.engine import Engine
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
    wrong = _screen(outcome, made)
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
        wrong, judged = _numbers(outcome.facts, counted, made.mapping)
    if wrong is None and outcome.scores is not None:
        wrong, judged = _customers(
            outcome.scores, spent(rows, made.mapping, date.fromisoformat(made.command[-1]))
        )
    return wrong, judged


def _screen(outcome: Outcome, made: Made) -> str | None:
    if outcome.code not in made.codes:
        return f"exit code {outcome.code}: {outcome.screen[-600:]}"
    if "Traceback" in outcome.screen:
        return f"a traceback: {outcome.screen[-600:]}"
    lines = [line for line in outcome.screen.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("repurchase: ")]
    if outcome.code != 0 and (len(said) != 1 or lines[-1] != said[0]) and outcome.facts is None:
        return f"not one line that says why: {outcome.screen[-600:]}"
    if any(_UNPRINTABLE.search(line) for line in said):
        return f"unprintable signs: {said[0][:300]!r}"
    if any(len(line) > LONGEST_LINE for line in said):
        return f"a line of {len(said[0])} signs: {said[0][:300]!r}"
    return None


def _numbers(got: Facts, counted: Counted, mapping: dict[str, str]) -> tuple[str | None, str]:
    """Hold what was read against what was counted."""
    if got.rows != got.used + got.aside:
        return f"rows are lost: {got}", "judged"
    if got.rows != counted.rows:
        return f"read {got.rows} rows of {counted.rows}: {got}, by hand {counted}", "judged"
    if not counted.used <= got.used <= counted.used + counted.doubtful:
        return f"used {got.used} rows, by hand {counted.used} to {counted.used + counted.doubtful}", "judged"
    if counted.doubtful:
        return None, "judged in part"
    if got.customers is None or got.units is None:
        return None, "judged"
    if got.customers != counted.customers:
        return f"{got.customers} customers, by hand {counted.customers}", "judged"
    if "amount" in mapping or {"quantity", "unit_price"} <= set(mapping):
        return _money(got, counted), "judged"
    return None, "judged"


def _money(got: Facts, counted: Counted) -> str | None:
    """Sums may differ by the rounding of each row."""
    assert got.units is not None
    per_row = 1 + MAX_AMOUNT * MONEY_UNITS * 2.0**-51
    if abs(got.units - counted.units) > counted.used * per_row:
        return f"amounts sum to {got.units} units, by hand to {counted.units}"
    return None


def _customers(got: Scores, by_hand: Spent | None) -> tuple[str | None, str]:
    """Hold the customers that were scored, and what they spent, against the log."""
    if got.odd is not None:
        return f"no probability: {got.odd}", "judged"
    if by_hand is None:
        return None, "judged in part"
    if set(got.total_spend) - set(by_hand.buyers):
        return (
            f"scored, but no customers: {sorted(set(got.total_spend) - set(by_hand.buyers))[:3]!r}",
            "judged",
        )
    if by_hand.has_refunds:
        return None, "judged in part"
    if set(got.total_spend) != set(by_hand.buyers):
        return f"not scored: {sorted(set(by_hand.buyers) - set(got.total_spend))[:3]!r}", "judged"
    for customer, units in by_hand.buyers.items():
        spend = got.total_spend[customer]
        if abs(spend - units / UNITS) > 1e-3 * by_hand.rows + 1e-9 * abs(units) / UNITS:
            return f"{customer[:60]!r} spent {spend}, by hand {Decimal(units) / UNITS}", "judged"
    return None, "judged"
