"""Amounts that stand out: whether a few purchases carry the revenue, and which."""

from dataclasses import dataclass
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

OTHER_SCALE = 20
"""Factor between two medians from which on amounts are taken to be of another unit. What a shop sells for
changes by a few times at most, even over years of inflation; slips of a unit are of 100 (cents) or 1,000.
Currencies that lie closer together are not told apart."""

_FENCE = 3.0


@dataclass(frozen=True)
class Dots:
    """How the amounts of a log are written.

    Parameters
    ----------
    column : str
        The log's column of money.
    n, n_parted : int
        Its values with a dot, and those of them that could be thousands parted by dots (``189.000``).
    example : str, optional
        One of those.
    """

    column: str
    n: int = 0
    n_parted: int = 0
    example: str | None = None


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
        The highest purchase days, falling: ``day`` (a date), ``amount`` (1/10,000 units, net of refunds)
        and ``n_orders``.
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
            "n_orders": int(r["n_orders"]), "day": str(r["day"]),
            "amount": float(r["amount"] / UNITS), "share_of_revenue": float(r["amount"] / revenue),
        }
        for r in largest.to_dict("records")
    ]  # fmt: skip
    numbers = {
        "median": middle, "fence": fence, "outside": int(outside["n"].sum()),
        "outside_share_of_revenue": float(outside["amount"].sum() / revenue), "largest": top,
    }  # fmt: skip
    return _said(numbers, top[0], currency)


def judge_sizes(source: str, middle: float, currency: str | None, dots: Dots) -> Finding:
    """Say whether amounts could have been read 1,000 times too small.

    Parameters
    ----------
    source : str
        The log.
    middle : float
        The median purchase.
    currency : str, optional
        Its code; of some, nothing costs less than a thousand.
    dots : Dots
        How the amounts are written.
    """
    numbers = {"median": middle, "with_dot": dots.n, "with_three_digits_after": dots.n_parted}
    column = f"{source}: column {dots.column!r}"
    if dots.n >= ENOUGH_DOTS and dots.n_parted == dots.n and dots.example:
        whole = dots.example.replace(".", "")
        text = (
            f"{column}: each of the {dots.n:,} values with a dot has three digits after it, for example "
            f"{dots.example!r}; if the dot parts thousands, such amounts are read 1,000 times too small, or "
            f"not at all: write {whole}, not {dots.example}"
        )
        return Finding("warning", "amount_sizes", text, numbers)
    if (currency or "").upper() in THOUSANDS and middle < LEAST:
        text = (
            f"{column}: the middle purchase is about {middle:,.2f} {currency}, which buys nothing; are "
            f"amounts written in thousands? Multiply them in the source (write {1000 * middle:.0f}, not "
            f"{middle:.12g}), or leave out [project] currency"
        )
        return Finding("warning", "amount_sizes", text, numbers)
    return Finding("ok", "amount_sizes", f"the middle purchase is {shown(middle, currency)}", numbers)


def judge_scale(
    source: str, learned: float, learned_currency: str | None, middle: float, currency: str | None
) -> Finding | None:
    """Say if amounts are of another size than those that a model learned from; None if they are not.

    Parameters
    ----------
    source : str
        The log that is scored.
    learned, learned_currency : float, str
        The median purchase at training, and the currency it was shown in.
    middle, currency : float, str
        Those of the log that is scored.
    """
    factor = middle / learned
    if 1 / OTHER_SCALE < factor < OTHER_SCALE:
        return None
    times = float(f"{max(factor, 1 / factor):.1g}")
    size = f"about {times:,.0f} times {'larger' if factor > 1 else 'smaller'}"
    text = (
        f"{source}: the middle purchase is about {shown(middle, currency)}, and was about "
        f"{shown(learned, learned_currency)} in the log that the champion was trained on: amounts are "
        f"{size}, and what is expected of a customer rests on them; are both logs in one currency and unit? "
        "Write the amounts alike, or train again"
    )
    numbers = {
        "median": middle, "currency": currency, "trained_median": learned,
        "trained_currency": learned_currency, "factor": factor,
    }  # fmt: skip
    return Finding("warning", "amount_scale", text, numbers)


def _said(numbers: dict[str, Any], first: dict[str, Any], currency: str | None) -> Finding:
    share = first["share_of_revenue"]
    orders = f", {first['n_orders']:,} orders of that day" if first["n_orders"] > 1 else ""
    text = (
        f"the largest purchase ({first['day']}{orders}) is {shown(first['amount'], currency)}: {share:.1%} "
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
