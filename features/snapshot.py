"""Snapshot: the only door to the log. A feature builder gets one of these and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from features.errors import ContractError
from features.grains import purchase_days

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01, the integer form of every day in a ledger.

    Examples
    --------
    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - _EPOCH).days


def day_from_number(number: int) -> date:
    """Turn a day number back into a date.

    Examples
    --------
    >>> day_from_number(1).isoformat()
    '1970-01-02'
    """
    return _EPOCH + timedelta(number)


@dataclass(frozen=True)
class Snapshot:
    """What was known strictly before each cutoff.

    Parameters
    ----------
    entries : ibis Table
        The visible ledger entries, once for each ``cutoff`` (a day number) that may see them.
    days : ibis Table
        The purchase days they make up: ``customer_id, cutoff, day, amount, n_orders``.

    See Also
    --------
    take_snapshot : the way to make one.
    """

    entries: ir.Table
    days: ir.Table


def take_snapshot(ledger: ir.Table, cutoffs: Sequence[date]) -> Snapshot:
    """Show the ledger as it was known strictly before each cutoff.

    Parameters
    ----------
    ledger : ibis Table
        Entries of `features.grains.order_ledger`.
    cutoffs : sequence of date
        One for scoring, many for a training panel: the expressions are the same.

    Returns
    -------
    Snapshot
        Keyed by (``customer_id``, ``cutoff``).

    Raises
    ------
    ContractError
        If no cutoff is given: nothing defaults to the newest date.
    """
    if not cutoffs:
        raise ContractError("a snapshot needs at least one cutoff", hint="name the date explicitly")
    numbers = sorted({day_number(c) for c in cutoffs})
    repeated = ledger.mutate(cutoff=ibis.literal(numbers, "array<int64>").unnest())
    entries = repeated.filter(repeated.known_day < repeated.cutoff)
    return Snapshot(entries=entries, days=purchase_days(entries, ("customer_id", "cutoff")))


def sample_customers(ledger: ir.Table, share: float, seed: int) -> ir.Table:
    """Keep all entries of a pseudo-random share of the customers, the same ones on every engine.

    Parameters
    ----------
    ledger : ibis Table
        With a string ``customer_id``.
    share : float
        Of the customers to keep, 0 to 1; 1 and above keeps everyone.
    seed : int
        Another seed, another sample.
    """
    if share >= 1:
        return ledger
    threshold = f"{int(share * 16**8):08x}"
    digest = ibis.literal(f"{seed}:").concat(ledger.customer_id).hexdigest("md5")
    return ledger.filter(digest.substr(0, 8) < threshold)
