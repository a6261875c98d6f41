"""Every word the gate can say, from evidence made by hand."""

import pytest

from models.bootstrap import Interval
from models.gate import REFRESH_TOLERANCE, Evidence, judge

AHEAD = Interval(0.02, 0.01, 0.03)
BEHIND = Interval(-0.02, -0.03, -0.01)
UNCLEAR = Interval(0.001, -0.01, 0.012)
EQUAL = Interval(0.0, 0.0, 0.0)


def challenge(over_rule: Interval, over_champion: Interval, champion: str = "bgnbd") -> Evidence:
    return Evidence("blend", "recency_rule", over_rule, champion, over_champion, AHEAD, days_newer=30)


def rule_challenge(champion: str, champion_over_rule: Interval) -> Evidence:
    rule = "recency_rule"
    mirrored = Interval(-champion_over_rule.mean, -champion_over_rule.hi, -champion_over_rule.lo)
    return Evidence(rule, rule, EQUAL, champion, mirrored, champion_over_rule)


def test_first() -> None:
    verdict = judge(Evidence("blend", "recency_rule", AHEAD))
    assert (verdict.word, verdict.promotes) == ("first", True)
    assert "recency_rule" in verdict.reason
    assert "0.0200 [0.0100, 0.0300]" in verdict.reason


@pytest.mark.parametrize("over_rule", [UNCLEAR, BEHIND, Interval(0.01, 0.0, 0.02)])
@pytest.mark.parametrize("over_champion", [None, AHEAD])
def test_nothing_is_promoted_that_does_not_clearly_beat_the_rule(
    over_rule: Interval, over_champion: Interval | None
) -> None:
    champion = None if over_champion is None else "blend"
    verdict = judge(Evidence("blend", "recency_rule", over_rule, champion, over_champion, UNCLEAR))
    assert (verdict.word, verdict.promotes) == ("kept", False)
    assert "does not beat the best dumb rule, recency_rule" in verdict.reason


def test_better() -> None:
    verdict = judge(challenge(AHEAD, AHEAD))
    assert (verdict.word, verdict.promotes) == ("better", True)
    assert "bgnbd" in verdict.reason


def test_better_than_its_own_older_self() -> None:
    assert judge(challenge(AHEAD, AHEAD, champion="blend")).word == "better"


@pytest.mark.parametrize("over_champion", [UNCLEAR, BEHIND, EQUAL])
def test_another_recipe_must_be_clearly_better(over_champion: Interval) -> None:
    verdict = judge(challenge(AHEAD, over_champion))
    assert (verdict.word, verdict.promotes) == ("kept", False)
    assert "not ahead of the champion, bgnbd" in verdict.reason


@pytest.mark.parametrize(
    ("lo", "word"),
    [
        (0.0, "refresh"),
        (-REFRESH_TOLERANCE / 2, "refresh"),
        (-REFRESH_TOLERANCE, "refresh"),
        (-REFRESH_TOLERANCE - 1e-9, "kept"),
        (-0.01, "kept"),
    ],
)
def test_the_same_recipe_is_renewed_within_the_tolerance(lo: float, word: str) -> None:
    assert REFRESH_TOLERANCE == 0.002
    verdict = judge(challenge(AHEAD, Interval(lo + 0.001, lo, lo + 0.003), champion="blend"))
    assert (verdict.word, verdict.promotes) == (word, word == "refresh")


def test_fallback_without_a_champion() -> None:
    verdict = judge(Evidence("recency_rule", "recency_rule", EQUAL))
    assert (verdict.word, verdict.promotes) == ("fallback", True)
    assert "recency_rule" in verdict.reason


def test_a_champion_that_still_beats_the_rule_is_kept() -> None:
    verdict = judge(rule_challenge("bgnbd", AHEAD))
    assert (verdict.word, verdict.promotes) == ("kept", False)
    assert "the champion, bgnbd, beats recency_rule" in verdict.reason


@pytest.mark.parametrize("champion_over_rule", [UNCLEAR, BEHIND, Interval(0.01, 0.0, 0.02)])
def test_a_champion_that_no_longer_beats_the_rule_gives_way(champion_over_rule: Interval) -> None:
    assert judge(rule_challenge("bgnbd", champion_over_rule)).word == "fallback"


def test_a_rule_is_renewed_by_itself() -> None:
    assert judge(rule_challenge("recency_rule", EQUAL)).word == "fallback"
    # an older fit of the same rule is not "a champion that beats the rule", even where it happens to be ahead
    assert judge(rule_challenge("recency_rule", AHEAD)).word == "fallback"


@pytest.mark.parametrize("days", [0, -1])
def test_a_refresh_needs_newer_data(days: int) -> None:
    evidence = Evidence("blend", "recency_rule", AHEAD, "blend", EQUAL, AHEAD, days_newer=days)
    assert judge(evidence).word == "kept"


@pytest.mark.parametrize("challenger", ["blend", "recency_rule"])
def test_an_older_challenger_is_never_promoted(challenger: str) -> None:
    evidence = Evidence(challenger, "recency_rule", AHEAD, "bgnbd", AHEAD, BEHIND, days_newer=-90)
    verdict = judge(evidence)
    assert verdict.word == "kept"
    assert "90 days less" in verdict.reason
