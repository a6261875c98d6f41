"""Rates by month and by cohort: who came again, who did not, and what a cohort brought as it aged."""

import numpy as np
import pandas as pd

MONEY_UNITS = 10_000
"""Amounts of counts are in 1/10,000 of the currency's unit."""


def month_name(month: int) -> str:
    """Write a month that is counted from year 0.

    Examples
    --------
    >>> month_name(1997 * 12)
    '1997-01'
    """
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def monthly_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn counts by month into rates.

    Parameters
    ----------
    counts : DataFrame
        Of `features.shop_counts.month_counts`.

    Returns
    -------
    DataFrame
        One row a month from the first to the last, those without a purchase too: ``buyers, newcomers, orders,
        revenue``; ``repeat``: share of the buyers whose first purchase lies in an
        earlier month;
        ``retention``: share of the buyers of the month before who bought again; ``not_returned``: share of
        the buyers who stayed away for the days asked for, NaN until all of them were watched so long.

    Examples
    --------
    >>> counts = pd.DataFrame({"month": [24000, 24001], "buyers": [10, 8], "newcomers": [10, 4],
    ...     "orders": [12, 8], "amount": [120_0000, 80_0000], "came_next": [4, 0], "watched": [10, 2],
    ...     "back": [4, 0]})
    >>> monthly_rates(counts)[["revenue", "repeat", "retention", "not_returned"]].round(2).to_numpy().tolist()
    [[120.0, 0.0, nan, 0.6], [80.0, 0.5, 0.4, nan]]
    """
    known = counts.set_index("month").sort_index().astype("int64")
    whole = known.reindex(range(known.index[0], known.index[-1] + 1), fill_value=0)
    buyers = whole["buyers"].where(whole["buyers"] > 0).astype(float)
    not_returned = 1 - whole["back"] / buyers
    return pd.DataFrame(
        {
            "month": [month_name(month) for month in whole.index],
            "buyers": whole["buyers"],
            "newcomers": whole["newcomers"],
            "orders": whole["orders"],
            "revenue": whole["amount"] / MONEY_UNITS,
            "repeat": 1 - whole["newcomers"] / buyers,
            "retention": (whole["came_next"] / buyers).shift(1),
            "not_returned": not_returned.where(whole["watched"] == whole["buyers"]),
        }
    ).reset_index(drop=True)


def cohort_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Say of each cohort how large it is and how many did not come again within the days asked for.

    Parameters
    ----------
    counts : DataFrame
        Of `features.shop_counts.cohort_counts`.

    Returns
    -------
    DataFrame
        ``cohort, customers, returned, not_returned, revenue`` (all it has brought) and ``revenue_each``; the
        shares are NaN until the whole cohort was watched so long.
    """
    sums = counts.groupby("cohort", sort=True)[["firsts", "watched", "back", "amount"]].sum()
    sums = sums.astype("int64")
    returned = (sums["back"] / sums["firsts"]).where(sums["watched"] == sums["firsts"])
    return pd.DataFrame(
        {
            "cohort": [month_name(month) for month in sums.index],
            "customers": sums["firsts"],
            "returned": returned,
            "not_returned": 1 - returned,
            "revenue": sums["amount"] / MONEY_UNITS,
            "revenue_each": sums["amount"] / MONEY_UNITS / sums["firsts"],
        }
    ).reset_index(drop=True)


def cohort_table(counts: pd.DataFrame, value: str, last_month: int) -> pd.DataFrame:
    """Lay a count out by cohort and age in months.

    Parameters
    ----------
    counts : DataFrame
        Of `features.shop_counts.cohort_counts`.
    value : str
        Its column: ``"amount"``, ``"orders"`` or ``"buyers"``.
    last_month : int
        Newest month of the log, counted from year 0; ages beyond it are NaN, and those without a purchase 0.

    Examples
    --------
    >>> counts = pd.DataFrame({"cohort": [24000, 24000, 24001], "month": [24000, 24002, 24001],
    ...                        "orders": [5, 2, 3]})
    >>> cohort_table(counts, "orders", 24002).to_numpy().tolist()
    [[5.0, 0.0, 2.0], [3.0, 0.0, nan]]
    """
    table = counts.assign(age=counts["month"] - counts["cohort"]).pivot_table(
        index="cohort", columns="age", values=value, aggfunc="sum"
    )
    ages = range(int(last_month - table.index.min()) + 1)
    table = table.reindex(columns=ages).astype(float).fillna(0.0)
    seen = np.add.outer(table.index.to_numpy(), table.columns.to_numpy()) <= last_month
    return table.where(seen)
