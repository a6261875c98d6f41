"""The gate: what may become champion, in one word and one sentence."""

from dataclasses import dataclass
from typing import Literal

from models.bootstrap import Interval

Word = Literal["first", "better", "refresh", "fallback", "kept"]
REFRESH_TOLERANCE = 0.002
"""A renewed champion may lose at most this much log-loss (upper bound of the paired interval)."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says about a challenger.

    Parameters
    ----------
    word : str
        ``first``, ``better``, ``refresh``, ``fallback`` or ``kept``.
    reason : str
        One sentence with the figures that decided.
    """

    word: Word
    reason: str

    @property
    def promotes(self) -> bool:
        """Whether the challenger becomes champion."""
        return self.word != "kept"


@dataclass(frozen=True)
class Evidence:
    """Paired log-loss differences on out-of-time folds; above 0 means that the challenger is better.

    Parameters
    ----------
    challenger, rule : str
        Recipe names: the challenger's, and the best dumb rule's.
    over_rule : Interval
        Best rule minus challenger.
    champion : str or None
        The champion's recipe; None if there is no champion.
    over_champion : Interval or None
        Champion minus challenger.
    champion_over_rule : Interval or None
        Best rule minus the champion.
    days_newer : int
        By how much the challenger's training ends later than the champion's.
    """

    challenger: str
    rule: str
    over_rule: Interval
    champion: str | None = None
    over_champion: Interval | None = None
    champion_over_rule: Interval | None = None
    days_newer: int = 0


def judge(evidence: Evidence) -> Verdict:  # noqa: PLR0911 - one return a verdict
    """Apply the gate.

    Examples
    --------
    >>> judge(Evidence("blend", "recency_rule", Interval(0.02, 0.01, 0.03))).word
    'first'
    >>> judge(Evidence("recency_rule", "recency_rule", Interval(0.0, 0.0, 0.0))).word
    'fallback'
    """
    e = evidence
    if e.champion is not None and e.days_newer < 0:
        return Verdict("kept", f"{e.challenger} was trained on {-e.days_newer} days less than the champion")
    if e.challenger == e.rule:
        return _fallback(e)
    if e.over_rule.lo <= 0:
        return Verdict(
            "kept", f"{e.challenger} does not beat the best dumb rule, {e.rule}: {_say(e.over_rule)}"
        )
    if e.champion is None or e.over_champion is None:
        return Verdict("first", f"{e.challenger} beats the best dumb rule, {e.rule}: {_say(e.over_rule)}")
    if e.over_champion.lo > 0:
        return Verdict("better", f"{e.challenger} beats the champion, {e.champion}: {_say(e.over_champion)}")
    if e.champion == e.challenger and e.days_newer and -e.over_champion.lo <= REFRESH_TOLERANCE:
        newer = f"{e.challenger} on {e.days_newer} more days, no worse"
        return Verdict("refresh", f"{newer}: {_say(e.over_champion)}")
    return Verdict(
        "kept", f"{e.challenger} is not ahead of the champion, {e.champion}: {_say(e.over_champion)}"
    )


def _fallback(e: Evidence) -> Verdict:
    """The best dumb rule is the challenger: it stands unless the champion still clearly beats it."""
    over = e.champion_over_rule
    if e.champion not in (None, e.rule) and over is not None and over.lo > 0:
        return Verdict("kept", f"the champion, {e.champion}, beats {e.rule}: {_say(over)}")
    return Verdict("fallback", f"nothing beats the best dumb rule, {e.rule}: it is what the data can carry")


def _say(interval: Interval) -> str:
    return f"log-loss lower by {interval.mean:.4f} [{interval.lo:.4f}, {interval.hi:.4f}]"
