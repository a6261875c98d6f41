"""What a look at a log finds, and the verdict the findings add up to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["ok", "note", "warning", "blocker"]
State = Literal["ready", "ready with warnings", "not ready"]

_RANK: tuple[Severity, ...] = ("blocker", "warning", "note", "ok")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    severity : {"ok", "note", "warning", "blocker"}
        ``note``: worth knowing. ``warning``: look into it before you trust the results. ``blocker``: nothing
        can be learned.
    code : str
        What was looked at; stays the same from run to run, whatever is found.
    text : str
        For people.
    numbers : dict
        What the text rests on, as plain JSON values.
    """

    severity: Severity
    code: str
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)


def state_of(findings: Sequence[Finding]) -> State:
    """Add the findings up.

    Examples
    --------
    >>> state_of([Finding("ok", "holes", "none"), Finding("warning", "outliers", "one")])
    'ready with warnings'
    """
    found = {f.severity for f in findings}
    if "blocker" in found:
        return "not ready"
    return "ready with warnings" if "warning" in found else "ready"


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Sort by severity; among equals the order stays."""
    return sorted(findings, key=lambda f: _RANK.index(f.severity))
