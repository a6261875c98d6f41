"""Expected against actual: what runs of scores promised, what came, and what luck makes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.chance import Spread, buyers_between, overlap_of
from models.metrics import equal_mass_bins

Floats = NDArray[np.float64]

LEVEL = 0.95
"""How often luck alone stays between `low` and `high`."""
MODEL = ["horizon", "model_version", "model_digest"]
"""What rows are summed up by over all runs."""
CLOSED = [
    "run", "as_of", *MODEL, "customer_id", "in_log", "risk_tier", "p_purchase", "expected_orders",
    "expected_spend", "bought", "orders", "spend",
]  # fmt: skip
"""Columns of closed rows."""
COLUMNS = [
    "run", "as_of", "model_version", "model_digest", "horizon", "by", "group", "customers", "measure",
    "expected", "actual", "low", "high", "verdict",
]  # fmt: skip
"""Columns of the comparison."""
WITHIN, UNSURE = "within chance", "too few buyers to say"
MORE, FEWER, LESS = "more than expected", "fewer than expected", "less than expected"
TIERS = ("high", "medium", "low")


@dataclass(frozen=True)
class _Rows:
    """Closed rows of one model and horizon, column by column."""

    customer: NDArray[np.int64]
    expected: Mapping[str, Floats]
    actual: Mapping[str, Floats]

    @classmethod
    def of(cls, closed: pd.DataFrame) -> "_Rows":
        """Spend takes part where the shop has amounts."""
        names = {"buyers": ("p_purchase", "bought"), "orders": ("expected_orders", "orders")}
        if closed[["expected_spend", "spend"]].notna().all(axis=None):
            names["spend"] = ("expected_spend", "spend")
        columns = {m: [closed[name].to_numpy(np.float64) for name in pair] for m, pair in names.items()}
        return cls(
            pd.factorize(closed["customer_id"])[0].astype(np.int64),
            {measure: pair[0] for measure, pair in columns.items()},
            {measure: pair[1] for measure, pair in columns.items()},
        )

    def some(self, chosen: NDArray[np.int64]) -> "_Rows":
        expected = {measure: values[chosen] for measure, values in self.expected.items()}
        actual = {measure: values[chosen] for measure, values in self.actual.items()}
        return _Rows(self.customer[chosen], expected, actual)

    def spread(self, measure: str) -> Spread | None:
        bought = self.actual["buyers"] > 0
        return Spread.of(self.expected["buyers"], self.expected[measure], bought, self.actual[measure])


def expected_against_actual(closed: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Compare what was expected with what came: by run, by model version, decile and risk tier.

    Parameters
    ----------
    closed : DataFrame
        One row a customer, run and horizon whose window is over, runs in the order of their dates, with the
        columns of `CLOSED`: what was expected (``p_purchase``, ``expected_orders``, ``expected_spend``, which
        is missing for a shop without amounts) and what came (``bought``, 0 or 1, ``orders``, ``spend``).
    level : float
        How often luck alone stays between the ends.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, one row a group and measure: ``buyers``, ``churn_rate`` (share that did not
        buy), ``orders``, ``spend``. Groups are each run as a whole (``by`` is ``run``, ``group`` its date),
        its tenths by ``p_purchase`` (``decile``, 10 is the likeliest; equal probabilities share one), its
        tiers (``risk_tier``); and, with an empty ``run``, the same over all runs of a model version
        (``model_version``).

        ``low`` and ``high`` are the ends between which ``actual`` lies by luck alone if the expectations are
        right: see `models.chance`. Over several runs, the rows of one customer are not taken for separate
        evidence (`models.chance.overlap_of`). ``verdict`` says in words where it lies: `WITHIN`, `MORE`,
        `FEWER` (of a number), `LESS` (of a share or an amount), or `UNSURE` where too few bought to know how
        much orders and spend spread; the ends are missing then. It speaks of luck among customers who do not
        watch one another: a season or a campaign that moves all alike is what it finds.
    """
    tables = [_of_model(rows, level) for _, rows in closed.groupby(MODEL, sort=False)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def outside(table: pd.DataFrame) -> tuple[int, int]:
    """Count the comparisons of single runs in which luck is not enough, and all those that could tell.

    The churn rate is the mirror of the buyers, and is not counted again.
    """
    single = (table["run"] != "") & (table["measure"] != "churn_rate")
    telling = table[single & (table["verdict"] != UNSURE)]
    return int((telling["verdict"] != WITHIN).sum()), len(telling)


def _of_model(closed: pd.DataFrame, level: float) -> pd.DataFrame:
    """Compare the runs of one model at one horizon, and all of them together."""
    rows = _Rows.of(closed)
    spreads = {measure: rows.spread(measure) for measure in rows.expected if measure != "buyers"}
    deciles = closed.groupby("run", sort=False)["p_purchase"].transform(_decile).to_numpy()
    labels = closed.assign(decile=deciles)[["run", "as_of", "decile", "risk_tier"]].reset_index(drop=True)
    model = {name: closed[name].iloc[0] for name in MODEL}
    found = []
    for run, part in labels.groupby("run", sort=False):
        as_of = str(part["as_of"].iloc[0])
        for by, group, chosen in _groups(part, "run", as_of):
            head = model | {"run": run, "as_of": as_of, "by": by, "group": group, "customers": len(chosen)}
            found += [head | line for line in _lines(rows.some(chosen), spreads, level)]
    for by, group, chosen in _groups(labels, "model_version", str(model["model_version"])):
        head = model | {"run": "", "as_of": "", "by": by, "group": group, "customers": len(chosen)}
        found += [head | line for line in _lines(rows.some(chosen), spreads, level)]
    return pd.DataFrame(found, columns=COLUMNS)


def _decile(p: "pd.Series[float]") -> NDArray[np.int64]:
    return equal_mass_bins(p.to_numpy(np.float64)) + 1


def _groups(labels: pd.DataFrame, whole: str, name: str) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Yield the whole, the deciles from the likeliest on, and the tiers from the riskiest on."""
    places = labels.index.to_numpy(np.int64)
    yield whole, name, places
    for decile in sorted(labels["decile"].unique(), reverse=True):
        yield "decile", str(decile), places[labels["decile"] == decile]
    for tier in TIERS:
        chosen = places[labels["risk_tier"] == tier]
        if len(chosen):
            yield "risk_tier", tier, chosen


def _lines(rows: _Rows, spreads: Mapping[str, Spread | None], level: float) -> Iterator[dict[str, Any]]:
    p, n = rows.expected["buyers"], len(rows.customer)
    expected, came = float(p.sum()), float(rows.actual["buyers"].sum())
    # Who bought tells it for amounts as well, and steadier than a few large ones would.
    overlap = overlap_of(rows.customer, rows.actual["buyers"] - p, float((p * (1 - p)).sum()))
    low, high = buyers_between(p, level, overlap)
    yield _line("buyers", expected, came, low, high, FEWER)
    yield _line("churn_rate", 1 - expected / n, 1 - came / n, 1 - high / n, 1 - low / n, LESS)
    for measure, spread in spreads.items():
        low, high = np.nan, np.nan
        if spread is not None:
            low, high = spread.between(p, rows.expected[measure], level, overlap)
        totals = float(rows.expected[measure].sum()), float(rows.actual[measure].sum())
        yield _line(measure, *totals, low, high, LESS if measure == "spend" else FEWER)


def _line(
    measure: str, expected: float, actual: float, low: float, high: float, below: str
) -> dict[str, Any]:
    verdict = UNSURE if np.isnan(low) else MORE if actual > high else below if actual < low else WITHIN
    return {
        "measure": measure,
        "expected": expected,
        "actual": actual,
        "low": low,
        "high": high,
        "verdict": verdict,
    }
