"""BG/NBD: how often a customer buys while alive, and after which repeat purchase they leave for good."""

from __future__ import annotations

from models.beta_geo import BetaGeoBase


class BetaGeoModel(BetaGeoBase):
    """Beta-geometric / NBD model of repeat purchases.

    While alive, a customer buys at a Poisson rate that differs between customers as Gamma(r, rate alpha).
    After each *repeat* purchase they leave with a probability that differs as Beta(a, b). A customer who
    never came back is therefore alive by construction: rank churn by `p_purchase`, not by `p_alive`.

    Time is in whatever unit ``recency``, ``T`` and ``horizon`` share; only ``alpha`` has a unit.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (unit of time), ``a``, ``b``.
    loglik_ : float
        Total log-likelihood in the caller's unit of time, comparable with published values.
    covariance_ : ndarray of shape (4, 4), or None
        Of the parameters; None where the data do not identify them.
    converged_ : bool
        False where the data do not identify all four parameters: the optimum lies on a bound or a ridge.
        Predictions are finite either way.
    diagnosis_ : list of str
        Why not, in words; empty if it converged.
    n_customers_ : float
        Total weight of the sample.

    References
    ----------
    Fader, Hardie, Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> model = BetaGeoModel.from_dict({"params": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}})
    >>> model.p_purchase(39, frequency=[2, 0], recency=[30.43, 0], T=[38.86, 38.86]).round(3)
    array([0.555, 0.145])
    >>> model.expected_purchases(39, frequency=[2], recency=[30.43], T=[38.86]).round(3)
    array([1.226])
    >>> model.next_purchase_time([0.2, 0.9], frequency=[2, 2], recency=[30.43] * 2, T=[38.86] * 2).round(1)
    array([6.7, inf])
    """

    _kind = "bg_nbd"
    _first = 0
