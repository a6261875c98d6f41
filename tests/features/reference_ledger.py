"""The ledger, said slowly: lines, the orders that refunds take back, and the purchase days that are left."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from tests.features.rows import ZONE, Row

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Line:
    customer: str
    order: str
    product: str | None
    at: datetime
    day: int
    known: int
    amount: int
    is_refund: bool
    category: str | None
    channel: str | None
    quantity: int  # 1/1000
    discount: int


@dataclass(frozen=True)
class Entry:
    customer: str
    order: str
    day: int
    known: int
    amount: int
    is_balance: bool
    is_refund: bool = False


def shop_clock(at: datetime) -> datetime:
    """What the clock on the shop's wall shows."""
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)


def day_of(at: datetime) -> int:
    return (shop_clock(at).date() - EPOCH).days


def to_line(row: Row, without: Collection[str] = ()) -> Line:
    """Known from the later of order and record; a line of a C-numbered order is a refund.

    Without amounts a line counts one, a returned one minus one.
    """
    assert row.customer is not None
    assert row.at is not None
    at, day = shop_clock(row.at), day_of(row.at)
    recorded = None if "recorded_at" in without else row.recorded
    known = day if recorded is None else max(day, day_of(recorded))
    number = None if "order_id" in without else row.order
    cancelled = number is not None and number.startswith("C")
    amount = row.cents * 100
    if "amount" in without:
        amount = -10_000 if (row.quantity or 0) < 0 else 10_000
    if cancelled:
        amount = -abs(amount)
    return Line(
        customer=row.customer,
        order=str(at) if number is None else number,
        product=None if "product_id" in without else row.product,
        at=at,
        day=day,
        known=known,
        amount=amount,
        is_refund=cancelled or amount < 0,
        category=row.category,
        channel=row.channel,
        quantity=round(abs(row.quantity or 0) * 1000),
        discount=abs(row.discount or 0) * 100,
    )


def used_lines(log: Iterable[Row], without: Collection[str] = ()) -> list[Line]:
    """The lines that have a customer, a date and something to count."""
    counted = [row for row in log if "amount" not in without or row.quantity is not None]
    return [to_line(row, without) for row in counted if row.customer is not None and row.at is not None]


def find_order(refund: Line, lines: Iterable[Line]) -> Line | None:
    """The order it names; else by how well what it paid for the product fits, then the latest.

    Without products, what counts as the product is the amount itself.
    """
    earlier = [
        b
        for b in lines
        if not b.is_refund and b.customer == refund.customer and b.at <= refund.at and b.known <= refund.known
    ]
    named = [b for b in earlier if b.order == refund.order.removeprefix("C")]
    if named:
        return max(named, key=lambda b: (b.at, b.order))
    same = [b for b in earlier if b.product == refund.product]
    if refund.product is None:
        same = [b for b in same if b.product is None and b.amount == -refund.amount]

    def fit(b: Line) -> int:
        price = sum(o.amount for o in same if (o.order, o.at, o.known) == (b.order, b.at, b.known))
        return 2 if price == -refund.amount else int(price > -refund.amount)

    return max(same, key=lambda b: (fit(b), b.at, b.order), default=None)


def entries_of(lines: list[Line]) -> list[Entry]:
    """Lines keep their own days; a refund carries the order and the day it takes back."""
    mine: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        mine[line.customer].append(line)
    entries = []
    for line in lines:
        found = find_order(line, mine[line.customer]) if line.is_refund else line
        at, balance = found or line, found is None
        entries.append(
            Entry(line.customer, at.order, at.day, line.known, line.amount, balance, line.is_refund)
        )
    return entries


def ledger(log: Iterable[Row]) -> list[Entry]:
    return entries_of(used_lines(log))


def net_days(entries: Iterable[Entry]) -> dict[int, tuple[int, int]]:
    """Day to (net amount, orders with a positive net), for the days whose net is positive."""
    orders: defaultdict[tuple[int, str], int] = defaultdict(int)
    for entry in entries:
        if not entry.is_balance:
            orders[entry.day, entry.order] += entry.amount
    days: defaultdict[int, list[int]] = defaultdict(list)
    for (day, _), amount in orders.items():
        days[day].append(amount)
    return {day: (sum(nets), sum(n > 0 for n in nets)) for day, nets in days.items() if sum(nets) > 0}
