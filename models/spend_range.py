"""Between which amounts spend will lie, a customer's and a group's: learned from what folds got wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from features.errors import ContractError

Floats = NDArray[np.float64]

LEVELS = np.linspace(0.005, 0.995, 100)
TIERS = ("low", "medium", "high")
FEW = 60
"""Buyers a tier needs to have errors of its own."""


@dataclass(frozen=True)
class SpendRange:
    """How far what buyers spent lay from what was expected of them, out of time.

    A customer buys nothing with probability ``1 - p``; else their spend is what is expected given a purchase
    times a ratio. The ratios are those of the buyers of all folds, whom no fitted model had seen (split
    conformal prediction: Lei et al. 2018, "Distribution-Free Predictive Inference for Regression", with the
    chance of no purchase as an atom at 0), by tiers of the expected spend, as heavy buyers are steadier.

    Parameters
    ----------
    edges : tuple of float
        Expected spend given a purchase that separates the tiers, rising.
    ratios : tuple of tuple of float
        For each tier, actual over expected at `LEVELS`.
    drift : float
        Root mean square, over folds and thirds of the base, of log(actual / expected) of the sum of spend,
        beyond what chance makes of it: what errs for many customers alike, as a season does, and does not
        even out in a group.
    n_folds : int
        How many folds that is known from.
    coverage : dict of str to float
        Share of customers whose spend lay inside the 80 % interval, by tier of expected spend, with ratios
        from the other folds. Empty with one fold.
    """

    edges: tuple[float, ...]
    ratios: tuple[tuple[float, ...], ...]
    drift: float
    n_folds: int
    coverage: Mapping[str, float]

    def quantile(
        self,
        level: float,
        p: Floats,
        if_any: Floats,
        steadier: Floats | float = 1.0,
        tier_by: Floats | None = None,
    ) -> Floats:
        """Return the spend that is not exceeded with probability `level`, shape (n,).

        Parameters
        ----------
        level : float
            Between 0 and 1.
        p : ndarray, shape (n,)
            Probability of a purchase.
        if_any : ndarray, shape (n,)
            Expected spend given a purchase.
        steadier : float or ndarray, shape (n,)
            Power to which ratios are raised: below 1 for horizons longer than that of the folds, over which
            chance evens out, above 1 for shorter ones.
        tier_by : ndarray, shape (n,), optional
            Expected spend given a purchase within the horizon of the folds, where `if_any` is of another.
        """
        inside = (level - (1 - p)) / np.maximum(p, 1e-12)  # 0 or below: the level falls into buying nothing
        tier = self._tier(if_any if tier_by is None else tier_by)
        spend = np.zeros(len(p))
        for place, ratios in enumerate(self.ratios):
            here = (tier == place) & (inside > 0)
            power = np.broadcast_to(steadier, len(p))[here]
            spend[here] = if_any[here] * np.exp(self._log_ratio(inside[here], np.log(ratios), power))
        return spend

    def _log_ratio(self, level: Floats, logs: Floats, power: Floats) -> Floats:
        """Quantile of the ratio's logarithm: chance, and the drift of a future fold beside it."""
        middle = float(np.interp(0.5, LEVELS, logs))
        chance = (np.interp(level, LEVELS, logs) - middle) * power
        drift = self.drift * student.ppf(np.clip(level, LEVELS[0], LEVELS[-1]), self.n_folds)
        return np.asarray(middle + np.sign(level - 0.5) * np.hypot(chance, drift))

    def interval(
        self,
        p: Floats,
        if_any: Floats,
        level: float = 0.8,
        steadier: Floats | float = 1.0,
        tier_by: Floats | None = None,
    ) -> tuple[Floats, Floats]:
        """Return the central interval of each customer's spend; arguments as in `quantile`."""
        if not 0 < level < 1:
            raise ContractError("the level of an interval lies between 0 and 1", example=level)
        tail = (1 - level) / 2
        given = (p, if_any, steadier, tier_by)
        return self.quantile(tail, *given), self.quantile(1 - tail, *given)

    def total_interval(self, p: Floats, if_any: Floats, level: float = 0.8) -> tuple[float, float]:
        """Return the interval of what all these customers spend together."""
        expected = p * if_any
        return self.interval_of_sum(float(expected.sum()), float(self.variance(p, if_any).sum()), level)

    def interval_of_sum(self, expected: float, variance: float, level: float = 0.8) -> tuple[float, float]:
        """Return the interval of a sum of many customers' spend.

        Chance evens out over many customers, the drift of a whole shop does not: both count, on the scale of
        the logarithm, with Student's t for few folds.

        Parameters
        ----------
        expected : float
            Sum of what is expected of each.
        variance : float
            Sum of their `variance`.
        level : float
            Probability that the interval holds.
        """
        if not 0 < level < 1:
            raise ContractError("the level of an interval lies between 0 and 1", example=level)
        if expected <= 0:
            return 0.0, 0.0
        spread = np.sqrt(variance / expected**2 + self.drift**2)
        half = float(student.ppf((1 + level) / 2, self.n_folds)) * spread
        return expected * float(np.exp(-half)), expected * float(np.exp(half))

    def variance(self, p: Floats, if_any: Floats) -> Floats:
        """Variance of each customer's spend, by chance alone, shape (n,); arguments as in `quantile`."""
        squares = np.array([np.mean(np.square(ratios)) for ratios in self.ratios])
        return np.asarray(np.maximum(p * if_any**2 * squares[self._tier(if_any)] - (p * if_any) ** 2, 0.0))

    def _tier(self, if_any: Floats) -> NDArray[np.intp]:
        return np.asarray(np.searchsorted(self.edges, if_any, side="right"), dtype=np.intp)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "edges": list(self.edges),
            "ratios": [list(ratios) for ratios in self.ratios],
            "drift": self.drift,
            "n_folds": self.n_folds,
            "coverage": dict(self.coverage),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> SpendRange:
        """Rebuild from `to_dict`."""
        ratios = tuple(tuple(tier) for tier in state["ratios"])
        return cls(tuple(state["edges"]), ratios, state["drift"], state["n_folds"], state["coverage"])


def fit_spend_range(table: pd.DataFrame, recipe: str, spend_model: str) -> SpendRange | None:
    """Learn from the folds how far to trust expected spend.

    Parameters
    ----------
    table : DataFrame
        From `models.folds.fold_table`.
    recipe, spend_model : str
        Those that were chosen: ``p_<recipe>`` and ``if_any_<spend_model>`` are what they said.

    Returns
    -------
    SpendRange or None
        None where the log has no amounts, or too few bought to tell.
    """
    if f"if_any_{spend_model}" not in table:
        return None
    rows = pd.DataFrame(
        {
            "cutoff": table["cutoff"],
            "p": table[f"p_{recipe}"],
            "if_any": table[f"if_any_{spend_model}"],
            "spend": table["spend"],
        }
    ).dropna()
    if (rows["spend"] > 0).sum() < FEW or (rows["if_any"] <= 0).any():
        return None
    return _learned(rows, _coverage(rows))


def _learned(rows: pd.DataFrame, coverage: Mapping[str, float]) -> SpendRange:
    buyers = rows[rows["spend"] > 0]
    ratio, tiers = buyers["spend"] / buyers["if_any"], len(TIERS) if len(buyers) >= FEW * len(TIERS) else 1
    edges = np.quantile(buyers["if_any"], np.arange(1, tiers) / tiers)
    place = np.searchsorted(edges, buyers["if_any"], side="right")
    ratios = [np.quantile(ratio[place == tier], LEVELS) for tier in range(tiers)]
    chance = SpendRange(tuple(map(float, edges)), tuple(map(_plain, ratios)), 0.0, 1, {})
    return replace(chance, drift=_drift(rows, chance), n_folds=rows["cutoff"].nunique(), coverage=coverage)


def _drift(rows: pd.DataFrame, chance: SpendRange) -> float:
    p, if_any = rows["p"].to_numpy(), rows["if_any"].to_numpy()
    parts = rows.assign(expected=p * if_any, variance=chance.variance(p, if_any), third=_thirds(rows))
    sums = parts.groupby(["cutoff", "third"])[["spend", "expected", "variance"]].sum()
    # Where nobody bought, one usual buyer: a ratio of nothing has no logarithm, and it is the worst miss.
    least = sums["expected"] / parts.groupby(["cutoff", "third"])["p"].sum()
    off = (
        np.log(sums["spend"].clip(lower=least) / sums["expected"]) ** 2
        - sums["variance"] / sums["expected"] ** 2
    )
    return float(np.sqrt(max(off.mean(), 0.0)))


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(map(float, values))


def _coverage(rows: pd.DataFrame) -> dict[str, float]:
    """Hold each fold against intervals that the others made."""
    cutoffs: Sequence[Any] = rows["cutoff"].unique().tolist()
    inside = []
    for cutoff in cutoffs if len(cutoffs) > 1 else []:
        here, others = rows[rows["cutoff"] == cutoff], rows[rows["cutoff"] != cutoff]
        if (others["spend"] > 0).sum() < FEW:
            continue
        low, high = _learned(others, {}).interval(here["p"].to_numpy(), here["if_any"].to_numpy())
        inside.append(pd.DataFrame({"third": _thirds(here), "inside": here["spend"].between(low, high)}))
    if not inside:
        return {}
    shares = pd.concat(inside).groupby("third")["inside"].mean()
    return {name: float(shares[place]) for place, name in enumerate(TIERS) if place in shares.index}


def _thirds(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Third of each cutoff's customers by what they are expected to spend, 0 the lowest."""
    expected = rows["p"] * rows["if_any"]
    share = (expected.groupby(rows["cutoff"]).rank(method="first", pct=True)).to_numpy()
    return np.minimum((share * len(TIERS)).astype(np.intp), len(TIERS) - 1)
