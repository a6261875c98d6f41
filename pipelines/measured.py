"""What `measure` found last of a campaign: the share whom a contact keeps, beside the one that is assumed."""

from datetime import date
from typing import Any

from pipelines.config import Config
from pipelines.measure_files import newest_save_rates
from pipelines.words import Voice


def save_rates(config: Config, as_of: date) -> dict[str, Any]:
    """Say for a manifest what share of those about to leave a contact is taken to keep.

    Returns
    -------
    dict
        ``assumed``, the config's; and ``measured`` with ``value, low, high``, of the list's own campaign up
        to the date, or None.
    """
    measured = newest_save_rates(config.output, as_of).get(config.campaign.id)
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
