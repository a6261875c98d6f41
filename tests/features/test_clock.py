"""Python's own zone database is the judge of the shop's clock."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.clock import UTC as FIXED
from features.clock import Offsets, with_wall_clocks
from features.contracts import TransactionsContract
from features.door import at_the_door, set_aside, used_lines
from features.doors import TableContract, customer_rows
from pipelines.zones import utc_offsets

ZONES = ("Asia/Ho_Chi_Minh", "Europe/London", "Australia/Lord_Howe")
LONDON_CHANGES = [begin for begin, _ in utc_offsets("Europe/London")[1:]]


def moments() -> st.SearchStrategy[datetime]:
    """Any moment of seventy years, and often one within an hour of a change of the clocks."""
    anywhere = st.datetimes(datetime(1990, 1, 2), datetime(2059, 12, 30))
    seconds = st.sampled_from([-3600, -1, 0, 1, 3599, 3600])
    near = st.builds(lambda c, s: c + timedelta(seconds=s), st.sampled_from(LONDON_CHANGES), seconds)
    return st.one_of(anywhere, near).map(lambda moment: moment.replace(tzinfo=UTC))


def plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def offset_text(moment: datetime, minutes: int, form: str) -> str:
    """Write a moment with an offset, as logs do."""
    local = moment.astimezone(timezone(timedelta(minutes=minutes)))
    sign, (hours, rest) = "-+"[minutes >= 0], divmod(abs(minutes), 60)
    offset = f"{sign}{hours:02}:{rest:02}" if "colon" in form else f"{sign}{hours:02}{rest:02}"
    return (
        local.replace(tzinfo=None).isoformat(sep="T" if "T" in form else " ") + form[-1].strip("|") + offset
    )


@cache
def clock_sql(kind: str, zone: str) -> str:
    """Compile once a zone and type: a zone with many changes is a long expression."""
    times = ibis.table({"i": "int64", "t": kind}, name="times")
    read = with_wall_clocks(times, {"t": "t"}, utc_offsets(zone)).order_by("i")
    assert read.schema()["t"].timezone is None
    return str(ibis.to_sql(read, dialect="duckdb"))


def clock(con: Any, values: pa.Array, zone: str) -> list[datetime | None]:
    """Read a column as the shop does; in the order of the column."""
    table = con.create_table("times", pa.table({"i": range(len(values)), "t": values}), overwrite=True)
    return [moment for _, moment in con.raw_sql(clock_sql(str(table.t.type()), zone)).fetchall()]


def by_python(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


FORMS = ["Z", " UTC", "Z ", " GMT", "T colon |", "T bare |", "colon |", "colon  ", "bare  ", "T bare  "]


def write(moment: datetime, minutes: int, form: str) -> str:
    return offset_text(moment, minutes, form) if "l" in form or "b" in form else plain(moment) + form


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=8)
@given(
    times=st.lists(
        st.tuples(
            moments(),
            st.sampled_from([-720, -300, -210, 0, 60, 345, 420, 570, 840]),
            st.sampled_from(FORMS),
        ),
        min_size=1,
        max_size=100,
    )
)
def test_text_with_a_zone(con: Any, zone: str, times: list[tuple[datetime, int, str]]) -> None:
    texts = [write(*time) for time in times]
    assert clock(con, pa.array(texts), zone) == [by_python(moment, zone) for moment, _, _ in times]


@pytest.mark.parametrize(
    ("written_in", "zone"), [*[("UTC", zone) for zone in ZONES], ("Asia/Tokyo", "Europe/London")]
)
@settings(max_examples=8)
@given(times=st.lists(moments(), min_size=1, max_size=100))
def test_timestamps_with_a_zone(con: Any, zone: str, written_in: str, times: list[datetime]) -> None:
    column = pa.array(times, pa.timestamp("us", tz=written_in))
    assert clock(con, column, zone) == [by_python(t, zone) for t in times]


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "Europe/London"])
@settings(max_examples=8)
@given(times=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=100))
def test_times_without_a_zone_are_the_shops_already(con: Any, zone: str, times: list[datetime]) -> None:
    assert clock(con, pa.array(times, pa.timestamp("us")), zone) == times
    assert clock(con, pa.array([t.isoformat(sep=" T"[t.second % 2]) for t in times]), zone) == times


@pytest.mark.parametrize("text", ["epoch", "Epoch ", "infinity", "now", "tomorrow"])
def test_words_are_no_dates(con: Any, text: str) -> None:
    assert clock(con, pa.array([text, "2024-01-05"]), "UTC") == [None, datetime(2024, 1, 5)]


@settings(max_examples=8)
@given(days=st.lists(st.dates(date(1900, 1, 1), date(2199, 12, 31)), min_size=1, max_size=60))
def test_dates_are_the_shops_days(con: Any, days: list[date]) -> None:
    midnight = [datetime(d.year, d.month, d.day) for d in days]
    assert clock(con, pa.array(days), "America/New_York") == midnight
    assert clock(con, pa.array([d.isoformat() for d in days]), "America/New_York") == midnight


@pytest.mark.parametrize(
    ("text", "london"),
    [
        ("2024-03-31T00:59:59Z", datetime(2024, 3, 31, 0, 59, 59)),
        ("2024-03-31T01:00:00Z", datetime(2024, 3, 31, 2, 0, 0)),
        ("2024-10-27T00:59:59Z", datetime(2024, 10, 27, 1, 59, 59)),
        ("2024-10-27T01:00:00Z", datetime(2024, 10, 27, 1, 0, 0)),
        ("2024-10-27T01:30:00", datetime(2024, 10, 27, 1, 30, 0)),
        ("2024-07-01 10:00:00 Europe/Berlin", datetime(2024, 7, 1, 9, 0, 0)),
        ("  2024-07-01 10:00:00 +0200 ", datetime(2024, 7, 1, 9, 0, 0)),
    ],
)
def test_both_sides_of_both_changes_in_london(con: Any, text: str, london: datetime) -> None:
    assert clock(con, pa.array([text]), "Europe/London") == [london]


OFFSETS = {
    "+7": 420, "-3": -180, " +7": 420, "  +7": 420, "+7:30": 450, " GMT+7": 420, " UTC+7": 420, "UTC-7": -420,
    " GMT +7": 420, " UTC+07": 420, " GMT+07:00": 420, " UTC+0530": 330, " UTC+05:30": 330, " UTC+5:30": 330,
    " GMT-3:30": -210, " -0330": -210, " Etc/GMT-7": 420, "+07:00:00": 420,
}  # fmt: skip


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "Europe/London"])
@pytest.mark.parametrize("time", ["2024-07-01 10:00:00", "2024-07-01T9:05:30", "2024-01-31 23:59:59.25"])
def test_however_an_offset_is_written_it_counts(con: Any, time: str, zone: str) -> None:
    local = datetime.fromisoformat(time.replace("T9", "T09"))
    moments = [local.replace(tzinfo=timezone(timedelta(minutes=minutes))) for minutes in OFFSETS.values()]
    texts = [time + offset for offset in OFFSETS]
    assert clock(con, pa.array(texts), zone) == [by_python(moment, zone) for moment in moments]


def test_a_zone_that_cannot_be_read_is_never_the_shops(con: Any) -> None:
    """Asked for a time without a zone, DuckDB reads many of these as one."""
    zones = [" 7", " 07:00", " Z+7", " +7 GMT", " GMT+7.5", " GMT+70", " (GMT+7)", "+", " GMT7x", " :30"]
    times = ["2024-07-01 10:00", "2024-07-01 9:5", "2024-07-01T10:00:00.5"]
    texts = [time + zone for time in times for zone in [*zones, " ICT", " +7 giờ", " PM", " p.m."]]
    assert clock(con, pa.array(texts), "Asia/Ho_Chi_Minh") == [None] * len(texts)


@pytest.mark.parametrize("kind", ["string", "timestamp('UTC')", "timestamp", "date"])
def test_a_table_may_lack_times_and_keeps_its_columns(kind: str) -> None:
    table = ibis.table({"i": "int64", "t": kind, "new_is_zoned": "string"}, name="times")
    read = with_wall_clocks(table, {"at": "t", "later": None}, utc_offsets("Europe/London"))
    assert read.columns == ("i", "t", "new_is_zoned", "at", "later")
    assert (read.at.type(), read.later.type()) == (ibis.dtype("timestamp"), ibis.dtype("timestamp"))


def readings(table: ir.Table) -> int:
    """How often text is read as a time."""
    return str(ibis.to_sql(table, dialect="duckdb")).count("TRY_CAST(")


def test_text_is_read_once_in_a_zone_of_many_offsets() -> None:
    """One reading for each of London's 141 offsets takes five times as long or more on Spark."""
    raw = ibis.table({"who": "string", "at": "string", "told": "string"}, name="raw")

    def tables(offsets: Offsets) -> list[ir.Table]:
        orders = {"customer_id": "who", "ordered_at": "at", "recorded_at": "told"}
        people = {"customer_id": "who", "valid_from": "at", "signed_up_at": "told"}
        door = at_the_door(raw, TransactionsContract(orders, offsets=offsets))
        crm = TableContract("customers", people, "crm", offsets)
        return [door, used_lines(door), set_aside(door), customer_rows(raw, crm), crm.set_aside(raw)]

    london = [readings(table) for table in tables(utc_offsets("Europe/London"))]
    assert london == [4] * len(london)  # of each of the two columns with a zone, and without one
    assert [readings(table) for table in tables(FIXED)] == london


def test_what_is_no_date_becomes_null(con: Any) -> None:
    texts = ["", " ", "soon", "2024-13-01", "2024-02-30", "31/12/2024", "10:00", "2024-07-01 10:00 XYZ"]
    texts += ["2024-07-01 10:00 PM"]  # needs a format: read as it stands it would lose half a day
    assert clock(con, pa.array([*texts, None]), "Europe/London") == [None] * (len(texts) + 1)


def test_a_day_begins_at_the_shops_midnight(con: Any) -> None:
    times = pa.array(["2024-02-29T16:59:59Z", "2024-02-29T17:00:00Z", "2024-02-29T23:59:59"])
    raw = con.create_table("orders", pa.table({"who": ["a", "b", "c"], "at": times}), overwrite=True)
    columns = {"customer_id": "who", "ordered_at": "at", "recorded_at": "at"}
    door = at_the_door(raw, TransactionsContract(columns, offsets=utc_offsets("Asia/Ho_Chi_Minh")))
    days = door.order_by("who").to_pyarrow().to_pydict()
    leap_day = (date(2024, 2, 29) - date(1970, 1, 1)).days
    assert days["door_day"] == [leap_day, leap_day + 1, leap_day]
    assert days["door_known_day"] == days["door_day"]
