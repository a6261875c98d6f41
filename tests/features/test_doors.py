"""The doors of events, contacts and customers: what is typed how, what is set aside, what is refused."""

from datetime import date, datetime, time, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.calendar import day_number
from features.doors import NEEDED, TIMES, TableContract, contact_rows, customer_rows, event_rows
from features.errors import ContractError
from features.event_kinds import EVENT_KINDS, event_kind
from pipelines.zones import utc_offsets

DOORS = {"events": event_rows, "contacts": contact_rows, "customers": customer_rows}
NEW_YEAR = day_number(date(2024, 1, 1))


def typed(con: Any, kind: str, rows: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """What the door makes of a table whose columns carry the standard names."""
    raw = con.create_table("raw", pa.table(rows), overwrite=True)
    columns = {name: name for name in rows if not name.startswith("x_")}
    table = DOORS[kind](raw, TableContract(kind, columns, f"{kind}.csv"), **more)
    return con.to_pyarrow(table).to_pylist()


def column(found: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in found]


def attribute(con: Any, values: list[Any], kind: str) -> list[Any]:
    """What becomes of an attribute's values."""
    rows = {"customer_id": [str(n) for n in range(len(values))], "x_it": values}
    return column(typed(con, "customers", rows, attributes=(("x_it", kind),)), "attr_x_it")


def test_an_event_is_typed(con: Any) -> None:
    event = {
        "customer_id": ["17850"], "occurred_at": ["2024-01-02T08:30:00"], "event_type": ["Giỏ hàng"],
        "channel": [" web "], "session_id": ["s1"], "duration_s": ["1.5"],
    }  # fmt: skip
    assert typed(con, "events", event) == [
        {
            "customer_id": "17850", "occurred_at": datetime(2024, 1, 2, 8, 30), "day": NEW_YEAR + 1,
            "kind": "cart", "channel": "web", "session_id": "s1", "dwell_ms": 1500, "reason": None,
        }
    ]  # fmt: skip


def test_a_day_begins_at_the_shops_midnight(con: Any) -> None:
    times = ["2024-03-31T00:59:59Z", "2024-03-31T23:00:00Z", "2024-03-31 23:00:00"]
    rows = {"customer_id": ["a"] * 3, "sent_at": times}
    raw = con.create_table("raw", pa.table(rows), overwrite=True)
    promised = TableContract("contacts", {n: n for n in rows}, "mail", utc_offsets("Europe/London"))
    days = con.to_pyarrow(contact_rows(raw, promised)).column("day").to_pylist()
    assert [n - day_number(date(2024, 3, 31)) for n in days] == [0, 1, 0]


def test_what_is_not_mapped_is_null(con: Any) -> None:
    new_year = {"customer_id": [7], "occurred_at": [date(2024, 1, 1)], "event_type": ["NULL"]}
    (row,) = typed(con, "events", new_year)
    assert (row["channel"], row["session_id"], row["dwell_ms"], row["kind"]) == (None, None, None, "other")
    (row,) = typed(con, "contacts", {"customer_id": [7], "sent_at": [date(2024, 1, 1)]})
    unsaid = dict.fromkeys(("campaign", "channel", "cost", "reason"))
    assert row == {"customer_id": "7", "day": NEW_YEAR, **unsaid}
    (row,) = typed(con, "customers", {"customer_id": [7]})
    assert {n: v for n, v in row.items() if v is not None} == {"customer_id": "7", "was_referred": 0}


def test_a_column_that_parquet_knows_no_type_of_is_empty(con: Any, tmp_path: Any) -> None:
    """What pandas writes where a column holds nothing at all."""
    names = ("signed_up_at", "acquisition_channel", "acquisition_cost", "referred_by", "tier", "points")
    table = pa.table({"customer_id": ["a"]} | {name: pa.nulls(1) for name in names})
    pq.write_table(table, tmp_path / "crm.parquet")
    promised = TableContract("customers", {n: n for n in table.column_names[:5]}, "crm")
    kinds = (("tier", "category"), ("points", "number"))
    found = customer_rows(con.read_parquet(tmp_path / "crm.parquet"), promised, kinds)
    (row,) = con.to_pyarrow(found).to_pylist()
    assert {n: v for n, v in row.items() if v is not None} == {"customer_id": "a", "was_referred": 0}


@pytest.mark.parametrize("kind", DOORS)
def test_a_row_that_is_set_aside_has_one_reason(con: Any, kind: str) -> None:
    when = TIMES[kind][0]
    rows = {
        "customer_id": ["a", None, "", "a", "a", " "],
        when: ["2024-01-01", "2024-01-01", "2024-01-01", None, "31/12/2023", "soon"],
    }
    rows |= {"event_type": ["view"] * 6} if kind == "events" else {}
    assert column(typed(con, kind, rows), "reason") == [
        None, "no_customer", "no_customer", "no_date", "no_date", "no_customer",
    ]  # fmt: skip


@pytest.mark.parametrize("own", ["reason", "Reason", "note"])
def test_what_is_set_aside_is_kept_as_it_was(con: Any, own: str) -> None:
    rows = {"who": ["a", " ", None], "at": ["2024-01-01", "soon", "soon"], own: ["x", "y", "z"]}
    raw = con.create_table("raw", pa.table(rows), overwrite=True).mutate(
        door_parsed_sent_at=ibis.null("date")
    )
    promised = TableContract("contacts", {"customer_id": "who", "sent_at": "at"}, "mail")
    ours = "reason" if own == "note" else "quarantine_reason"
    assert con.to_pyarrow(promised.set_aside(raw).order_by(own)).to_pylist() == [
        {"who": " ", "at": "soon", own: "y", ours: "no_customer"},
        {"who": None, "at": "soon", own: "z", ours: "no_customer"},
    ]


def test_customers_without_dates_are_used(con: Any) -> None:
    found = typed(con, "customers", {"customer_id": ["a", None], "signed_up_at": ["", "soon"]})
    assert column(found, "reason") == [None, "no_customer"]
    assert column(found, "known_day") == column(found, "signup_day") == [None, None]


def test_ids_are_written_as_the_transactions_write_them(con: Any) -> None:
    def ids(*values: Any) -> list[Any]:
        rows = {"customer_id": pa.array(values), "sent_at": ["2024-01-01"] * len(values)}
        return column(typed(con, "contacts", rows), "customer_id")

    assert ids(17850.0, 17851.5, None) == ["17850", "17851.5", None]
    assert ids(7, 8) == ["7", "8"]
    assert ids("Nguyễn Thị Ánh ", "0042", "NULL", "") == ["Nguyễn Thị Ánh", "0042", "NULL", None]


@pytest.mark.parametrize("nothing", ["", " ", "NULL", "null", "N/A", "n/a", "None", "NaN", "-", None])
def test_words_for_nothing_are_nothing(con: Any, nothing: str | None) -> None:
    event = {"customer_id": ["a"], "occurred_at": ["2024-01-01"], "event_type": ["view"]}
    empty = {name: pa.array([nothing], pa.string()) for name in ("channel", "session_id", "duration_s")}
    (row,) = typed(con, "events", event | empty)
    assert (row["channel"], row["session_id"], row["dwell_ms"]) == (None, None, None)
    names = ("acquisition_channel", "acquisition_cost", "referred_by", "x_tier", "x_points")
    person = {"customer_id": ["a"]} | {name: pa.array([nothing], pa.string()) for name in names}
    kinds = (("x_tier", "category"), ("x_points", "number"))
    (row,) = typed(con, "customers", person, attributes=kinds)
    assert {n: v for n, v in row.items() if v is not None} == {"customer_id": "a", "was_referred": 0}


def test_attributes_are_numbers_or_text_whatever_their_type(con: Any) -> None:
    assert attribute(con, [True, False, None], "number") == [1, 0, None]
    assert attribute(con, ["True", "FALSE", " 2.5e1 ", "many"], "number") == [1, 0, 25, None]
    assert attribute(con, [float("nan"), float("inf"), 3.0], "number") == [None, None, 3]
    assert attribute(con, [1.0, 2.5, None], "category") == ["1", "2.5", None]
    assert attribute(con, [date(2024, 1, 1), None], "category") == ["2024-01-01", None]
    assert attribute(con, [" Vàng ", "vàng"], "category") == ["Vàng", "vàng"]


@pytest.mark.parametrize(
    "name", ["cutoff", "known_day", "T", "customer_id", "reason", "signup_day", 'Hạng "thẻ" {0}']
)
def test_an_attribute_may_be_called_like_a_column_of_ours(con: Any, name: str) -> None:
    raw = con.create_table("raw", pa.table({"client": ["a"], name: ["gold"]}), overwrite=True)
    promised = TableContract("customers", {"customer_id": "client"}, "crm")
    (row,) = con.to_pyarrow(customer_rows(raw, promised, ((name, "category"),))).to_pylist()
    assert (row["customer_id"], row["known_day"], row["reason"]) == ("a", None, None)
    assert row[f"attr_{name}"] == "gold"


def test_columns_that_differ_in_case_are_two(con: Any, tmp_path: Any) -> None:
    """The engine names the second one anew; what is asked for by another name is refused with the closest."""
    (tmp_path / "crm.csv").write_text("ID,Tier,tier\na,gold,old\n", encoding="utf-8")
    raw = con.read_csv(tmp_path / "crm.csv", all_varchar=True, header=True)
    promised = TableContract("customers", {"customer_id": "ID"}, "crm.csv")
    both = customer_rows(raw, promised, (("Tier", "category"), ("tier_1", "category")))
    (row,) = con.to_pyarrow(both).to_pylist()
    assert (row["attr_Tier"], row["attr_tier_1"]) == ("gold", "old")
    said = r"^crm.csv: column 'id' .* missing among 3 columns.*known: ID, Tier, tier_1"
    with pytest.raises(ContractError, match=said):
        customer_rows(raw, TableContract("customers", {"customer_id": "id"}, "crm.csv"))


def test_money_and_times_are_whole_numbers(con: Any) -> None:
    rows = {"customer_id": ["a"] * 4, "sent_at": ["2024-01-01"] * 4, "cost": ["0.15", "1e12", "free", "-2"]}
    assert column(typed(con, "contacts", rows), "cost") == [1500, None, None, -20_000]


@pytest.mark.parametrize("kind", DOORS)
def test_an_unknown_standard_column(con: Any, kind: str) -> None:
    rows, needed = {name: ["2024-01-01"] for name in NEEDED[kind]}, NEEDED[kind][-1]
    said = rf"^{kind}.csv: '{needed}s' is not an? {kind[:-1]} column; .*did you mean '{needed}'"
    with pytest.raises(ContractError, match=said):
        typed(con, kind, rows | {f"{needed}s": ["2024-01-01"]})
    said = rf"^{kind}.csv: no source column is mapped to '{needed}'.*tables.{kind}"
    with pytest.raises(ContractError, match=said):
        typed(con, kind, {"x_it": ["a"]} | {name: rows[name] for name in rows if name != needed})


@pytest.mark.parametrize(
    ("kind", "standard"), [(kind, name) for kind, all_ in TIMES.items() for name in all_]
)
@pytest.mark.parametrize("value", [20240131, 1.7e9, True, time(8, 30)])
def test_a_time_that_is_none(con: Any, kind: str, standard: str, value: Any) -> None:
    rows = {"customer_id": ["a"], standard: [value]} | ({"event_type": ["view"]} if kind == "events" else {})
    said = rf"^{kind}.csv: column '{standard}' \(for {standard}\) holds .*, not times; hint: "
    with pytest.raises(ContractError, match=said):
        typed(con, kind, rows)


@pytest.mark.parametrize("value", [time(0, 1, 30), date(2024, 1, 1), timedelta(seconds=9), True])
def test_a_number_that_is_none(con: Any, value: Any) -> None:
    event = {"customer_id": ["a"], "occurred_at": ["2024-01-01"], "event_type": ["view"]}
    with pytest.raises(ContractError, match=r"^events.csv: column 'duration_s' .* holds .*, not numbers"):
        typed(con, "events", event | {"duration_s": [value]})


def test_the_arm_of_an_experiment_does_not_pass_the_door(con: Any) -> None:
    rows = {"customer_id": ["a", "b"], "sent_at": ["2024-01-01"] * 2, "campaign_id": ["spring"] * 2}
    raw = con.create_table(
        "raw", pa.table(rows | {"group_of_test": ["treatment", "control"]}), overwrite=True
    )
    columns = {name: name for name in rows} | {"arm": "group_of_test"}
    table = contact_rows(raw, TableContract("contacts", columns, "contacts.csv"))
    assert "group_of_test" not in str(ibis.to_sql(table, dialect="duckdb"))
    assert table.columns == ("customer_id", "day", "campaign", "channel", "cost", "reason")


def test_a_contract_says_what_its_table_brings() -> None:
    mail = TableContract("contacts", {"customer_id": "a", "sent_at": "b", "cost": "c"}, "mail")
    assert mail.has() == {"contacts", "contacts.customer_id", "contacts.sent_at", "contacts.cost"}


KINDS = {
    "page": "product_view home Catalog page-view ViewItem xem_sản_phẩm Trang_chủ review_page landing",
    "search": "search SearchResults filter_results tìm_kiếm tim-kiem",
    "cart": "add_to_cart AddToCart cart view_basket giỏ_hàng GIỎ_HÀNG gio_hang thêm_vào_giỏ gio-hang",
    "checkout": "begin_checkout check-out shipping_details payment_details thanh_toán ThanhToan",
    "tracking": "order_tracking track_order orderStatus delivery-status theo_dõi_đơn_hàng tra_cứu vận_đơn",
    "support": "support_chat live-chat ticket_created complaint hỗ_trợ khiếu_nại tư_vấn help_center",
    "order": "purchase order_placed transaction đặt_hàng mua_hàng",
    "other": "login wishlist_add remove_from_cart payment_error checkout_bug payment_failed xóa_khỏi_giỏ "
    "hủy_đơn huỷ xoá write_review cartoon basketball khuyến_mãi track",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_shops_call_their_events(con: Any, kind: str) -> None:
    words = KINDS[kind].split(" ")
    apart = [word.replace("_", " ") for word in words]
    raw = con.create_table("words", pa.table({"word": [*words, *apart]}), overwrite=True)
    found = con.to_pyarrow(raw.select("word", kind=event_kind(raw.word))).to_pylist()
    assert {row["word"]: row["kind"] for row in found} == {row["word"]: kind for row in found}
    assert kind in EVENT_KINDS
