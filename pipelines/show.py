"""`repurchase show`: the card of one customer, from a published run, the log and the run's model."""

import hashlib
import re
from datetime import date

from pipelines.block_lines import on_a_screen, section_lines
from pipelines.card_ahead import now_section, outlook_section, worth_section
from pipelines.card_back import alive_section, groups_section, orders_section, why_section
from pipelines.card_data import card_data
from pipelines.card_facts import Card, gather
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.dated_files import write_dated
from pipelines.engine import open_engine
from pipelines.published_runs import run_of
from pipelines.purchase_log import open_log
from pipelines.report_blocks import Section
from pipelines.report_page import report_page
from pipelines.words import Voice

CUSTOMERS = "customers"
"""Folder of the pages, under the shop's output."""
SECTIONS = (
    now_section, outlook_section, worth_section, why_section, alive_section, orders_section, groups_section,
)  # fmt: skip
_PLAIN = re.compile(r"[0-9a-z_]{1,64}")
_LONGEST, _DIGITS = 40, 12


def show(
    config: Config, console: Console, customer: str, as_of: date | None = None, *, html: bool = False
) -> Answer:
    """Show the card of a customer.

    Nothing of the customer goes to the log of jobs: neither steps nor errors name them.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    customer : str
        The shop's own id; under ``[privacy] lists = "pseudonyms"`` a pseudonym will do, too.
    as_of : date, optional
        Of the run; by default that of the latest.
    html : bool
        Whether to write a page.

    Raises
    ------
    Refused
        If the date has no run, or its pseudonyms are of another key.
    ContractError
        If there is no such customer, or the run does not have them.
    """
    run = run_of(config.output, as_of)
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        with console.step(f"gathering what run {run.run_id} and the log say of the customer"):
            card = gather(engine, log, config, run, customer)
    data, voice = card_data(card), Voice(config.project.language, config.project.currency)
    title, about, sections = _told(card, voice)
    if not html:
        return Answer(data, [on_a_screen(title), about, *section_lines(sections, voice)])
    with console.step("writing the card"):
        page = report_page(voice, title, about, sections)
        path = write_dated(config.output, CUSTOMERS, run.as_of, f"{file_name(card.customer)}.html", page)
    return Answer({**data, "html": str(path)}, [voice("card.written", run=run.run_id, path=path)])


def _told(card: Card, voice: Voice) -> tuple[str, str, list[Section]]:
    run, day = card.run, voice.day(card.run.as_of)
    model = run.manifest["model"]
    trained = voice.day(date.fromisoformat(model["trained_until"]))
    about = voice("report.about", run=run.run_id, version=model["version"], trained=trained, day=day)
    sections = [section(card, voice) for section in SECTIONS]
    return voice("card.heading", customer=card.customer, day=day), about, sections


def file_name(customer: str) -> str:
    """Name the file of a customer: what an id has beside letters and digits could name another place.

    Ids that differ have files that differ, also where capitals do not count: any but the plainest get a
    digest.

    Examples
    --------
    >>> file_name("17850"), file_name("../Ann")
    ('17850', 'ann-eb8255710223')
    """
    if _PLAIN.fullmatch(customer):
        return customer
    plain = re.sub(r"[^0-9a-z]+", "_", customer.lower()).strip("_")[:_LONGEST] or "customer"
    return f"{plain}-{hashlib.sha256(customer.encode(errors='surrogatepass')).hexdigest()[:_DIGITS]}"
