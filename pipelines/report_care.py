"""The part of a report about referrals, satisfaction and service, as far as tables tell of them."""

import pandas as pd

from features.satisfaction import DETRACTOR, PROMOTER, TOP
from models.cohorts import MONEY_UNITS
from models.segments import LIFECYCLES
from pipelines.report_blocks import NONE, Figures, Part, Said, Section, Table
from pipelines.report_cells import cell
from pipelines.report_facts import Facts
from pipelines.report_groups import axis_head
from pipelines.report_person_facts import SERVICE, Answers, Service
from pipelines.words import Voice

KINDS = {1: "referred", 0: "others"}
"""What the customers table says of a customer's coming; who is not in it is a group of their own."""


def care_section(facts: Facts, voice: Voice) -> Section:
    """Show what is there; of the rest, say which input is missing."""
    people = facts.people
    parts: list[Part] = [*_referrals(facts, voice)]
    for answers in people.answers:
        parts += _satisfaction(answers, voice)
    if not people.answers:
        parts.append(Said(voice("report.nps.none")))
    parts += _service(people.service, voice)
    return Section("care", voice("report.title.care"), parts)


def _referrals(facts: Facts, voice: Voice) -> list[Part]:
    found, people = facts.people.referral, facts.people
    if found is None:
        return [Said(voice("report.referral.none"))]
    rows = [_referral(facts, row, voice) for row in _in_order(found)]
    heads = ["kind", "customers", "orders", "churn"]
    heads += ["revenue", "each", "expected"] if facts.log.has_amounts else []
    heads += ["cost", "cost_each"] if people.has_cost else []
    said = [voice(f"report.referral.{name}", days=voice.number(facts.horizon)) for name in heads]
    parts: list[Part] = [Table(voice("report.referral.table"), said, rows)]
    return parts if people.has_cost else [*parts, Said(voice("report.referral.no_cost"))]


def _in_order(found: pd.DataFrame) -> list[dict[object, float]]:
    kinds = found["was_referred"].map(KINDS).fillna("unknown")
    placed = found.assign(kind=pd.Categorical(kinds, ["referred", "others", "unknown"], ordered=True))
    rows: list[dict[object, float]] = placed.sort_values("kind").to_dict("records")
    return rows


def _referral(facts: Facts, row: dict[object, float], voice: Voice) -> list[str]:
    customers, amount, cost = row["customers"], row["amount"] / MONEY_UNITS, row["cost"] / MONEY_UNITS
    cells = [
        voice(f"report.referral.{row['kind']}"),
        voice.number(customers),
        voice.number(row["orders"]),
        cell(row["p_churn"], voice.share),
    ]
    if facts.log.has_amounts:
        cells += [voice.money(amount), voice.money(amount / customers, 2), voice.money(row["expected"])]
    if facts.people.has_cost:
        known = row["with_cost"]
        cells += [voice.money(cost), voice.money(cost / known, 2) if known else NONE]
    return cells


def _satisfaction(answers: Answers, voice: Voice) -> list[Part]:
    """Show the mean of one attribute and, where it is on the scale of 0 to 10, the NPS."""
    whole, name = answers.whole.iloc[0], answers.name.replace("_", " ")
    if not whole["answers"]:
        return [Said(voice("report.nps.no_answers", name=name))]
    # Other scales reach as far: what is an NPS is told by its name.
    is_nps = "nps" in answers.name.lower() and whole["lowest"] >= 0 and whole["highest"] <= TOP
    figures = [
        (voice("report.nps.answers", name=name), voice.number(whole["answers"])),
        (voice("report.nps.mean", name=name), voice.number(whole["total"] / whole["answers"], 2)),
    ]
    if is_nps:
        figures.append((voice("report.nps.score"), _nps(whole, voice)))
    heads = [axis_head("lifecycle", voice), voice("report.nps.count"), voice("report.nps.average")]
    heads += [voice("report.nps.score")] if is_nps else []
    rows = [
        [
            voice(f"segment.lifecycle.{row['group']}"),
            voice.number(row["answers"]),
            voice.number(row["total"] / row["answers"], 2),
            *([_nps(row, voice)] if is_nps else []),
        ]
        for row in _by_lifecycle(answers.groups)
    ]
    how = "report.nps.how" if is_nps else "report.nps.other_scale"
    told = {
        "promoter": voice.number(PROMOTER),
        "top": voice.number(TOP),
        "detractor": voice.number(DETRACTOR),
    }
    parts: list[Part] = [Figures(figures), Said(voice(how, name=name, **told))]
    return [*parts, Table(voice("report.nps.table", name=name), heads, rows)] if rows else parts


def _by_lifecycle(groups: pd.DataFrame) -> list[dict[object, float]]:
    there = groups.dropna(subset=["group"]).set_index("group")
    rows: list[dict[object, float]] = (
        there.loc[[name for name in LIFECYCLES if name in there.index]].reset_index().to_dict("records")
    )
    return rows


def _nps(row: "pd.Series[float] | dict[object, float]", voice: Voice) -> str:
    """Write the share of promoters less that of detractors, from -100 to 100."""
    score = 100 * (row["promoters"] - row["detractors"]) / row["answers"]
    return ("+" if score > 0 else "") + voice.number(score)


def _service(found: Service | None, voice: Voice) -> list[Part]:
    if found is None:
        return [Said(voice("report.service.none"))]
    rows = [
        [
            voice(f"report.service.{kind}"),
            voice.number(found.counts[kind]),
            voice.number(found.counts[kind] / found.orders, 2) if found.orders else NONE,
        ]
        for kind in SERVICE
    ]
    heads = [voice(f"report.service.{name}") for name in ("kind", "events", "per_order")]
    table = Table(voice("report.service.table"), heads, rows)
    told = {"day": voice.day(found.since), "orders": voice.number(found.orders)}
    return [table, Said(voice("report.service.how", **told))]
