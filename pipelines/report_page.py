"""A report as one HTML file: nothing to fetch, nothing to run."""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from pipelines.report_blocks import Section
from pipelines.words import Voice

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
TEMPLATE = "report.html.j2"


def report_page(voice: Voice, title: str, about: str, sections: Sequence[Section]) -> str:
    """Write the page.

    Parameters
    ----------
    voice : Voice
        The reader's language.
    title : str
        Its heading.
    about : str
        Which run it speaks of.
    sections : sequence of Section
        In order.

    Returns
    -------
    str
        HTML. All text is escaped: ids of customers, names of products and warnings come from outside.
    """
    # A name that is missing raises, and so does not leave a gap in what people read.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    template = environment.from_string(files("pipelines").joinpath(TEMPLATE).read_text("utf-8"))
    return (
        template.render(
            language=voice.language,
            policy=POLICY,
            title=title,
            about=about,
            contents=voice("report.contents"),
            as_table=voice("report.as_table"),
            sections=sections,
        ).strip()
        + "\n"
    )
