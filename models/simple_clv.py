"""The formula of marketing books: customer lifetime value = order value × frequency × lifespan."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SimpleClv:
    """The formula's parts, over a period of `days` days.

    Parameters
    ----------
    days : int
        Of the period.
    order_value : float
        Average order value: revenue of the period over its orders.
    frequency : float
        Orders a buyer in the period.
    churn : float or None
        Share of the buyers of the period before who did not buy in this one; None where there were none.
    """

    days: int
    order_value: float
    frequency: float
    churn: float | None

    @property
    def lifespan(self) -> float | None:
        """Periods that a customer stays, 1 / churn; None where nobody is known to leave."""
        return 1 / self.churn if self.churn else None

    @property
    def years(self) -> float | None:
        """The lifespan in years of 365 days."""
        return None if self.lifespan is None else self.lifespan * self.days / 365

    @property
    def value(self) -> float | None:
        """Revenue of a customer over the lifespan; None where that is not known."""
        return None if self.lifespan is None else self.order_value * self.frequency * self.lifespan


def simple_clv(
    days: int, *, buyers: int, orders: int, revenue: float, before: int, both: int
) -> SimpleClv | None:
    """Work the formula out; None for a period without an order.

    Parameters
    ----------
    days : int
        Of the period.
    buyers, orders, revenue
        Of the period.
    before, both : int
        Buyers of as many days before it, and those of them who bought in the period, too.

    Examples
    --------
    >>> found = simple_clv(365, buyers=100, orders=200, revenue=4000.0, before=80, both=40)
    >>> found.order_value, found.frequency, found.years, found.value
    (20.0, 2.0, 2.0, 80.0)
    """
    if not orders or not buyers:
        return None
    churn = 1 - both / before if before else None
    return SimpleClv(days, revenue / orders, orders / buyers, churn)
