"""Snapshot: the only door to a history. A feature builder gets one of these and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import ibis
import ibis.expr.types as ir

from features.calendar import day_number
from features.errors import ContractError
from features.grains import with_gap
from features.history import History
from features.parts import Maker, Parts

KEYS = ["customer_id", "cutoff"]
REPLY_DAYS = 7
"""Days from a contact within which a purchase day counts as following it."""


@dataclass(frozen=True)
class Snapshot:
    """What was known strictly before each cutoff.

    Parameters
    ----------
    grains : Mapping[str, ibis Table]
        The parts of a `History`, each row once for every ``cutoff`` (a day number) that may see it; ``days``
        with their ``gap`` to the purchase day before, ``visits`` and ``contacts`` with the ``first_day`` and
        ``last_day`` of the customer's purchases.
    has, attributes
        As in `History`.

    See Also
    --------
    take_snapshot : the way to make one.
    """

    grains: Mapping[str, ir.Table]
    has: frozenset[str]
    attributes: tuple[tuple[str, str], ...] = ()


def take_snapshot(history: History, cutoffs: Sequence[date]) -> Snapshot:
    """Show a history as it was known strictly before each cutoff.

    Parameters
    ----------
    history : History
        Of `features.history.make_history`.
    cutoffs : sequence of date
        One for scoring, many for a training panel: the expressions are the same.

    Returns
    -------
    Snapshot
        Keyed by (``customer_id``, ``cutoff``).

    Raises
    ------
    ContractError
        If no cutoff is given: nothing defaults to the newest date; or if the history was made for another.
    """
    if not cutoffs:
        raise ContractError("a snapshot needs at least one cutoff", hint="name the date explicitly")
    if history.at is not None and {*cutoffs} != {history.at}:
        raise ContractError(f"this history was made for {history.at} alone", example=str(max(cutoffs)))
    numbers = sorted({day_number(c) for c in cutoffs})

    def seen(name: str) -> ir.Table:
        return _visible(history.parts[name], numbers)

    makers: dict[str, Maker] = {name: partial(seen, name) for name in history.parts}
    makers["days"] = lambda: _with_gaps(seen("days"))
    if "visits" in makers:
        makers["visits"] = lambda: seen("visits").inner_join(_purchase_span(grains["days"]), KEYS)
    if "contacts" in makers:
        makers["replies"] = lambda: _replies(grains["contacts"], grains["days"])
    grains = Parts(makers)
    return Snapshot(grains, history.has, history.attributes)


def _visible(part: ir.Table, cutoffs: list[int]) -> ir.Table:
    """Repeat each row for every cutoff that may see it."""
    every = ibis.literal(cutoffs, "array<int64>").unnest()
    repeated = part.mutate(cutoff=every if len(cutoffs) > 1 else ibis.literal(cutoffs[0], "int64"))
    if "known_until" in part.columns:
        seen = (repeated.known_from < repeated.cutoff) & (repeated.cutoff <= repeated.known_until)
        return repeated.filter(seen).drop("known_from", "known_until")
    known = "known_day" if "known_day" in part.columns else "day"
    return repeated.filter(repeated[known] < repeated.cutoff)


def _with_gaps(days: ir.Table) -> ir.Table:
    """Look up the gaps that are not the same at every cutoff."""
    steady, others = days.filter(days.is_steady), days.filter(~days.is_steady).drop("gap")
    return steady.union(with_gap(others, *KEYS).select(*days.columns)).drop("is_steady")


def _purchase_span(days: ir.Table) -> ir.Table:
    return days.group_by(KEYS).agg(first_day=days.day.min(), last_day=days.day.max())


def _replies(contacts: ir.Table, days: ir.Table) -> ir.Table:
    """Contact days that a purchase day follows within `REPLY_DAYS`, the same day included."""
    bought = days.select(*KEYS, bought="day")
    follows = [bought.bought >= contacts.day, bought.bought < contacts.day + REPLY_DAYS]
    pairs = contacts.inner_join(bought, [contacts[k] == bought[k] for k in KEYS] + follows)
    return pairs.select(*KEYS, "day").distinct()


def sample_customers(table: ir.Table, share: float, seed: int) -> ir.Table:
    """Keep all rows of a pseudo-random share of the customers, the same ones on every engine.

    Parameters
    ----------
    table : ibis Table
        With a string ``customer_id``.
    share : float
        Of the customers to keep, 0 to 1; 1 and above keeps everyone.
    seed : int
        Another seed, another sample.
    """
    if share >= 1:
        return table
    threshold = f"{int(share * 16**8):08x}"
    people = table.select("customer_id").distinct()  # digests are dear: one a customer, not one a row
    digest = ibis.literal(f"{seed}:").concat(people.customer_id).hexdigest("md5")
    return table.semi_join(people.filter(digest.substr(0, 8) < threshold), "customer_id")
