"""How good the best model is, in one letter and one sentence for people who do not read log-losses."""

from dataclasses import dataclass

import pandas as pd

GREAT, GOOD = 0.10, 0.03
"""Share of the best dumb rule's log-loss that is surely gone: from here on an A, a B."""


@dataclass(frozen=True)
class Grade:
    """A candidate beside the best dumb rule.

    Parameters
    ----------
    letter : str
        ``A`` to ``D``.
    candidate, rule : str
        Who is graded, and the rule.
    gain, lo, hi : float
        Share of the rule's log-loss that is gone, with its paired 95 % interval.
    """

    letter: str
    candidate: str
    rule: str
    gain: float
    lo: float
    hi: float

    @property
    def sentence(self) -> str:
        """What the letter means, for people who do not read statistics."""
        better = (
            f"the chances that {self.candidate} gives miss by {self.gain:.1%} less than those from "
            f"{RULE_WORDS.get(self.rule, self.rule)}, the best rule that needs no model "
            f"({self.lo:.1%} to {self.hi:.1%} but for luck, as long as the shop stays as it was)"
        )
        return f"grade {self.letter}, {WORDS[self.letter]}: " + (better if self.letter != "D" else self._none)

    @property
    def _none(self) -> str:
        rule = RULE_WORDS.get(self.rule, self.rule)
        if self.candidate == self.rule:
            return f"no model is surely better than {rule}, which needs none"
        return f"{self.candidate} is not surely better than {rule}, which needs no model"


WORDS = {"A": "much better than a rule of thumb", "B": "clearly better than a rule of thumb",
         "C": "a little better than a rule of thumb", "D": "use the rule of thumb"}  # fmt: skip

RULE_WORDS = {
    "base_rate": "giving every customer the same chance",
    "recency_rule": "looking at the days since the last order",
    "last_period_rule": "expecting the last period to come again",
    "formula_rule": "going by each customer's past orders a day",
}


def grade(board: pd.DataFrame, candidate: str) -> Grade:
    """Grade a candidate against the best dumb rule of a leaderboard.

    D where the paired 95 % interval of the gain in log-loss does not exclude zero, be it by luck or because
    the rule is better; else A, B or C by the share of the rule's log-loss that is surely gone, the lower end
    of that interval: at least `GREAT`, at least `GOOD`, less. Few customers give no A.

    Parameters
    ----------
    board : DataFrame
        From `models.leaderboard.leaderboard`.
    candidate : str
        In its index.

    Examples
    --------
    >>> rows = {"log_loss": [0.30, 0.40], "is_rule": [False, True], "over_rule": [0.10, 0.0],
    ...         "over_rule_lo": [0.08, 0.0], "over_rule_hi": [0.12, 0.0]}
    >>> print(grade(pd.DataFrame(rows, index=["blend", "recency_rule"]), "blend").sentence)
    grade A, much better than a rule of thumb: the chances that blend gives miss by 25.0% less than those
    from looking at the days since the last order, the best rule that needs no model (20.0% to 30.0% but for
    luck, as long as the shop stays as it was)
    """
    stands = board["is_rule"].astype(bool) & (board["over_rule"].astype(float) == 0)
    losses = board.loc[stands, "log_loss"].astype(float)
    rule = str(losses.idxmin())
    columns = ["over_rule", "over_rule_lo", "over_rule_hi"]
    own = board[columns].astype(float).to_numpy()[board.index.get_loc(candidate)]
    gain, lo, hi = (float(value) / float(losses[rule]) for value in own)
    letter = "D" if lo <= 0 else "A" if lo >= GREAT else "B" if lo >= GOOD else "C"
    return Grade(letter, candidate, rule, gain, lo, hi)
