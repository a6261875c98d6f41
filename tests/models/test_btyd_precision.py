"""Predictions against 60 digits of mpmath, over far more ground than any shop covers.

The expected purchases are compared with the formulas as they were published, whose 2F1 is not the one that
the code computes after Euler's transformation: Fader, Hardie and Lee (2005), eq. 10, and for MBG/NBD the same
with one chance to leave more, as in Batislam, Denizel and Filiztekin (2007). Both are held against the
integral that they are the solution of.

For the heaviest buyers the published series takes up to half a minute a point, and the transformed one is the
reference. In 60 digits the two agree to 20 and more, over six decades of parameters and over eight. In 30
they do not where a = 1 is left by a step of 1e-25: neither form is wrong there, but what they subtract from
each other has no digits left.
"""

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
SLOW = 5000
"""Purchases above which the published series is not summed for thousands of points."""

COUNTS = np.array([0, 1, 2, 3, 7, 20, 60, 150, 400, 1500, 5000])
Case = tuple[tuple[float, float, float, float], float, float, float, float]


def published(a: Any, b: Any, rate: Any, z: Any) -> Any:
    """Expected purchases if alive with dropout as Beta(a, b), as in eq. 10; z is t / (alpha + T + t)."""
    c = a + b - 1
    return c / (a - 1) * (1 - (1 - z) ** rate * mpmath.hyp2f1(rate, b, c, z, maxterms=10**7))


def transformed(a: Any, b: Any, rate: Any, z: Any) -> Any:
    """Return the same after Euler's transformation of the 2F1."""
    c, e = a + b - 1, a - 1
    return c / e * (1 - (1 - z) ** e * mpmath.hyp2f1(c - rate, e, c, z, maxterms=10**7))


def integrated(a: Any, b: Any, rate: Any, z: Any) -> Any:
    """Return the same as the mean of ``(1 - (1 + p share) ** -rate) / p`` over p ~ Beta(a, b).

    By the rule of trapezoids over the log-odds of p: of a function without a singularity within pi of the
    line, its error falls exponentially with the number of steps.
    """
    share = z / (1 - z)

    def each(log_odds: Any) -> Any:
        p = 1 / (1 + mpmath.exp(-log_odds))
        density = p**a * (1 / (1 + mpmath.exp(log_odds))) ** b
        return -density * mpmath.expm1(-rate * mpmath.log1p(p * share)) / p

    step, peak, width = mpmath.mpf("0.1"), mpmath.log(a / b), 12 * mpmath.sqrt(1 / a + 1 / b)
    steps = range(-int((width + 45 / a) / step), int((width + 45 / b) / step) + 1)
    return step * mpmath.fsum(each(peak + k * step) for k in steps) / mpmath.beta(a, b)


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
    if a == 1:  # a removable singularity, left by a step far below any tolerance and far above 60 digits
        a += mpmath.mpf(10) ** -25
    if_alive = published if x <= SLOW else transformed
    orders = if_alive(a, b + x + first, r + x, horizon / (alpha + age + horizon))
    return alive, alive * (1 - silent), alive * orders


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


@pytest.mark.parametrize("first", [0, 1])
def test_the_published_form_solves_its_integral(first: int) -> None:
    with mpmath.workdps(40):
        for (r, alpha, a, b), x, _, age, horizon in cases(20 + first, 40, np.log(20), COUNTS[:7], 1e3):
            args = [
                mpmath.mpf(value) for value in (a, b + x + first, r + x, horizon / (alpha + age + horizon))
            ]
            if a != 1:
                assert abs(published(*args) / integrated(*args) - 1) < 1e-18, args


@pytest.mark.parametrize("decades", [6, 8])
def test_both_forms_are_one_in_60_digits(decades: int) -> None:
    """Wherever the published series is summed in seconds, for a hundred thousand purchases, too."""
    found = cases(decades, 400, decades / 2 * np.log(10), COUNTS, 10.0**decades)
    heavy = (
        ((0.5, 9.0, 0.3, 2.0), 20_000.0, 300.0, 365.0, 9.0),
        ((3.0, 2.0, 1.4, 9.0), 1e5, 300.0, 365.0, 0.7),
    )
    with mpmath.workdps(60):
        for (r, alpha, a, b), x, _, age, horizon in (*found, *heavy):
            args = [mpmath.mpf(value) for value in (a, b + x, r + x, horizon / (alpha + age + horizon))]
            if a != 1:
                assert abs(published(*args) / transformed(*args) - 1) < 1e-20, args


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
