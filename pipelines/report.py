"""`repurchase report`: one page for people, made of a published run, the log and what came of past runs."""

from datetime import date
from pathlib import Path

from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.dated_files import dated_path, write_dated
from pipelines.engine import open_engine
from pipelines.published_runs import SCORES, run_of
from pipelines.purchase_log import open_log
from pipelines.report_care import care_section
from pipelines.report_contact import contact_section
from pipelines.report_facts import Facts, gather
from pipelines.report_group_rates import group_rates_section
from pipelines.report_groups import groups_section
from pipelines.report_lists import lists_section
from pipelines.report_money import concentration_section, forecast_section, worth_section
from pipelines.report_page import report_page
from pipelines.report_people import tiers_section
from pipelines.report_rates import cohorts_section, funnel_section, hazard_section, rates_section
from pipelines.report_record import definitions_section, outcomes_section, quality_section
from pipelines.report_verdict import verdict_section
from pipelines.words import Voice

REPORTS, PAGE = "reports", "report.html"
SECTIONS = (
    verdict_section, contact_section, lists_section, groups_section, group_rates_section, tiers_section,
    rates_section, cohorts_section, hazard_section, funnel_section, concentration_section, forecast_section,
    worth_section, care_section, outcomes_section, quality_section, definitions_section,
)  # fmt: skip


def report(config: Config, console: Console, as_of: date | None = None) -> Answer:
    """Write the report of a date's current run.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date, optional
        Of the run; by default that of the latest.

    Raises
    ------
    Refused
        If the date has no run.
    NotReady
        If the log holds no purchase before it.
    """
    run = run_of(config.output, as_of)
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        with console.step(f"gathering what run {run.run_id} rests on") as step:
            step.rows = run.manifest["files"][SCORES]["rows"]
            facts = gather(engine, log, config, run, engine.folder)
    with console.step("writing the report"):
        path = write_dated(config.output, REPORTS, run.as_of, PAGE, page_of(facts))
    data = {"run_id": run.run_id, "as_of": run.as_of.isoformat(), "report": str(path)}
    return Answer(data, [f"report of run {run.run_id}: {path}"])


def report_path(output: Path, as_of: date) -> Path:
    """Path of the report of a date."""
    return dated_path(output, REPORTS, as_of, PAGE)


def page_of(facts: Facts) -> str:
    """Write the page; the same facts give the same bytes."""
    project, run = facts.config.project, facts.run
    voice = Voice(project.language, project.currency)
    day = voice.day(run.as_of)
    trained = voice.day(date.fromisoformat(run.manifest["model"]["trained_until"]))
    version = run.manifest["model"]["version"]
    about = voice("report.about", run=run.run_id, version=version, trained=trained, day=day)
    sections = [section(facts, voice) for section in SECTIONS]
    return report_page(voice, voice("report.heading", shop=project.name, day=day), about, sections)
