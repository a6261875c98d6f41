"""How many purchases to expect of a customer who is known to be alive: the numerics.

With rates that differ as Gamma(rate, alpha + T), dropout as Beta(a, b) and ``share`` = horizon / (alpha + T),
the expectation is the mean of ``(1 - (1 + p share) ** -rate) / p`` over p ~ Beta(a, b). `orders_if_alive` has
it in closed form; what that form cannot give is integrated.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, hyp2f1

from models.inputs import Floats

_NEAR = 0.03
"""How near to a removable singularity the closed form is not evaluated, in 1 / log(1 + share (1 + rate))."""

_NODES = np.array([-7.0, -5.0, -3.0, -1.0, 1.0, 3.0, 5.0, 7.0])
"""Where it is evaluated instead, in that unit, to lay a polynomial through; exact to about 1e-12."""

_PANEL_NODES, _PANEL_WEIGHTS = np.polynomial.legendre.leggauss(12)
_FEWEST = 8
"""Panels are as many, or a multiple."""
_CHUNK = 2_000_000
"""Values of the integrand in memory at a time."""


def orders_if_alive(a: float, b: Floats, rate: Floats, share: Floats) -> Floats:
    """Return the expected purchases of customers who are alive, shape (n,).

    Fader, Hardie and Lee's (2005) eq. 10 after Euler's transformation of its 2F1, which then has no parameter
    that grows with the frequency, so that it neither overflows nor cancels for heavy buyers. It has removable
    singularities where a = 1 and where a + b = 1.

    Parameters
    ----------
    a : float
        Of the Beta distribution of dropout.
    b, rate, share : ndarray of shape (n,)
        See the module.
    """
    e, c = np.full_like(share, a - 1), a + b - 1
    near = _NEAR / np.maximum(np.log1p(share * (1 + rate)), 1)
    orders = _around_zero(lambda e, at: _by_c(e, c[at], rate[at], share[at], near[at]), e, near)
    least, most = -np.expm1(-rate * np.log1p(share)), rate * share
    wrong = ~((orders >= least * (1 - 1e-9)) & (orders <= most * (1 + 1e-9)))
    if wrong.any():
        orders[wrong] = orders_by_integral(a, b[wrong], rate[wrong], share[wrong])
    return np.clip(orders, least, most)


def _around_zero(value: Callable[[Floats, NDArray[np.intp]], Floats], x: Floats, near: Floats) -> Floats:
    """Evaluate `value` at x, given the rows; where x is nearer to 0 than `near`, through points around 0."""
    far = np.flatnonzero(np.abs(x) >= near)
    close = np.flatnonzero(np.abs(x) < near)
    found = np.empty_like(x)
    found[far] = value(x[far], far)
    if len(close):
        place = x[close] / near[close]
        found[close] = sum(_lagrange(place, node) * value(node * near[close], close) for node in _NODES)
    return found


def _lagrange(place: Floats, node: float) -> Floats:
    others = _NODES[node != _NODES]
    return np.asarray(np.prod((place[:, None] - others) / (node - others), axis=1))


def _by_c(e: Floats, c: Floats, rate: Floats, share: Floats, near: Floats) -> Floats:
    return _around_zero(lambda c, at: _euler(e[at], c, rate[at], share[at]), c, near)


def _euler(e: Floats, c: Floats, rate: Floats, share: Floats) -> Floats:
    with np.errstate(all="ignore"):  # what overflows here is found by its bounds, and done again
        power = np.exp(-e * np.log1p(share))
        return np.asarray(c / e * (1 - power * hyp2f1(c - rate, e, c, share / (1 + share))))


def orders_by_integral(a: float, b: Floats, rate: Floats, share: Floats) -> Floats:
    """Return the same as an integral over the log-odds of p, by Gauss and Legendre on panels: always finite.

    Below a p that is as good as 0 the integrand is the constant ``rate * share``, and above one that is as
    good as 1 it is the probability of any purchase: there the Beta distribution's own tails are enough.
    """
    zero = 1e-17 / (share * np.maximum(rate, 1) + 1)
    one = 1e-17 / np.maximum(rate, 1)
    width, peak = np.sqrt(1 / a + 1 / b), np.log(a) - np.log(b)
    low = np.maximum(peak - 12 * width - 45 / a, np.log(zero))
    high = np.minimum(peak + 12 * width + 45 / b, -np.log(one))
    # Each row by its own number of panels: its sum must not depend on the rows beside it.
    panels = _FEWEST * np.ceil((high - low) / np.minimum(1, width) / _FEWEST).astype(np.int64)
    found = np.empty_like(share)
    for n in np.unique(panels):
        here = np.flatnonzero(panels == n)
        rows = max(_CHUNK // (int(n) * len(_PANEL_NODES)), 1)
        for k in range(0, len(here), rows):
            at = here[k : k + rows]
            found[at] = _on_panels(a, b[at], rate[at], share[at], low[at], high[at], int(n))
    never = np.where(low == np.log(zero), betainc(a, b, zero) * rate * share, 0.0)
    once = np.where(high == -np.log(one), betainc(b, a, one) * -np.expm1(-rate * np.log1p(share)), 0.0)
    return found + never + once


def _on_panels(
    a: float, b: Floats, rate: Floats, share: Floats, low: Floats, high: Floats, panels: int
) -> Floats:
    places = (np.arange(panels)[:, None] + (1 + _PANEL_NODES) / 2).ravel() / panels
    odds = low[:, None] + (high - low)[:, None] * places
    log_p, log_q = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
    density = np.exp(a * log_p + b[:, None] * log_q - betaln(a, b)[:, None])
    value = -np.expm1(-rate[:, None] * np.log1p(np.exp(log_p) * share[:, None])) * np.exp(-log_p)
    weights = np.tile(_PANEL_WEIGHTS, panels) / (2 * panels)
    return np.asarray((density * value * weights).sum(axis=1) * (high - low))
