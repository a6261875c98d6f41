"""Judge how a broken input ended: with a readable refusal, or with a result that counting by hand confirms."""

import re
from dataclasses import dataclass, field
from typing import Any

from features.door import MAX_AMOUNT, MONEY_UNITS
from pipelines.engine import Engine
from pipelines.purchase_log import PurchaseLog
from tests.fuzz.by_hand import Counted, Unreadable, count, read_rows
from tests.fuzz.cases import Made

LONGEST_LINE = 2_000
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Facts:
    """What a command took from the log."""

    rows: int
    used: int
    aside: int
    customers: int
    units: int

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
    scores : dict
        What `score` published.
    """

    code: int
    screen: str
    facts: Facts | None = None
    scores: dict[str, Any] = field(default_factory=dict)


def problem_with(outcome: Outcome, made: Made) -> tuple[str | None, str]:
    """Say what is wrong with an ending, if anything is, and what was held against what."""
    wrong = _screen(outcome, made)
    if wrong is not None or outcome.facts is None:
        return wrong, "refused"
    counted = made.counted
    if counted is None and made.log is None:
        return None, "not judged"
    try:
        counted = counted or count(read_rows(made.log, made.mapping), made.mapping)
    except Unreadable as unreadable:
        return None, f"not judged: {unreadable}"
    return _numbers(outcome.facts, counted, made.mapping)


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
    if got.customers != counted.customers:
        return f"{got.customers} customers, by hand {counted.customers}", "judged"
    if "amount" in mapping or {"quantity", "unit_price"} <= set(mapping):
        return _money(got, counted), "judged"
    return None, "judged"


def _money(got: Facts, counted: Counted) -> str | None:
    """Sums may differ by the rounding of each row."""
    per_row = 1 + MAX_AMOUNT * MONEY_UNITS * 2.0**-51
    if abs(got.units - counted.units) > counted.used * per_row:
        return f"amounts sum to {got.units} units, by hand to {counted.units}"
    return None
