"""How old the relation is, in days, in own purchase cycles and by its cohort."""

from collections.abc import Iterator

import ibis

from features.cadence import mean_gap
from features.calendar import month_and_day
from features.feature import Feature


def tenure() -> Iterator[Feature]:
    """Yield the family's features."""
    yield Feature(
        "purchase_cycles",
        "derived",
        lambda t: (t.cutoff - t.first_day).cast("float64") / mean_gap(t),
        "purchase cycles",
        "Age of the relation in own mean gaps; empty for one-time buyers.",
    )
    yield Feature(
        "cohort_month",
        "derived",
        lambda t: month_and_day(t.first_day)[0] % 12 + 1,
        "month",
        "Month of the first order, 1 to 12.",
    )
    yield Feature(
        "cohort_age_months",
        "derived",
        lambda t: month_and_day(t.cutoff)[0] - month_and_day(t.first_day)[0],
        "months",
        "The cohort, told from here: calendar months from that of the first order to that of the cutoff.",
    )
    yield Feature(
        "days_since_signup",
        "profile",
        lambda t: (t.cutoff - ibis.ifelse(t.signup_day < t.cutoff, t.signup_day, ibis.null("int64"))).max(),
        "days",
        "Days from the sign-up to the cutoff.",
        needs=("customers.signed_up_at",),
    )
    yield Feature(
        "days_since_first_touch",
        "visits",
        lambda t: (t.cutoff - t.day).max(),
        "days",
        "Days from the first recorded event to the cutoff.",
        needs=("events",),
    )
