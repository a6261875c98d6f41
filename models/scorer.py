"""The one thing that is promoted: a feature frame goes in, a score frame comes out."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count
from numpy.typing import NDArray

from features.errors import ContractError
from models.btyd import Btyd, with_btyd
from models.categories import Categories, with_categories
from models.chance_range import ChanceRange
from models.economics import Economics, against_cost, path_days, profit_path
from models.next_order import next_order_dates, time_grid
from models.purchase import RECIPES, PurchaseModel, part_from_state, part_state
from models.reference import Reference, learn_reference, some_of_each
from models.spend_range import SpendRange
from models.table_record import TableRecords, records_from_dict, records_to_dict
from models.value import ValueModel
from models.witnesses import Grounds, grounds_from_state, grounds_state

Floats = NDArray[np.float64]

SCHEMA_VERSION = 3
NEW_FOR_DAYS = 7
LAPSED_SHARE = 0.25
QUANTILES = (0.2, 0.5, 0.8)
TIERS = ("low", "medium", "high")
PIECE = 50_000
"""Customers that are scored at a time: so many fit into little memory, and each core takes some."""
PLAIN = Economics()
"""Lifetime value is expected spend."""


@dataclass(frozen=True)
class Scorer:
    """A purchase model and a value model with all the fitted state that scoring needs.

    Parameters
    ----------
    purchase : PurchaseModel
        Probability of purchase at any horizon.
    value : ValueModel
        Orders and spend given a purchase.
    horizons : tuple of int
        Days, rising.
    primary_horizon, clv_horizon : int
        What churn means in lists; how far customer lifetime value looks.
    has_amounts : bool
        False for a log without money: money columns are then empty.
    features : tuple of str
        Feature columns, in order, that a frame must have.
    trained_until : str
        ISO date; training saw rows strictly before it.
    tier_edges : tuple of float
        The two churn probabilities that split the training base into thirds.
    lapsed_below : float
        A quarter of the training base's mean probability of a purchase within the CLV horizon. A customer
        below it who has been silent for longer than the primary horizon has lapsed already.
    spend_range : SpendRange or None
        How far to trust expected spend; None where it is not known, and then the ends of the 80 % intervals
        are empty.
    chance_range : ChanceRange or None
        How far to trust a probability at the primary horizon; None where it is not known.
    period : str
        Grain of the log it learned from (`features.periods.Period.kind`); in others, days mean another thing.
    grounds : Grounds, optional
        What reasons rest on (`models.reasons`); a scorer without them gives none.
    categories : Mapping[str, Sequence[str]]
        The features that are text, and the values that are told apart.
    reference : Reference or None
        How the training base was spread over features and scores; None where it was too small for it.
    tables : Mapping[str, TableRecord]
        What the training saw of each input table, by its name in the config; empty where it was not recorded.
    """

    purchase: PurchaseModel
    value: ValueModel
    horizons: tuple[int, ...]
    primary_horizon: int
    clv_horizon: int
    has_amounts: bool
    features: tuple[str, ...]
    trained_until: str
    tier_edges: tuple[float, float] = (0.0, 1.0)
    lapsed_below: float = 0.0
    spend_range: SpendRange | None = None
    chance_range: ChanceRange | None = None
    period: str = "day"
    grounds: Grounds | None = None
    categories: Categories = field(default_factory=dict)
    reference: Reference | None = None
    tables: TableRecords = field(default_factory=dict)

    @property
    def btyd(self) -> Btyd:
        """The newest buy-till-you-die models."""
        return self.purchase.btyd

    def score(self, frame: pd.DataFrame, economics: Economics = PLAIN) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        frame : DataFrame
            One row per customer from `features.build`, in model form (`to_model_frame`).
        economics : Economics, optional
            What turns spend into customer lifetime value.

        Returns
        -------
        DataFrame
            In the order of `frame`, with the score columns (probabilities, orders, spend, CLV, next order
            dates, tier, value at risk, status). Money is in the log's currency. What rests on the cost of
            winning a customer is empty where that is not known.

        Raises
        ------
        ContractError
            If feature columns are missing.
        """
        self._check(frame)
        pieces = [frame.iloc[start : start + PIECE] for start in range(0, max(len(frame), 1), PIECE)]
        with ThreadPoolExecutor(cpu_count() if len(pieces) > 1 else 1) as threads:
            return pd.concat(threads.map(partial(self._score, economics=economics), pieces))

    def _score(self, frame: pd.DataFrame, economics: Economics) -> pd.DataFrame:
        """Score some of the customers; nobody's scores depend on who else is among them."""
        trained = sorted({*self.purchase.parts, self.value.horizon})
        rows = self.rows(frame, trained)
        lengths = [*self.horizons, self.clv_horizon]
        grid = time_grid(lengths, 2 * max(lengths))
        costs = economics.costs(rows)
        steps = path_days(self.clv_horizon) if economics.discount_rate or not np.isnan(costs).all() else []
        times = sorted({*grid, *steps})
        curve = self.purchase.curve(rows, times)
        at = {h: curve[:, times.index(h)] for h in {*self.horizons, self.clv_horizon}}
        spend = self._spend(rows, at | {h: curve[:, times.index(h)] for h in steps})
        columns: dict[str, Any] = {"status": self._status(rows, at), "label_source": self._label_source()}
        low, high = self._spend_ranges(rows, at, spend)
        for horizon in self.horizons:
            columns |= self._outlook(rows, horizon, at[horizon])
            name = f"expected_spend_{horizon}d"
            columns |= {name: spend[horizon], f"{name}_lo": low[horizon], f"{name}_hi": high[horizon]}
        columns["p_alive"] = rows["btyd_p_alive"]
        far = self.clv_horizon
        columns |= self._lifetime(rows, {t: spend[t] for t in steps or [far]}, economics, costs)
        name = f"clv_{far}d"
        profit = columns[name] / np.maximum(spend[far], 1e-12)  # of what is spent up to there
        columns |= {f"{name}_lo": low[far] * profit, f"{name}_hi": high[far] * profit}
        followed = curve[:, [times.index(t) for t in grid]]  # the shop's terms must not move a date
        for q in QUANTILES:
            columns[f"next_order_p{round(q * 100)}"] = next_order_dates(followed, grid, rows["cutoff"], q)
        columns |= self._risk(rows, at[self.primary_horizon], spend[self.primary_horizon])
        order = [name for name in score_columns(self.horizons, self.clv_horizon) if name in columns]
        return pd.DataFrame(columns, index=rows.index)[order].set_axis(frame.index)

    def p_purchase(self, frame: pd.DataFrame, horizon: int) -> Floats:
        """Probability of a purchase within `horizon` days, shape (n,)."""
        return self._curve(frame, [horizon])[:, 0]

    def _curve(self, frame: pd.DataFrame, times: Sequence[int]) -> Floats:
        return self.purchase.curve(self.rows(frame, sorted(self.purchase.parts)), times)

    def rows(self, frame: pd.DataFrame, horizons: Sequence[int]) -> pd.DataFrame:
        """Return what the parts look at: the frame with its text as categories and its ``btyd_`` columns."""
        plain = with_categories(frame.reset_index(drop=True), self.categories)
        return with_btyd(plain, self.btyd, horizons)

    def with_base(self, frame: pd.DataFrame) -> "Scorer":
        """Fit what compares a customer with the training base: tier edges and the bound of lapsing.

        Parameters
        ----------
        frame : DataFrame
            The training base at its newest cutoff.
        """
        times = sorted({*self.horizons, self.clv_horizon})
        curve = self._curve(frame, times)
        churn = 1 - curve[:, times.index(self.primary_horizon)]
        lapsed_below = LAPSED_SHARE * float(curve[:, times.index(self.clv_horizon)].mean())
        return replace(self, tier_edges=tier_edges(churn), lapsed_below=lapsed_below)

    def with_reference(self, panel: pd.DataFrame, first_day: date, seed: int) -> "Scorer":
        """Keep how customers were spread over features and scores at each cutoff of the training.

        Parameters
        ----------
        panel : DataFrame
            Feature rows of all cutoffs, text as it stands in the log.
        first_day : date
            Of the log.
        seed : int
            Of the draw, where a cutoff has many customers.
        """
        rows = some_of_each(panel, date.fromisoformat(self.trained_until), seed)
        rows = rows[["customer_id", "cutoff", *self.features]].reset_index(drop=True)
        said = self.score(rows)[self.watched]
        return replace(self, reference=learn_reference(rows, said, self.categories, first_day))

    @property
    def watched(self) -> list[str]:
        """The score columns whose drift is judged."""
        spend = [f"expected_spend_{self.primary_horizon}d"] if self.has_amounts else []
        chances = [f"p_purchase_{horizon}d" for horizon in self.horizons]
        return [*chances, f"expected_orders_{self.primary_horizon}d", *spend]

    def lost(self, given: Mapping[str, bool]) -> list[str]:
        """Name the features that are not given any more, or are text where they were numbers, or the reverse.

        Parameters
        ----------
        given : Mapping[str, bool]
            Feature to whether it is text.
        """
        return [n for n in self.features if n not in given or given[n] != (n in self.categories)]

    def _check(self, frame: pd.DataFrame) -> None:
        missing = [c for c in ("customer_id", "cutoff", *self.features) if c not in frame.columns]
        if missing:
            raise ContractError(
                f"{len(missing)} of {len(self.features)} feature columns are missing",
                example=missing[0],
                hint="build the frame with features.build at this model's horizons",
            )

    def _outlook(self, rows: pd.DataFrame, horizon: int, p: Floats) -> dict[str, Any]:
        return {
            f"p_purchase_{horizon}d": p,
            f"p_churn_{horizon}d": 1 - p,
            f"expected_orders_{horizon}d": p * self.value.orders_if_any(rows, horizon),
        }

    def _spend(self, rows: pd.DataFrame, at: dict[int, Floats]) -> dict[int, Floats]:
        """Expected spend within each horizon."""
        if not self.has_amounts:
            return {h: np.full(len(rows), np.nan) for h in at}
        if_any = self.value.spend_if_any(rows, list(at))
        return {h: p * if_any[h] for h, p in at.items()}

    def _spend_ranges(
        self, rows: pd.DataFrame, at: dict[int, Floats], spend: dict[int, Floats]
    ) -> tuple[dict[int, Floats], dict[int, Floats]]:
        """Ends of the 80 % interval of each customer's spend; they rise with the horizon."""
        low, high = ({h: np.full(len(rows), np.nan) for h in at} for _ in range(2))
        if self.spend_range is None or not self.has_amounts:
            return low, high
        lengths = np.array([*at], dtype=float)[:, None]
        days = dict(zip(at, self.btyd.days_if_any(lengths, rows), strict=True))
        known = self.value.horizon
        judged = spend[known] / np.maximum(at[known], 1e-12)
        least = most = np.zeros(len(rows))
        for h in sorted(at):
            # Chance evens out over more purchases: a ratio's logarithm spreads with the root of their number.
            steadier = np.sqrt(days[known] / days[h])
            if_any = spend[h] / np.maximum(at[h], 1e-12)
            ends = self.spend_range.interval(at[h], if_any, steadier=steadier, tier_by=judged)
            least, most = np.maximum(least, ends[0]), np.maximum(most, ends[1])
            low[h], high[h] = least, most
        return low, high

    def _lifetime(
        self, rows: pd.DataFrame, spend: dict[int, Floats], economics: Economics, costs: Floats
    ) -> dict[str, Floats]:
        """Customer lifetime value, and what of it is left after winning the customer."""
        path = profit_path(np.column_stack(list(spend.values())), list(spend), economics)
        spent = rows["total_spend"].to_numpy(dtype=float) if self.has_amounts else np.full(len(rows), np.nan)
        worth = {f"clv_{self.clv_horizon}d": path[:, -1]}
        return worth | against_cost(path, list(spend), economics.share * spent, costs, self.clv_horizon)

    def _risk(self, rows: pd.DataFrame, p: Floats, spend: Floats) -> dict[str, Any]:
        """Value at risk: what the customer would bring if kept, times the chance that they leave."""
        orders = self.value.orders_if_any(rows, self.primary_horizon)
        kept = spend / np.maximum(p, 1e-12) if self.has_amounts else orders
        tier = np.asarray(TIERS)[np.searchsorted(self.tier_edges, 1 - p, side="right")]
        return {"risk_tier": tier, "value_at_risk": (1 - p) * kept}

    def _status(self, rows: pd.DataFrame, at: dict[int, Floats]) -> NDArray[np.str_]:
        if self.purchase.recipe.name == "base_rate":  # nothing tells one customer from another
            return np.full(len(rows), "not_identifiable")
        new = (rows["T"] < NEW_FOR_DAYS).to_numpy()
        silent = (rows["days_since_last_order"] > self.primary_horizon).to_numpy()
        lapsed = silent & (at[self.clv_horizon] < self.lapsed_below)
        return np.select([new, lapsed], ["too_new", "already_lapsed"], "scored")

    def _label_source(self) -> str:
        return "observed" if self.primary_horizon in self.purchase.parts else "extrapolated"

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Take the scorer apart into plain JSON values and named tree ensembles.

        Returns
        -------
        state : dict
            Everything but the trees.
        trees : dict of str to lightgbm.Booster
            For a format that runs no code on load.
        """
        trees: dict[str, Any] = {}
        parts: dict[str, Any] = {}
        for horizon, fitted in self.purchase.parts.items():
            for name, part in fitted.items():
                kind, plain = part_state(part)
                parts.setdefault(str(horizon), {})[name] = {"kind": kind, "state": plain}
                if kind == "boosting":
                    trees[f"purchase_{horizon}d_{name}"] = part.trees  # type: ignore[attr-defined]
        if self.value.trees is not None:
            trees["spend"] = self.value.trees
        grounds, of_witnesses = grounds_state(self.grounds)
        state = {
            "schema_version": SCHEMA_VERSION,
            "recipe": self.purchase.recipe.name,
            "parts": parts,
            "btyd": self.btyd.to_dict(),
            "value": self.value.to_dict(),
            "horizons": list(self.horizons),
            "primary_horizon": self.primary_horizon,
            "clv_horizon": self.clv_horizon,
            "tier_edges": list(self.tier_edges),
            "lapsed_below": self.lapsed_below,
            "spend_range": None if self.spend_range is None else self.spend_range.to_dict(),
            "chance_range": None if self.chance_range is None else self.chance_range.to_dict(),
            "has_amounts": self.has_amounts,
            "features": list(self.features),
            "categories": {name: list(values) for name, values in self.categories.items()},
            "trained_until": self.trained_until,
            "period": self.period,
            "grounds": grounds,
            "reference": None if self.reference is None else self.reference.to_dict(),
            "tables": records_to_dict(self.tables),
        }
        return state, trees | of_witnesses

    @classmethod
    def from_state(cls, state: dict[str, Any], trees: dict[str, Any]) -> "Scorer":
        """Put a scorer together again from `to_state`.

        Raises
        ------
        ContractError
            If the state was written under another schema.
        """
        if state.get("schema_version") != SCHEMA_VERSION:
            raise ContractError(
                f"the model has schema {state.get('schema_version')!r}, this version reads {SCHEMA_VERSION}",
                hint="train again with this version",
            )
        btyd = Btyd.from_dict(state["btyd"])
        parts = {
            int(h): {
                name: part_from_state(p["kind"], p["state"], trees.get(f"purchase_{h}d_{name}"))
                for name, p in fitted.items()
            }
            for h, fitted in state["parts"].items()
        }
        return cls(
            purchase=PurchaseModel(RECIPES[state["recipe"]], parts, btyd),
            value=ValueModel.from_dict(state["value"], btyd, trees.get("spend")),
            horizons=tuple(state["horizons"]),
            primary_horizon=state["primary_horizon"],
            clv_horizon=state["clv_horizon"],
            tier_edges=(state["tier_edges"][0], state["tier_edges"][1]),
            lapsed_below=state["lapsed_below"],
            spend_range=SpendRange.from_dict(state["spend_range"]) if state["spend_range"] else None,
            chance_range=ChanceRange.from_dict(state["chance_range"]) if state.get("chance_range") else None,
            has_amounts=state["has_amounts"],
            features=tuple(state["features"]),
            trained_until=state["trained_until"],
            period=state.get("period", "day"),  # models of before it was recorded have none
            grounds=grounds_from_state(state.get("grounds"), trees),  # nor these
            categories={name: tuple(values) for name, values in state.get("categories", {}).items()},
            reference=Reference.from_dict(state["reference"]) if state.get("reference") else None,
            tables=records_from_dict(state.get("tables", {})),
        )


def tier_edges(p_churn: Floats) -> tuple[float, float]:
    """Split a base into thirds by churn probability."""
    low, high = np.quantile(p_churn, [1 / 3, 2 / 3])
    return float(low), float(high)


def score_columns(horizons: Sequence[int], clv_horizon: int) -> list[str]:
    """Name the columns of ``scores.parquet``, in order."""
    names = ["customer_id", "as_of", "model_version", "status", "label_source", "frequency", "recency", "T",
             "monetary_value", "days_since_last_order", "n_orders", "total_spend"]  # fmt: skip
    for h in horizons:
        names += [f"p_purchase_{h}d", f"p_churn_{h}d", f"expected_orders_{h}d"]
        names += with_ends(f"expected_spend_{h}d")
    names += [
        "p_alive",
        *with_ends(f"clv_{clv_horizon}d"),
        f"clv_net_{clv_horizon}d",
        "clv_to_cac",
        "payback_days",
    ]
    names += [f"next_order_p{round(q * 100)}" for q in QUANTILES]
    return [*names, "risk_tier", "value_at_risk"]


def with_ends(name: str) -> list[str]:
    """Name a column and the ends of its 80 % interval."""
    return [name, f"{name}_lo", f"{name}_hi"]
