"""The part of a report that counts customers by status and by risk."""

import pandas as pd

from pipelines.report_blocks import Part, Said, Section, Table
from pipelines.report_cells import value
from pipelines.report_facts import Facts
from pipelines.words import Voice


def tiers_section(facts: Facts, voice: Voice) -> Section:
    """Count customers by status and by risk tier, with what is expected and at stake."""
    groups = facts.scores.groups
    total = float(groups["customers"].sum())
    parts: list[Part] = [Said(voice("report.tiers.sentence", n=voice.number(total)))]
    for column, order in (
        ("status", ("scored", "too_new", "already_lapsed", "not_identifiable")),
        ("risk_tier", ("high", "medium", "low")),
    ):
        some = groups if column == "status" else groups[groups["status"] == "scored"]
        names = [name for name in order if (some[column] == name).any()]
        rows = [_group(facts, voice, some[some[column] == name], column, name, total) for name in names]
        heads = [voice(f"report.tiers.{name}", days=voice.number(facts.horizon)) for name in
                 (column, "customers", "share", "churn", "expected", "at_risk")]  # fmt: skip
        parts.append(Table(voice(f"report.tiers.by_{column}"), heads, rows))
    parts.append(Said(voice("report.tiers.how")))
    return Section("tiers", voice("report.title.tiers"), parts)


def _group(facts: Facts, voice: Voice, some: pd.DataFrame, column: str, name: str, total: float) -> list[str]:
    n = float(some["customers"].sum())
    brought = some["spend"] if facts.log.has_amounts else some["orders"]
    key = f"report.tier.{name}" if column == "risk_tier" else f"report.status.{name}"
    return [
        voice(key),
        voice.number(n),
        voice.share(n / total),
        voice.share(float((some["p_churn"] * some["customers"]).sum()) / n),
        value(facts, voice, float(brought.sum())),
        value(facts, voice, float(some["at_risk"].sum())),
    ]
