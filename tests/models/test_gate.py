"""Every word the gate can say, from evidence made by hand."""

from dataclasses import replace

import pytest

from models.bootstrap import Interval
from models.gate import REFRESH_TOLERANCE, Evidence, Limits, Quality, judge

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


# ---- what else is asked of a learned challenger ----------------------------------------------------------

FINE = Quality(rows=4000, buyers=800, ece=0.03, bias=0.1, customers=5000, champion_customers=5200)


def with_quality(**changed: object) -> Evidence:
    return replace(challenge(AHEAD, AHEAD), quality=replace(FINE, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"leak_proof": False}, "leak proof of the training"),
        ({"rows": 90, "buyers": 30}, "test rows"),
        ({"buyers": 24}, "buyers, or others"),
        ({"buyers": 3976}, "buyers, or others"),
        ({"ece": 0.13}, "calibration error"),
        ({"bias": 0.51}, "buyers promised"),
        ({"bias": -0.51}, "buyers promised"),
        ({"customers": 520}, "customers in its log"),
    ],
)
def test_who_is_ahead_is_kept_out_all_the_same(changed: dict[str, object], name: str) -> None:
    assert judge(with_quality()).word == "better"
    verdict = judge(with_quality(**changed))
    assert (verdict.word, verdict.promotes) == ("kept", False)
    assert verdict.reason.startswith(name)
    assert "beats the champion, bgnbd" in verdict.reason  # the reviewer sees what is given up
    assert [check.name.startswith(name) for check in verdict.checks if not check.passed] == [True]


def test_limits_are_the_configs() -> None:
    assert judge(with_quality(ece=0.13), Limits(max_ece=0.2)).word == "better"
    assert judge(with_quality(bias=0.51), Limits(max_bias=0.6)).word == "better"
    assert judge(with_quality(), Limits(min_rows=4001)).word == "kept"


def test_chance_is_no_miscalibration() -> None:
    """A perfect model of 100 rows is off by that much one time in many; one of 100,000 never."""
    small = judge(with_quality(rows=100, buyers=40, ece=0.2))
    large = judge(with_quality(rows=100_000, buyers=40_000, ece=0.2))
    assert (small.word, large.word) == ("better", "kept")


POOR = replace(FINE, rows=12, buyers=2, ece=0.4, bias=3.0, customers=10)


def test_the_rule_is_what_is_left_and_keeps_to_no_limit() -> None:
    """Neither where there is no champion, nor where the champion is a rule as well."""
    assert judge(replace(Evidence("base_rate", "base_rate", EQUAL), quality=POOR)).word == "fallback"
    renewed = replace(rule_challenge("recency_rule", UNCLEAR), quality=POOR)
    assert judge(renewed).word == "fallback"


def test_the_rule_takes_no_learned_champions_place_on_a_broken_export() -> None:
    ahead = rule_challenge("blend", UNCLEAR)
    assert judge(replace(ahead, quality=replace(FINE, ece=0.4, bias=3.0))).word == "fallback"
    for changed in ({"customers": 520}, {"rows": 50, "buyers": 30}, {"buyers": 0}):
        verdict = judge(replace(ahead, quality=replace(FINE, **changed)))
        assert verdict.word == "kept", changed


@pytest.mark.parametrize("word", ["kept", "fallback"])
def test_what_decides_stands_among_the_checks(word: str) -> None:
    """A reviewer reads the table: where it says no, nothing is promoted, and the other way round."""
    if word == "fallback":
        verdicts = [judge(rule_challenge("blend", UNCLEAR))]
    else:
        older = replace(challenge(AHEAD, AHEAD), days_newer=-5)
        verdicts = [judge(rule_challenge("blend", AHEAD)), judge(older), judge(challenge(AHEAD, UNCLEAR))]
    for verdict in verdicts:
        assert verdict.word == word
        assert all(check.passed for check in verdict.checks) == (word != "kept")


def test_too_good_to_be_true_is_a_doubt_and_decides_nothing() -> None:
    verdict = judge(with_quality(suspicions=["an AUC of 0.99 is too good to be true"]))
    assert verdict.word == "better"
    assert verdict.doubts == ["an AUC of 0.99 is too good to be true"]


def test_what_a_training_did_not_say_is_not_held_against_it() -> None:
    verdict = judge(replace(challenge(AHEAD, AHEAD), quality=Quality()))
    assert verdict.word == "better"
    assert verdict.checks[0].name == "leak proof of the training"
