"""What `measure` found last of a campaign: the share whom a contact keeps, beside the one that is assumed."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from models.uplift_table import COLUMNS, save_rate
from pipelines.config import Config
from pipelines.dated_files import newest_dated
from pipelines.measure import MEASURE, TABLE
from pipelines.words import Voice


def newest_measure(output: Path, by: date) -> pd.DataFrame | None:
    """Read the newest table up to a date; None where there is none, or another release wrote it."""
    path = newest_dated(output, MEASURE, by, TABLE)
    if path is None:
        return None
    try:
        # A campaign or a channel may be called NA.
        texts = ("campaign", "by", "group", "measure", "verdict")
        empty = {name: [""] for name in COLUMNS if name not in texts}
        found = pd.read_csv(path, dtype=dict.fromkeys(texts, "str"), keep_default_na=False, na_values=empty)
    except (OSError, ValueError):
        return None
    return found if [*found.columns] == COLUMNS else None


def save_rates(config: Config, as_of: date) -> dict[str, Any]:
    """Say for a manifest what share of those about to leave a contact is taken to keep.

    Returns
    -------
    dict
        ``assumed``, the config's; and ``measured`` with ``value, low, high``, of the list's own campaign up
        to the date, or None.
    """
    found = newest_measure(config.output, as_of)
    measured = None if found is None else save_rate(found, config.campaign.id)
    return {"assumed": config.economics.save_rate, "measured": measured}


def save_rate_line(rates: dict[str, Any], voice: Voice) -> str | None:
    """Say what net values rest on; None where there are none.

    Examples
    --------
    >>> save_rate_line({"assumed": 0.1, "measured": None}, Voice("en"))
    'net values assume that a contact keeps 10% of those about to leave; it is not measured yet'
    """
    assumed, measured = rates["assumed"], rates["measured"]
    if assumed is None:
        return None
    if measured is None:
        return voice("lists.assumed", assumed=voice.share(assumed, 0))
    return voice(
        "lists.measured",
        assumed=voice.share(assumed, 0),
        **{name: voice.share(measured[name]) for name in ("value", "low", "high")},
    )
