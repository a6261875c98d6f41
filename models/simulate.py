"""Shops with known truth: purchase logs drawn from the BG/NBD and Gamma-Gamma stories."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import ContractError
from models.shop_process import (
    draw_anonymous,
    draw_latent,
    draw_lines,
    draw_orders,
    draw_refunds,
    log_frame,
    truth_frame,
)
from models.shop_spec import ShopSpec

__all__ = ["ShopSpec", "SimulatedShop", "simulate_shop"]


@dataclass(frozen=True)
class SimulatedShop:
    """A log, and the truth behind it; see `simulate_shop`.

    All three methods cover the customers known at the cutoff (first purchase before it), in the order of
    `truth`, and speak of orders *placed*: refunds are not part of the truth.
    """

    spec: ShopSpec
    transactions: pd.DataFrame
    truth: pd.DataFrame

    def alive_at(self, cutoff: str | pd.Timestamp) -> pd.Series:
        """Whether each customer is still one just before `cutoff`; boolean, indexed by customer_id."""
        instant = pd.Timestamp(cutoff)
        start = pd.Timestamp(self.spec.start)
        if not start <= instant <= start + pd.Timedelta(days=self.spec.days):
            raise ContractError("cutoff lies outside the simulated log", example=str(cutoff))
        known = self.truth[self.truth["first_at"] < instant].set_index("customer_id")
        return (known["died_at"].isna() | (known["died_at"] >= instant)).rename("alive")

    def p_purchase(self, cutoff: str | pd.Timestamp, horizon: float) -> pd.Series:
        """Probability of an order in ``[cutoff, cutoff + horizon)``, to one who knows rate and life.

        Zero for the departed, ``1 - exp(-rate * pace in the window)`` for the living (leaving comes after a
        purchase, so it cannot prevent the first). On average no model can beat it: it is the floor of
        log-loss. `horizon` in days, possibly past the end of the log; a Series indexed by customer_id.

        Examples
        --------
        >>> shop = simulate_shop(ShopSpec(n_customers=5, acquisition_days=0), seed=1)
        >>> bool(shop.p_purchase("2024-07-01", 90).between(0, 1).all())
        True
        """
        probability: pd.Series = -np.expm1(-self._expected_if_staying(cutoff, horizon))
        return probability.rename("p_purchase")

    def expected_orders(self, cutoff: str | pd.Timestamp, horizon: float) -> pd.Series:
        """Mean number of orders in the window to one who knows rate, life and dropout probability p.

        ``(1 - exp(-p m)) / p`` for the living, with m the mean were nobody to leave: the mean of the smaller
        of a Poisson(m) and a Geometric(p) number.
        """
        staying = self._expected_if_staying(cutoff, horizon)
        dropout = self.truth.set_index("customer_id")["dropout"].reindex(staying.index)
        orders: pd.Series = -np.expm1(-dropout * staying) / dropout
        return orders.rename("expected_orders")

    def _expected_if_staying(self, cutoff: str | pd.Timestamp, horizon: float) -> pd.Series:
        if not 0 < horizon < np.inf:
            raise ContractError("horizon must be a positive number of days", example=horizon)
        alive = self.alive_at(cutoff)
        begin = (pd.Timestamp(cutoff) - pd.Timestamp(self.spec.start)) / pd.Timedelta(days=1)
        pace = self.spec.pace(int(np.ceil(begin + horizon)))
        first, last = np.interp([begin, begin + horizon], np.arange(pace.size), pace)
        rate = self.truth.set_index("customer_id")["rate"].reindex(alive.index)
        return alive * rate * (last - first)


def simulate_shop(spec: ShopSpec, seed: int) -> SimulatedShop:
    """Draw a shop's log and keep the truth behind it.

    With season, weekdays, attribute, refunds and anonymous lines off, counts follow BG/NBD exactly (Fader,
    Hardie & Lee 2005, section 3): after the first purchase, exponential gaps at the customer's rate in
    continuous time, and a dropout coin after every repeat purchase. Order values follow Gamma-Gamma (Fader &
    Hardie 2013), to the cent and never below one cent a piece. A season bends the clock on which the gaps
    run. Each stage has a random stream of its own: switching refunds on leaves the purchases as they were.

    Parameters
    ----------
    spec : ShopSpec
        What the shop is like.
    seed : int
        Same spec and seed, same log to the last byte.

    Returns
    -------
    SimulatedShop
        ``transactions``, one row a line in order of time: `customer_id` (string, missing if anonymous),
        `order_id` (string; a refund's is "C" and the id of the order it cancels), `ordered_at` (microseconds,
        no zone), `product_id`, `quantity` (negative in refunds), `unit_price`. ``truth``, one row a customer:
        `customer_id`, `first_at`, `rate` (purchases a day at pace one), `dropout` (probability after each
        repeat purchase), `died_at` (the purchase after which the customer left; NaT if still there at the
        end), `mean_spend` (an order), `attribute` (0 or 1).

    Examples
    --------
    >>> shop = simulate_shop(ShopSpec(n_customers=3, days=90, acquisition_days=30), seed=7)
    >>> list(shop.transactions.columns)
    ['customer_id', 'order_id', 'ordered_at', 'product_id', 'quantity', 'unit_price']
    >>> shop.truth["customer_id"].tolist()
    ['u0000000', 'u0000001', 'u0000002']
    """
    people, purchases, baskets, refunds, strangers = np.random.default_rng(seed).spawn(5)
    latent = draw_latent(spec, people)
    orders, life = draw_orders(spec, latent, purchases)
    lines = draw_lines(spec, orders, latent["mean_spend"], baskets)
    back = draw_refunds(spec, orders["time"], lines, refunds)
    foreign = draw_anonymous(spec, orders["time"].size, lines, strangers)
    return SimulatedShop(spec, log_frame(spec, [lines, back, foreign]), truth_frame(spec, latent, life))
