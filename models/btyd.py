"""BG/NBD or MBG/NBD with Gamma-Gamma, as the columns that every other model builds on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.beta_geo import BetaGeoBase
from models.bgnbd import BetaGeoModel
from models.gamma_gamma import GammaGammaModel
from models.inputs import Floats
from models.mbgnbd import ModifiedBetaGeoModel

FAMILIES: Mapping[str, type[BetaGeoBase]] = {"bgnbd": BetaGeoModel, "mbgnbd": ModifiedBetaGeoModel}
"""Part of a recipe to the model of when purchase days happen that it stands for."""


@dataclass(frozen=True)
class Btyd:
    """Both models, fitted at one cutoff.

    Parameters
    ----------
    bg : BetaGeoModel or ModifiedBetaGeoModel
        When purchase days happen, time in days.
    gg : GammaGammaModel or None
        What a purchase day brings; None where the log has no amounts or no repeat buyer.
    """

    bg: BetaGeoBase
    gg: GammaGammaModel | None

    def p_alive(self, frame: pd.DataFrame) -> Floats:
        """P(alive) at the cutoff, shape (n,)."""
        return self.bg.p_alive(frame)

    def p_purchase(self, horizon: float | Floats, frame: pd.DataFrame) -> Floats:
        """P(at least one purchase day in the `horizon` days from the cutoff), shape (n,)."""
        return self.bg.p_purchase(horizon, frame)

    def days_if_any(self, horizon: float | Floats, frame: pd.DataFrame) -> Floats:
        """Expected purchase days in the horizon given that there is at least one; never below 1.

        Shape (n,), or (h, n) for horizons of shape (h, 1).
        """
        return self.bg.purchases_if_any(horizon, frame)

    def spend_per_day(self, frame: pd.DataFrame) -> Floats:
        """Expected spend of a purchase day, in the log's currency; NaN without a spend model."""
        if self.gg is None:
            return np.full(len(frame), np.nan)
        return self.gg.expected_spend(frame)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return {"bg": self.bg.to_dict(), "gg": None if self.gg is None else self.gg.to_dict()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> "Btyd":
        """Rebuild from `to_dict`."""
        gg = None if state["gg"] is None else GammaGammaModel.from_dict(state["gg"])
        return cls(beta_geo_from_dict(state["bg"]), gg)


def beta_geo_from_dict(state: Mapping[str, Any]) -> BetaGeoBase:
    """Rebuild whichever of the families' models this is the state of."""
    named = [kind for kind in FAMILIES.values() if kind._kind == state.get("model")]
    return (named[0] if named else BetaGeoModel).from_dict(state)


def fit_btyd(frame: pd.DataFrame, *, has_amounts: bool, family: str = "bgnbd") -> Btyd:
    """Fit both models to the customers of one cutoff.

    Parameters
    ----------
    frame : DataFrame
        One row per customer, with ``frequency, recency, T`` (days) and ``monetary_value``.
    has_amounts : bool
        False for a log without money: then there is no spend model.
    family : str
        Key of `FAMILIES`.
    """
    bg = FAMILIES[family]().fit(frame)
    repeat = frame["frequency"].to_numpy() > 0
    if not (has_amounts and repeat.any()):
        return Btyd(bg, None)
    return Btyd(bg, GammaGammaModel().fit(frame))


def with_btyd(frame: pd.DataFrame, btyd: Btyd, horizons: Sequence[int]) -> pd.DataFrame:
    """Add what the models say about each row.

    Returns
    -------
    DataFrame
        `frame` and, in place of any it had, ``btyd_p_alive``, ``btyd_spend_per_day`` and, for each horizon,
        ``btyd_p_purchase_<h>d`` and ``btyd_days_if_any_<h>d``.
    """
    columns = {"btyd_p_alive": btyd.p_alive(frame), "btyd_spend_per_day": btyd.spend_per_day(frame)}
    for horizon in horizons:
        columns[f"btyd_p_purchase_{horizon}d"] = btyd.p_purchase(horizon, frame)
        columns[f"btyd_days_if_any_{horizon}d"] = btyd.days_if_any(horizon, frame)
    bare = frame.drop(columns=btyd_columns(frame))
    return pd.concat([bare, pd.DataFrame(columns, index=frame.index)], axis=1)


def btyd_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns that `with_btyd` has added."""
    return [name for name in frame.columns if name.startswith("btyd_")]


def with_btyd_by_cutoff(
    panel: pd.DataFrame, horizons: Sequence[int], *, has_amounts: bool, family: str = "bgnbd"
) -> tuple[pd.DataFrame, Btyd]:
    """Add the columns to a panel, with parameters fitted at each row's own cutoff.

    Arguments as those of `with_btyd` and `fit_btyd`.

    Returns
    -------
    DataFrame, Btyd
        The panel in its old order, and the models of the newest cutoff.
    """
    parts, newest = [], None
    for _, rows in panel.groupby("cutoff", sort=True):
        newest = fit_btyd(rows, has_amounts=has_amounts, family=family)
        parts.append(with_btyd(rows, newest, horizons))
    if newest is None:
        raise ValueError("an empty panel has no cutoff to fit at")
    place = np.argsort(np.argsort(panel["cutoff"].to_numpy(), kind="stable"))
    return pd.concat(parts).iloc[place], newest
