"""The part of a report that says whom to contact, what each is worth, why them, and who is left alone."""

from collections.abc import Iterator

import pandas as pd

from pipelines.report_blocks import NONE, Part, Said, Section, Table
from pipelines.report_cells import cell, value
from pipelines.report_facts import Facts
from pipelines.words import Voice

OPTIONAL = ("net_value", "highest_offer", "act_by", "channel")
"""Columns of a list that stand in the table where it has them, and they say something."""


def contact_section(facts: Facts, voice: Voice) -> Section:
    """Show the top of the list: whom to contact, why, and what is at stake."""
    found, title = facts.list, voice("report.title.contact")
    if found.top.empty:
        return Section("contact", title, [Said(voice("report.contact.nobody")), *_not_listed(facts, voice)])
    told = voice(
        "report.contact.sentence",
        n=voice.number(len(found.top)),
        at_risk=value(facts, voice, float(found.top["value_at_risk"].sum())),
        all=voice.number(found.contacts),
        total=value(facts, voice, found.at_risk),
    )
    parts: list[Part] = [
        Said(told, strong=True),
        _table(facts, voice),
        Said(_left_alone(facts, voice)),
        *_on_hold(facts, voice),
        *_not_listed(facts, voice),
        Said(voice("report.contact.how" if found.net_value is None else "report.contact.net")),
        Said(voice("report.contact.not_cause")),
    ]
    return Section("contact", title, parts)


def _table(facts: Facts, voice: Voice) -> Table:
    top = facts.list.top
    there = [name for name in OPTIONAL if name in top and any(_is_said(cell) for cell in top[name])]
    # A page is as wide as it is: the day to act by says what the window of the next order is for.
    heads = ["rank", "customer", "churn", "at_risk", *there, "silent"]
    heads += [] if "act_by" in there else ["next"]
    rows = [[_cell(facts, voice, name, row) for name in heads] for row in top.to_dict("records")]
    said = [voice(f"report.contact.{name}", days=voice.number(facts.horizon)) for name in heads]
    why = [
        voice("report.contact.why", reasons=" · ".join(_reasons(row)) or NONE)
        for row in top.to_dict("records")
    ]
    return Table(voice("report.contact.caption"), said, rows, texts=2, notes=why)


def _is_said(value: object) -> bool:
    return str(value) not in ("", "nan", "None", "NaT")


def _cell(facts: Facts, voice: Voice, name: str, row: dict[object, object]) -> str:
    writers = {
        "rank": lambda: voice.number(_number(row["rank"])),
        "customer": lambda: str(row["customer_id"]),
        "churn": lambda: voice.share(_number(row[f"p_churn_{facts.horizon}d"]), 0),
        "at_risk": lambda: value(facts, voice, _number(row["value_at_risk"])),
        "net_value": lambda: cell(_number(row["net_value"]), lambda amount: voice.money(amount, 2)),
        "highest_offer": lambda: cell(_number(row["highest_offer"]), lambda amount: voice.money(amount, 2)),
        "act_by": lambda: _date(row["act_by"], voice),
        "channel": lambda: str(row["channel"]) if _is_said(row["channel"]) else NONE,
        "silent": lambda: voice.number(_number(row["days_since_last_order"])),
        "next": lambda: _date(row["next_order_p50"], voice),
    }
    return writers[name]()


def _number(value: object) -> float:
    """Read a number of the list; NaN where it has none."""
    return float(str(value)) if _is_said(value) else float("nan")


def _reasons(row: dict[object, object]) -> Iterator[str]:
    for name in ("reason_1", "reason_2", "reason_3"):
        if row.get(name):
            yield str(row[name])


def _date(text: object, voice: Voice) -> str:
    day = pd.to_datetime(str(text), errors="coerce")
    return NONE if pd.isna(day) else voice.day(day.date())


def _left_alone(facts: Facts, voice: Voice) -> str:
    found = facts.list
    if not found.controls:
        return voice("report.contact.no_control")
    share = voice.share(float(facts.run.manifest["campaign"]["share"]), 0)
    return voice("report.contact.left_alone", controls=voice.number(found.controls), share=share)


def _on_hold(facts: Facts, voice: Voice) -> Iterator[Part]:
    if facts.list.holds:
        yield Said(voice("report.contact.on_hold", holds=voice.number(facts.list.holds)))


def _not_listed(facts: Facts, voice: Voice) -> Iterator[Part]:
    """Say who is not on the list at all, and why."""
    groups, found = facts.scores.groups, facts.list
    by_status = groups.groupby("status")["customers"].sum()
    is_low = (groups["status"] == "scored") & (groups["risk_tier"] == "low")
    counts = {
        "low": int(groups.loc[is_low, "customers"].sum()),
        **{name: int(by_status.get(name, 0)) for name in ("already_lapsed", "too_new", "not_identifiable")},
        "cut": int(facts.run.manifest["to_act_on"]["customers"])
        - found.contacts
        - found.controls
        - found.holds,
    }
    said = [voice(f"report.not_listed.{name}", n=voice.number(n)) for name, n in counts.items() if n > 0]
    if said:
        yield Said(voice("report.contact.not_listed", who="; ".join(said)))
