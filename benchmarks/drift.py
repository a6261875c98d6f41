"""How often drift is called where nothing is wrong, and how often where a feed is broken.

``python -m benchmarks.drift`` prints the figures of docs/decisions/0027-drift.md: features of simulated shops
and of CDNOW, scored up to half a year after a training. Other shops are named by their configs::

    python -m benchmarks.drift --log retail=shops/retail/repurchase.toml
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd

from benchmarks.drift_faults import FAULTS, active
from benchmarks.drift_scorings import Scoring, scorings
from benchmarks.drift_shops import CDNOW, SIMULATED, shops
from benchmarks.measure import say
from models.drift import CHANCE, Distance, chance_limit, distances, movement, psi
from pipelines.config import LimitsSection

MAX_PSI = LimitsSection().max_psi
WITHIN = 90
"""Faults are planted in scorings up to so many days after the training."""
SOME = (0.0, 0.05, 0.1, 0.2, 1.0)
"""Shares of active customers by which the silence of all of them is told."""


@dataclass(frozen=True)
class Figures:
    """What was called of a scoring.

    Parameters
    ----------
    scoring : Scoring
        Of a shop in which nothing is wrong.
    judged, newest : int
        Columns that are judged, and all columns that are far from the newest look.
    once : tuple of float
        How far beyond its limit each column is that would be called if the shop's movement counted once.
    called : tuple of str
        Columns that are called.
    faults : Mapping[str, int]
        Fault to the columns that are called with it.
    emptied : tuple of int
        Columns that are judged, and called, when each of them loses all values.
    """

    scoring: Scoring
    judged: int
    newest: int
    once: tuple[float, ...]
    called: tuple[str, ...]
    faults: Mapping[str, int]
    emptied: tuple[int, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the shops, and print what was called."""
    args, start, found = _arguments(arguments), time.perf_counter(), []
    given = dict(args.log)
    names = args.only or [*SIMULATED, CDNOW, *given]
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        for shop, config in shops(names, args.draws, Path(folder), given):
            of_shop = [figures(scoring) for scoring in scorings(shop, config)]
            say(_line(shop, of_shop))
            found += of_shop
    if not found:
        return 2
    say("\n" + "\n".join(summary(found)))
    say(f"{time.perf_counter() - start:.0f} s")
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=2, help="shops of each simulated kind")
    parser.add_argument(
        "--log", type=_pair, nargs="+", default=[], metavar="NAME=CONFIG", help="another shop"
    )
    parser.add_argument("--only", nargs="+", metavar="SHOP", help=f"of {', '.join([*SIMULATED, CDNOW])}")
    args = parser.parse_args(arguments)
    for name in args.only or ():
        if name not in {*SIMULATED, CDNOW, *dict(args.log)}:
            parser.error(f"no shop {name!r}: {', '.join([*SIMULATED, CDNOW])}")
    return args


def _pair(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not name or not Path(path).is_file():
        raise argparse.ArgumentTypeError("NAME=CONFIG, and CONFIG is a file")
    return name, Path(path).resolve()


def figures(scoring: Scoring) -> Figures:
    """Judge a scoring as it is and, soon after the training, with every fault."""
    reference = scoring.reference
    found = _judged(scoring, scoring.frame)
    counts = reference.count(scoring.frame, scoring.frame)
    far_from_newest = [psi(reference.counts[name][-1], now) > MAX_PSI for name, now in counts.items()]
    faults: dict[str, int] = {}
    emptied = (0, 0)
    if scoring.days <= WITHIN:
        faults = {name: len(_called(_judged(scoring, broken(scoring)))) for name, broken in FAULTS.items()}
        empty = {name: [0] * (len(now) - 1) + [sum(now)] for name, now in counts.items()}
        lost = distances(reference, empty, scoring.as_of, MAX_PSI)
        emptied = (_n_judged(lost), len(_called(lost)))
    once = tuple(_beyond_once(scoring, found, counts))
    return Figures(scoring, _n_judged(found), sum(far_from_newest), once, _called(found), faults, emptied)


def _judged(scoring: Scoring, frame: pd.DataFrame) -> list[Distance]:
    counts = scoring.reference.count(frame, frame)
    return distances(scoring.reference, counts, scoring.as_of, MAX_PSI)


def _called(found: Sequence[Distance]) -> tuple[str, ...]:
    return tuple(far.column for far in found if far.verdict == "drifted")


def _n_judged(found: Sequence[Distance]) -> int:
    return sum(far.limit is not None for far in found)


def _beyond_once(
    scoring: Scoring, found: Sequence[Distance], counts: Mapping[str, Sequence[int]]
) -> Iterator[float]:
    """Say how far beyond its limit a column is, were the shop's own movement not doubled."""
    chance = CHANCE / max(len(counts), 1)
    for far in found:
        usual = movement(scoring.reference, far.column, scoring.days)
        if usual is None:
            continue
        now = counts[far.column]
        beyond = min(
            psi(then, now) / max(MAX_PSI, chance_limit(then, now, chance), usual)
            for then in scoring.reference.counts[far.column]
        )
        if beyond > 1:
            yield beyond


def _line(shop: str, found: Sequence[Figures]) -> str:
    if not found:
        return f"{shop}: too young or too small for a training"
    called = [one for one in found if one.called]
    told = "".join(
        f"; {one.scoring.days} days after {one.scoring.until}: {', '.join(one.called)}" for one in called
    )
    return (
        f"{shop}: {len(found)} scorings of {len(found[-1].scoring.frame):,} customers, "
        f"{sum(one.judged for one in found):,} columns judged, {len(called)} scorings called{told}"
    )


def summary(found: Sequence[Figures]) -> list[str]:
    """Say it of all shops together."""
    once = [beyond for one in found for beyond in one.once]
    called = [one for one in found if one.called]
    broken = [one for one in found if one.faults]
    judged, lost = (sum(one.emptied[k] for one in broken) for k in (0, 1))
    lines = [
        f"nothing wrong: {len(found)} scorings, {sum(one.judged for one in found):,} columns judged",
        f"  PSI from the newest look alone passes {MAX_PSI} in up to {max(one.newest for one in found)} "
        f"columns of a scoring, and in {sum(one.newest > 0 for one in found)} scorings",
        f"  movement taken once: {len(once)} columns called, by a factor of {max(once, default=0):.1f} "
        "at most",
        f"  as it is: {sum(len(one.called) for one in called)} columns called in {len(called)} scorings",
        f"broken feeds, up to {WITHIN} days after the training: {len(broken)} scorings",
        f"  {lost:,} of {judged:,} columns that lose all values are called",
    ]
    for name in FAULTS:
        columns = [one.faults[name] for one in broken]
        n = sum(k > 0 for k in columns)
        lines.append(f"  {name}: called in {n} of {len(broken)}, {min(columns, default=0)} columns and more")
    for low, high in pairwise(SOME):
        some = [
            one for one in broken if low <= active(one.scoring) < high or active(one.scoring) == high == 1
        ]
        n = sum(one.faults["nobody has bought for four weeks"] > 0 for one in some)
        lines.append(
            f"    with {low:.0%} to {high:.0%} of the customers having bought in these: {n} of {len(some)}"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
