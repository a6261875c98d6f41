"""MBG/NBD: as BG/NBD, but a customer may leave after the very first purchase, too."""

from __future__ import annotations

from models.beta_geo import BetaGeoBase


class ModifiedBetaGeoModel(BetaGeoBase):
    """Modified beta-geometric / NBD model of repeat purchases.

    As `models.bgnbd.BetaGeoModel`, with a chance to leave after each purchase, the first one included: a
    customer who never came back need not be alive. The right one where many buy once and never again.

    Attributes
    ----------
    params_, loglik_, covariance_, converged_, diagnosis_, n_customers_
        As those of `models.bgnbd.BetaGeoModel`.

    References
    ----------
    Batislam, Denizel, Filiztekin (2007), "Empirical validation and comparison of models for customer base
    analysis", International Journal of Research in Marketing 24(3), 201-209.

    Examples
    --------
    >>> model = ModifiedBetaGeoModel.from_dict(
    ...     {"params": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}}
    ... )
    >>> model.p_alive(frequency=[2, 0], recency=[30.43, 0], T=[38.86, 38.86]).round(3)
    array([0.706, 0.39 ])
    >>> model.p_purchase(39, frequency=[2, 0], recency=[30.43, 0], T=[38.86, 38.86]).round(3)
    array([0.56 , 0.109])
    """

    _kind = "mbg_nbd"
    _first = 1
