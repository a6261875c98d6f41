"""The usual channel, and the contacts of late, against a count by hand."""

from collections import defaultdict
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from features.reached import contacts_of_late, usual_channels
from features.records import Records

CUTOFF, DAYS = 1_000, 365


@pytest.fixture(scope="module")
def con() -> Any:
    return ibis.duckdb.connect()


def drawn(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 30, rows).astype(str),
            "channel": rng.choice(np.array(["web", "store", "zalo", None], dtype=object), rows),
            "day": rng.integers(CUTOFF - 2 * DAYS, CUTOFF + 50, rows),
        }
    )


def by_hand(rows: pd.DataFrame) -> dict[str, str]:
    days: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for row in rows.itertuples():
        if isinstance(row.channel, str) and CUTOFF - DAYS <= row.day < CUTOFF:
            days[row.customer_id][row.channel].add(row.day)
    return {
        who: min(seen, key=lambda one: (-len(seen[one]), -max(seen[one]), one)) for who, seen in days.items()
    }


def fetched(table: Any) -> dict[str, str]:
    frame = table.to_pandas()
    assert frame["customer_id"].is_unique
    return dict(zip(frame["customer_id"], frame["channel"], strict=True))


def test_the_channel_of_the_most_days(con: Any) -> None:
    rng = np.random.default_rng(2)
    lines = drawn(rng, 600).assign(is_refund=rng.random(600) < 0.1)
    lines["known_day"] = lines["day"] + rng.choice([0, 400], 600, p=[0.9, 0.1])
    events = drawn(rng, 300)
    used = lines[~lines["is_refund"] & (lines["known_day"] < CUTOFF)]
    orders, seen = (con.create_table(n, f) for n, f in (("orders", lines), ("seen", events)))
    both = Records(orders, events=seen, has=frozenset({"channel", "events.channel"}))
    assert fetched(usual_channels(both, CUTOFF, DAYS)) == by_hand(pd.concat([used, events]))
    alone = Records(orders, events=seen, has=frozenset({"channel"}))
    assert fetched(usual_channels(alone, CUTOFF, DAYS)) == by_hand(used)
    assert usual_channels(Records(orders), CUTOFF, DAYS) is None


def test_contacts_are_counted_up_to_the_cutoff(con: Any) -> None:
    sent = con.create_table(
        "sent",
        pd.DataFrame(
            [
                ("a", 999),
                ("a", 993),
                ("a", 992),
                ("a", 1_000),
                ("b", 911),
                ("b", 910),
                ("c", 500),
                ("d", 1_001),
            ],
            columns=["customer_id", "day"],
        ),
    )
    found = contacts_of_late(sent, CUTOFF, 7, 90).to_pandas().set_index("customer_id")
    assert found.loc["a"].to_dict() == {"n_now": 2, "n_late": 3}
    assert found.loc["b"].to_dict() == {"n_now": 0, "n_late": 2}
    assert not {"c", "d"} & {*found.index}
