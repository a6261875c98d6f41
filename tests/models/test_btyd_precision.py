"""Predictions against 60 digits of mpmath, over far more ground than any shop covers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from models.beta_geo import BetaGeoBase
from models.bgnbd import BetaGeoModel
from models.mbgnbd import ModifiedBetaGeoModel

pytestmark = pytest.mark.heavy

mpmath = pytest.importorskip("mpmath")

KINDS = [BetaGeoModel, ModifiedBetaGeoModel]
COUNTS = np.array([0, 1, 2, 3, 7, 20, 60, 150, 400, 1500, 5000])
Case = tuple[tuple[float, float, float, float], float, float, float, float]


def exact(model: BetaGeoBase, case: Case) -> tuple[Any, Any, Any]:
    """P(alive), P(at least one purchase) and the expected purchases, as the papers' formulas have them."""
    (r, alpha, a, b), x, t_x, age, horizon = case
    r, alpha, a, b, age, horizon, t_x = map(mpmath.mpf, (r, alpha, a, b, age, horizon, t_x))
    first = model._first
    if first or x:
        gone = a / (b + x + first - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x)
    else:
        gone = mpmath.mpf(0)
    alive = 1 / (1 + gone)
    silent = ((alpha + age) / (alpha + age + horizon)) ** (r + x)
    c, z = a + b + x + first - 1, horizon / (alpha + age + horizon)
    e = a - 1
    if e == 0:  # a removable singularity, left by a step far below any tolerance
        e = mpmath.mpf(10) ** -25
    series = mpmath.hyp2f1(c - r - x, e, c, z, maxterms=10**7)
    return alive, alive * (1 - silent), alive * c / e * (1 - (1 - z) ** e * series)


def cases(seed: int, n: int, log_size: float, counts: np.ndarray, longest: float) -> Iterator[Case]:
    """Parameters within exp(±log_size), ages and horizons log-uniform up to `longest`; some a at 1."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        r, alpha, a, b = np.exp(rng.uniform(-log_size, log_size, 4))
        if rng.random() < 0.1:
            a = 1 + rng.choice([-1, 0, 1]) * 10.0 ** rng.uniform(-14, -2)
        x = float(rng.choice(counts))
        age, horizon = np.exp(rng.uniform(np.log(1e-2), np.log(longest), 2))
        t_x = age * rng.uniform(1e-3, 1) if x else 0.0
        yield (float(r), float(alpha), float(a), float(b)), x, float(t_x), float(age), float(horizon)


def errors(kind: type[BetaGeoBase], found: Iterator[Case]) -> np.ndarray:
    """Each case's three errors, relative, or absolute where that is 1,000 times smaller; shape (n, 3)."""
    off = []
    with mpmath.workdps(60):
        for case in found:
            params, x, t_x, age, horizon = case
            model = kind.from_dict({"params": dict(zip(("r", "alpha", "a", "b"), params, strict=True))})
            got = [
                model.p_alive(x, t_x, age)[0],
                model.p_purchase(horizon, x, t_x, age)[0],
                model.expected_purchases(horizon, x, t_x, age)[0],
            ]
            assert np.isfinite(got).all(), case
            off.append(
                [
                    float(min(abs(g - t) / t if t else abs(g), abs(g - t) * 1000))
                    for g, t in zip(got, exact(model, case), strict=True)
                ]
            )
    return np.array(off)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_four_decades_of_parameters(kind: type[BetaGeoBase], seed: int) -> None:
    """Two models, five draws of a thousand points: 1e-9 relative or 1e-12 absolute."""
    off = errors(kind, cases(seed, 1000, np.log(100), COUNTS, 1e4))
    assert off.max(axis=0) == pytest.approx([0, 0, 0], abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5, 10))
def test_six_decades_of_parameters_and_a_hundred_thousand_purchases(
    kind: type[BetaGeoBase], seed: int
) -> None:
    counts = np.append(COUNTS, [20_000, 100_000])
    off = errors(kind, cases(seed, 1000, np.log(1000), counts, 1e6))
    assert off.max(axis=0) == pytest.approx([0, 0, 0], abs=1e-6)
