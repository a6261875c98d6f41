"""The shop's North Star: which numbers a run may lead with, and the words for each."""

from collections.abc import Sequence

from features.contracts import did_you_mean
from features.errors import ContractError

OF_THE_RUN = {"expected_spend": "spend", "expected_orders": "orders", "buyers": "buyers"}
"""Numbers of all customers over the primary horizon, and what the manifest's outlook calls them."""
_SUMMED = ("p_purchase", "p_churn", "expected_orders", "expected_spend")
_ALONE = ("p_alive", "value_at_risk", "total_spend", "n_orders")
MONEY = ("expected_spend", "clv", "clv_net", "value_at_risk", "total_spend")


def north_stars(horizons: Sequence[int], clv_horizon: int) -> dict[str, tuple[str, int]]:
    """Name what may lead a run: name to its kind and its days.

    Of the scores these are the ones whose sum over all customers says something: dates, ages and the ends of
    intervals do not add up.

    Examples
    --------
    >>> north_stars([90], 365)["clv_365d"]
    ('clv', 365)
    """
    found = {name: (name, 0) for name in (*OF_THE_RUN, *_ALONE)}
    found |= {f"{kind}_{days}d": (kind, days) for days in horizons for kind in _SUMMED}
    return found | {f"{kind}_{clv_horizon}d": (kind, clv_horizon) for kind in ("clv", "clv_net")}


def require_north_star(name: str, horizons: Sequence[int], clv_horizon: int, source: str) -> None:
    """Refuse a name that no number has, so that no run is published without the one it should lead with.

    Raises
    ------
    ContractError
        Naming the closest ones.

    Examples
    --------
    >>> require_north_star("clv_365", [90], 365, "shop.toml")
    Traceback (most recent call last):
    ...
    features.errors.ContractError: shop.toml: project.north_star: no score ... did you mean 'clv_365d'? ...
    """
    known = north_stars(horizons, clv_horizon)
    if name not in known:
        raise ContractError(
            f"{source}: project.north_star: no score of all customers is called {name!r}",
            hint=did_you_mean(name, list(known)),
        )
