"""The text of a new config: commented for someone who sees it for the first time."""

import json
import textwrap
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from pipelines.config import CampaignSection, GateSection, LimitsSection, SegmentsSection
from pipelines.guess import Proposal
from pipelines.guess_grain import PRIMARY

TEMPLATE = """\
# What `repurchase` knows about your shop. Lines that begin with # are notes or switched-off settings.
# Next: look at the guesses under [tables.transactions], then run `repurchase check`.

[project]
name = {name}
{shop}
output = "out"                   # the folder for everything written for people, beside this file

[tables.transactions]
source = {source}
{formats}
# On the left the names that repurchase uses, on the right those of your log, guessed from {seen}.
[tables.transactions.columns]
{columns}
{notes}
[policy]
refunds = "net"                  # "net": a refund reduces what it refunds; "drop": refunds are set aside
{cancellation}
{left_out}
max_quarantined = 0.5            # share of unusable rows above which nothing is scored; left-out ones aside

[target]
{grain}horizons = {horizons:<22}# days ahead for which a purchase is predicted
primary_horizon = {primary}             # the one that "churn" means in lists
clv_horizon = 365                # days that a customer's value covers

[training]
cutoffs = "auto"                 # past dates to learn from: "auto", how many, or a list of dates
max_customers = 200000           # training uses a sample of so many; scoring always covers everyone
seed = 7                         # the same seed gives the same model
contacted = "keep"               # labels of customers on lists; "leave_out" learns from those left alone

[mlflow]
tracking_uri = "sqlite:///mlflow.db"   # where runs and models are kept, beside this file
model = "repurchase"             # the name under which models are registered
# champion_digest = "sha256:…"   # the only model that may score; `repurchase history` shows it

# [economics]                    # turns spend into customer lifetime value; without it that is expected spend
# margin = 0.3                   # share of the spend that is profit
# discount_rate = 0.1            # a year
# acquisition_cost = 12          # of a customer, where the customers table does not say it

# Below are all defaults: switch on a line, with its head, to change it.

# [gate]                         # what a new model must keep to, however far ahead it is
{gate}
# [limits]                       # what a scoring puts up with: docs/limits.md; "ignore", "warn" or "fail"
{limits}
# [campaign]                     # whom a list holds: docs/lists.md
{campaign}
# [segments]                     # groups of customers: docs/segments.md
{segments}"""
GATE_NOTES = {
    "max_ece": "calibration error, beyond what chance makes of so many rows",
    "max_bias": "relative error of the number of buyers that were promised",
    "min_rows": "test rows",
    "min_buyers": "buyers, and others, among them",
    "min_share": "customers in its log, as a share of those in the champion's",
}
EXAMPLES: dict[str, int] = {
    "capacity": 500, "budget": 1000, "new_days": 30, "loyal_orders": 4, "churned_days": 180,
}  # fmt: skip
"""Of keys without a default."""
SEGMENTS_NOTES = {
    "recency_days": "last days of the recency groups",
    "new_days": "an example; by itself learned from the log",
    "loyal_orders": "an example; by itself learned from the log",
    "premium_share": "of the base, by the size of an order",
    "churned_days": "an example; by itself learned from the log",
    "slack": "past an edge before a group is left",
    "min_stay": "days in a risk group",
}
CAMPAIGN_NOTES = {
    "id": "of the draw of those left alone, and in the contacts table",
    "capacity": "an example: customers to contact in a list; without it all",
    "budget": "an example: for the contacts of a list; without it no limit",
    "cost": "of one contact",
    "control_share": "of the list, drawn to be left alone",
    "quiet_days": "after a contact",
    "most_contacts": "within the primary horizon",
}
LIMITS_NOTES = {
    "max_champion_age": "days since the end of the champion's training",
    "old_champion": '"warn" or "refuse"',
    "max_log_age": "days since the newest row, or the shop's own pause where that is longer",
    "max_shrink": "share of the rows that may be gone",
    "changed_columns": "a column that holds another kind of values",
    "max_unseen": "share of customers with values that the training has not seen",
    "max_psi": "distance of a feature or a score from those of the training",
    "max_outcome_bias": "relative error of what past runs of the champion promised",
    "outcomes": '"fail": no scoring with a champion whose promises were not kept',
    "keep_runs": "runs that were replaced go once they are not among so many newest",
}
CANCELLATION = (
    'cancellation = {{ column = "order_id", prefix = {} }}   # begins the number of a cancelled order'
)
NO_CANCELLATION = (
    '# cancellation = { column = "order_id", prefix = "C" }   # if cancelled orders begin with a letter'
)
LEFT_OUT = "{}   # rows that say so are no purchases"
NO_LEFT_OUT = '# leave_out = { column = "status", values = ["cancelled"] }   # if a status tells it'
SHOP = """\
# currency = "GBP"               # shown beside amounts; without it they are shown bare
language = "en"                  # "en" or "vi": of the reasons in the risk list
timezone = "UTC"                 # in which a day begins, where times carry a zone; others stay as they are"""
VIETNAMESE_SHOP = """\
currency = "VND"                 # shown beside amounts, without decimals
language = "vi"                  # "en" or "vi": of the reasons in the risk list
timezone = "Asia/Ho_Chi_Minh"    # in which a day begins, where times carry a zone; others stay as they are"""


def toml_string(text: str) -> str:
    r"""
    Quote a text for TOML: a JSON string is one, but for the one control letter that JSON lets through.

    Examples
    --------
    >>> print(toml_string('Tên "đẹp"\n'))
    "Tên \"đẹp\"\n"
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def left_out_key(column: str, values: Sequence[str]) -> str:
    """
    Write the key that leaves out the rows in which a column says one of the values.

    Examples
    --------
    >>> print(left_out_key("status", ["void", "cancelled"]))
    leave_out = { column = "status", values = ["void", "cancelled"] }
    """
    listed = ", ".join(map(toml_string, values))
    return f"leave_out = {{ column = {toml_string(column)}, values = [{listed}] }}"


def one_line(text: str) -> str:
    """Make a text fit for a comment: a line break in a column's name must not end it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def comment(text: str) -> str:
    """Write a long text as lines of a comment; nothing for no text."""
    lines = textwrap.wrap(text, 106, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def defaults(section: BaseModel, notes: Mapping[str, str]) -> str:
    """Write a section's keys as they are without the section, switched off."""
    # TOML knows no null: what is off by itself shows an example.
    values = {
        key: EXAMPLES.get(key) if value is None else value for key, value in section.model_dump().items()
    }
    entries = {key: f"# {key} = {json.dumps(value)}" for key, value in values.items()}
    return "".join(
        f"{entry:<33}# {notes[key]}\n" if key in notes else f"{entry}\n" for key, entry in entries.items()
    )


def render(proposal: Proposal, seen: str, name: str, source: str) -> str:
    """Write the config as text, with the reasons of the guesses and what is doubtful as comments."""
    entries = [f"{one.column} = {toml_string(one.source_column)}" for one in proposal.guesses]
    width = max(map(len, entries))
    columns = [
        f"{entry:<{width}}  # {one_line(one.reason)}"
        for entry, one in zip(entries, proposal.guesses, strict=True)
    ]
    formats = ", ".join(f"{column} = {toml_string(form)}" for column, form in proposal.formats.items())
    marker, left_out = proposal.cancellation, proposal.left_out
    return TEMPLATE.format(
        seen=seen,
        name=toml_string(name),
        source=toml_string(source),
        formats=f"formats = {{ {formats} }}   # how the log writes its dates\n" if formats else "",
        columns="\n".join(columns),
        notes="".join(f"# Please check: {one_line(note)}.\n" for note in proposal.notes),
        grain=comment(proposal.grain.said()),
        horizons=str([*proposal.grain.horizons]),
        primary=PRIMARY,
        cancellation=CANCELLATION.format(toml_string(marker)) if marker else NO_CANCELLATION,
        left_out=LEFT_OUT.format(left_out_key(left_out.column, left_out.values)) if left_out else NO_LEFT_OUT,
        gate=defaults(GateSection(), GATE_NOTES),
        limits=defaults(LimitsSection(), LIMITS_NOTES),
        campaign=defaults(CampaignSection(), CAMPAIGN_NOTES),
        segments=defaults(SegmentsSection(), SEGMENTS_NOTES),
        shop=VIETNAMESE_SHOP if proposal.is_vietnamese else SHOP,
    )
