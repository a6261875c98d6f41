"""What campaigns brought, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from models.uplift import EARLY, WORTH_FINDING
from pipelines.words import Voice

COUNTS = ("buyers", "orders")
"""Measures that are no money."""
_VERDICTS = {"more": "more", "less": "less", "no effect": "no_effect", EARLY: "too_early"}


def campaign_lines(
    rows: pd.DataFrame, found: pd.DataFrame, rates: Mapping[str, dict[str, float] | None], voice: Voice
) -> Iterator[str]:
    """Say of each campaign what it brought and what is to be known about that.

    Parameters
    ----------
    rows : DataFrame
        Of `pipelines.list_results.list_results`.
    found : DataFrame
        Of `models.uplift_table.incremental`, from them.
    rates : mapping of str to dict
        Of `models.save_rate.save_rate`, by campaign.
    voice : Voice
        The reader's.
    """
    for campaign, part in rows.groupby("campaign", sort=True):
        yield _head(str(campaign), part, voice)
        whole = found[(found["campaign"] == campaign) & (found["by"] == "campaign")]
        yield from (f"  {verdict(line, voice)}" for line in whole.to_dict("records"))
        rate = rates[str(campaign)]
        if rate is not None:
            said = {name: voice.share(rate[name]) for name in ("value", "low", "high")}
            sure = f"; {voice('measure.save_rate_sure')}" if rate["low"] > 0 else ""
            yield f"  {voice('measure.save_rate', **said)}{sure}"
        yield from (f"  {note}" for note in _notes(part, voice))


def verdict(line: dict[Any, Any], voice: Voice) -> str:
    """Say one line of the table.

    Examples
    --------
    >>> line = {"measure": "orders", "verdict": "more", "total": 20.0, "total_low": 4.0, "total_high": 36.0,
    ...     "low": 0.1, "needed": 0.0}
    >>> verdict(line, Voice("en"))
    'Orders: 20 more than without contacts (95% sure: 4 to 36)'
    """
    name = _VERDICTS[line["verdict"]]
    if name == "too_early" and np.isnan(line["needed"]):
        name = "too_few" if np.isnan(line["low"]) else "nothing_yet"
    amount = voice.number if line["measure"] in COUNTS else voice.money
    figures = {
        place: "" if np.isnan(line[column]) else amount(line[column])
        for place, column in (("total", "total"), ("low", "total_low"), ("high", "total_high"))
    }
    figures["needed"] = "" if np.isnan(line["needed"]) else voice.number(about(line["needed"]))
    worth = voice.share(WORTH_FINDING, 0)
    measured = voice(f"measure.{line['measure']}")
    return voice(f"measure.verdict.{name}", measure=measured, worth=worth, **figures)


def about(number: float) -> float:
    """Round up to two digits.

    Examples
    --------
    >>> about(1234.0), about(7.0), about(0.0)
    (1300.0, 7.0, 0.0)
    """
    if number <= 0:
        return 0.0
    unit = 10.0 ** max(np.floor(np.log10(number)) - 1, 0)
    return float(np.ceil(number / unit) * unit)


def _head(campaign: str, rows: pd.DataFrame, voice: Voice) -> str:
    contacts = int(rows["is_contact"].sum())
    return voice(
        "measure.campaign",
        campaign=campaign,
        contacts=voice.number(contacts),
        controls=voice.number(len(rows) - contacts),
        first=voice.day(rows["as_of"].min()),
        last=voice.day(rows["as_of"].max()),
    )


def _notes(rows: pd.DataFrame, voice: Voice) -> Iterator[str]:
    still_open = int((~rows["is_over"]).sum())
    if still_open:
        yield voice("measure.note.open", customers=voice.number(still_open))
    if rows["sent"].isna().all():
        yield voice("measure.note.assumed_cost")
    else:
        reached = rows["sent"] > 0
        yield voice("measure.note.reached", share=voice.share(float(reached[rows["is_contact"]].mean())))
        diluted = int(reached[~rows["is_contact"]].sum())
        if diluted:
            yield voice("measure.note.diluted", customers=voice.number(diluted))
    if rows["profit"].isna().all() and rows["revenue"].notna().any():
        yield voice("measure.note.no_margin")
