"""The words before the tables of docs/features.md: what a row is, what counts when, what is switched how."""

from features.attributes import SENSITIVE_STEMS, SENSITIVE_WORDS
from features.contracts import MONEY_UNITS
from features.door import MAX_AMOUNT, QUANTITY_UNITS
from features.event_kinds import EVENT_KINDS
from features.rfm import WINDOWS
from features.visits import SESSION_GAP_S
from pipelines.markdown import table


def intro(n_all: int, n_text: int) -> str:
    """Say what a reader must know before the tables of features.

    Parameters
    ----------
    n_all, n_text : int
        Features in those tables, and the ones among them that are text.
    """
    known = f"{_KNOWN}\n{table(('table', 'known from'), _KNOWN_FROM)}\n\n{_KNOWN_LATE}"
    policies = f"## Policies\n\n{table(('what is in the tables', 'what is done'), _POLICIES)}\n"
    return "\n".join([_head(n_all, n_text), _ROW, known, policies, _SWITCHES, _PEOPLE])


def _head(n_all: int, n_text: int) -> str:
    return f"""# Features

<!-- Written by `make docs` from features/catalogue.py and features/phrases.py: edit those, not this page. -->

What was known about a customer at a moment: {n_all} features where a shop has every table and column, with
the standard windows, and one more for each attribute it names. {n_all - n_text} are numbers. {n_text} are
text (unit `category`): trees tell apart the values that at least 50 customers have, thirty at most.
"""


_ROW = f"""## What a row is

One row is one customer at one cutoff, for everyone with at least one purchase day before it. A *purchase day*
is a day on which the orders, less the refunds known so far, come to more than zero. The cutoff is a midnight
in the shop's zone (`[project] timezone`) and is always given; nothing looks at today's date.

Windows are half-open. "In the last 28 days" is `[cutoff - 28, cutoff)`: the 28 whole days before the cutoff,
without the day that begins there. The standard windows are {", ".join(map(str, WINDOWS))} days; each of
`[target] horizons` adds its own. A feature rests on that customer's rows alone: averages or ranks over all
customers belong to the models.

Empty means that there is nothing to measure (a one-time buyer has no days between purchases), which is not
zero. Money is a whole number of 1/{MONEY_UNITS:,} of a currency unit inside the feature table (unit `money`);
models and files see it in the log's currency, like means (unit `currency`).
"""

_KNOWN = """## When a row counts

A row counts at every cutoff after the day on which it became known, and not before.
"""

_KNOWN_FROM = (
    (
        "`transactions`",
        "the day of `ordered_at`, or that of `recorded_at` where it is later; where `recorded_at` is blank, "
        "the day of `ordered_at`",
    ),
    ("`events`", "the day of `occurred_at`"),
    ("`contacts`", "the day of `sent_at`"),
    (
        "`customers`",
        "the day of `valid_from`, until the customer's next version begins; without it, the day of "
        "`signed_up_at`; with neither, at all times",
    ),
)

_KNOWN_LATE = """A refund, or an order recorded late, changes what later cutoffs see and never what an earlier
one saw. What a customer bought first, and which channel came first or last, goes by the day of knowledge too.

A log dated by the week, month or quarter has rules of its own: [note 0011](decisions/0011-period-grain.md).
"""

_POLICIES = (
    (
        "no customer, no readable date, no readable amount, an unreadable `recorded_at`",
        "set aside, counted, and kept with the reason: `no_customer`, `no_date`, `no_amount`, "
        "`no_recorded_date`",
    ),
    (f"an amount beyond {MAX_AMOUNT:,.0f}", "set aside as `no_amount`"),
    (
        "zero-value rows",
        "used: they bring no money and make neither an order nor a purchase day; their items, products and "
        "channels count",
    ),
    ("several orders on a day (top-ups)", "several orders, one purchase day"),
    ("one order number on two days", "an order on each of them"),
    ("no order number", "a customer's lines of the same moment are one order"),
    (
        "exact duplicates",
        "used, as two equal lines may be two items; `repurchase check` counts them and points at days that "
        "look as if they were loaded twice",
    ),
    (
        "a negative amount, or a line marked by `[policy] cancellation`",
        "a refund; the marked line's amount counts as negative whatever its sign",
    ),
    (
        "a refund",
        "reduces the order it takes back, from the day on which the refund is known. That order is the same "
        "customer's, placed and known no later than the refund: the one of its number (also without the "
        "cancellation prefix); else the latest in which the product cost exactly the refunded amount; else "
        "the latest in which it cost more; else the latest with the product. A refund without a product "
        "takes back the latest line without one of exactly the refunded amount",
    ),
    (
        "a refund whose order is not found",
        "counts in `total_spend` and the refund features from its own day on, and against no order and no "
        "purchase day",
    ),
    (
        "an order refunded in full",
        "is no order any more once the refund is known; its items and products stay counted",
    ),
    ('`[policy] refunds = "drop"`', "refunds are set aside as `refund_dropped`"),
    (
        "no amounts at all",
        "each bought line counts as 1 and each line taken back as -1, so that what the tables below call "
        "money or spend counts lines",
    ),
    (
        "`quantity`, `discount`",
        f"kept to 1/{QUANTITY_UNITS:,} and 1/{MONEY_UNITS:,}, without their sign; one that cannot be read "
        "counts as none. The amount is taken to be what was paid, after the discount",
    ),
    (
        "no session numbers",
        f"a session ends with more than {SESSION_GAP_S // 60} minutes of silence; in a shop that has "
        "numbers, an event without one is a session of its own",
    ),
    (
        "the shop's words for events",
        f"are read as {', '.join(f'`{kind}`' for kind in EVENT_KINDS)} by English and Vietnamese words "
        "(`features/event_kinds.py`); other events count as visits only. Orders come from `transactions`, "
        "never from events",
    ),
    ("events, contacts or customers without an id or a date", "set aside as `no_customer`, `no_date`"),
)

_SWITCHES = """## Switching a family on

A feature is on when the tables and columns it needs are named in `repurchase.toml`: see *needs* in the tables
below. Without them it is off, and the others stay as they are. A model carries the list of the features it
was trained on; scoring stops with a message if one of them can no longer be built.

```toml
[project]
name = "my-shop"

[tables.transactions]
source = "orders.parquet"
[tables.transactions.columns]      # on the left our names, on the right the shop's
customer_id = "client"
ordered_at = "time"
amount = "paid"                    # or quantity and unit_price
quantity = "pieces"
order_id = "invoice"
product_id = "sku"
category = "department"
channel = "shop_or_app"
discount = "voucher"

[tables.events]
source = "events.parquet"
[tables.events.columns]
customer_id = "client"
occurred_at = "time"
event_type = "event"
channel = "came_from"
session_id = "session"
duration_s = "seconds"

[tables.contacts]
source = "messages.csv"
[tables.contacts.columns]
customer_id = "client"
sent_at = "sent"
cost = "price"

[tables.customers]
source = "customers.parquet"
attributes = ["loyalty_tier", "gender"]
static = ["home_store"]
sensitive = ["gender"]
[tables.customers.columns]
customer_id = "client"
valid_from = "changed"
signed_up_at = "joined"
acquisition_channel = "came_by"
acquisition_cost = "price"
referred_by = "friend"
```
"""

_PEOPLE = f"""## Attributes of customers

Each column named in `attributes` or `static` becomes a feature, `attr_` and its name: a number if all of it
can be read as one, else text. The newest version known before the cutoff counts.

* **Undated attributes are refused** unless they are listed as `static`: without `valid_from`, the table tells
  today's tier, not last year's. Listing one is a promise that its value never changes.
* **Sensitive attributes are off** unless `sensitive` names them too. A name counts as sensitive if one of its
  words is {", ".join(sorted(SENSITIVE_WORDS))}, or if it holds {", ".join(SENSITIVE_STEMS)}.
* **Without `valid_from`, a customer is known from `signed_up_at` on**: earlier cutoffs see nothing of the
  row, and a row without a readable `signed_up_at` is set aside as `no_date`. With neither column, the
  acquisition channel and cost, the referral and `static` attributes are taken as known from the first
  purchase on: map one of the two dates if they came later.
* A sign-up on or after the cutoff does not show.
* **The arm of an experiment is never a feature.** `arm` may be mapped in `contacts`; nothing here reads it.
"""
