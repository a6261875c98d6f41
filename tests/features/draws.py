"""Logs drawn by Hypothesis or from a seed; of few values, so that ties and matches are common."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

from hypothesis import Phase, settings
from hypothesis import strategies as st

from tests.features.rows import DAYS, ORDERS_ONLY, START, Contact, Drawn, Event, Person, Row, side_by_side

# Lately; around both changes of London's clocks (days −64 and 90); and where, seen from the cutoff of day 12,
# a window or a season ends.
_LATELY = [0, 1, 2, 2, 5, 8, 9, 12, 13, 13, 19, 20, 24, 30, 39, DAYS]
_CHANGES = [-65, -64, -63, 89, 90, 91]
_EDGES = [-16, -17, -78, -79, -168, -169, -170, -171, -307, -308, -353, -398, -399]
_DAYS = [*_LATELY, *_LATELY, *_CHANGES, *_EDGES, None]
_VISITED = [0, 2, 8, 8, 13, 13, 20, 39, -64, 90, None]
_HOURS = [0, 1800, 5400, 43_200, 86_399]  # the second and third are one on the wall clock of day −64
_AMOUNTS = [100, 100, 250, 500, 999, 0, -100, -250, -500]
_ORDERS = [None, "1", "2", "3", "C1", "C2"]
_DELAYS = [None, None, None, None, -2, 0, 1, 3, 8, 15]
_TYPES = ["view", "product_page", "Add_To_Cart", "begin_checkout", "order_tracking", "search", "live chat"]
_TYPES += ["purchase", "login", "giỏ hàng", None]


few = settings(
    max_examples=max(4, settings().max_examples // 25),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
"""For crowds: each example is many logs already, and to make one smaller would take minutes."""


def _moment(day: int | None, seconds: float) -> datetime | None:
    return None if day is None else START + timedelta(days=day, seconds=seconds)


def _late(row: Row, days: int | None) -> Row:
    return row if days is None or row.at is None else replace(row, recorded=row.at + timedelta(days=days))


def order_logs(customers: str = "abc", min_size: int = 1) -> st.SearchStrategy[list[Row]]:
    """Lines of orders alone, within `DAYS`, with and without products."""
    choices = st.sampled_from([*product([0, 3600, 86_399], _AMOUNTS, _ORDERS, [None, "p", "q"])])
    lines = st.builds(
        lambda who, day, choice, late: _late(Row(who, _moment(day, choice[0]), *choice[1:]), late),
        st.sampled_from(customers),
        st.integers(0, DAYS),
        choices,
        st.sampled_from(_DELAYS),
    )
    log = st.lists(lines, min_size=min_size, max_size=40)
    return st.one_of(log, log.map(lambda rows: [replace(row, product=None) for row in rows]))


def many_order_logs(customers: str = "abc", min_size: int = 1) -> st.SearchStrategy[Drawn]:
    """Several of them side by side, and nothing but orders."""
    several = st.lists(order_logs(customers, min_size), min_size=8, max_size=20)
    return several.map(lambda found: side_by_side(Drawn(log, without=ORDERS_ONLY) for log in found))


def many_logs() -> st.SearchStrategy[Drawn]:
    """Several shops side by side."""
    return st.lists(logs(), min_size=15, max_size=40).map(side_by_side)


def logs(customers: str = "ab", *, max_lines: int = 9) -> st.SearchStrategy[Drawn]:
    """A small shop with all its tables; put many of them side by side."""
    who = st.sampled_from(customers)
    return st.builds(
        Drawn,
        lines=st.lists(_lines(who), min_size=1, max_size=max_lines),
        events=st.lists(_events(who), max_size=8),
        contacts=st.lists(_contacts(who), max_size=4),
        people=st.lists(_people(who), max_size=4),
    )


def _lines(who: st.SearchStrategy[str]) -> st.SearchStrategy[Row]:
    when = st.sampled_from([*product(_DAYS, _HOURS)])
    bought = st.sampled_from([*product(_AMOUNTS, _ORDERS, ["p", "q", "r", None], _DELAYS)])
    more = st.sampled_from(
        [*product(["food", "toys", None], ["web", "shop", None], [1.0, 2.5, None, -3.0], [None, 0, 50, -20])]
    )

    def line(customer: str, at: tuple[int | None, int], what: tuple, rest: tuple) -> Row:  # type: ignore[type-arg]
        cents, order, item, late = what
        category, channel, quantity, discount = rest
        row = Row(customer, _moment(*at), cents, order, item, None, category, channel, quantity, discount)
        return _late(row, late)

    return st.builds(line, who, when, bought, more)


def _events(who: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    silences = [43_200, 45_000, 45_001, 45_001.6, 46_800.6, 46_802]  # of half an hour, and a little more
    when = st.sampled_from([*product(_VISITED, [0, 1800, 5400, *silences, 86_399])])
    what = st.sampled_from(
        [*product(_TYPES, ["app", "web", None], ["s", "t", None], [None, 0.0, 1.5, 90.25])]
    )
    return st.builds(lambda c, at, rest: Event(c, _moment(*at), *rest), who, when, what)


def _contacts(who: st.SearchStrategy[str]) -> st.SearchStrategy[Contact]:
    when = st.sampled_from([*product(_DAYS, _HOURS)])
    return st.builds(
        lambda c, at, cents: Contact(c, _moment(*at), cents), who, when, st.sampled_from([None, 5, 120])
    )


def _people(who: st.SearchStrategy[str]) -> st.SearchStrategy[Person]:
    when = st.sampled_from([*product([None, *range(0, 30, 3), -365, -64, 90], [0, 86_399])])
    came = st.sampled_from([*product(["ads", "shop", None], [None, 300, 450], [None, "b"])])
    traits = st.sampled_from([*product(["gold", "new", None], [None, 0.5, -2.0], [None, True, False])])

    def version(c: str, since: tuple, up: tuple, by: tuple, traits: tuple) -> Person:  # type: ignore[type-arg]
        return Person(c, _moment(*since), _moment(*up), *by, *traits)

    return st.builds(version, who, when, when, came, traits)


def seeded_log(n_customers: int, seed: int = 3) -> list[Row]:
    """A log of many customers; refunds mostly take back what was bought before."""
    pick = random.Random(seed)  # noqa: S311
    log: list[Row] = []
    for number in range(n_customers):
        bought: list[Row] = []
        for order in range(pick.choice([1, 1, 2, 5, 12])):
            at = START + timedelta(days=pick.randrange(DAYS), seconds=pick.randrange(86_400))
            for _ in range(pick.choice([1, 1, 3])):
                line = Row(
                    f"k{number}", at, pick.randrange(1, 5000), f"{number}-{order}", pick.choice("pqrs")
                )
                late = timedelta(days=pick.randrange(12)) if pick.random() < 0.1 else None
                bought.append(replace(line, recorded=at + late if late is not None else None))
        back = [line for line in bought if pick.random() < 0.2]
        for line in back:
            after = line.at + timedelta(days=pick.randrange(-1, 10))  # type: ignore[operator]
            order = pick.choice([f"C{line.order}", line.order, f"r{len(log)}"])
            log.append(replace(line, at=after, cents=-line.cents, order=order, recorded=None))
        log += bought
    pick.shuffle(log)
    return log


def seeded_shop(n_customers: int, seed: int = 3) -> Drawn:
    """`seeded_log` with all columns and all tables; some customers have events and never order."""
    pick = random.Random(seed)  # noqa: S311
    who = [f"k{number}" for number in range(n_customers + n_customers // 5)]

    def moment() -> datetime:
        return START + timedelta(days=pick.randrange(-20, DAYS), seconds=pick.randrange(86_400))

    def line(row: Row) -> Row:
        size, off = pick.randrange(1, 9000) / 1000, pick.choice([None, pick.randrange(500)])
        where = {"category": pick.choice("xyz"), "channel": pick.choice(["web", "shop", None])}
        return replace(row, quantity=size, discount=off, **where)

    def event(customer: str) -> Event:
        visit, stay = pick.choice([None, "s", "t", "u"]), pick.choice([None, pick.randrange(99_999) / 1000])
        return Event(customer, moment(), pick.choice(_TYPES), pick.choice(["app", "web"]), visit, stay)

    def person(customer: str) -> Person:
        came = (moment(), pick.choice("adz"), pick.randrange(500), pick.choice([None, "k1"]))
        return Person(
            customer, moment(), *came, pick.choice(["gold", "new"]), pick.random(), pick.random() < 0.5
        )

    return Drawn(
        lines=[line(row) for row in seeded_log(n_customers, seed)],
        events=[event(pick.choice(who)) for _ in range(6 * n_customers)],
        contacts=[Contact(pick.choice(who), moment(), pick.randrange(99)) for _ in range(2 * n_customers)],
        people=[person(customer) for customer in who for _ in range(pick.choice([1, 1, 3]))],
    )
