"""What `repurchase check` prints: one paragraph a finding, and two small tables."""

import textwrap
from collections.abc import Sequence
from typing import Any

from models.clock_words import likeliest
from models.findings import Finding, State
from models.silences import SilenceBand
from pipelines.console import table

_WIDTH = 110
_INDENT = 9


def said(findings: Sequence[Finding]) -> list[str]:
    """Give each finding a paragraph that begins with its severity."""
    lines = []
    for finding in findings:
        text = f"{finding.severity:<{_INDENT}}{finding.code.replace('_', ' ')}: {finding.text}"
        lines += textwrap.wrap(text, _WIDTH, subsequent_indent=" " * _INDENT, break_on_hyphens=False)
    return lines


def verdict(state: State, findings: Sequence[Finding]) -> str:
    """Name what blocks; or what a training would do, and what to look into first."""
    blockers = [f.text for f in findings if f.severity == "blocker"]
    if blockers:
        return f"{state}: {'; '.join(blockers)}"
    plan = next(f.text for f in findings if f.code == "history")
    others = [f.code for f in findings if f.severity == "warning" and f.code != "history"]
    look = f"; look into first: {', '.join(others).replace('_', ' ')}" if others else ""
    return f"{state}: {plan}{look}"


def horizon_table(horizons: Sequence[dict[str, Any]]) -> list[str]:
    """Lay out, for each horizon, the buyers at the newest cutoff whose label is known."""
    rows = [
        [
            f"within {h['horizon']} days", f"{h['cutoffs']}", h["newest_cutoff"] or "-",
            _count(h["customers"]), _count(h["buyers"]), f"{h['missing_days']:,}",
        ]
        for h in horizons
    ]  # fmt: skip
    return table(["buying again", "cutoffs", "newest", "customers", "bought", "days missing"], rows)


def silence_table(bands: Sequence[SilenceBand]) -> list[str]:
    """Lay out the hazard of a purchase by days of silence, and say where it is highest."""
    if not any(b.returns for b in bands):
        return []
    rows = [
        [
            f"day {b.after + 1} to {b.until}", f"{b.at_risk:,}", f"{b.returns:,}", f"{b.daily:.2%}",
            "-" if b.chance is None else f"{b.chance:.0%}",
        ]
        for b in bands
    ]  # fmt: skip
    return [*table(["after a purchase", "still silent", "bought", "a day", "in all"], rows), likeliest(bands)]


def _count(n: int | None) -> str:
    return "-" if n is None else f"{n:,}"
