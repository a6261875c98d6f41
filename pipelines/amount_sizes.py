"""Of what size a log's amounts are: the middle purchase, and how the amounts are written."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from features.calendar import day_number
from features.profile import amount_bins
from models.findings import Finding
from models.outliers import Dots, bin_values, judge_scale, judge_sizes, quantile
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.guess_doubts import THOUSANDS
from pipelines.purchase_log import PurchaseLog
from pipelines.sources import open_transactions

MIDDLE, CURRENCY = "middle_purchase", "currency"
"""Under these names a model's version keeps of what size the amounts were."""


def middle_purchase(engine: Engine, log: PurchaseLog, until: date) -> float | None:
    """Find the median of what a customer spends on a day of purchase, in currency units.

    Parameters
    ----------
    engine, log
        The opened log.
    until : date
        Only rows known before it count.

    Returns
    -------
    float or None
        To two digits, from below: it tells sizes. None where no amount is positive, or none is known.
    """
    if not log.has_amounts:
        return None
    lines = log.lines
    bought = lines.filter(~lines.is_refund & (lines.known_day < day_number(until)))
    days = bought.group_by("customer_id", "day").agg(amount=bought.amount.sum())
    bins = engine.frame(amount_bins(days.filter(days.amount > 0)))
    if bins.empty:
        return None
    ordered = bins.assign(value=bin_values(bins)).sort_values("value")
    return quantile(ordered["value"].to_numpy(float), ordered["n"].to_numpy(float), 0.5)


def judge_amount_sizes(engine: Engine, config: Config, middle: float | None) -> Finding | None:
    """Judge whether amounts are read too small; None for a log without a positive amount."""
    if middle is None:
        return None
    dots = find_dots(engine, config)
    return judge_sizes(config.tables.transactions.source, middle, config.project.currency, dots)


def about_amounts(middle: float | None, currency: str | None) -> dict[str, str]:
    """Write down, with a model, of what size the amounts were that it learned from.

    Examples
    --------
    >>> about_amounts(180_000.0, "VND")
    {'middle_purchase': '180000', 'currency': 'VND'}
    >>> about_amounts(None, "VND")
    {}
    """
    if middle is None:
        return {}
    return {MIDDLE: f"{middle:.12g}", CURRENCY: currency or ""}


def judge_against(config: Config, middle: float | None, about: Mapping[str, str]) -> Finding | None:
    """Judge amounts against those that a model learned from; None where they fit, or one side says nothing.

    Parameters
    ----------
    config : Config
        Names the log and the currency.
    middle : float, optional
        The middle purchase of the log.
    about : mapping of str to str
        Of `about_amounts`, among other tags; models of before have none.
    """
    if middle is None or MIDDLE not in about:
        return None
    return judge_scale(
        config.tables.transactions.source,
        float(about[MIDDLE]),
        about.get(CURRENCY) or None,
        middle,
        config.project.currency,
    )


def find_dots(engine: Engine, config: Config) -> Dots:
    """Count the amounts, as they are written, that could be thousands parted by dots.

    Numbers that are not text have no such doubt.
    """
    columns = config.tables.transactions.columns
    source = columns.get("amount") or columns["unit_price"]
    raw, _ = open_transactions(engine, config)
    if not raw[source].type().is_string():
        return Dots(source)
    text = raw[source].strip()
    dotted, parted = text.contains("."), text.re_search(THOUSANDS)
    found = engine.frame(
        raw.aggregate(  # the last by the alphabet: a plainer example than 0.000 or one with a minus
            dotted=dotted.cast("int64").sum(), parted=parted.cast("int64").sum(), one=text.max(where=parted)
        )
    ).iloc[0]
    dots, parts = (0 if pd.isna(found[name]) else int(found[name]) for name in ("dotted", "parted"))
    return Dots(source, dots, parts, str(found["one"]) if parts else None)
