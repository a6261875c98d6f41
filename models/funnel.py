"""From the first purchase to the second, the third and on: how many go on, and how long they take."""

import numpy as np
import pandas as pd


def funnel(places: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Say of each place how many came to it, and how many went on.

    Parameters
    ----------
    places : DataFrame
        Of `features.shop_counts.place_counts`.
    gaps : DataFrame
        Of `features.shop_counts.gap_counts`.

    Returns
    -------
    DataFrame
        ``place, customers``; ``of_first``: as a share of those with a first purchase; ``went_on``: share that
        has bought once more; ``within``: the same within the days asked for, of those watched so long (NaN
        where nobody was); ``median_days`` from this purchase to the next, of those who made it (NaN: nobody).

    Examples
    --------
    >>> places = pd.DataFrame({"place": [1, 2], "customers": [10, 4], "went_on": [4, 1],
    ...                        "watched": [8, 2], "back": [2, 1]})
    >>> gaps = pd.DataFrame({"place": [1, 1, 2], "days": [3, 9, 5], "n": [3, 1, 1]})
    >>> funnel(places, gaps)[["of_first", "went_on", "within", "median_days"]].to_numpy().tolist()
    [[1.0, 0.4, 0.25, 3.0], [0.4, 0.25, 0.5, 5.0]]
    """
    known = places.sort_values("place").reset_index(drop=True).astype("int64")
    watched = known["watched"].where(known["watched"] > 0).astype(float)
    return pd.DataFrame(
        {
            "place": known["place"],
            "customers": known["customers"],
            "of_first": known["customers"] / max(int(known["customers"].iloc[0]), 1),
            "went_on": known["went_on"] / known["customers"],
            "within": known["back"] / watched,
            "median_days": [middle(gaps[gaps["place"] == place]) for place in known["place"]],
        }
    )


def middle(counts: pd.DataFrame) -> float:
    """Return the day by which at least half have come; NaN for nobody.

    Parameters
    ----------
    counts : DataFrame
        ``days, n``.
    """
    ordered = counts.sort_values("days")
    if ordered.empty:
        return float("nan")
    reached = np.cumsum(ordered["n"].to_numpy())
    return float(ordered["days"].to_numpy()[np.searchsorted(reached, reached[-1] / 2)])
