"""Every family against what can be reckoned by hand."""

from datetime import datetime
from typing import Any

import pytest

from features.calendar import day_number
from tests.features.by_hand import CUTOFF, FAMILIES
from tests.features.logs import CUTOFFS, HORIZONS, Drawn, Event, Row, on, side_by_side
from tests.features.reference import agrees
from tests.features.tables import shop
from tests.features.test_agreement import SHAPES

DAY = day_number(CUTOFF)


@pytest.fixture(scope="module")
def rows(con: Any) -> dict[str, dict[str, Any]]:
    """All of them in one shop: a feature depends on a customer's own rows alone."""
    crowd = side_by_side(drawn for drawn, _ in FAMILIES.values())
    found = shop(con, crowd).features([CUTOFF], HORIZONS)
    return dict(zip(FAMILIES, sorted(found, key=lambda row: int(row["customer_id"][:-2])), strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_by_hand(rows: dict[str, dict[str, Any]], family: str) -> None:
    wanted = FAMILIES[family][1]
    wrong = {n: (rows[family][n], value) for n, value in wanted.items() if not agrees(rows[family][n], value)}
    assert not wrong


def test_every_family_is_reckoned(rows: dict[str, dict[str, Any]]) -> None:
    """All but windows and their shares, of which some stand for all."""
    reckoned = {name for _, wanted in FAMILIES.values() for name in wanted}
    left = {name for name in rows["rfm"] if name not in reckoned} - {"customer_id", "cutoff"}
    assert all(name.split("_")[0] in {"orders", "spend", "contacts", "page"} for name in left), left


@pytest.mark.parametrize(
    ("times", "sessions"),
    [
        (["12:00:00"], 1),
        (["12:00:00", "12:00:00"], 1),
        (["12:00:00", "12:30:00", "13:00:00"], 1),
        (["12:00:00", "12:30:00.5"], 2),
        (["12:00:00", "12:30:01", "13:00:02"], 3),
        (["12:00:00.6", "12:30:00.4"], 1),
    ],
    ids=str,
)
def test_more_than_half_an_hour_of_silence_ends_a_session(con: Any, times: list[str], sessions: int) -> None:
    visits = [Event("a", datetime.fromisoformat(f"2024-02-08 {time}")) for time in times]
    drawn = Drawn([Row("a", on(0), 100, quantity=1.0)], visits)
    lacking = next(without for without in SHAPES.values() if "events.session_id" in without)
    row = next(
        r for r in shop(con, drawn.lacking(*lacking)).features(CUTOFFS, HORIZONS) if r["cutoff"] == DAY
    )
    assert (row["sessions_7d"], row["page_views_7d"]) == (sessions, len(times))
