"""The gate: what may become champion, in one word and one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from models.baselines import RULES
from models.bootstrap import Interval

Word = Literal["first", "better", "refresh", "fallback", "kept"]
PROMOTING = ("first", "better", "refresh", "fallback")
REFRESH_TOLERANCE = 0.002
"""A renewed champion may lose at most this much log-loss (upper bound of the paired interval)."""


@dataclass(frozen=True)
class Limits:
    """What a learned challenger must keep to, however far ahead it is.

    Parameters
    ----------
    max_ece : float
        Calibration error on the folds, beyond what chance alone makes of it.
    max_bias : float
        Relative error of the number of buyers that were promised, to either side.
    min_rows, min_buyers : int
        Test rows, and buyers as well as others among them, below which figures are luck.
    min_share : float
        Customers in its log, as a share of those in the champion's: half a base is a broken export rather
        than a shop.
    """

    max_ece: float = 0.1
    max_bias: float = 0.5
    min_rows: int = 100
    min_buyers: int = 25
    min_share: float = 0.5


USUAL = Limits()
"""Where a config says nothing (docs/decisions/0022)."""


@dataclass(frozen=True)
class Check:
    """One condition of the gate.

    Parameters
    ----------
    name : str
        What is looked at.
    value, limit : str
        As it was found, and what was asked for.
    passed : bool
        Whether it holds; the challenger is kept out by one that does not.
    number : float, optional
        `value` for programs: a count, an error, a relative error, a share, a mean difference.
    """

    name: str
    value: str
    limit: str
    passed: bool
    number: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the gate says about a challenger.

    Parameters
    ----------
    word : str
        ``first``, ``better``, ``refresh``, ``fallback`` or ``kept``.
    reason : str
        One sentence with the figures that decided.
    checks : sequence of Check
        Every condition that was looked at, in order.
    doubts : sequence of str
        What a reviewer should look into, and what does not decide.
    """

    word: Word
    reason: str
    checks: Sequence[Check] = ()
    doubts: Sequence[str] = ()

    @property
    def promotes(self) -> bool:
        """Whether the challenger becomes champion."""
        return self.word in PROMOTING


@dataclass(frozen=True)
class Quality:
    """What is known of a challenger beside its distance to others; None where a training did not say.

    Parameters
    ----------
    rows, buyers : int, optional
        Test rows of the folds, and those who bought.
    ece, bias : float, optional
        Calibration error there, and relative error of the number of buyers.
    customers, champion_customers : int, optional
        Known in the log when the challenger was trained, and the champion.
    leak_proof : bool
        Whether the training proved that no feature sees the future.
    suspicions : sequence of str
        What is too good to be true (`models.tripwire`).
    rolled_back : str, optional
        Which version that learned the same was rolled back, when and why: "version 2, which was …".
    """

    rows: int | None = None
    buyers: int | None = None
    ece: float | None = None
    bias: float | None = None
    customers: int | None = None
    champion_customers: int | None = None
    leak_proof: bool = True
    suspicions: Sequence[str] = ()
    rolled_back: str | None = None


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
    quality : Quality
        What else is known of the challenger.
    """

    challenger: str
    rule: str
    over_rule: Interval
    champion: str | None = None
    over_champion: Interval | None = None
    champion_over_rule: Interval | None = None
    days_newer: int = 0
    quality: Quality = Quality()

    @property
    def is_renewal(self) -> bool:
        """Whether it is the champion's recipe on newer data."""
        return self.champion == self.challenger and self.days_newer > 0


def judge(evidence: Evidence, limits: Limits = USUAL) -> Verdict:
    """Apply the gate.

    Parameters
    ----------
    evidence : Evidence
        Figures of the folds and facts of the training.
    limits : Limits, optional
        Of the config.

    Examples
    --------
    >>> judge(Evidence("blend", "recency_rule", Interval(0.02, 0.01, 0.03))).word
    'first'
    >>> judge(Evidence("recency_rule", "recency_rule", Interval(0.0, 0.0, 0.0))).word
    'fallback'
    """
    quality = evidence.quality
    proof = "passed" if quality.leak_proof else "not on record"
    checks = [
        Check("leak proof of the training", proof, "passed", quality.leak_proof),
        *_of_past(quality),
        *_of_base(evidence, limits),
        *_of_fit(evidence, limits),
    ]
    word, reason = _compared(evidence)
    failed = next((check for check in checks if not check.passed), None)
    if failed is not None and evidence.days_newer >= 0:  # an older one is told so already
        said = f"{failed.name}: {failed.value}, asked for is {failed.limit}"
        word, reason = "kept", f"{said}; besides, {reason}"
    if quality.rolled_back is not None:
        said = f"it learned the same as {quality.rolled_back}"
        word, reason = "kept", f"{said}; train on newer rows, or overrule with --force"
    return Verdict(word, reason, [*checks, *_of_rivals(evidence)], list(quality.suspicions))


def _compared(e: Evidence) -> tuple[Word, str]:  # noqa: PLR0911 - one return a verdict
    """Say what the comparison with the best dumb rule and the champion comes to."""
    if e.champion is not None and e.days_newer < 0:
        return "kept", f"{e.challenger} was trained on {-e.days_newer} days less than the champion"
    if e.challenger == e.rule:
        return _fallback(e)
    if e.over_rule.lo <= 0:
        return "kept", f"{e.challenger} does not beat the best dumb rule, {e.rule}: {_say(e.over_rule)}"
    if e.champion is None or e.over_champion is None:
        return "first", f"{e.challenger} beats the best dumb rule, {e.rule}: {_say(e.over_rule)}"
    if e.over_champion.lo > 0:
        return "better", f"{e.challenger} beats the champion, {e.champion}: {_say(e.over_champion)}"
    if e.is_renewal and -e.over_champion.lo <= REFRESH_TOLERANCE:
        newer = f"{e.challenger} on {e.days_newer} more days, no worse"
        return "refresh", f"{newer}: {_say(e.over_champion)}"
    return "kept", f"{e.challenger} is not ahead of the champion, {e.champion}: {_say(e.over_champion)}"


def _of_past(quality: Quality) -> list[Check]:
    """Look at whether a person has said no to the same model: a scheduled promotion must not undo that."""
    if quality.rolled_back is None:
        return []
    return [Check("what it learned was rolled back", quality.rolled_back, "newer rows, or --force", False)]


def _of_base(e: Evidence, limits: Limits) -> list[Check]:
    """Look at what it was trained and tested on.

    A dumb rule is what is left where nothing else is, and is exempt, unless it would take the place of a
    learned champion: on a broken export the rule wins.
    """
    q = e.quality
    checks: list[Check] = []
    if e.champion is not None:
        newer = e.days_newer >= 0
        checks.append(
            Check("days newer than the champion", f"{e.days_newer:,}", "at least 0", newer, e.days_newer)
        )
    if e.challenger == e.rule and (e.champion is None or e.champion in RULES):
        return checks
    if q.rows is not None and q.buyers is not None:
        fewer = min(q.buyers, q.rows - q.buyers)
        enough = fewer >= limits.min_buyers
        checks += [
            Check(
                "test rows", f"{q.rows:,}", f"at least {limits.min_rows:,}", q.rows >= limits.min_rows, q.rows
            ),
            Check(
                "buyers, or others, among them",
                f"{fewer:,}",
                f"at least {limits.min_buyers:,}",
                enough,
                fewer,
            ),
        ]
    if q.customers is not None and q.champion_customers:
        share = q.customers / q.champion_customers
        found = f"{q.customers:,} of {q.champion_customers:,} ({share:.0%})"
        asked, name = f"at least {limits.min_share:.0%}", "customers in its log, beside the champion's"
        checks.append(Check(name, found, asked, share >= limits.min_share, share))
    return checks


def _of_fit(e: Evidence, limits: Limits) -> list[Check]:
    """Look at whether what a learned challenger promised came."""
    q = e.quality
    checks: list[Check] = []
    if e.challenger == e.rule:
        return checks
    if q.ece is not None and q.rows is not None:
        chance = chance_of_ece(q.rows)
        asked = f"at most {limits.max_ece:g} + {chance:.3f} for chance"
        fits = q.ece <= limits.max_ece + chance
        checks.append(Check("calibration error", f"{q.ece:.3f}", asked, fits, q.ece))
    if q.bias is not None:
        within, asked = abs(q.bias) <= limits.max_bias, f"±{limits.max_bias:.0%}"
        checks.append(
            Check("buyers promised against those who came", f"{q.bias:+.0%}", asked, within, q.bias)
        )
    return checks


def chance_of_ece(rows: int, bins: int = 10) -> float:
    """Return the calibration error up to which a perfect model comes by chance (`models.metrics.ece`)."""
    return 0.4 * sqrt(bins / max(rows, 1))


def _of_rivals(e: Evidence) -> list[Check]:
    """Write down the differences that the word follows from."""
    if e.challenger == e.rule:
        over = e.champion_over_rule
        if e.champion in (None, e.rule) or over is None:
            return []
        name = "champion's log-loss below the rule's"
        return [Check(name, _figures(over), "not above 0", over.lo <= 0, over.mean)]
    over, name = e.over_rule, f"log-loss below {e.rule}'s"
    found = [Check(name, _figures(over), "above 0", over.lo > 0, over.mean)]
    if e.over_champion is not None:
        passed = e.over_champion.lo > 0 or (e.is_renewal and -e.over_champion.lo <= REFRESH_TOLERANCE)
        asked = f"above {-REFRESH_TOLERANCE:g} (renewed)" if e.is_renewal else "above 0"
        name = f"log-loss below the champion's ({e.champion})"
        found.append(Check(name, _figures(e.over_champion), asked, passed, e.over_champion.mean))
    return found


def _fallback(e: Evidence) -> tuple[Word, str]:
    """The best dumb rule is the challenger: it stands unless the champion still clearly beats it."""
    over = e.champion_over_rule
    if e.champion not in (None, e.rule) and over is not None and over.lo > 0:
        return "kept", f"the champion, {e.champion}, beats {e.rule}: {_say(over)}"
    return "fallback", f"nothing beats the best dumb rule, {e.rule}: it is what the data can carry"


def _say(interval: Interval) -> str:
    """Say a difference in words; below 0 the other one's log-loss is lower.

    Examples
    --------
    >>> _say(Interval(-0.0001, -0.0004, 0.0002))
    'log-loss higher by 0.0001 [-0.0002, 0.0004]'
    >>> _say(Interval(0.0, 0.0, 0.0))
    'log-loss the same, 0.0000 [0.0000, 0.0000]'
    """
    if round(interval.mean, 4) == 0:
        return f"log-loss the same, {_figures(interval)}"
    if interval.mean < 0:
        return f"log-loss higher by {_figures(Interval(-interval.mean, -interval.hi, -interval.lo))}"
    return f"log-loss lower by {_figures(interval)}"


def _figures(interval: Interval) -> str:
    return f"{interval.mean:.4f} [{interval.lo:.4f}, {interval.hi:.4f}]"
