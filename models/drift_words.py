"""Drift in words: which columns have moved, and what of them."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.wording import phrase
from models.bins import Bins
from models.drift import Distance
from models.reference import Reference

TOLD = 3
"""Columns that are told of; the rest are counted."""

_SCORES = (
    (re.compile(r"p_purchase_(\d+)d"), "predicted chance of a purchase within {} days"),
    (re.compile(r"expected_orders_(\d+)d"), "orders expected within {} days"),
    (re.compile(r"expected_spend_(\d+)d"), "spend expected within {} days"),
)


def drift_text(
    reference: Reference, drifted: Sequence[Distance], counts: Mapping[str, Sequence[int]], judged: int
) -> str:
    """Say which columns have drifted, and how.

    Parameters
    ----------
    reference : Reference
        Of the training.
    drifted : sequence of Distance
        The farthest beyond its limit first.
    counts : Mapping[str, sequence of int]
        Of all customers.
    judged : int
        Columns that were judged.
    """
    told = []
    for far in drifted[:TOLD]:
        then = reference.counts[far.column][reference.cutoffs.index(far.cutoff)]
        moved = what_moved(reference.bins[far.column], then, counts[far.column])
        told.append(
            f"{column_words(far.column)} ({far.column}, PSI {far.psi:.2f}, limit {far.limit:.2f}): {moved}"
        )
    more = f"; and {len(drifted) - TOLD} more" if len(drifted) > TOLD else ""
    return (
        f"{len(drifted)} of {judged} features and scores are spread over the customers as at no time of the "
        f"training, beyond chance and what this shop moves by itself: {'; '.join(told)}{more}. A table is "
        "broken, or the customers have changed: look at the tables, then run `repurchase refresh`"
    )


def column_words(column: str) -> str:
    """Say what a feature or a score tells.

    Examples
    --------
    >>> column_words("orders_28d"), column_words("p_purchase_90d")
    ('orders in the last 28 days', 'predicted chance of a purchase within 90 days')
    """
    for pattern, words in _SCORES:
        found = pattern.fullmatch(column)
        if found:
            return words.format(found[1])
    return phrase(column, "en")


def what_moved(bins: Bins, then: Sequence[int], now: Sequence[int]) -> str:
    """Say what changed most: the share with, or beyond, some value, now and before.

    Examples
    --------
    >>> what_moved(Bins((30.0, 90.0)), [60, 28, 12, 0], [300, 290, 410, 0])
    '70% are now above 30, 40% were in the training'
    """
    p, q = np.asarray(then) / max(sum(then), 1), np.asarray(now) / max(sum(now), 1)
    if bins.values is None:
        p, q = _beyond(p), _beyond(q)
    place = int(np.argmax(np.abs(q - p)))
    before, after = p[place], q[place]
    if bins.values is not None or place == len(bins.edges):
        where = _named(bins, place)
    else:
        where = _side(bins.edges, place, above=after > before)
        if after <= before:
            known = 1 - p[-1], 1 - q[-1]
            before, after = known[0] - before, known[1] - after
    return f"{after:.0%} are now {where}, {before:.0%} were in the training"


def _beyond(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share beyond each edge, and the share of the missing values last."""
    beyond = np.cumsum(shares[-2:0:-1])[::-1]
    return np.append(beyond, shares[-1])


def _named(bins: Bins, place: int) -> str:
    values = bins.values or ()
    if place < len(values):
        return repr(values[place])
    is_missing = bins.values is None or place > len(values)
    return "empty" if is_missing else "of a value that the model does not tell apart"


def _side(edges: Sequence[float], place: int, *, above: bool) -> str:
    edge = edges[place]
    if place + 1 < len(edges) and np.nextafter(edges[place + 1], -np.inf) == edge:  # in front of a value
        value = _number(edges[place + 1])
        return f"{value} or more" if above else f"below {value}"
    return f"above {_number(edge)}" if above else f"at most {_number(edge)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0.0:.4g}"
