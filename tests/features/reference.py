"""What the package promises, said slowly: plain loops over plain rows, written from its documentation."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tests.features.logs import Row

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


@dataclass(frozen=True)
class Entry:
    customer: str
    order: str
    day: int
    known: int
    amount: int
    is_balance: bool


def to_line(row: Row) -> Line:
    """Known from the later of order and record; a line of a C-numbered order is a refund."""
    day = (row.at.date() - EPOCH).days
    known = day if row.recorded is None else max(day, (row.recorded.date() - EPOCH).days)
    cancelled = row.order is not None and row.order.startswith("C")
    amount = -abs(row.cents) * 100 if cancelled else row.cents * 100
    order = row.order if row.order is not None else str(row.at)
    return Line(row.customer, order, row.product, row.at, day, known, amount, cancelled or amount < 0)


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


def ledger(log: Iterable[Row]) -> list[Entry]:
    """Lines keep their own days; a refund carries the order and the day it takes back."""
    lines, entries = [to_line(row) for row in log], []
    for line in lines:
        found = find_order(line, lines) if line.is_refund else line
        at = found or line
        entries.append(Entry(line.customer, at.order, at.day, line.known, line.amount, found is None))
    return entries


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


def features(
    entries: Sequence[Entry], customer: str, cutoff: int, windows: Iterable[int]
) -> dict[str, float | None] | None:
    """Every feature of a customer at a cutoff; None if there is no purchase day before it."""
    seen = [e for e in entries if e.customer == customer and e.known < cutoff]
    days = net_days(seen)
    if not days:
        return None
    first, last, repeats = min(days), max(days), len(days) - 1
    spend = sum(amount for amount, _ in days.values())
    orders = sum(n for _, n in days.values())
    gap = (last - first) / repeats if repeats else None
    row: dict[str, float | None] = {
        "frequency": repeats,
        "recency": last - first,
        "T": cutoff - first,
        "monetary_value": (spend - days[first][0]) / 10_000 / repeats if repeats else 0.0,
        "n_orders": orders,
        "total_spend": sum(e.amount for e in seen),
        "average_order_value": spend / 10_000 / orders,
        "days_since_last_order": cutoff - last,
        "mean_gap": gap,
        "purchase_cycles": (cutoff - first) / gap if gap else None,
        "silent_cycles": (cutoff - last) / gap if gap else None,
    }
    for window in windows:
        inside = [value for day, value in days.items() if cutoff - window <= day < cutoff]
        row[f"orders_{window}d"] = sum(n for _, n in inside)
        row[f"spend_{window}d"] = sum(amount for amount, _ in inside)
    return row


def labels(
    entries: Sequence[Entry], customer: str, cutoff: int, horizon: int, observed_until: int
) -> tuple[int | None, int | None, int | None]:
    """Bought (0/1), orders and net spend in [cutoff, cutoff + horizon); nothing if that is not over yet."""
    end = cutoff + horizon
    if end > observed_until:
        return None, None, None
    days = net_days(
        e for e in entries if e.customer == customer and cutoff <= e.day < end and e.known < end
    ).values()
    return int(len(days) > 0), sum(n for _, n in days), sum(amount for amount, _ in days)
