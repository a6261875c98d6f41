"""The part of a report that says what past lists brought, against those who were left alone."""

import pandas as pd

from pipelines.measure_files import Measured
from pipelines.measure_words import COUNTS, verdict
from pipelines.report_blocks import NONE, Part, Said, Section, Table
from pipelines.report_cells import cell
from pipelines.report_facts import Facts
from pipelines.words import Voice

VERDICTS = {"more": "more", "less": "less", "no effect": "no_effect", "too early": "too_early"}
"""What the table says, and the word's key."""

NAMED = {"risk_tier": "report.tier", "lifecycle": "segment.lifecycle"}
"""What groups are by that have words of their own, and where those stand."""


def lists_section(facts: Facts, voice: Voice) -> Section:
    """Say what the contacts of each campaign brought, and how sure that is."""
    title, measured = voice("report.title.lists"), facts.measured
    if measured is None or measured.table.empty:
        return Section("lists", title, [Said(voice("report.lists.none"))])
    parts: list[Part] = [Said(voice("report.lists.how", day=voice.day(measured.by)))]
    whole = measured.table[measured.table["by"] == "campaign"]
    for campaign, lines in whole.groupby("campaign", sort=True):
        parts += _campaign(str(campaign), lines, voice)
    parts.append(_table(measured, voice))
    return Section("lists", title, parts)


def _campaign(campaign: str, lines: pd.DataFrame, voice: Voice) -> list[Part]:
    first = lines.iloc[0]
    counts = {name: voice.number(first[name]) for name in ("contacts", "controls")}
    said = voice("report.lists.campaign", campaign=campaign, **counts)
    found: list[Part] = [Said(said, strong=True)]
    found += [Said(f"• {verdict(line, voice)}") for line in lines.to_dict("records")]
    if "profit" not in set(lines["measure"]) and "revenue" in set(lines["measure"]):
        found.append(Said(voice("report.lists.no_margin")))
    return found


def _table(measured: Measured, voice: Voice) -> Table:
    rows = [_row(row, voice) for row in measured.table.to_dict("records")]
    names = ("campaign", "by", "group", "measure", "contacts", "controls", "total", "sure", "verdict")
    heads = [voice(f"report.list_table.{name}") for name in names]
    return Table(voice("report.lists.table"), heads, rows, texts=4, last_texts=1)


def _row(row: dict[object, object], voice: Voice) -> list[str]:
    write = voice.number if row["measure"] in COUNTS else voice.money
    total, low, high = (cell(float(str(row[c])), write) for c in ("total", "total_low", "total_high"))
    group = str(row["group"])
    return [
        str(row["campaign"]),
        voice(f"report.lists.by_{row['by']}"),
        voice(f"{NAMED[by]}.{group}") if (by := str(row["by"])) in NAMED else group,
        voice(f"measure.{row['measure']}"),
        voice.number(int(str(row["contacts"]))),
        voice.number(int(str(row["controls"]))),
        total,
        low if low == high == NONE else voice("report.lists.range", low=low, high=high),
        voice(f"report.lists.{VERDICTS[str(row['verdict'])]}"),
    ]
