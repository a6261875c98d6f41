"""The end of a report: what came of past runs, which rows it rests on, and what its words mean."""

from functools import partial

import pandas as pd

from pipelines.report_blocks import Chart, Defined, Part, Said, Section, Table
from pipelines.report_cells import cell
from pipelines.report_charts import bars
from pipelines.report_facts import Facts
from pipelines.report_verdict import VERDICTS, judged_horizon, whole_models
from pipelines.report_warnings import warning_parts
from pipelines.words import Voice

TERMS = (
    "order", "customer", "horizon", "churn", "churn_month", "retention", "repeat", "not_returned", "cohort",
    "revenue", "hazard", "at_stake", "tier", "expected", "interval", "aov", "frequency", "lifespan",
    "clv_formula", "clv_model", "cac", "payback", "concentration", "luck", "drift", "grade",
)  # fmt: skip
"""Words that the report explains, in order."""


def outcomes_section(facts: Facts, voice: Voice) -> Section:
    """Hold what past runs promised against what came."""
    title, outcomes = voice("report.title.outcomes"), facts.outcomes
    if outcomes is None:
        return Section("outcomes", title, [Said(voice("report.outcomes.none"))])
    whole = whole_models(outcomes)
    table = Table(
        voice("report.outcomes.table"),
        [voice(f"report.outcomes.{h}") for h in ("what", "expected", "luck", "actual", "verdict")],
        [_row(row, voice) for row in whole.to_dict("records") if _is_shown(row, facts)],
        last_texts=1,
    )
    parts: list[Part] = [Said(voice("report.outcomes.how")), table, *_deciles(facts, outcomes, voice)]
    return Section("outcomes", title, parts)


def _is_shown(row: dict[object, object], facts: Facts) -> bool:
    return row["measure"] != "spend" or facts.log.has_amounts


def _row(row: dict[object, object], voice: Voice) -> list[str]:
    measure = str(row["measure"])
    write = {"churn_rate": voice.share, "spend": voice.money}.get(measure, voice.number)
    numbers = {name: cell(float(str(row[name])), write) for name in ("expected", "low", "high", "actual")}
    what = voice(
        f"report.measure.{measure}", version=row["model_version"], days=voice.number(int(str(row["horizon"])))
    )
    luck = f"{numbers['low']} – {numbers['high']}"
    verdict = voice(f"report.outcome.{VERDICTS[str(row['verdict'])]}")
    return [what, numbers["expected"], luck, numbers["actual"], verdict]


def _deciles(facts: Facts, outcomes: pd.DataFrame, voice: Voice) -> list[Part]:
    """Draw expected and actual buyers by tenth, of the newest model: whether its chances are right."""
    rows = outcomes[
        (outcomes["run"] == "") & (outcomes["by"] == "decile") & (outcomes["measure"] == "buyers")
    ]
    if rows.empty:
        return []
    rows = rows[rows["model_digest"] == rows["model_digest"].iloc[-1]]
    horizon = judged_horizon(rows, facts.horizon)
    rows = rows[rows["horizon"] == horizon]
    names = [str(group) for group in rows["group"]]
    series = {voice(f"report.outcomes.{c}"): rows[c].tolist() for c in ("expected", "actual")}
    picture = bars("deciles", names, series, voice.number, voice("report.outcomes.decile"))
    heads = [voice(f"report.outcomes.{h}") for h in ("decile", "customers", "expected", "luck", "actual")]
    cells = [
        [name, voice.number(row["customers"]), voice.number(row["expected"]),
         f"{cell(row['low'], voice.number)} – {cell(row['high'], voice.number)}", voice.number(row["actual"])]
        for name, row in zip(names, rows.to_dict("records"), strict=True)
    ]  # fmt: skip
    alt = voice("report.outcomes.chart", days=voice.number(horizon))
    return [Chart(picture, alt, Table(alt, heads, cells))]


def quality_section(facts: Facts, voice: Voice) -> Section:
    """Say which rows were used and which set aside, and what the run warned of."""
    inputs, count = facts.run.manifest["inputs"], voice.number
    transactions = inputs["transactions"]
    aside = sum(transactions["rows_quarantined"].values())
    sentence = voice(
        "report.quality.sentence",
        used=count(transactions["rows_used"]),
        read=count(transactions["rows_in"]),
        aside=count(aside),
        later=count(transactions.get("rows_not_yet_known", 0)),
    )
    heads = [voice(f"report.quality.{h}") for h in ("table", "read", "used", "netted", "aside")]
    rows = [
        [_named("table", name, voice), count(table["rows_in"]), count(table["rows_used"]),
         count(table["rows_netted"]), count(sum(table["rows_quarantined"].values()))]
        for name, table in inputs.items()
    ]  # fmt: skip
    parts: list[Part] = [Said(sentence, strong=True), Table(voice("report.quality.caption"), heads, rows)]
    reasons = [
        [_named("table", name, voice), _named("reason", reason, voice), count(n)]
        for name, table in inputs.items() for reason, n in table["rows_quarantined"].items()
    ]  # fmt: skip
    if reasons:
        heads = [voice(f"report.quality.{h}") for h in ("table", "reason", "rows")]
        parts.append(Table(voice("report.quality.reasons"), heads, reasons, texts=2))
    warnings = facts.run.manifest["warnings"]
    if not warnings:
        parts.append(Said(voice("report.quality.no_warning")))
    else:
        parts.append(Said(voice("report.quality.warnings", n=count(len(warnings)))))
        parts += [part for warning in warnings for part in warning_parts(warning, voice)]
    return Section("quality", voice("report.title.quality"), parts)


def _named(kind: str, name: str, voice: Voice) -> str:
    """Name a table or a reason; one that has no words keeps its own name."""
    known = {
        "table": ("transactions", "customers", "events", "contacts"),
        "reason": ("no_customer", "no_date", "no_amount", "no_recorded_date", "left_out", "refund_dropped"),
    }
    return voice(f"report.{kind}.{name}") if name in known[kind] else name


def definitions_section(facts: Facts, voice: Voice) -> Section:
    """Say what every measure means."""
    say = partial(voice, days=voice.number(facts.horizon), clv_days=facts.config.target.clv_horizon)
    items = [(say(f"report.term.{term}"), say(f"report.means.{term}")) for term in TERMS]
    return Section("definitions", voice("report.title.definitions"), [Defined(items)])
