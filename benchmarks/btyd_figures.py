"""What the turns come to: medians, ratios to ours round by round, and whether the numbers are the same."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.btyd_libraries import HISTORY, HORIZON, YEARLY_RATE
from models.bgnbd import BetaGeoModel
from models.clv import clv_path
from models.gamma_gamma import GammaGammaModel
from models.gamma_gamma_likelihood import log_density
from models.inputs import Floats

Turn = Mapping[str, Any]

PREDICTIONS = ("alive", "orders", "buys", "clv")
KINDS = ("seconds", "cpu_seconds")


def figures(turns: Mapping[str, Sequence[Turn]], customers: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Of one data set: all that is known of each contender, every single turn among it."""
    distinct = len(customers.drop_duplicates(HISTORY))
    found = {name: _contender(of, customers, folder / f"{name}.npz") for name, of in turns.items()}
    best = found["ours"]["loglik"]
    for name, of in found.items():
        of["ratio"] = {kind: _ratios(turns[name], turns["ours"], kind) for kind in KINDS}
        of["behind_ours"] = {part: best[part] - loglik for part, loglik in of["loglik"].items()}
    size = {"customers": len(customers), "distinct": distinct, "share_distinct": distinct / len(customers)}
    return size | {"contenders": found}


def _contender(turns: Sequence[Turn], customers: pd.DataFrame, results: Path) -> dict[str, Any]:
    last, took = turns[-1], {kind: [_took(turn, kind) for turn in turns] for kind in KINDS}
    median = {
        kind: {what: statistics.median(of[what] for of in all_turns if what in of) for what in all_turns[-1]}
        for kind, all_turns in took.items()
    }
    for key in last.keys() & {"start_bytes", "peak_bytes"}:
        median[key] = statistics.median(turn[key] for turn in turns if key in turn)
    return {
        "median": median,
        "params": last["params"],
        "loglik": logliks(last["params"], customers),
        "differences": differences(last, results, customers),
        "errors": last["errors"],
        "versions": last["versions"],
        "turns": list(turns),
    }


def _took(turn: Turn, kind: str) -> dict[str, float]:
    """The steps of one turn, and the sum of its predictions, were P(alive) to CLV all made."""
    steps = dict(turn[kind])
    if {"alive", "orders", "clv"} <= steps.keys():
        steps["predictions"] = sum(steps.get(name, 0.0) for name in PREDICTIONS)
    return steps


def _ratios(turns: Sequence[Turn], ours: Sequence[Turn], kind: str) -> dict[str, float]:
    """How many times our time: of turns of the same round, which shared the same busy or idle machine."""
    pairs = [(_took(turn, kind), _took(base, kind)) for turn, base in zip(turns, ours, strict=False)]
    return {
        what: statistics.median(turn[what] / base[what] for turn, base in pairs if what in turn)
        for what in pairs[-1][0]
    }


def logliks(params: Mapping[str, Mapping[str, float]], customers: pd.DataFrame) -> dict[str, float]:
    """Total log-likelihoods of anyone's parameters, by our formulas: those fitters report compare badly."""
    found = {}
    if "fit" in params:
        found["fit"] = float(_bg(params).loglik(customers).sum())
    if "fit_spend" in params:
        repeats = customers[customers["frequency"] > 0]
        x, m = repeats["frequency"].to_numpy(), repeats["monetary_value"].to_numpy()
        p, q, v = (params["fit_spend"][name] for name in ("p", "q", "v"))
        found["fit_spend"] = float(log_density(p, q, v, x, m)[0].sum())
    return found


def differences(turn: Turn, results: Path, customers: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Hold a contender's predictions against ours at the contender's own parameters, periods and discount.

    What it found and what it did with it are two things: this is the second alone.
    """
    if not results.is_file():
        return {}
    with np.load(results) as file:
        theirs = dict(file)
    params, ours = turn["params"], {}
    if "fit" in params:
        bg = _bg(params)
        ours = {"alive": bg.p_alive(customers), "orders": bg.expected_purchases(HORIZON, customers)}
        if "clv" in theirs and params["fit_spend"]["q"] > 1:  # below that, a mean spend is infinite
            gg = GammaGammaModel.from_dict({"params": params["fit_spend"]})
            path = clv_path(bg, gg, customers, turn["ends"], discount_rate=YEARLY_RATE)
            ours["clv"] = path.sum(axis=1)
    return {name: _apart(theirs[name], values) for name, values in ours.items() if name in theirs}


def _bg(params: Mapping[str, Mapping[str, float]]) -> BetaGeoModel:
    return BetaGeoModel.from_dict({"params": params["fit"]})


def _apart(theirs: Floats, ours: Floats) -> dict[str, float]:
    is_number = np.isfinite(theirs)
    apart = np.abs(theirs - ours) / np.maximum(np.abs(ours), 1e-300)
    return {
        "largest": float(apart[is_number].max(initial=0.0)),
        "no_number": int((~is_number).sum()),
        "total": float(theirs[is_number].sum()),
    }
