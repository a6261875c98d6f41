"""Recipes: how parts are blended into one probability of purchase, at every horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from features.errors import ContractError
from models.baselines import RULES, BinnedRule, fit_rule
from models.beta_geo import BetaGeoBase
from models.btyd import FAMILIES, Btyd, beta_geo_from_dict
from models.classifier import Boosting, fit_boosting
from models.logistic import Logistic, fit_logistic
from models.oracle import fit_lifetimes_bgnbd, fit_lifetimes_pareto_nbd
from models.pareto_nbd import ParetoNbd

Floats = NDArray[np.float64]
THEIRS = ("lifetimes_bgnbd", "pareto_nbd")
"""Parts whose parameters lifetimes finds, or does not."""
_TINY = 1e-9


class Part(Protocol):
    """Anything that gives a probability of purchase within a horizon."""

    def predict(self, frame: pd.DataFrame, horizon: int, /) -> Floats:
        """Probability, shape (n,)."""


@dataclass(frozen=True)
class Recipe:
    """Which parts a candidate blends, in logit space, and how simple it is.

    Parameters
    ----------
    name : str
        As it stands in the leaderboard.
    weights : Mapping[str, float]
        Part name to weight; the weights sum to 1.
    complexity : int
        Simpler wins ties.
    is_rule : bool
        True for the dumb rules, which a model must beat.
    """

    name: str
    weights: Mapping[str, float]
    complexity: int
    is_rule: bool = False

    @property
    def family(self) -> str:
        """Which model carries it to other horizons and says who is alive: a key of `models.btyd.FAMILIES`."""
        return next((name for name in self.weights if name in FAMILIES), "bgnbd")

    @property
    def has_trees(self) -> bool:
        """Whether it looks at every feature, and not at recency, frequency and money alone."""
        return any(name.startswith("boosting") for name in self.weights)

    def blend(self, predictions: Mapping[str, Floats]) -> Floats:
        """Blend the parts' probabilities: the weighted mean of their logits."""
        if len(self.weights) == 1:
            return predictions[next(iter(self.weights))]
        total = np.sum([w * _logit(predictions[name]) for name, w in self.weights.items()], axis=0)
        blended: Floats = expit(total)
        return blended


def _single(name: str, complexity: int, *, is_rule: bool = False) -> Recipe:
    return Recipe(name, {name: 1.0}, complexity, is_rule)


RECIPES: dict[str, Recipe] = {
    r.name: r
    for r in (
        *(_single(name, 0, is_rule=True) for name in RULES),
        _single("bgnbd", 1),
        _single("mbgnbd", 2),
        _single("lifetimes_bgnbd", 3),
        _single("pareto_nbd", 4),
        _single("logistic", 5),
        _single("logistic_btyd", 6),
        _single("boosting", 7),
        _single("boosting_btyd", 8),
        Recipe("blend", dict.fromkeys(("logistic_btyd", "boosting", "boosting_btyd"), 1 / 3), 9),
    )
}
"""Every candidate. The blend's weights were fixed before any run."""


@dataclass(frozen=True)
class BtydPart:
    """P(at least one purchase day in the horizon) by the closed form of BG/NBD or MBG/NBD."""

    model: BetaGeoBase

    def predict(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Probability, shape (n,)."""
        return self.model.p_purchase(horizon, frame)


def fit_part(
    name: str, train: pd.DataFrame, newest: pd.DataFrame, horizon: int, features: Sequence[str], seed: int
) -> Part:
    """Fit one part for one horizon.

    Parameters
    ----------
    name : str
        A key of `RULES` or `FAMILIES`, ``lifetimes_bgnbd``, ``pareto_nbd``, or ``logistic`` or ``boosting``,
        alone or with ``_btyd``: the former then also sees what BG/NBD says, the latter starts from it.
    train : DataFrame
        Panel rows whose label for this horizon is mature.
    newest : DataFrame
        Feature rows at the newest cutoff, without labels: what BG/NBD is fitted to.
    horizon : int
        Days.
    features : sequence of str
        What the trees see.
    seed : int
        For the trees' choice of columns.
    """
    bought = train[f"y_purchased_{horizon}d"].to_numpy()
    if name in FAMILIES:
        return BtydPart(FAMILIES[name]().fit(newest))
    if name in THEIRS and (theirs := _fit_theirs(name, newest)) is not None:
        return theirs
    if name in RULES:
        return fit_rule(name, train, bought, horizon)
    if name in THEIRS or bought.min() == bought.max():  # it failed; or there is nothing to learn
        return fit_rule("base_rate", train, bought, horizon)
    kind, _, btyd = name.partition("_")
    if kind == "logistic":
        return fit_logistic(train, bought, horizon, has_btyd=bool(btyd))
    if kind == "boosting":
        return fit_boosting(train, bought, features, horizon, seed, from_btyd=bool(btyd))
    raise ContractError(f"{name!r} is not a part of any recipe")


def _fit_theirs(name: str, newest: pd.DataFrame) -> Part | None:
    if name == "pareto_nbd":
        return fit_lifetimes_pareto_nbd(newest)
    model = fit_lifetimes_bgnbd(newest)
    return None if model is None else BtydPart(model)


@dataclass(frozen=True)
class PurchaseModel:
    """A recipe with its parts fitted for every horizon that had labels.

    Parameters
    ----------
    recipe : Recipe
        How parts are blended.
    parts : Mapping[int, Mapping[str, Part]]
        Horizon to part name to fitted part.
    btyd : Btyd
        Carries probabilities to lengths of time that have no label. Of the recipe's ``family``.
    """

    recipe: Recipe
    parts: Mapping[int, Mapping[str, Part]]
    btyd: Btyd

    def __post_init__(self) -> None:
        """Refuse another family than the recipe's: who is alive would contradict who buys."""
        if not isinstance(self.btyd.bg, FAMILIES[self.recipe.family]):
            raise ContractError(
                f"the recipe {self.recipe.name} comes with the buy-till-you-die model of another one",
                example=type(self.btyd.bg).__name__,
                hint="train again with this version",
            )

    def curve(self, frame: pd.DataFrame, times: Sequence[int]) -> Floats:
        """P(at least one purchase within t days), for each t.

        At a trained horizon this is the blend itself, or what it says of a shorter one if that is more.
        Between and beyond them it is the curve of BG/NBD (of MBG/NBD where the recipe holds that), shifted in
        logit space by what the blend says at the trained horizons. Never falls as t grows.

        Parameters
        ----------
        frame : DataFrame
            Feature rows with their ``btyd_`` columns.
        times : sequence of int
            Rising, days.

        Returns
        -------
        ndarray, shape (n, len(times))
        """
        knots = sorted(self.parts)
        at_knots = np.maximum.accumulate(np.column_stack([self._at(frame, h) for h in knots]), axis=1)
        shifts = _logit(at_knots) - _logit(self._btyd_curve(frame, knots))
        curve: Floats = expit(_logit(self._btyd_curve(frame, times)) + _between(knots, shifts, times))
        # Between two knots the curve stays between their values: which other times are asked moves no knot.
        walls = np.column_stack([np.zeros(len(frame)), at_knots, np.ones(len(frame))])
        lowest = walls[:, np.searchsorted(knots, times, side="right")]
        highest = walls[:, np.searchsorted(knots, times, side="left") + 1]
        return np.maximum.accumulate(np.clip(curve, lowest, highest), axis=1)

    def _at(self, frame: pd.DataFrame, horizon: int) -> Floats:
        parts = self.parts[horizon]
        return self.recipe.blend({name: part.predict(frame, horizon) for name, part in parts.items()})

    def _btyd_curve(self, frame: pd.DataFrame, times: Sequence[int]) -> Floats:
        lengths = np.array(times, dtype=float)[:, None]
        return np.ascontiguousarray(self.btyd.p_purchase(lengths, frame).T)


def _logit(p: Floats) -> Floats:
    clipped: Floats = logit(np.clip(p, _TINY, 1 - _TINY))
    return clipped


def _between(knots: Sequence[int], shifts: Floats, times: Sequence[int]) -> Floats:
    """Interpolate each row's shifts linearly in time, constant outside the knots."""
    weights = np.column_stack([np.interp(times, knots, row) for row in np.eye(len(knots))])
    moved = np.zeros((len(shifts), len(times)))
    for place in range(len(knots)):
        moved += shifts[:, [place]] * weights[:, place]
    return moved


def part_state(part: Part) -> tuple[str, dict[str, Any]]:
    """Say what kind of part this is and give its plain JSON state (trees are kept apart)."""
    if isinstance(part, BinnedRule):
        return "rule", part.to_dict()
    if isinstance(part, BtydPart):
        return "btyd", part.model.to_dict()
    if isinstance(part, ParetoNbd):
        return "pareto_nbd", part.to_dict()
    if isinstance(part, Logistic):
        return "logistic", part.to_dict()
    if isinstance(part, Boosting):
        return "boosting", {"features": list(part.features), "from_btyd": part.from_btyd}
    raise TypeError(f"unknown part {type(part).__name__}")


def part_from_state(kind: str, state: dict[str, Any], trees: Any) -> Part:
    """Rebuild a part from `part_state` and, for boosting, its trees."""
    if kind == "rule":
        return BinnedRule.from_dict(state)
    if kind == "btyd":
        return BtydPart(beta_geo_from_dict(state))
    if kind == "pareto_nbd":
        return ParetoNbd.from_dict(state)
    if kind == "logistic":
        return Logistic.from_dict(state)
    if kind == "boosting":
        return Boosting(tuple(state["features"]), trees, state["from_btyd"])
    raise ContractError(f"the model has a part of unknown kind {kind!r}")
