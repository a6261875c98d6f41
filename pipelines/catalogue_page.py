"""Write docs/features.md from the catalogue and the wording: `python -m pipelines.catalogue_page FILE`."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from features import attributes, basket, cadence, contacts, journey, rfm, tenure
from features.doors import COLUMNS
from features.feature import Feature
from features.wording import UNITS, phrase
from pipelines.catalogue_intro import intro
from pipelines.markdown import table

GRAINS = {
    "days": "purchase days",
    "booked": "what was bought or taken back, summed by the day from which it is known, and which products, "
    "categories and channels of orders were new then",
    "leads": "the dearest line of each of the first days on which purchases became known",
    "order_switches": "changes of channel from one bought line to the next",
    "visits": "days with events",
    "touch_channels": "events that have a channel, summed by day, and which channels were new then",
    "touch_switches": "changes of channel from one event to the next",
    "contacts": "days of contact",
    "replies": "days of contact that a purchase followed",
    "profile": "the version of the customer that is true at the cutoff",
    "derived": "computed in the row, from columns of other grains",
}
"""What the rows are that a grain aggregates."""

ANY = "NAME"
"""Stands for an attribute that the shop names."""

Family = tuple[str, ModuleType, Sequence[Feature]]


def families() -> tuple[Family, ...]:
    """Return the families in the catalogue's order: title, module, and the features a reader sees."""
    every: tuple[tuple[str, ModuleType, Iterable[Feature]], ...] = (
        ("Recency, frequency, money", rfm, rfm.rfm(rfm.WINDOWS)),
        ("Cadence", cadence, cadence.cadence()),
        ("Tenure", tenure, tenure.tenure()),
        ("Basket", basket, basket.basket()),
        ("Journey", journey, journey.journey()),
        ("Contacts", contacts, contacts.contacts()),
        ("Attributes", attributes, attributes.attributes([(ANY, "number")])),
    )
    return tuple((title, module, [f for f in of if not f.is_part]) for title, module, of in every)


def catalogue_page() -> str:
    """Return docs/features.md.

    Examples
    --------
    >>> print(catalogue_page().splitlines()[0])
    # Features
    """
    of = families()
    named = [f for _, _, features in of for f in features if f.name != f"attr_{ANY}"]
    n_text = sum(f.unit == "category" for f in named)
    return "\n".join([intro(len(named), n_text), _legend(), *[_family(*family) for family in of]])


def _legend() -> str:
    grains = table(("grain", "rows"), [(f"`{name}`", said) for name, said in GRAINS.items()])
    units = table(("unit", "English", "Tiếng Việt"), [(u, en, vi) for u, (en, vi) in UNITS.items()])
    return f"""## Grains and units

A *grain* is what a feature is aggregated over; each is read once for all of its features.

{grains}

{units}

In the tables below *needs* names what must be mapped; `amounts` is `transactions.amount`, or `quantity` and
`unit_price`. The last two columns are how a report says it.
"""


def _family(title: str, module: ModuleType, features: Sequence[Feature]) -> str:
    names = ("feature", "meaning", "unit", "grain", "needs", "English", "Tiếng Việt")
    about = (module.__doc__ or "").splitlines()[0]
    rows = table(names, [_row(f) for f in features])
    return f"## {title}\n\n{about} (`{module.__name__.replace('.', '/')}.py`)\n\n{rows}\n"


def _row(f: Feature) -> tuple[str, ...]:
    said = phrase(f.name, "en"), phrase(f.name, "vi")
    return f"`{f.name}`", f.description, f.unit, f"`{f.grain}`", _needs(f), *said


def _needs(feature: Feature) -> str:
    """Name tables and columns as the config does; every feature needs the transactions."""
    whole = {"amounts", *COLUMNS}
    named = [n if n.split(".")[0] in whole else f"transactions.{n}" for n in feature.needs]
    return ", ".join(f"`{name}`" for name in named or ["transactions"])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(catalogue_page(), encoding="utf-8")
