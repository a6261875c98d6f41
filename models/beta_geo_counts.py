"""How likely n purchases are within a horizon, for customers who are known to be alive.

To buy at least n times a customer has to survive n - 1 chances to leave and to have a rate that gives n
events, and the two are independent: ``P(X >= n) = (b)_{n-1} / (a + b)_{n-1} * I_z(n, rate)`` with the rising
factorials of the dropout, z = t / (alpha + T + t), and I the regularised incomplete beta function, which is
what a negative binomial distribution exceeds n - 1 with. Derived here; differences of it are the pmf of
Fader, Hardie and Lee (2005, eq. 8; note 039), and its sum over n is their conditional expectation.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaln

from models.inputs import Floats

_NEGLIGIBLE = 1e-12


def at_least(n: Floats, a: float, b: Floats, rate: Floats, z: Floats) -> Floats:
    """Return P(X >= n) of customers who are alive; 1 for n = 0."""
    above = np.maximum(n, 1)
    survives = np.exp(betaln(a, b + above - 1) - betaln(a, b))
    return np.where(n > 0, survives * betainc(above, rate, z), 1.0)


def moments(a: float, b: Floats, rate: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Return the mean and the mean square of the purchases of customers who are alive.

    Summed over n: ``E[X] = sum P(X >= n)`` and ``E[X^2] = sum (2n - 1) P(X >= n)``; heavy buyers take longer
    than the others, and go on alone.
    """
    mean, square, active = np.zeros_like(b), np.zeros_like(b), np.arange(len(b))
    n = 1.0
    while len(active) and n < 1e6:
        p = at_least(np.full(len(active), n), a, b[active], rate[active], z[active])
        mean[active] += p
        square[active] += (2 * n - 1) * p
        active = active[(2 * n - 1) * p > _NEGLIGIBLE]
        n += 1.0
    return mean, square
