"""Groups of customers by rules that a shop can read, and that do not let go of a customer at once.

Groups are told by where edges lie (`Rules`). Edges are learned once and kept, so that a customer moves for
what they did, for the time that has passed, or for a changed model, and not because others came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.scorer import TIERS

LIFECYCLES = ("new", "standard", "premium", "loyal", "churned")
AXES = ("risk_group", "recency_group", "lifecycle")
"""Groupings that are followed from run to run."""

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Rules:
    """Where groups begin.

    Parameters
    ----------
    tier_edges : tuple of float
        p_churn from which on the risk is medium, and high.
    recency_days : tuple of int
        Last days of the recency groups; the last group is open.
    new_days : int
        So long after a first order, and without a second, a customer is new.
    loyal_orders : int
        From so many orders on a customer is loyal.
    premium_value : float or None
        A first order, or a last one, from which on a customer is premium; None without amounts.
    churned_days : int
        From so many days of silence on a customer counts as lost.
    rfm_edges : mapping of str to tuple of float
        Of ``r`` (days since the last order), ``f`` (orders) and ``m`` (spend): the edges between five scores.
    slack : float
        A customer leaves a group that rests on a chance or an amount only once past its edge by this share.
    min_stay : int
        Days that a customer stays in a risk group unless they order.
    """

    tier_edges: tuple[float, ...]
    recency_days: tuple[int, ...]
    new_days: int
    loyal_orders: int
    premium_value: float | None
    churned_days: int
    rfm_edges: Mapping[str, tuple[float, ...]]
    slack: float = 0.1
    min_stay: int = 14

    def to_dict(self) -> dict[str, Any]:
        """Return them as plain JSON values."""
        return {**asdict(self), "rfm_edges": {k: list(v) for k, v in self.rfm_edges.items()}}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Rules:
        """Read what `to_dict` wrote."""
        edges = {k: tuple(v) for k, v in state["rfm_edges"].items()}
        lists = {k: tuple(state[k]) for k in ("tier_edges", "recency_days")}
        return cls(**{**state, **lists, "rfm_edges": edges})


def recency_names(days: Sequence[int]) -> list[str]:
    """Name the recency groups.

    Examples
    --------
    >>> recency_names([7, 14, 28])
    ['0-7', '8-14', '15-28', '29+']
    """
    starts = [0, *(day + 1 for day in days)]
    return [*(f"{a}-{b}" for a, b in zip(starts, days, strict=False)), f"{starts[-1]}+"]


def group(customers: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Put customers into groups; those of an earlier run hold on to theirs for as long as the rules say.

    Parameters
    ----------
    customers : DataFrame
        ``p_churn``, ``status``, ``n_orders``, ``days_since_last_order``, ``T`` and ``total_spend``;
        ``first_order_value`` and ``last_order_value`` where there are amounts; of the run before, missing for
        newcomers: ``was_risk_group``, ``was_lifecycle``, ``risk_days`` (spent in that group) and
        ``has_ordered`` (since then).
    rules : Rules
        Where groups begin.

    Returns
    -------
    DataFrame
        ``risk_group`` (text), ``recency_group``, ``lifecycle``, ``days_lapsed`` (for the churned, else
        missing) and ``r``, ``f``, ``m`` from 1 to 5 (5 is best; `m` is 0 without amounts), ``rfm`` the three.
        Of the index of `customers`.

    Examples
    --------
    >>> fifths = {"r": (9, 30, 90, 200), "f": (1, 2, 3, 5), "m": ()}
    >>> rules = Rules((0.5, 0.8), (7, 14, 28), 60, 5, 200.0, 180, fifths)
    >>> people = pd.DataFrame({
    ...     "p_churn": [0.2, 0.9], "status": "scored", "n_orders": [6, 1], "days_since_last_order": [3, 200],
    ...     "T": [400, 200], "total_spend": 0.0, "first_order_value": 10.0, "last_order_value": 10.0,
    ... })
    >>> group(people, rules)[["risk_group", "recency_group", "lifecycle", "days_lapsed"]].values.tolist()
    [['low', '0-7', 'loyal', <NA>], ['high', '29+', 'churned', 20]]
    """
    days = customers["days_since_last_order"].to_numpy(np.int64)
    found = pd.DataFrame(index=customers.index)
    found["risk_group"] = _risk(customers, rules)
    names = np.array(recency_names(rules.recency_days), dtype=object)
    found["recency_group"] = names[np.searchsorted(rules.recency_days, days, side="left")]
    found["lifecycle"] = _lifecycle(customers, rules)
    lapsed = pd.Series(days - rules.churned_days, index=customers.index).clip(lower=0).astype("Int64")
    found["days_lapsed"] = lapsed.where(found["lifecycle"] == "churned")
    return found.join(_rfm(customers, rules))


def _risk(customers: pd.DataFrame, rules: Rules) -> Texts:
    """Put them by p_churn; a former group is left past its edge and the slack alone, and not too soon."""
    p, edges = customers["p_churn"].to_numpy(float), np.asarray(rules.tier_edges, dtype=float)
    tiers = np.array(TIERS, dtype=object)
    fresh = np.searchsorted(edges, p, side="right")
    before = _places(customers, "was_risk_group", TIERS)
    # A tenth of the room beside an edge: near 0 and 1 there is little.
    room = rules.slack * np.minimum(edges, 1 - edges)
    up, down = np.searchsorted(edges + room, p, side="right"), np.searchsorted(edges - room, p, side="right")
    kept = np.where(before < 0, fresh, np.clip(before, up, down))
    ordered = _or(customers, "has_ordered", False).astype(bool)
    is_bound = (before >= 0) & ~ordered & (_or(customers, "risk_days", 0).astype(float) < rules.min_stay)
    return np.asarray(tiers[np.where(is_bound, before, kept)], dtype=object)


def _lifecycle(customers: pd.DataFrame, rules: Rules) -> Texts:
    days, orders = customers["days_since_last_order"].to_numpy(), customers["n_orders"].to_numpy()
    is_churned = (days >= rules.churned_days) | (customers["status"] == "already_lapsed").to_numpy()
    is_new = (orders == 1) & (customers["T"].to_numpy() <= rules.new_days)
    # The first that holds: who has gone is gone, and a large order says more than being new.
    return np.select(
        [is_churned, orders >= rules.loyal_orders, _is_premium(customers, rules), is_new],
        ["churned", "loyal", "premium", "new"],
        "standard",
    ).astype(object)


def _is_premium(customers: pd.DataFrame, rules: Rules) -> NDArray[np.bool_]:
    if rules.premium_value is None:
        return np.zeros(len(customers), dtype=bool)
    value = customers[["first_order_value", "last_order_value"]].max(axis=1).to_numpy(float)
    was = _places(customers, "was_lifecycle", LIFECYCLES) == LIFECYCLES.index("premium")
    edge = np.where(was, rules.premium_value * (1 - rules.slack), rules.premium_value)
    return np.asarray(np.nan_to_num(value, nan=-np.inf) >= edge)


def _rfm(customers: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    of = {"r": "days_since_last_order", "f": "n_orders", "m": "total_spend"}
    scores = {
        name: np.searchsorted(rules.rfm_edges[name], customers[column].to_numpy(float), side="left") + 1
        if len(rules.rfm_edges[name])
        else np.zeros(len(customers), dtype=np.int64)
        for name, column in of.items()
    }
    scores["r"] = np.where(scores["r"] > 0, 6 - scores["r"], 0)  # few days are best
    found = pd.DataFrame(scores, index=customers.index, dtype="int64")
    found["rfm"] = found["r"].astype(str) + found["f"].astype(str) + found["m"].astype(str)
    return found


def _places(customers: pd.DataFrame, column: str, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each one's former group among the names; −1 for newcomers."""
    if column not in customers:
        return np.full(len(customers), -1, dtype=np.int64)
    known = pd.Index(names)
    return np.asarray(known.get_indexer(pd.Index(customers[column].astype(object))), dtype=np.int64)


def _or(customers: pd.DataFrame, column: str, otherwise: Any) -> NDArray[Any]:
    if column not in customers:
        return np.full(len(customers), otherwise)
    return customers[column].astype(object).where(customers[column].notna(), otherwise).to_numpy()
