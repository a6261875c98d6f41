"""What contacting a customer is expected to return, what may be offered, and where a list ends."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def net_value(value_at_risk: Floats, margin: float, save_rate: float, cost: float) -> Floats:
    """Return the profit that one contact is expected to bring, less what it costs.

    Parameters
    ----------
    value_at_risk : ndarray, shape (n,)
        What the customer would spend within the horizon if kept, times the chance that they leave
        (`models.scorer`): that chance is in it, and must not be multiplied in again.
    margin : float
        Share of the spend that is profit, 0 to 1.
    save_rate : float
        Share of those about to leave whom a contact keeps, 0 to 1: assumed, until lists have been measured
        (`models.uplift`).
    cost : float
        Of one contact, in currency.

    Returns
    -------
    ndarray, shape (n,)
        In currency; below zero where the contact does not pay.

    Notes
    -----
    Blattberg, Kim and Neslin (2008, "Database Marketing", chapter 24): the profit of proactive churn
    management, without the offer.

    Examples
    --------
    >>> net_value(np.array([200.0, 10.0]), margin=0.4, save_rate=0.1, cost=0.5)
    array([ 7.5, -0.1])
    """
    return value_at_risk * (margin * save_rate) - cost


def highest_offer(
    value_at_risk: Floats, p_churn: Floats, margin: float, save_rate: float, cost: float
) -> Floats:
    """Return the highest offer with which the contact still pays: a voucher that counts with a purchase.

    Those who would have bought anyway redeem it as well, and that is what makes offers dear. It is redeemed
    by the share ``(1 - p_churn) + p_churn * save_rate`` of such customers; the offer times this share uses up
    the net value. An offer that is handed out whether or not the customer buys may be no more than that.

    Parameters
    ----------
    value_at_risk, p_churn : ndarray, shape (n,)
        As in the scores, of the same horizon.
    margin, save_rate, cost : float
        As for `net_value`.

    Returns
    -------
    ndarray, shape (n,)
        In currency, at least 0: where not even the contact pays, nothing can be offered.

    Examples
    --------
    >>> var, p = np.array([200.0, 200.0, 10.0]), np.array([0.5, 0.9, 0.9])
    >>> highest_offer(var, p, margin=0.4, save_rate=0.1, cost=0.5).round(2)
    array([13.64, 39.47,  0.  ])
    """
    redeem = (1 - p_churn) + p_churn * save_rate
    worth = np.maximum(net_value(value_at_risk, margin, save_rate, cost), 0.0)
    return np.divide(worth, redeem, out=np.zeros_like(worth), where=redeem > 0)


def most_contacts(capacity: int | None, budget: float | None, cost: float) -> int | None:
    """Return how many customers can be contacted; None where nothing limits it.

    Parameters
    ----------
    capacity : int, optional
        Customers.
    budget : float, optional
        In currency.
    cost : float
        Of one contact; a budget does not limit what is free.

    Examples
    --------
    >>> most_contacts(500, 0.3, 0.1), most_contacts(2, 0.3, 0.1), most_contacts(None, 0.3, 0.0)
    (3, 2, None)
    """
    # 0.3 / 0.1 is a little below 3.
    paid = None if budget is None or cost == 0 else math.floor(budget / cost * (1 + 1e-12))
    limits = [limit for limit in (capacity, paid) if limit is not None]
    return min(limits, default=None)


def list_length(is_spared: NDArray[np.bool_], pays: NDArray[np.bool_], most: int | None) -> int:
    """Return how many customers of a ranked list stay on it.

    It ends with the last customer who can be contacted. Those left alone who stand before that one stay, and
    take nobody's place.

    Parameters
    ----------
    is_spared : ndarray of bool, shape (n,)
        Who is left alone, to compare with or for now, the most valuable customer first.
    pays : ndarray of bool, shape (n,)
        Whose contact pays; true, then false, as the list is ranked by it.
    most : int, optional
        Contacts at most (`most_contacts`).

    Examples
    --------
    >>> spared = np.array([False, True, False, True, False])
    >>> list_length(spared, np.ones(5, dtype=bool), most=2)
    3
    >>> list_length(spared, np.array([True, True, False, False, False]), most=2)
    2
    """
    worth = int(np.argmin(pays)) if not pays.all() else len(pays)
    contacts = np.flatnonzero(~is_spared[:worth])
    if most is None or len(contacts) <= most:
        return worth
    return int(contacts[most - 1]) + 1 if most else 0
