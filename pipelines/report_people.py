"""The first pages of a report: the verdict, whom to contact, and how many stand where."""

from collections.abc import Iterator

import pandas as pd

from models.grade import Grade
from models.outcomes import FEWER, LESS, MORE, UNSURE, WITHIN
from pipelines.report_blocks import NONE, Figures, Part, Said, Section, Table
from pipelines.report_cells import cell
from pipelines.report_facts import Facts
from pipelines.words import Voice

VERDICTS = {WITHIN: "within", UNSURE: "unsure", MORE: "more", FEWER: "fewer", LESS: "less"}
"""What the ledger says, and the word's key."""


def verdict_section(facts: Facts, voice: Voice) -> Section:
    """Say in one sentence what to expect, give the North-Star number, and say how far to trust both."""
    run, outlook = facts.run.manifest, facts.run.manifest["outlook"]
    parts: list[Part] = []
    if facts.run.is_hindsight:
        parts.append(Said(voice("report.verdict.hindsight"), strong=True))
    told = {
        "days": voice.number(outlook["days"]),
        "buyers": voice.number(outlook["buyers"]),
        "customers": voice.number(run["files"]["scores.parquet"]["rows"]),
        "acting": voice.number(run["to_act_on"]["customers"]),
        "at_risk": value(facts, voice, run["to_act_on"]["value_at_risk"]),
        "expected": expected(facts, voice),
    }
    parts.append(Said(voice("report.verdict.sentence", **told), strong=True))
    north_star = _north_star(facts, voice)
    label = voice("report.verdict.north_star", name=north_star[0])
    parts.append(
        Figures(
            [
                (label, north_star[1]),
                (voice("report.verdict.buyers", days=told["days"]), told["buyers"]),
                (voice("report.verdict.acting"), told["acting"]),
                (voice("report.verdict.at_risk"), told["at_risk"]),
            ]
        )
    )
    return Section("verdict", voice("report.title.verdict"), [*parts, *trust(facts, voice)])


def value(facts: Facts, voice: Voice, amount: float) -> str:
    """Write money or, where the log has none, orders."""
    if facts.log.has_amounts:
        return voice.money(amount)
    return voice("report.orders", n=voice.number(amount))


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
    name, outlook = facts.config.project.north_star, facts.run.manifest["outlook"]
    known = {"expected_spend": "spend", "expected_orders": "orders", "buyers": "buyers"}
    if name == "expected_spend" and outlook.get("spend") is None:
        name = "expected_orders"
    if name in known:
        amount = float(outlook[known[name]])
        said = voice.money(amount) if name == "expected_spend" else voice.number(amount)
        return voice(f"report.north_star.{name}", days=outlook["days"]), said
    found = facts.scores.means.get("north_star")
    is_money = name.startswith(("clv_", "value_", "expected_spend", "total_spend"))
    return name, cell(found, voice.money if is_money else voice.number)


def trust(facts: Facts, voice: Voice) -> Iterator[Part]:
    """Say how far to trust the run: the model's grade, what came of its promises, and drift."""
    yield Said(_grade(facts.grade, voice))
    yield Said(_kept(facts, voice))
    drift = facts.run.manifest["drift"]
    judged = [column for column in drift["columns"] if column["verdict"] != "not judged"]
    drifted = [column for column in judged if column["verdict"] == "drifted"]
    if not drift["known"]:
        yield Said(voice("report.trust.drift_unknown"))
    else:
        key = "report.trust.drifted" if drifted else "report.trust.steady"
        yield Said(voice(key, n=voice.number(len(drifted)), of=voice.number(len(judged))))
    warnings = len(facts.run.manifest["warnings"])
    if warnings:
        yield Said(voice("report.trust.warnings", n=voice.number(warnings)))


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


def contact_section(facts: Facts, voice: Voice) -> Section:
    """Show the top of the list: whom to contact, why, and what is at stake."""
    listed, acting = facts.listed, facts.run.manifest["to_act_on"]
    title = voice("report.title.contact")
    if listed.empty:
        return Section("contact", title, [Said(voice("report.contact.nobody"))])
    top = float(listed["value_at_risk"].sum())
    told = voice(
        "report.contact.sentence",
        n=voice.number(len(listed)),
        at_risk=value(facts, voice, top),
        all=voice.number(acting["customers"]),
        total=value(facts, voice, acting["value_at_risk"]),
    )
    h = facts.horizon
    head = ["rank", "customer", "tier", "churn", "at_risk", "silent", "next", "reasons"]
    reasons = [name for name in ("reason_1", "reason_2", "reason_3") if name in listed.columns]
    rows = [
        [
            voice.number(row["rank"]),
            str(row["customer_id"]),
            voice(f"report.tier.{row['risk_tier']}"),
            voice.share(row[f"p_churn_{h}d"], 0),
            value(facts, voice, row["value_at_risk"]),
            voice.number(row["days_since_last_order"]),
            _date(row["next_order_p50"], voice),
            " · ".join(str(row[name]) for name in reasons if row[name]) or NONE,
        ]
        for row in listed.to_dict("records")
    ]
    heads = [voice(f"report.contact.{name}", days=voice.number(h)) for name in head]
    table = Table(voice("report.contact.caption"), heads, rows, texts=3, last_texts=1)
    parts: list[Part] = [
        Said(told, strong=True),
        table,
        Said(voice("report.contact.how")),
        Said(voice("report.contact.not_cause")),
    ]
    return Section("contact", title, parts)


def _date(text: object, voice: Voice) -> str:
    day = pd.to_datetime(str(text), errors="coerce")
    return NONE if pd.isna(day) else voice.day(day.date())


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
