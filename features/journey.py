"""The way to the shop and around it: touches, sessions, carts without an order, channels."""

from collections.abc import Iterator
from typing import Literal

from features.feature import Feature, Grain, Unit, Value, concentration, in_window, summed

WINDOWS = (7, 28, 90)
LATELY = 90

_GRAINS: dict[str, tuple[Grain, str, Grain]] = {
    "touch": ("touch_channels", "", "touch_switches"),
    "order": ("booked", "order_channels_", "order_switches"),
}
"""Where the variety of the channels is counted, what its columns begin with, and where they change."""


def journey() -> Iterator[Feature]:
    """Yield the family's features."""
    yield from _visits()
    yield from _since_last_order()
    yield from _before_first_order()
    yield from _channels("touch", "events.channel", "touches")
    yield from _channels("order", "channel", "orders")


def _visit(name: str, value: Value, unit: Unit, said: str, fill: int | None = 0) -> Feature:
    return Feature(name, "visits", value, unit, said, needs=("events",), fill=fill)


def _visits() -> Iterator[Feature]:
    for days in WINDOWS:
        yield _visit(
            f"sessions_{days}d",
            in_window("n_sessions", days),
            "sessions",
            f"Sessions begun in the {days} days before the cutoff.",
        )
        yield _visit(
            f"page_views_{days}d",
            in_window("n_page", days),
            "events",
            f"Pages looked at in the {days} days before the cutoff.",
        )
    for kind, what in (
        ("search", "Searches and filters used"),
        ("support", "Contacts with the support"),
        ("tracking", "Looks at the delivery tracking"),
    ):
        yield _visit(
            f"{kind}_{LATELY}d",
            in_window(f"n_{kind}", LATELY),
            "events",
            f"{what} in the {LATELY} days before the cutoff.",
        )
    yield _visit(
        "days_since_last_visit",
        lambda t: (t.cutoff - t.day).min(),
        "days",
        "Days since the last recorded event.",
        fill=None,
    )
    yield Feature(
        "longest_dwell_s",
        "visits",
        lambda t: t.longest_ms.max().cast("float64") / 1000,
        "seconds",
        "Longest stay on one page.",
        needs=("events.duration_s",),
    )


def _since_last(column: str) -> Value:
    return lambda t: t[column].sum(where=t.day > t.last_day).fill_null(0)


def _since_last_order() -> Iterator[Feature]:
    found: tuple[tuple[str, str, Unit, str], ...] = (
        ("sessions_since_last_order", "n_sessions", "sessions", "Sessions begun"),
        ("carts_since_last_order", "n_cart", "events", "Cart events without an order: those"),
        ("checkouts_since_last_order", "n_checkout", "events", "Checkout events without an order: those"),
    )
    for name, column, unit, what in found:
        yield _visit(
            name,
            _since_last(column),
            unit,
            f"{what} on days after the last purchase day.",
        )


def _before_first_order() -> Iterator[Feature]:
    yield _visit(
        "touches_before_first_order",
        lambda t: t.n_events.sum(where=t.day < t.first_day).fill_null(0),
        "events",
        "Recorded events on days before the first purchase day.",
    )
    yield _visit(
        "days_touch_to_first_order",
        lambda t: (t.first_day - t.day).max(where=t.day <= t.first_day),
        "days",
        "Days from the first recorded event to the first order; empty if the order came first.",
        fill=None,
    )


def _channels(stem: Literal["touch", "order"], column: str, noun: str) -> Iterator[Feature]:
    """Yield how a kind of touch is spread over channels; first and last in the order of knowledge."""
    mixed, prefix, way = _GRAINS[stem]

    def of(name: str, grain: Grain, value: Value, unit: Unit, said: str, fill: int | None = None) -> Feature:
        return Feature(name, grain, value, unit, said, needs=(column,), fill=fill)

    new = summed(f"{prefix}n_new")
    yield of(f"n_{stem}_channels", mixed, new, "channels", f"Channels of the {noun}.", 0)
    yield of(
        f"{stem}_channel_concentration",
        mixed,
        concentration(prefix),
        "share",
        f"Channel mix of the {noun}: chance that two of their rows share a channel.",
    )
    yield of(
        f"{stem}_channel_switches",
        way,
        lambda t: t.count() - 1,
        "switches",
        f"How often the channel of the {noun} changed.",
        0,
    )
    yield of(
        f"first_{stem}_channel",
        way,
        lambda t: t.channel.max(where=t.place == 1),
        "category",
        f"Channel of the first of the {noun}.",
    )
    yield of(
        f"last_{stem}_channel",
        way,
        lambda t: t.channel.argmax(t.place),
        "category",
        f"Channel of the last of the {noun}.",
    )
