"""Amounts that stand out: whether a few purchases carry the revenue, and which."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.currency import THOUSANDS, shown
from models.findings import Finding

UNITS = 10_000
"""Of a currency unit; money comes in whole numbers of 1/10,000."""

DOMINANT = 0.05
"""Share of all revenue from which on one purchase is a warning: it moves every average it enters."""

NOTABLE = 0.005
"""Share from which on the largest is worth a note."""

LEAST = 1_000
"""Of a currency whose prices go into thousands: a middle purchase below it is a slip."""

ENOUGH_DOTS = 3

_FENCE = 3.0


def bin_values(bins: pd.DataFrame) -> NDArray[np.float64]:
    """Return the lower edge of each bin of `features.profile.amount_bins`, in currency units.

    Examples
    --------
    >>> bin_values(pd.DataFrame({"digits": [1, 6], "lead": [7, 12]})).tolist()
    [0.0007, 12.0]
    """
    digits = np.maximum(bins["digits"].to_numpy(float), 2)
    short = bins["digits"].to_numpy() < 2
    scale = np.where(short, 1.0, 10.0 ** (digits - 2)) / UNITS
    return np.asarray(scale * bins["lead"].to_numpy(float))


def quantile(values: NDArray[np.float64], counts: NDArray[np.float64], q: float) -> float:
    """Return the value below which a share `q` of the counts lies; `values` rise."""
    reached = np.cumsum(counts) >= q * counts.sum()
    return float(values[np.argmax(reached)])


def judge_amounts(bins: pd.DataFrame, largest: pd.DataFrame, currency: str | None = None) -> Finding:
    """Say whether single purchases stand out.

    Far outside is what lies beyond three interquartile ranges above the upper quartile (Tukey 1977, "outer
    fence"), of logarithms, since amounts spread by factors.

    Parameters
    ----------
    bins : DataFrame
        ``digits, lead, n, amount`` of `features.profile.amount_bins`.
    largest : DataFrame
        The highest purchase days, falling: ``day`` (a date), ``amount`` (1/10,000 units, net of refunds),
        ``n_orders`` and the ``order_id`` of the biggest.
    currency : str, optional
        Shown with amounts.
    """
    ordered = bins.assign(value=bin_values(bins)).sort_values("value")
    values, counts = ordered["value"].to_numpy(float), ordered["n"].to_numpy(float)
    low, middle, high = (quantile(values, counts, q) for q in (0.25, 0.5, 0.75))
    fence = high * (high / low) ** _FENCE
    outside = ordered[ordered["value"] > fence]
    revenue = float(ordered["amount"].sum())
    top = [
        {
            "order_id": str(r["order_id"]), "n_orders": int(r["n_orders"]), "day": str(r["day"]),
            "amount": float(r["amount"] / UNITS), "share_of_revenue": float(r["amount"] / revenue),
        }
        for r in largest.to_dict("records")
    ]  # fmt: skip
    numbers = {
        "median": middle, "fence": fence, "outside": int(outside["n"].sum()),
        "outside_share_of_revenue": float(outside["amount"].sum() / revenue), "largest": top,
    }  # fmt: skip
    return _said(numbers, top[0], currency)


def judge_sizes(
    middle: float, currency: str | None, column: str, n_dotted: int, n_parted: int, example: str | None
) -> Finding:
    """Say whether amounts could have been read 1,000 times too small.

    Parameters
    ----------
    middle : float
        The median purchase.
    currency : str, optional
        Its code; of some, nothing costs less than a thousand.
    column : str
        The log's column of money.
    n_dotted, n_parted : int
        Its values with a dot, and those of them that could be thousands parted by dots (``189.000``).
    example : str, optional
        One of them.
    """
    numbers = {"median": middle, "with_dot": n_dotted, "with_three_digits_after": n_parted}
    slip = "if the dot parts thousands, amounts are read 1,000 times too small: write 1234.56"
    if n_dotted >= ENOUGH_DOTS and n_parted == n_dotted:
        text = (
            f"column {column!r}: each of the {n_dotted:,} values with a dot has three digits after it, for "
            f"example {example!r}; {slip}"
        )
        return Finding("warning", "amount_sizes", text, numbers)
    if (currency or "").upper() in THOUSANDS and middle < LEAST:
        text = (
            f"column {column!r}: the middle purchase is {middle:,.2f} {currency}, which buys nothing; are "
            "amounts written in thousands? Multiply them in the source, or leave out [project] currency"
        )
        return Finding("warning", "amount_sizes", text, numbers)
    return Finding("ok", "amount_sizes", f"the middle purchase is {shown(middle, currency)}", numbers)


def _said(numbers: dict[str, Any], first: dict[str, Any], currency: str | None) -> Finding:
    share = first["share_of_revenue"]
    orders = f"order {first['order_id']}"
    if first["n_orders"] > 1:
        orders += f" and {first['n_orders'] - 1} more of that day"
    text = (
        f"the largest purchase ({first['day']}, {orders}) is {shown(first['amount'], currency)}: {share:.1%} "
        f"of all revenue, {first['amount'] / numbers['median']:,.0f} times the middle one "
        f"({shown(numbers['median'], currency)})"
    )
    if numbers["outside"]:
        text += (
            f"; far outside, above {shown(numbers['fence'], currency)}, are {numbers['outside']:,}, together "
            f"{numbers['outside_share_of_revenue']:.1%} of revenue"
        )
    if share >= DOMINANT:
        text += ". If it is a slip, correct it: it moves every average"
        return Finding("warning", "outliers", text, numbers)
    stands_out = first["amount"] > numbers["fence"] and share >= NOTABLE
    return Finding("note" if stands_out or numbers["outside"] else "ok", "outliers", text, numbers)
