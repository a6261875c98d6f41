"""What orders say of a customer, slowly: rfm, cadence, tenure, basket. From the catalogue's descriptions."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import mean

from tests.features.reference_ledger import EPOCH, Entry, Line

Value = int | float | str | None

NEEDS = {
    "order_value_trend": {"amounts"},
    "first_order_value": {"amounts"},
    "last_order_value_ratio": {"amounts"},
    "line_value": {"amounts"},
    "refund_share": {"amounts"},
    "quantity_per_order": {"quantity"},
    "unit_price": {"amounts", "quantity"},
    "discount_share": {"amounts", "discount"},
}
"""Columns without which there is no such feature."""


@dataclass(frozen=True)
class Orders:
    """What is known of a customer's orders before a cutoff."""

    lines: Sequence[Line]
    entries: Sequence[Entry]
    days: dict[int, tuple[int, int]]  # day to (net, orders)
    cutoff: int

    @property
    def bought(self) -> list[Line]:
        return [line for line in self.lines if not line.is_refund]


def share(over: float, under: float) -> float | None:
    return over / under if under else None


def rfm(o: Orders, windows: Iterable[int]) -> dict[str, Value]:
    first, last, repeats = min(o.days), max(o.days), len(o.days) - 1
    spend = sum(net for net, _ in o.days.values())
    row: dict[str, Value] = {
        "frequency": repeats,
        "recency": last - first,
        "T": o.cutoff - first,
        "monetary_value": (spend - o.days[first][0]) / 10_000 / repeats if repeats else 0.0,
        "n_orders": sum(n for _, n in o.days.values()),
        "total_spend": sum(e.amount for e in o.entries),
    }
    inside = {w: [value for day, value in o.days.items() if o.cutoff - w <= day < o.cutoff] for w in windows}
    for w, values in inside.items():
        row[f"orders_{w}d"] = sum(n for _, n in values)
        row[f"spend_{w}d"] = sum(net for net, _ in values)
    for short, long in ((28, 90), (90, 180), (90, 365)):
        for what in ("orders", "spend"):
            name = f"{what}_share_{short}d_of_{long}d"
            row[name] = share(row[f"{what}_{short}d"], row[f"{what}_{long}d"])  # type: ignore[arg-type]
    return row


def cadence(o: Orders) -> dict[str, Value]:
    days, silent = sorted(o.days), o.cutoff - max(o.days)
    gaps = [after - before for before, after in pairwise(days)]
    usual = mean(gaps) if gaps else None
    spread = math.sqrt(len(gaps) * sum(g * g for g in gaps) - sum(gaps) ** 2) / len(gaps) if gaps else None
    dates = [EPOCH + timedelta(day) for day in days]
    row: dict[str, Value] = {
        "mean_gap": float(usual) if usual else None,
        "gap_spread": spread,
        "gap_irregularity": spread / usual if usual else None,  # type: ignore[operator]
        "last_gap": gaps[-1] if gaps else None,
        "longest_gap": max(gaps, default=None),
        "days_since_last_order": silent,
        "silent_cycles": silent / usual if usual else None,
        "days_overdue": float(silent - usual) if usual else None,
        "silence_of_longest_gap": silent / max(gaps) if gaps else None,
        "weekend_share": sum(d.isoweekday() >= 6 for d in dates) / len(days),
        "weekday_share": Counter(d.weekday() for d in dates).most_common(1)[0][1] / len(days),
        "month_end_share": sum(d.day >= 25 for d in dates) / len(days),
    }
    old = [(o.cutoff - day) % 365 for day in days if o.cutoff - day > 182]
    row["season_share"] = share(sum(min(ago, 365 - ago) <= 45 for ago in old), len(old))
    return row


def tenure(o: Orders) -> dict[str, Value]:
    days = sorted(o.days)
    first, now = EPOCH + timedelta(days[0]), EPOCH + timedelta(o.cutoff)
    gap = (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else None
    return {
        "purchase_cycles": (o.cutoff - days[0]) / gap if gap else None,
        "cohort_month": first.month,
        "cohort_age_months": (now.year - first.year) * 12 + now.month - first.month,
    }


def basket(o: Orders, has: Collection[str]) -> dict[str, Value]:
    row = _values(o) | _contents(o)
    back = [entry for entry in o.entries if entry.is_refund]
    gross = sum(line.amount for line in o.bought)
    row["refund_share"] = share(-sum(e.amount for e in back), gross)
    row["n_refunds"] = len(back)
    row["days_since_last_refund"] = min((o.cutoff - e.known for e in back), default=None)
    for column, attribute, plural in (
        ("product_id", "product", "products"),
        ("category", "category", "categories"),
    ):
        if column in has:
            row |= _variety([getattr(line, attribute) for line in o.bought], attribute, plural)
    off = {name for name, needs in NEEDS.items() if not needs <= set(has)}
    return {name: value for name, value in row.items() if name not in off} | _leads(o, has)


def _values(o: Orders) -> dict[str, Value]:
    nets, orders = [net for net, _ in o.days.values()], sum(n for _, n in o.days.values())
    recent = [value for day, value in o.days.items() if day >= o.cutoff - 180]
    trend = None
    if recent:
        trend = sum(net for net, _ in recent) / sum(n for _, n in recent) / (sum(nets) / orders)
    return {
        "average_order_value": sum(nets) / 10_000 / orders,
        "order_value_trend": trend,
        "first_order_value": o.days[min(o.days)][0] / 10_000,
        "last_order_value_ratio": o.days[max(o.days)][0] / (sum(nets) / len(nets)),
        "top_up_share": sum(n - 1 for _, n in o.days.values()) / orders,
    }


def _contents(o: Orders) -> dict[str, Value]:
    bought, orders = o.bought, sum(n for _, n in o.days.values())
    gross, pieces = sum(line.amount for line in bought), sum(line.quantity for line in bought) / 1000
    off = sum(line.discount for line in bought)
    return {
        "items_per_order": len(bought) / orders,
        "quantity_per_order": pieces / orders,
        "line_value": gross / 10_000 / len(bought),
        "unit_price": share(gross / 10_000, pieces),
        "discount_share": share(off, gross + off),
    }


def variety(values: Iterable[str | None]) -> tuple[int, int, float | None]:
    """Rows with a value, distinct values, and the chance that two rows drawn with replacement agree."""
    counts = Counter(value for value in values if value is not None)
    n = sum(counts.values())
    return n, len(counts), share(sum(c * c for c in counts.values()), n * n)


def _variety(values: Iterable[str | None], singular: str, plural: str) -> dict[str, Value]:
    n, distinct, alike = variety(values)
    return {
        f"n_{plural}": distinct,
        f"{singular}_concentration": alike,
        f"repeat_{singular}_share": share(n - distinct, n),
    }


def _leads(o: Orders, has: Collection[str]) -> dict[str, Value]:
    """The dearest line's value on the first days on which purchases became known; of equals, the last."""
    row: dict[str, Value] = {}
    told = [*sorted({line.known for line in o.bought}), None, None, None]

    def dearest(place: int, attribute: str) -> str | None:
        lines = [b for b in o.bought if b.known == told[place] and getattr(b, attribute) is not None]
        best = max(((b.amount, getattr(b, attribute)) for b in lines), default=(0, None))
        return best[1]

    if "product_id" in has:
        row = {
            f"{which}_product": dearest(n, "product") for n, which in enumerate(("first", "second", "third"))
        }
    if "category" in has:
        row["first_category"] = dearest(0, "category")
    return row
