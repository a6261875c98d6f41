"""One shop a family, small enough to reckon by hand, seen on the morning of Saturday, 2024-02-10 (day 40)."""

from datetime import datetime

from tests.features.logs import CUTOFFS, Contact, Drawn, Event, Person, Row, on

CUTOFF = CUTOFFS[5]
A = "a"

# Days 0, 10 and 30 with 10, 20 + 5 and 40; 5 of the 20 back on day 12; 3 back for nobody knows what.
RFM = Drawn(
    lines=[
        Row(A, on(0), 1000, "1", "p"),
        Row(A, on(10), 2000, "2", "q"),
        Row(A, on(10, 15), 500, "3", "r"),
        Row(A, on(12), -500, "C2", "q"),
        Row(A, on(20), -300, "x", "z"),
        Row(A, on(30), 4000, "4", "p"),
    ]
)
RFM_WANTED = {
    "frequency": 2,
    "recency": 30,
    "T": 40,
    "monetary_value": 30.0,
    "n_orders": 4,
    "total_spend": 670_000,
    "orders_5d": 0,
    "orders_7d": 0,
    "orders_14d": 1,
    "orders_28d": 1,
    "orders_90d": 4,
    "spend_14d": 400_000,
    "spend_90d": 700_000,
    "orders_share_28d_of_90d": 0.25,
    "spend_share_28d_of_90d": 4 / 7,
    "spend_share_90d_of_365d": 1.0,
}

# Monday 2024-01-01, Thursday 01-11 and Wednesday 01-31: gaps of 10 and 20 days, 10 days of silence.
CADENCE = Drawn(lines=[Row(A, on(day), 1000) for day in (0, 10, 30)])
CADENCE_WANTED = {
    "mean_gap": 15.0,
    "gap_spread": 5.0,
    "gap_irregularity": 1 / 3,
    "last_gap": 20,
    "longest_gap": 20,
    "days_since_last_order": 10,
    "silent_cycles": 2 / 3,
    "days_overdue": -5.0,
    "silence_of_longest_gap": 0.5,
    "weekend_share": 0.0,
    "weekday_share": 1 / 3,
    "month_end_share": 1 / 3,
    "season_share": None,
    "purchase_cycles": 40 / 15,
}

# A year and 45 days ago, a year and 46 and 200 days ago; and 45 days ago, which says nothing of a season.
SEASON = Drawn(lines=[Row(A, on(40 - ago), 1000) for ago in (365 + 45, 365 + 46, 200, 45)])
SEASON_WANTED = {"season_share": 1 / 3, "cohort_month": 12, "cohort_age_months": 14}

TENURE = Drawn(
    lines=[Row(A, on(-1, 12), 1000)],
    events=[Event(A, on(-3)), Event(A, on(8))],
    people=[Person(A, since=on(-9), signed_up=on(-5))],
)
TENURE_WANTED = {
    "purchase_cycles": None,
    "mean_gap": None,
    "last_gap": None,
    "cohort_month": 12,
    "cohort_age_months": 2,
    "days_since_signup": 45,
    "days_since_first_touch": 43,
}

# Two orders on day 0 (10 + 30, and 5), one on day 20 (15); the 30 came back on day 25.
BASKET = Drawn(
    lines=[
        Row(A, on(0), 1000, "1", "p", category="food", quantity=2.0, discount=100),
        Row(A, on(0), 3000, "1", "q", category="toys", quantity=1.0),
        Row(A, on(0, 13), 500, "2", "p", category="food", quantity=1.0),
        Row(A, on(20), 1500, "3", "p", category="food", quantity=0.5, discount=400),
        Row(A, on(25), -3000, "C1", "q", category="toys", quantity=-1.0),
    ]
)
BASKET_WANTED = {
    "average_order_value": 10.0,
    "order_value_trend": 1.0,
    "first_order_value": 15.0,
    "last_order_value_ratio": 1.0,
    "top_up_share": 1 / 3,
    "items_per_order": 4 / 3,
    "quantity_per_order": 1.5,
    "line_value": 15.0,
    "unit_price": 60 / 4.5,
    "discount_share": 5 / 65,
    "refund_share": 0.5,
    "n_refunds": 1,
    "days_since_last_refund": 15,
    "n_products": 2,
    "product_concentration": 10 / 16,
    "repeat_product_share": 0.5,
    "n_categories": 2,
    "category_concentration": 10 / 16,
    "repeat_category_share": 0.5,
    "first_product": "q",
    "second_product": "p",
    "third_product": None,
    "first_category": "toys",
}

# Session s lasts from day 38 into day 39; two events have no session and are one each.
JOURNEY = Drawn(
    lines=[Row(A, on(0), 1000, channel="web"), Row(A, on(5), 1000, channel="shop"), Row(A, on(9), 1000)],
    events=[
        Event(A, on(-20), "view", "ads"),
        Event(A, on(-20), "Search", "ads", None, 12.5),
        Event(A, on(9), "add_to_cart", "app", "t"),
        Event(A, on(10), "add_to_cart", "app", "t"),
        Event(A, on(34), "order_tracking", "web", "u"),
        Event(A, on(38, 23), "product_page", "app", "s", 90.0),
        Event(A, on(39, 1), "checkout", "app", "s", 2.25),
        Event(A, on(39, 1), "chat", "app", "s"),
    ],
)
JOURNEY_WANTED = {
    "sessions_7d": 2,
    "sessions_28d": 2,
    "sessions_90d": 5,
    "page_views_7d": 1,
    "page_views_90d": 2,
    "search_90d": 1,
    "support_90d": 1,
    "tracking_90d": 1,
    "days_since_last_visit": 1,
    "longest_dwell_s": 90.0,
    "sessions_since_last_order": 2,
    "carts_since_last_order": 1,
    "checkouts_since_last_order": 1,
    "touches_before_first_order": 2,
    "days_touch_to_first_order": 20,
    "n_touch_channels": 3,
    "touch_channel_concentration": (4 + 25 + 1) / 64,
    "touch_channel_switches": 3,
    "first_touch_channel": "ads",
    "last_touch_channel": "app",
    "n_order_channels": 2,
    "order_channel_concentration": 0.5,
    "order_channel_switches": 1,
    "first_order_channel": "web",
    "last_order_channel": "shop",
}

# Purchases on days 3 and 12: they follow the contacts of days 0 and 10, and that of day 12 itself.
CONTACTS = Drawn(
    lines=[Row(A, on(3), 1000), Row(A, on(12), 1000)],
    contacts=[
        Contact(A, on(day), cents, arm=arm)
        for day, cents, arm in [
            (0, 10, "treatment"),
            (0, None, "control"),
            (5, 20, "treatment"),
            (10, 5, "treatment"),
            (12, 5, "treatment"),
            (20, 0, "treatment"),
            (36, 7, "treatment"),
        ]
    ],
)
CONTACTS_WANTED = {
    "contacts_7d": 1,
    "contacts_28d": 3,
    "contacts_90d": 7,
    "n_contacts": 7,
    "days_since_last_contact": 4,
    "contact_cost": 4700,
    "contact_days_with_order": 3,
    "contact_reply_share": 3 / 5,
}

# Silver from day 20 on; of two versions of that day the largest of each; platinum is not known before day 41.
PEOPLE = Drawn(
    lines=[Row(A, on(0), 1000)],
    people=[
        Person(A, on(5), on(-40), "ads", 250, None, "gold", 7.0, True),
        Person(A, on(20), on(-50), None, 100, "b", "new", 2.0, None),
        Person(A, on(20), on(-45), "ads", 200, None, "silver", -3.0, False),
        Person(A, on(40), on(-60), "shop", 900, "b", "platinum", 99.0, True),
        Person(A, None, on(-60), "shop", 900, "b", "undated", 99.0, True),
    ],
)
PEOPLE_WANTED = {
    "days_since_signup": 85,
    "acquisition_channel": "ads",
    "acquisition_cost": 20_000,
    "was_referred": 1,
    "attr_tier": "silver",
    "attr_points": 2.0,
    "attr_is_member": 0.0,
}

# Nobody has ever seen this buyer on the web, written to them, or asked for their name.
STRANGER = Drawn(lines=[Row(A, on(0), 1000)])
ZERO = (
    "sessions_90d page_views_7d search_90d carts_since_last_order touches_before_first_order n_contacts "
    "contacts_7d contact_cost contact_days_with_order n_products n_categories n_order_channels "
    "order_channel_switches n_touch_channels touch_channel_switches n_refunds"
)
NOTHING = (
    "days_since_last_visit days_since_first_touch days_touch_to_first_order longest_dwell_s "
    "days_since_last_contact contact_reply_share days_since_last_refund first_product attr_points "
    "days_since_signup was_referred first_order_channel unit_price"
)
STRANGER_WANTED = dict.fromkeys(ZERO.split(), 0) | dict.fromkeys(NOTHING.split())

# 23:30 UTC on 31 March is half past midnight of 1 April in London, where the clocks had just changed.
ZONE = Drawn(
    lines=[Row(A, datetime(2023, 3, 31, 23, 30), 1000), Row(A, datetime(2023, 10, 29, 0, 30), 1000)],
    events=[Event(A, datetime(2024, 2, 9, 23, 59, 59)), Event(A, datetime(2024, 2, 10))],
)
ZONE_WANTED = {"cohort_month": 4, "last_gap": 211, "days_since_last_visit": 1, "page_views_7d": 1}

FAMILIES = {
    "rfm": (RFM, RFM_WANTED),
    "cadence": (CADENCE, CADENCE_WANTED),
    "season": (SEASON, SEASON_WANTED),
    "tenure": (TENURE, TENURE_WANTED),
    "basket": (BASKET, BASKET_WANTED),
    "journey": (JOURNEY, JOURNEY_WANTED),
    "contacts": (CONTACTS, CONTACTS_WANTED),
    "attributes": (PEOPLE, PEOPLE_WANTED),
    "stranger": (STRANGER, STRANGER_WANTED),
    "zone": (ZONE, ZONE_WANTED),
}
