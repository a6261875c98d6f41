"""Whether the tables beside the purchases speak of the same customers, and of the same time."""

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.calendar import day_from_number, day_number
from models.findings import Finding
from models.schedule import FIRST_LOOK

RARE = 0.01
"""Share of the customers that both sides could have in common below which the ids are in doubt."""

LONGEST_PAUSE = 92
"""Days: a table is given the longest pause of its own rhythm, such as a campaign a quarter, but no more."""


def judge_customers(table: str, customers: int, buyers: int, both: int) -> Finding:
    """Say whether a table knows the customers of the purchases.

    Measured on the smaller side: most visitors of a large shop never buy, and a first campaign reaches few.

    Parameters
    ----------
    table : str
        ``"events"``, ``"contacts"`` or ``"customers"``.
    customers, buyers, both : int
        Customers of the table, of the purchases, and of both.
    """
    numbers = {"customers": customers, "buyers": buyers, "both": both}
    text = f"of {customers:,} customers in {table}, {both:,} are among the {buyers:,} who bought"
    if both >= RARE * min(customers, buyers) and both:
        return Finding("ok", f"{table}_customers", text, numbers)
    text += (
        ": are the ids those of another system? What the table says reaches hardly anyone; map customer_id "
        "to the ids that the purchases use"
    )
    return Finding("warning", f"{table}_customers", text, numbers)


def judge_days(table: str, days: NDArray[np.int64], first: date, until: date) -> Finding:
    """Say whether a table spans the time of the purchases.

    Before its first row and after its last, features cannot tell "nothing happened" from "not recorded". It
    may start as late as the first cutoff can lie, and end as early.

    Parameters
    ----------
    table : str
        ``"events"`` or ``"contacts"``.
    days : ndarray of int64
        Distinct day numbers of its rows before `until`, rising; stray ones left out.
    first, until : date
        Day of the first purchase, and the first that is not looked at.
    """
    code = f"{table}_days"
    if not days.size:
        text = f"{table}: no row before {until}, so every feature from it says that nothing happened"
        return Finding("warning", code, text, {"first": None, "last": None})
    late, early = int(days[0]) - day_number(first), day_number(until) - 1 - int(days[-1])
    begin, end = day_from_number(int(days[0])), day_from_number(int(days[-1]))
    numbers: dict[str, Any] = {
        "first": str(begin), "last": str(end), "days_late": max(late, 0), "days_early": max(early, 0),
    }  # fmt: skip
    allowed = max(FIRST_LOOK, min(int(np.diff(days).max(initial=0)), LONGEST_PAUSE))
    said = []
    if late > allowed:
        said.append(
            f"{table} start on {begin}, {late:,} days after the purchases: at earlier cutoffs, features from "
            "them say that nothing happened where nothing was recorded; if there are no older rows, list "
            "later [training] cutoffs"
        )
    if early > allowed:
        said.append(
            f"{table} end on {end}, {early:,} days before the purchases: everyone looks as if nothing had "
            "happened since; is the newest export there?"
        )
    if said:
        return Finding("warning", code, ". ".join(said), numbers)
    return Finding("ok", code, f"{table} from {begin} to {end} span the time of the purchases", numbers)
