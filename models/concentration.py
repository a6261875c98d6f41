"""How much of the value a few customers hold."""

import pandas as pd


def held_by_top(parts: pd.DataFrame) -> pd.DataFrame:
    """Add up from the customers who bring most.

    Parameters
    ----------
    parts : DataFrame
        Of `features.shop_counts.largest_parts`: ``part`` (0 for those who bring most), ``customers, total``.

    Returns
    -------
    DataFrame
        One row a part: ``customers`` up to its end as a share of all, and the ``held`` share of the total.
        Empty where the total is not above zero.

    Examples
    --------
    >>> held_by_top(pd.DataFrame({"part": [1, 0], "customers": [5, 5], "total": [20.0, 80.0]}))
       customers  held
    0        0.5   0.8
    1        1.0   1.0
    """
    ordered = parts.sort_values("part").reset_index(drop=True)
    total = float(ordered["total"].sum())
    if total <= 0:
        return pd.DataFrame({"customers": [], "held": []}, dtype=float)
    return pd.DataFrame(
        {
            "customers": ordered["customers"].cumsum() / ordered["customers"].sum(),
            "held": ordered["total"].astype(float).cumsum() / total,
        }
    )


def top_share(held: pd.DataFrame, share: float) -> float | None:
    """Return what the top share of customers holds; None for an empty table, or a share between its parts."""
    found = held[(held["customers"] >= share - 1e-9)]
    return None if found.empty else float(found["held"].iloc[0])
