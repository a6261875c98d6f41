"""Witnesses: refits on halves of the customers, by which a reason must be borne out before it is given."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.contributions import contributions
from models.purchase import Part, PurchaseModel, Recipe, fit_part, part_from_state, part_state

N_WITNESSES = 2
"""Disjoint halves: what two of them see alike, neither saw in the other's customers."""

ENOUGH = 10_000
"""Customers whose mean stands for that of the training base."""

_WITH_TREES = "boosting"


Run = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], list[Any]]


def in_sequence(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Run calls one after another."""
    return list(starmap(function, calls))


@dataclass(frozen=True)
class Voice:
    """One who splits a customer's log-odds: the champion, or a witness.

    Parameters
    ----------
    parts : Mapping[str, Part]
        The recipe's parts, fitted for one horizon.
    base : Mapping[str, float]
        Input to its mean contribution over the training base.
    """

    parts: Mapping[str, Part]
    base: Mapping[str, float]


@dataclass(frozen=True)
class Grounds:
    """What reasons rest on.

    Parameters
    ----------
    horizon : int
        Days; a trained horizon.
    base : Mapping[str, float]
        That of the champion, as in `Voice`.
    witnesses : tuple of Voice
        Refits of the learned parts; empty for a recipe that has none.
    """

    horizon: int
    base: Mapping[str, float]
    witnesses: tuple[Voice, ...] = ()


def is_learned(part: str) -> bool:
    """Whether a part learns what its inputs mean, so that a refit could see it otherwise.

    Examples
    --------
    >>> is_learned("boosting_btyd"), is_learned("bgnbd"), is_learned("recency_rule")
    (True, False, False)
    """
    return part.startswith(("boosting", "logistic"))


def halves(customers: Iterable[str], seed: int) -> NDArray[np.int64]:
    """Say of each customer which half is theirs, 0 or 1; the same whoever else is there.

    Examples
    --------
    >>> halves(["a", "b", "c", "d"], seed=7).tolist()
    [0, 1, 1, 1]
    """
    codes, names = pd.factorize(np.asarray(list(customers), dtype=object))
    of = [hashlib.sha256(f"witness:{seed}:{name}".encode()).digest()[0] % N_WITNESSES for name in names]
    return np.asarray(of, dtype=np.int64)[codes]


def told_horizon(trained: Iterable[int], primary: int) -> int:
    """Return the horizon whose log-odds are told: the primary one, or the longest trained one below it.

    Examples
    --------
    >>> told_horizon([28, 90], 90), told_horizon([28, 90], 180), told_horizon([180], 90)
    (90, 90, 180)
    """
    known = sorted(trained)
    return max((h for h in known if h <= primary), default=known[0])


def find_grounds(
    purchase: PurchaseModel,
    primary: int,
    train: Mapping[int, pd.DataFrame],
    newest: pd.DataFrame,
    features: Sequence[str],
    seed: int,
    run: Run = in_sequence,
) -> Grounds:
    """Refit the learned parts on each half of the customers, and measure the training base by all voices.

    Parameters
    ----------
    purchase : PurchaseModel
        The champion's.
    primary : int
        The primary horizon, days.
    train : Mapping[int, DataFrame]
        Horizon to the panel rows that the champion's parts learned from.
    newest : DataFrame
        The training base at its newest cutoff, with its ``btyd_`` columns.
    features : sequence of str
        What the trees see.
    seed : int
        That of the training.
    run : callable
        Runs `models.purchase.fit_part` on each call's arguments.
    """
    horizon, recipe = told_horizon(purchase.parts, primary), purchase.recipe
    champion, rows = purchase.parts[horizon], train[horizon]
    learned = [name for name in recipe.weights if is_learned(name)]
    half = halves(rows["customer_id"], seed) if learned else np.empty(0)
    jobs = [(number, name) for number in range(N_WITNESSES) for name in learned]
    # A half without customers knows nothing, and so bears nothing out.
    calls = [
        (
            name if (half == number).any() else "base_rate",
            rows[half == number],
            newest,
            horizon,
            features,
            seed,
        )
        for number, name in jobs
    ]
    refits = dict(zip(jobs, run(fit_part, calls), strict=True))
    numbers = range(N_WITNESSES) if learned else ()
    witnesses = [{**champion, **{name: refits[n, name] for name in learned}} for n in numbers]

    def voice(parts: Mapping[str, Part]) -> Voice:
        return Voice(parts, _base(recipe, parts, newest, horizon))

    return Grounds(horizon, voice(champion).base, tuple(map(voice, witnesses)))


def _base(recipe: Recipe, parts: Mapping[str, Part], rows: pd.DataFrame, horizon: int) -> dict[str, float]:
    rows = rows.iloc[:: max(len(rows) // ENOUGH, 1)]  # sorted by id: every so many is as good as all
    return {str(n): float(c.mean()) for n, c in contributions(recipe.weights, parts, rows, horizon).items()}


def grounds_state(grounds: Grounds | None) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Take grounds apart into plain JSON values and trees named ``witness_<i>_<part>``."""
    if grounds is None:
        return None, {}
    trees: dict[str, Any] = {}
    witnesses = []
    for number, voice in enumerate(grounds.witnesses):
        parts = {}
        for name, part in voice.parts.items():
            kind, plain = part_state(part)
            parts[name] = {"kind": kind, "state": plain}
            if kind == _WITH_TREES:
                trees[f"witness_{number}_{name}"] = part.trees  # type: ignore[attr-defined]
        witnesses.append({"parts": parts, "base": dict(voice.base)})
    return {"horizon": grounds.horizon, "base": dict(grounds.base), "witnesses": witnesses}, trees


def grounds_from_state(state: dict[str, Any] | None, trees: Mapping[str, Any]) -> Grounds | None:
    """Put grounds together again from `grounds_state`."""
    if state is None:
        return None
    voices = [
        Voice(
            {
                name: part_from_state(p["kind"], p["state"], trees.get(f"witness_{number}_{name}"))
                for name, p in witness["parts"].items()
            },
            witness["base"],
        )
        for number, witness in enumerate(state["witnesses"])
    ]
    return Grounds(state["horizon"], state["base"], tuple(voices))
