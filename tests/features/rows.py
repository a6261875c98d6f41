"""What a shop of the tests writes down: plain rows, times in UTC, money in cents."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

START = datetime(2024, 1, 1)
DAYS = 40
ZONE = "Europe/London"
"""The shop's clock; the logs are in UTC, so that a summer evening's order is one of the next day."""


@dataclass(frozen=True)
class Row:
    """One raw line; money in cents, so that what a float cannot say is no part of these tests."""

    customer: str | None
    at: datetime | None
    cents: int
    order: str | None = None
    product: str | None = None
    recorded: datetime | None = None
    category: str | None = None
    channel: str | None = None
    quantity: float | None = None
    discount: int | None = None  # cents


@dataclass(frozen=True)
class Event:
    customer: str | None
    at: datetime | None
    type: str | None = "view"
    channel: str | None = None
    session: str | None = None
    dwell: float | None = None  # seconds


@dataclass(frozen=True)
class Contact:
    customer: str | None
    at: datetime | None
    cents: int | None = None
    campaign: str = "spring"
    arm: str = "treatment"


@dataclass(frozen=True)
class Person:
    """A version of a customer; `tier` and `points` are attributes, `is_member` a static one."""

    customer: str | None
    since: datetime | None = None
    signed_up: datetime | None = None
    channel: str | None = None
    cents: int | None = None  # what it cost to win them
    referrer: str | None = None
    tier: str | None = None
    points: float | None = None
    is_member: bool | None = None


CUTOFFS = [START.date() + timedelta(days=d) for d in (-64, 3, 12, 20, 31, 40, 91, 250)]
HORIZONS = (5, 14, 45)
"""Of most tests: what is asked with the same dates is compiled once."""

ORDERS_ONLY = frozenset({"events", "contacts", "customers", "category", "channel", "quantity", "discount"})
"""What a shop lacks that has written down orders and nothing else."""


@dataclass(frozen=True)
class Drawn:
    """All that a shop wrote down, without the tables and columns named in `without`.

    Those are named as `features.records.Records.has` names them: ``"events"``, ``"events.session_id"``,
    ``"product_id"``, …
    """

    lines: list[Row]
    events: list[Event] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    without: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """A crowd as its size, so that a failure of a crowd can be read."""
        rows = {name: getattr(self, name) for name in ("lines", "events", "contacts", "people")}
        told = {
            name: f"<{len(found)}>" if len(self.lines) > 50 else repr(found) for name, found in rows.items()
        }
        return (
            f"Drawn({', '.join(f'{name}={text}' for name, text in told.items())}, without={self.without!r})"
        )

    def lacking(self, *names: str) -> "Drawn":
        """The same rows, in tables that lack some columns."""
        return replace(self, without=self.without | set(names))

    def of(self, customers: Iterable[str]) -> "Drawn":
        """The rows of some customers."""
        who = set(customers)
        return self.changed(lambda rows: [row for row in rows if row.customer in who])

    def changed(self, change) -> "Drawn":  # type: ignore[no-untyped-def]
        """Replace every table's rows by what `change` makes of them."""
        tables = ("lines", "events", "contacts", "people")
        return replace(self, **{name: change(getattr(self, name)) for name in tables})


def side_by_side(drawn: Iterable[Drawn]) -> Drawn:
    """Put many logs into one, under customers of their own: ``"7:a"`` is customer a of the eighth log.

    A feature depends on a customer's own rows alone, so one query is a test of all of them.
    """
    several = list(drawn)
    marked = [
        log.changed(lambda rows, n=n: [_marked(row, n) for row in rows]) for n, log in enumerate(several)
    ]
    return Drawn(
        lines=[row for log in marked for row in log.lines],
        events=[row for log in marked for row in log.events],
        contacts=[row for log in marked for row in log.contacts],
        people=[row for log in marked for row in log.people],
        without=several[0].without,
    )


def _marked(row, n: int):  # type: ignore[no-untyped-def]
    return row if row.customer is None else replace(row, customer=f"{n}:{row.customer}")


def on(day: int, hour: int = 12) -> datetime:
    """Noon of a day after START."""
    return START + timedelta(days=day, hours=hour)
