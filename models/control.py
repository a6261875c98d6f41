"""Who is left alone to compare with: drawn by a keyed hash, so that it is the same wherever it is asked."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_BITS = 53
"""As many as a float holds exactly: a draw can never round up to 1."""


def in_control(customer_ids: Iterable[str], campaign: str, share: float) -> NDArray[np.bool_]:
    """Tell which customers a campaign leaves alone.

    A customer is left alone for the whole of a campaign, whatever run, list or machine asks, and whoever else
    is asked about; in another campaign chance decides anew. A larger share leaves the same customers alone,
    and more.

    Parameters
    ----------
    customer_ids : iterable of str
        As the shop writes them (never pseudonyms: another key would draw others).
    campaign : str
        The campaign's id.
    share : float
        Of the customers to leave alone, 0 to 1.

    Returns
    -------
    ndarray of bool, shape (n,)
        In the order of the ids.

    Notes
    -----
    BLAKE2b (RFC 7693), keyed by the campaign's own digest, over the id in UTF-8.

    Examples
    --------
    >>> in_control(["17850", "13047", "12583"], "list", 0.5)
    array([False,  True, False])
    """
    return draws(customer_ids, campaign) < share


def draws(customer_ids: Iterable[str], campaign: str) -> NDArray[np.float64]:
    """Return each customer's number in [0, 1): even, and unrelated to that of another campaign.

    Parameters
    ----------
    customer_ids : iterable of str
        As the shop writes them.
    campaign : str
        The campaign's id.

    Returns
    -------
    ndarray, shape (n,)
        In the order of the ids.

    Examples
    --------
    >>> draws(["17850"], "list").round(4)
    array([0.5408])
    """
    # A key has at most 64 bytes, and an id may be longer.
    keyed = blake2b(key=blake2b(campaign.encode(), digest_size=32).digest(), digest_size=8)
    return np.fromiter((_draw(keyed.copy(), one) for one in customer_ids), dtype=np.float64)


def _draw(keyed: blake2b, customer_id: str) -> float:
    keyed.update(customer_id.encode())
    return float((int.from_bytes(keyed.digest(), "big") >> (64 - _BITS)) / (1 << _BITS))
