"""Which features tell the same fact, and whether the shop can do something about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.contracts import did_you_mean
from features.errors import ContractError
from features.wording import ATTRIBUTE, stem


@dataclass(frozen=True)
class Group:
    """Features that are correlated because they tell one fact: a reason is given once for all of them.

    Parameters
    ----------
    actionable : bool
        Whether the shop can influence or answer it; else it is context.
    why : str
        Why it counts as one or the other.
    members : tuple of str
        Features, ``{n}`` standing for the days of any window; ``btyd_`` and ``formula`` are what the
        buy-till-you-die models and the formula rule say.
    """

    actionable: bool
    why: str
    members: tuple[str, ...]


GROUPS: Mapping[str, Group] = {
    "rhythm": Group(
        False,
        "How often and since when they buy is their own habit. All members are made of the same three "
        "numbers, and what a model says of one of them alone means little.",
        ("T", "recency", "frequency", "n_orders", "cohort_age_months", "mean_gap", "purchase_cycles",
         "days_since_last_order", "silent_cycles", "days_overdue", "silence_of_longest_gap",
         "btyd_log_odds", "btyd_days_if_any", "btyd_p_alive"),
    ),
    "past_rate": Group(
        False, "What the formula rule goes by: orders over time as a customer.", ("formula",)
    ),
    "recent": Group(
        False,
        "What was bought lately has been bought.",
        ("orders_{n}d", "spend_{n}d", "orders_share_{n}d_of_{n}d", "spend_share_{n}d_of_{n}d"),
    ),
    "regularity": Group(
        False,
        "How evenly they bought so far is history.",
        ("gap_spread", "gap_irregularity", "last_gap", "longest_gap"),
    ),
    "spend": Group(
        False,
        "What they spent so far is history.",
        ("monetary_value", "total_spend", "average_order_value", "line_value", "unit_price",
         "btyd_spend_per_day"),
    ),
    "spend_change": Group(
        False, "A drift of order values is seen, not made.", ("order_value_trend", "last_order_value_ratio")
    ),
    "basket": Group(
        False, "Large or small baskets are their habit.",
        ("items_per_order", "quantity_per_order", "top_up_share"),
    ),
    "season": Group(
        False, "The shop does not choose the time of year.", ("cohort_month", "season_share")
    ),
    "calendar_habits": Group(
        False, "On which days they buy is their habit.", ("weekend_share", "weekday_share", "month_end_share")
    ),
    "tenure": Group(
        False, "How long they have known the shop is given.", ("days_since_signup", "days_since_first_touch")
    ),
    "acquisition": Group(
        False,
        "How this customer was won is over; it matters for the next ones.",
        ("acquisition_channel", "acquisition_cost", "was_referred"),
    ),
    "first_order": Group(
        True,
        "A poor first experience can be made up for: a follow-up, a welcome offer.",
        ("first_order_value", "first_product", "first_category", "touches_before_first_order",
         "days_touch_to_first_order"),
    ),
    "discounts": Group(True, "The shop sets its discounts.", ("discount_share",)),
    "returns": Group(
        True,
        "What came back can be answered: an apology, a replacement, a call.",
        ("refund_share", "n_refunds", "days_since_last_refund"),
    ),
    "assortment": Group(
        True,
        "Products and categories not tried yet can be recommended.",
        ("n_products", "product_concentration", "repeat_product_share", "second_product", "third_product",
         "n_categories", "category_concentration", "repeat_category_share"),
    ),
    "order_channels": Group(
        True,
        "The shop can invite to another channel of ordering, and mend one that fails.",
        ("n_order_channels", "order_channel_concentration", "order_channel_switches", "first_order_channel",
         "last_order_channel"),
    ),
    "visit_channels": Group(
        True,
        "The shop chooses through which channels it can be met.",
        ("n_touch_channels", "touch_channel_concentration", "touch_channel_switches", "first_touch_channel",
         "last_touch_channel"),
    ),
    "browsing": Group(
        True,
        "Visits and left carts can be answered while they are fresh.",
        ("sessions_{n}d", "page_views_{n}d", "search_{n}d", "days_since_last_visit", "longest_dwell_s",
         "sessions_since_last_order", "carts_since_last_order", "checkouts_since_last_order"),
    ),
    "service": Group(
        True,
        "A question or a late delivery can be answered.",
        ("support_{n}d", "tracking_{n}d"),
    ),
    "contacts": Group(
        True,
        "The shop decides whom it contacts, and how often.",
        ("contacts_{n}d", "n_contacts", "days_since_last_contact", "contact_cost", "contact_days_with_order",
         "contact_reply_share"),
    ),
}  # fmt: skip
"""Group to what it holds. An attribute of the customers table is a group of its own, and context: what it
means is the shop's."""

_GROUP_OF = {member: name for name, group in GROUPS.items() for member in group.members}


def group_of(feature: str) -> str:
    """Return the group of a feature.

    Parameters
    ----------
    feature : str
        As it is named in the catalogue, or what a model adds (see `Group`).

    Raises
    ------
    ContractError
        If the table does not know it.

    Examples
    --------
    >>> group_of("orders_30d"), group_of("attr_tier")
    ('recent', 'attr_tier')
    """
    if feature.startswith(ATTRIBUTE):
        return feature
    key = stem(feature)
    if key not in _GROUP_OF:
        raise ContractError(
            f"no group of reasons for feature {feature!r}", hint=did_you_mean(key, [*_GROUP_OF])
        )
    return _GROUP_OF[key]


def is_actionable(group: str) -> bool:
    """Whether the shop can influence or answer what a group tells."""
    return group in GROUPS and GROUPS[group].actionable
