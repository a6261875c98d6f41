"""The part of a customer's card that explains and looks back: reasons, P(alive), orders, groups."""

from datetime import date

from models.segments import AXES
from pipelines.card_ahead import money, stake
from pipelines.card_charts import alive_line, stems
from pipelines.card_facts import Card
from pipelines.card_past import Order
from pipelines.card_runs import Row
from pipelines.report_blocks import NONE, Chart, Figures, Part, Said, Section, Table
from pipelines.report_cells import brief, day
from pipelines.report_groups import SHOWN_AXES
from pipelines.words import Voice

MOST_ORDERS = 500
"""On a page; a browser draws a picture of so many lines at once."""


def why_section(card: Card, voice: Voice) -> Section:
    """Say where the customer stands on the risk list, and what moved their chance most."""
    parts: list[Part] = [Figures(_place(card, voice)) if card.place else Said(voice("card.place.none"))]
    if not card.reasons:
        return Section("why", voice("card.title.why"), [*parts, Said(voice("card.reasons.none"))])
    heads = [voice("card.reasons.place"), voice("card.reasons.reason")]
    rows = [[voice.number(row["place"]), row["said"]] for row in card.reasons]
    parts.append(Table(voice("card.reasons.table"), heads, rows, last_texts=1))
    return Section("why", voice("card.title.why"), [*parts, Said(voice("card.reasons.no_cause"))])


def _place(card: Card, voice: Voice) -> list[tuple[str, str]]:
    place = card.place or {}
    group = place.get("group")
    items = [
        (voice("card.place.rank"), voice.number(int(place["rank"]))),
        (voice("card.place.group"), voice(f"card.place.{group}") if group else NONE),
        (voice("card.place.campaign"), place.get("campaign") or NONE),
        (
            voice("card.now.at_risk", days=voice.number(card.primary)),
            stake(amount(place, "value_at_risk"), card, voice),
        ),
    ]
    if card.has_amounts:
        items += [
            (voice(f"card.place.{name}"), money(amount(place, name), voice))
            for name in ("net_value", "highest_offer")
        ]
    return items


def amount(place: Row, name: str) -> float | None:
    """Read a number of the risk list; an empty cell is None."""
    text = place.get(name)
    return float(text) if text else None


def alive_section(card: Card, voice: Voice) -> Section:
    """Draw P(alive) as the run's model sees it at dates of the past."""
    title = voice("card.title.alive")
    if card.model is None:
        return Section("alive", title, [Said(voice("card.alive.no_model"))])
    points = card.model.alive
    if not points:
        return Section("alive", title, [Said(voice("card.alive.no_past"))])
    parts: list[Part] = [Said(voice("card.alive.how"))]
    if card.score["frequency"] == 0 and points[-1][1] == 1:
        parts.append(Said(voice("card.alive.one_order")))
    heads = [voice("card.alive.day"), voice("card.alive.line")]
    table = Table(voice("card.alive.chart"), heads, [[voice.day(d), voice.share(p)] for d, p in points])
    orders = [order.day for order in card.past.orders if order.amount > 0 and order.day >= points[0][0]]
    svg = alive_line(
        "alive",
        points,
        orders,
        (voice("card.alive.line"), voice("card.alive.marks")),
        lambda p: voice.share(p, 0),
        lambda ordinal: _axis(ordinal, voice),
    )
    return Section("alive", title, [*parts, Chart(svg, voice("card.alive.chart"), table)])


def _axis(ordinal: float, voice: Voice) -> str:
    return day(date.fromordinal(max(round(ordinal), 1)), voice)


def orders_section(card: Card, voice: Voice) -> Section:
    """List and draw the orders."""
    title, every = voice("card.title.orders"), card.past.orders
    placed = [order for order in every if not order.is_refund]
    if not placed:
        return Section("orders", title, [Said(voice("card.orders.none"))])
    ends = {"first": voice.day(placed[0].day), "last": voice.day(placed[-1].day)}
    stand = sum(order.amount > 0 for order in placed)
    told = {"n": voice.number(len(placed)), "stand": voice.number(stand), **ends}
    parts: list[Part] = [Said(voice("card.orders.sentence", **told), strong=True)]
    if card.period != "day":
        parts.append(Said(voice(f"card.period.{card.period}")))
    shown = every[-MOST_ORDERS:]
    if len(shown) < len(every):
        cut = {"n": voice.number(len(shown)), "all": voice.number(len(every))}
        parts.append(Said(voice("card.orders.cut", **cut)))
    alt = voice("card.orders.chart" if card.has_amounts else "card.orders.chart_counts")
    values = [order.amount if card.has_amounts else 1.0 for order in shown]
    write = brief(voice, money=card.has_amounts)
    svg = stems("orders", [order.day for order in shown], values, write, lambda at: _axis(at, voice))
    return Section("orders", title, [*parts, Chart(svg, alt, _table(card, shown, alt, voice))])


def _table(card: Card, shown: list[Order], caption: str, voice: Voice) -> Table:
    names = ["day", *(["number"] if card.has_numbers else []), "what"]
    texts = len(names)
    names += ["amount", "refunded"] if card.has_amounts else []
    rows = [_order(order, card, voice) for order in shown]
    return Table(caption, [voice(f"card.orders.{name}") for name in names], rows, texts=texts)


def _order(order: Order, card: Card, voice: Voice) -> list[str]:
    kind = "refund" if order.is_refund else "bought" if order.amount > 0 else "returned"
    row = [voice.day(order.day)]
    row += [order.number] if card.has_numbers else []
    row.append(voice(f"card.orders.{kind}"))
    if card.has_amounts:
        row += [money(order.amount, voice), money(order.refunded or None, voice)]
    return row


def groups_section(card: Card, voice: Voice) -> Section:
    """Follow the customer's groups from run to run, and say why they moved."""
    title, rows = voice("card.title.groups"), card.groups.rows
    parts: list[Part] = [Said(voice("card.groups.none"))]
    if rows:
        heads = [voice(f"card.groups.{name}") for name in ("day", *SHOWN_AXES, "rfm", "moves")]
        cells = [
            [
                voice.day(row["as_of"]),
                *(_group(row, axis, voice) for axis in SHOWN_AXES),
                row["rfm"],
                _moves(row, voice),
            ]
            for row in rows
        ]
        parts = [
            Table(voice("card.groups.table"), heads, cells, texts=5, last_texts=1),
            Said(voice("card.groups.older")),
        ]
    if card.groups.foreign:
        parts.append(Said(voice("card.groups.foreign", n=voice.number(card.groups.foreign))))
    return Section("groups", title, parts)


def _group(row: Row, column: str, voice: Voice) -> str:
    """Name a group of a column, such as ``lifecycle`` or ``was_lifecycle``."""
    name, axis = row[column], column.removeprefix("was_")
    if name is None:
        return NONE
    key = {"lifecycle": "segment.lifecycle.", "risk_group": "report.tier."}.get(axis)
    return str(name) if key is None else voice(f"{key}{name}")


def _moves(row: Row, voice: Voice) -> str:
    """Say each move; of who is new in the base, that alone."""
    if row["before"] is None:  # of the first run that had groups, everybody arrived
        return NONE
    moved = [axis for axis in AXES if row[f"why_{axis}"]]
    if any(row[f"why_{axis}"] == "arrived" for axis in moved):
        return voice("card.moved_by.arrived")
    said = [
        voice(
            "card.groups.move",
            what=voice(f"card.groups.{axis}"),
            before=_group(row, f"was_{axis}", voice),
            after=_group(row, axis, voice),
            why=voice(f"card.moved_by.{row[f'why_{axis}']}"),
        )
        for axis in moved
    ]
    return " · ".join(said) or NONE
