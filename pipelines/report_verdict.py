"""The first page of a report: whom to contact, why, for what, whether lists work, how far to trust it."""

from collections.abc import Iterator

import pandas as pd

from features.wording import phrase
from models.grade import Grade
from models.outcomes import FEWER, LESS, MORE, UNSURE, WITHIN
from pipelines.measure_files import newest_save_rates
from pipelines.measure_words import verdict as list_verdict
from pipelines.north_star import MONEY, OF_THE_RUN, north_stars
from pipelines.report_blocks import Defined, Figures, Part, Said, Section
from pipelines.report_cells import cell, value
from pipelines.report_facts import Facts
from pipelines.words import Voice

VERDICTS = {WITHIN: "within", UNSURE: "unsure", MORE: "more", FEWER: "fewer", LESS: "less"}
"""What the ledger says, and the word's key."""
BEST_MEASURES = ("profit", "revenue", "orders")
"""What a list is judged by: the first of these that is known."""


def verdict_section(facts: Facts, voice: Voice) -> Section:
    """Answer the five questions of whoever reads only this, and give the North-Star number."""
    parts: list[Part] = []
    if facts.run.is_hindsight:
        parts.append(Said(voice("report.verdict.hindsight"), strong=True))
    answers = {
        "whom": _whom(facts, voice),
        "why": _why(facts, voice),
        "worth": _worth(facts, voice),
        "worked": _worked(facts, voice),
        "trust": " ".join(trust(facts, voice)),
    }
    questions = [(voice(f"report.question.{name}"), answer) for name, answer in answers.items()]
    parts += [Said(_sentence(facts, voice), strong=True), Defined(questions), _figures(facts, voice)]
    return Section("verdict", voice("report.title.verdict"), parts)


def _sentence(facts: Facts, voice: Voice) -> str:
    run, outlook = facts.run.manifest, facts.run.manifest["outlook"]
    return voice(
        "report.verdict.sentence",
        days=voice.number(outlook["days"]),
        buyers=voice.number(outlook["buyers"]),
        customers=voice.number(run["files"]["scores.parquet"]["rows"]),
        expected=expected(facts, voice),
    )


def _figures(facts: Facts, voice: Voice) -> Figures:
    outlook = facts.run.manifest["outlook"]
    name, number = _north_star(facts, voice)
    days = voice.number(outlook["days"])
    return Figures(
        [
            (voice("report.verdict.north_star", name=name), number),
            (voice("report.verdict.buyers", days=days), voice.number(outlook["buyers"])),
            (voice("report.verdict.acting"), voice.number(facts.list.contacts)),
            (voice("report.verdict.at_risk"), value(facts, voice, facts.list.at_risk)),
        ]
    )


def _whom(facts: Facts, voice: Voice) -> str:
    found = facts.list
    if not found.contacts:
        return voice("report.contact.nobody")
    told = voice(
        "report.answer.whom", contacts=voice.number(found.contacts), shown=voice.number(len(found.top))
    )
    if not found.controls:
        return told
    return f"{told} {voice('report.answer.alone', controls=voice.number(found.controls))}"


def _why(facts: Facts, voice: Voice) -> str:
    found = facts.list
    if not found.contacts:
        return voice("report.answer.no_why")
    said = voice("report.answer.why", churn=voice.share(found.p_churn, 0), days=voice.number(facts.horizon))
    if not found.reasons:
        return said
    of = voice.number(found.told)
    reasons = [
        voice("report.answer.reason", what=phrase(name, voice.language), n=voice.number(n), of=of)
        for name, n in found.reasons
    ]
    return f"{said} {voice('report.answer.reasons', reasons='; '.join(reasons))}"


def _worth(facts: Facts, voice: Voice) -> str:
    found, terms = facts.list, facts.run.manifest["config"]["economics"]
    said = voice(
        "report.answer.worth", at_risk=value(facts, voice, found.at_risk), days=voice.number(facts.horizon)
    )
    if found.net_value is None:
        return f"{said} {voice('report.answer.no_net')}"
    rates = {name: voice.share(terms[name], 0) for name in ("margin", "save_rate")}
    net = voice("report.answer.net", net=voice.money(found.net_value), **rates)
    measured = newest_save_rates(facts.config.output, facts.run.as_of).get(facts.config.campaign.id)
    if measured is None:
        return f"{said} {net} {voice('report.answer.assumed')}"
    ends = {name: voice.share(measured[name]) for name in ("value", "low", "high")}
    return f"{said} {net} {voice('report.answer.measured', **ends)}"


def _worked(facts: Facts, voice: Voice) -> str:
    """Say what the campaign of the run's list has brought so far or, if it is new, the first measured."""
    measured = facts.measured
    if measured is None or measured.table.empty:
        return voice("report.answer.not_measured")
    whole = measured.table[measured.table["by"] == "campaign"]
    own = whole[whole["campaign"] == facts.run.manifest.get("campaign", {}).get("id")]
    lines = (own if len(own) else whole[whole["campaign"] == whole["campaign"].iloc[0]]).set_index("measure")
    best = next(name for name in BEST_MEASURES if name in lines.index)
    line = {"measure": best, **lines.loc[best].to_dict()}
    return voice(
        "report.answer.worked",
        campaign=str(line["campaign"]),
        contacts=voice.number(line["contacts"]),
        controls=voice.number(line["controls"]),
        verdict=list_verdict(line, voice),
    )


def expected(facts: Facts, voice: Voice) -> str:
    """Say what is expected of all customers, with its interval where it is known."""
    outlook = facts.run.manifest["outlook"]
    if outlook.get("spend") is None:
        return voice("report.orders", n=voice.number(outlook["orders"]))
    if outlook["spend_lo"] is None:
        return voice.money(outlook["spend"])
    numbers = {name: voice.money(outlook[f"spend{name}"]) for name in ("", "_lo", "_hi")}
    return voice("report.interval", middle=numbers[""], low=numbers["_lo"], high=numbers["_hi"])


def _north_star(facts: Facts, voice: Voice) -> tuple[str, str]:
    """Name and value of the shop's one number: a figure of the outlook, or the sum of a score."""
    name, outlook, target = (
        facts.config.project.north_star,
        facts.run.manifest["outlook"],
        facts.config.target,
    )
    if name == "expected_spend" and outlook.get("spend") is None:
        name = "expected_orders"
    kind, days = north_stars(target.horizons, target.clv_horizon)[name]
    said = voice(f"report.north_star.{kind}", days=voice.number(days or outlook["days"]))
    known = outlook[OF_THE_RUN[name]] if name in OF_THE_RUN else facts.scores.means.get("north_star")
    return said, cell(known, voice.money if kind in MONEY else voice.number)


def trust(facts: Facts, voice: Voice) -> Iterator[str]:
    """Say how far to trust the run: the model's grade, what came of its promises, and drift."""
    yield _grade(facts.grade, voice)
    yield _kept(facts, voice)
    drift = facts.run.manifest["drift"]
    judged = [column for column in drift["columns"] if column["verdict"] != "not judged"]
    drifted = [column for column in judged if column["verdict"] == "drifted"]
    if not drift["known"]:
        yield voice("report.trust.drift_unknown")
    else:
        key = "report.trust.drifted" if drifted else "report.trust.steady"
        yield voice(key, n=voice.number(len(drifted)), of=voice.number(len(judged)))
    warnings = len(facts.run.manifest["warnings"])
    if warnings:
        yield voice("report.trust.warnings", n=voice.number(warnings))


def _grade(found: Grade | None, voice: Voice) -> str:
    if found is None:
        return voice("report.trust.no_grade")
    ends = {"gain": voice.share(found.gain), "low": voice.share(found.lo), "high": voice.share(found.hi)}
    detail = voice("report.trust.gain", **ends) if found.letter != "D" else ""
    return f"{voice(f'report.grade.{found.letter.lower()}')} {detail}".strip()


def whole_models(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Rows over all runs of a model."""
    return outcomes[(outcomes["run"] == "") & (outcomes["by"] == "model_version")]


def judged_horizon(rows: pd.DataFrame, primary: int) -> int:
    """Return the primary horizon or, while no window of it is over, the longest that is."""
    horizons = rows["horizon"].astype(int)
    return primary if (horizons == primary).any() else int(horizons.max())


def _kept(facts: Facts, voice: Voice) -> str:
    """Say what came of what this model had promised."""
    outcomes = facts.outcomes
    if outcomes is None:
        return voice("report.trust.no_outcomes")
    whole = whole_models(outcomes)
    whole = whole[whole["model_digest"] == facts.run.manifest["model"]["digest"]]
    if whole.empty:
        return voice("report.trust.no_outcomes")
    horizon = judged_horizon(whole, facts.horizon)
    row = whole[(whole["measure"] == "buyers") & (whole["horizon"] == horizon)].iloc[0]
    numbers = {name: cell(row[name], voice.number) for name in ("expected", "actual", "low", "high")}
    verdict = voice(f"report.outcome.{VERDICTS[row['verdict']]}")
    return voice("report.trust.outcomes", days=voice.number(horizon), verdict=verdict, **numbers)
