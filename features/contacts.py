"""What the shop did to reach the customer, its cost, and what orders followed; never the experiment arm."""

from collections.abc import Iterator
from typing import cast

from features.feature import Feature, Grain, in_window, ratio
from features.snapshot import REPLY_DAYS

WINDOWS = (7, 28, 90)
_NEEDS = ("contacts",)


def contacts() -> Iterator[Feature]:
    """Yield the family's features."""
    yield from _sent()
    yield from _settled()
    yield from _followed()


def _sent() -> Iterator[Feature]:
    for days in WINDOWS:
        yield Feature(
            f"contacts_{days}d",
            "contacts",
            in_window("n", days),
            "contacts",
            f"Contacts sent in the {days} days before the cutoff.",
            needs=_NEEDS,
            fill=0,
        )
    yield Feature(
        "n_contacts", "contacts", lambda t: t.n.sum(), "contacts", "Contacts sent so far.", _NEEDS, fill=0
    )
    yield Feature(
        "days_since_last_contact",
        "contacts",
        lambda t: (t.cutoff - t.day).min(),
        "days",
        "Days since the last contact; empty if there was none.",
        needs=_NEEDS,
    )
    yield Feature(
        "contact_cost",
        "contacts",
        lambda t: t.cost.sum(),
        "money",
        "Cost of the contacts so far.",
        needs=("contacts.cost",),
        fill=0,
    )


def _settled() -> Iterator[Feature]:
    for name, grain, said in (
        ("contact_days_settled", "contacts", "Days of contact whose time to reply is over."),
        ("reply_days_settled", "replies", "Of them, those that a purchase day followed."),
    ):
        yield Feature(
            name,
            cast(Grain, grain),
            lambda t: (t.day <= t.cutoff - REPLY_DAYS).cast("int64").sum(),
            "days",
            said,
            needs=_NEEDS,
            fill=0,
            is_part=True,
        )


def _followed() -> Iterator[Feature]:
    yield Feature(
        "contact_days_with_order",
        "replies",
        lambda t: t.count(),
        "days",
        f"Days of contact that a purchase day followed within {REPLY_DAYS} days; what followed, not what it "
        "caused.",
        needs=_NEEDS,
        fill=0,
    )
    yield Feature(
        "contact_reply_share",
        "derived",
        lambda t: ratio(t.reply_days_settled, t.contact_days_settled),
        "share",
        f"Share of the days of contact, at least {REPLY_DAYS} days old, that a purchase day followed.",
        needs=_NEEDS,
    )
