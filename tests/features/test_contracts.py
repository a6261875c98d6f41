"""Every row is used or set aside with a reason, and what is set aside is as it was."""

import math
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts import Cancellation, LeaveOut, TransactionsContract, check_columns
from features.door import at_the_door, count_rows, set_aside, used_lines
from features.errors import ContractError
from features.spellings import unicode_forms
from tests.features.tables import tuples

DAY = datetime(2024, 3, 1, 9, 30)
LOG = {"customer_id": "client", "ordered_at": "day", "amount": "paid"}


def keep(con: Any, columns: dict[str, Any], name: str = "raw") -> Any:
    return con.create_table(name, pa.table(columns), overwrite=True)


def enter(con: Any, columns: dict[str, Any], mapping: dict[str, str], **policy: Any) -> Any:
    return at_the_door(keep(con, columns), TransactionsContract(mapping, **policy))


def reasons(door: Any) -> dict[str | None, int]:
    counts = count_rows(used_lines(door), set_aside(door)).to_pyarrow().to_pydict()
    assert counts["reason"][0] is None
    return {r: n for r, n in zip(counts["reason"], counts["n"], strict=True) if n}


def column(door: Any, name: str) -> list[Any]:
    return list(door.to_pyarrow()[name].to_pylist())


def test_ids_that_name_nobody(con: Any) -> None:
    ids = ["a", None, "", "   ", "\u00a0b", " c "]
    door = enter(con, {"client": ids, "day": [DAY] * 6, "paid": [1.0] * 6}, LOG)
    assert reasons(door) == {None: 3, "no_customer": 3}
    assert column(door, "door_customer_id") == ["a", None, None, None, "\u00a0b", "c"]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_float_ids(con: Any, kind: pa.DataType) -> None:
    ids = pa.array([17850.0, 0.0, -3.0, 1.5, math.nan, math.inf, -math.inf, None], kind)
    door = enter(con, {"client": ids, "day": [DAY] * 8, "paid": [1.0] * 8}, LOG)
    assert column(door, "door_customer_id") == ["17850", "0", "-3", "1.5", None, None, None, None]
    assert reasons(door) == {None: 4, "no_customer": 4}


def test_a_float_id_too_big_for_a_whole_number_stays_itself(con: Any) -> None:
    door = enter(con, {"client": [2.0**53, 1e300], "day": [DAY] * 2, "paid": [1.0] * 2}, LOG)
    whole, big = column(door, "door_customer_id")
    assert whole == "9007199254740992"
    assert float(big) == 1e300


def test_ids_of_other_types(con: Any) -> None:
    columns = {
        "client": pa.array([17850, 2**62], pa.int64()),
        "day": [DAY] * 2,
        "paid": [1.0] * 2,
        "no": pa.array([536365.0, None]),
        "sku": [" 85123A", ""],
    }
    door = enter(con, columns, LOG | {"order_id": "no", "product_id": "sku"})
    assert column(door, "door_customer_id") == ["17850", str(2**62)]
    assert column(door, "door_order_id")[0] == "536365"
    assert column(door, "door_order_id")[1].startswith("2024-03-01 09:30:00")
    assert column(door, "door_product_id") == ["85123A", None]


def test_dates_that_are_none(con: Any) -> None:
    days = ["2024-03-01", "2024-03-01T09:30:00", "soon", "", "2024-02-30", None]
    door = enter(con, {"client": ["a"] * 6, "day": days, "paid": [1.0] * 6}, LOG)
    assert reasons(door) == {None: 2, "no_date": 4}
    assert column(door, "door_day")[:2] == [(date(2024, 3, 1) - date(1970, 1, 1)).days] * 2


BAD_TEXT = ["", "five", "1,234.50", "£3", "nan", "inf", "-inf", "1e11", "1e999", None]


def test_amounts_that_are_none_as_text(con: Any) -> None:
    paid = [*BAD_TEXT, "3.5", "-2", "1e3"]
    door = enter(con, {"client": ["a"] * len(paid), "day": [DAY] * len(paid), "paid": paid}, LOG)
    assert reasons(door) == {None: 3, "no_amount": len(BAD_TEXT)}
    assert column(door, "door_amount") == [None] * len(BAD_TEXT) + [35_000, -20_000, 10_000_000]


def test_amounts_that_are_none_as_numbers(con: Any) -> None:
    bad = [math.nan, math.inf, -math.inf, 1.1e10, -1.1e10, 1e300, None]
    paid = [*bad, 1e10, -1e10, 0.0]
    door = enter(con, {"client": ["a"] * len(paid), "day": [DAY] * len(paid), "paid": paid}, LOG)
    assert reasons(door) == {None: 3, "no_amount": len(bad)}
    assert column(door, "door_amount") == [None] * len(bad) + [10**14, -(10**14), 0]


def test_amounts_from_quantity_and_price(con: Any) -> None:
    pairs = [
        (2, 1.25),
        (-3, 0.1),
        (0, 5.0),
        (-2, -4.0),
        (None, 1.0),
        (1, math.nan),
        (10**6, 1e300),
        (1, None),
    ]
    columns = {
        "client": ["a"] * len(pairs),
        "day": [DAY] * len(pairs),
        "n": [n for n, _ in pairs],
        "each": [each for _, each in pairs],
    }
    mapping = {"customer_id": "client", "ordered_at": "day", "quantity": "n", "unit_price": "each"}
    door = enter(con, columns, mapping)
    assert column(door, "door_amount") == [25_000, -3_000, 0, 80_000, None, None, None, None]
    assert column(door, "door_is_refund") == [False, True, False, False, False, False, False, False]
    assert reasons(door) == {None: 4, "no_amount": 4}


def test_money_is_rounded_to_its_unit_the_same_way_on_both_sides_of_zero(con: Any) -> None:
    paid = [0.00004, 0.00006, -0.00004, -0.00006, 0.1 + 0.2, 1.005]
    door = enter(con, {"client": ["a"] * 6, "day": [DAY] * 6, "paid": paid}, LOG)
    assert column(door, "door_amount") == [0, 1, 0, -1, 3_000, 10_050]


def test_an_earlier_reason_wins(con: Any) -> None:
    door = enter(con, {"client": [None, "a"], "day": ["x", "x"], "paid": ["x", "x"]}, LOG)
    assert column(door, "door_reason") == ["no_customer", "no_date"]


def test_the_prefix_makes_a_positive_amount_a_refund(con: Any) -> None:
    numbers = ["C1", " C2", "c3", "1C", None, "C4"]
    columns = {"client": ["a"] * 6, "day": [DAY] * 6, "paid": [5.0, 5.0, 5.0, 5.0, 5.0, -5.0], "no": numbers}
    marker = Cancellation("order_id", "C")
    door = enter(con, columns, LOG | {"order_id": "no"}, cancellation=marker)
    assert column(door, "door_amount") == [-50_000, -50_000, 50_000, 50_000, 50_000, -50_000]
    assert column(door, "door_is_refund") == [True, True, False, False, False, True]
    counts = count_rows(used_lines(door), set_aside(door)).to_pyarrow().to_pylist()
    assert counts == [{"reason": None, "n": 6, "n_refunds": 3}]


def test_any_column_can_mark_a_cancellation(con: Any) -> None:
    columns = {"client": ["a", "a"], "day": [DAY] * 2, "paid": [5.0, 5.0], "how": ["return: web", "web"]}
    contract = {"cancellation": Cancellation("channel", "return")}
    door = enter(con, columns, LOG | {"channel": "how"}, **contract)
    assert column(door, "door_amount") == [-50_000, 50_000]
    mapping = LOG | {"channel": "how"}
    assert TransactionsContract(mapping, **contract).cancellation_prefix is None
    marker = Cancellation("order_id", "C")
    assert TransactionsContract(LOG | {"order_id": "no"}, cancellation=marker).cancellation_prefix == "C"


def test_rows_that_say_so_are_left_out(con: Any) -> None:
    said = ["Đã hủy", " ĐÃ HỦY ", "hoàn thành", None, "refunded", "not refunded"]
    columns = {"client": ["a"] * 6, "day": [DAY] * 6, "paid": [5.0, None, 5.0, 5.0, 5.0, 5.0], "status": said}
    door = enter(con, columns, LOG, leave_out=LeaveOut("status", ("đã hủy", "Refunded")))
    assert column(door, "door_reason") == ["left_out", "left_out", None, None, "left_out", None]
    assert set_aside(door).to_pyarrow()["status"].to_pylist() == ["Đã hủy", " ĐÃ HỦY ", "refunded"]


@pytest.mark.parametrize("config", ["NFC", "NFD"])
def test_a_word_is_left_out_however_unicode_writes_it(config: Any, con: Any) -> None:
    said = ["Đã HỦY", *unicode_forms("Đã hủy"), *unicode_forms("Trả một phần"), "Đa huy", "Đã giao"]
    n = len(said)
    columns = {"client": ["a"] * n, "day": [DAY] * n, "paid": [5.0] * n, "status": said}
    values = tuple(unicodedata.normalize(config, word) for word in ("đã hủy", "trả một phần"))
    door = enter(con, columns, LOG, leave_out=LeaveOut("status", values))
    assert column(door, "door_reason") == ["left_out"] * (n - 2) + [None, None]
    assert set_aside(door).to_pyarrow()["status"].to_pylist() == said[:-2]  # as they were


def test_leaving_out_by_a_column_that_is_not_there_says_everything(con: Any) -> None:
    with pytest.raises(ContractError, match=r"'statsu'.*is missing among 4 columns.*did you mean 'status'"):
        enter(
            con,
            {"client": ["a"], "day": [DAY], "paid": [5.0], "status": ["x"]},
            LOG,
            leave_out=LeaveOut("statsu", ("x",)),
        )


def test_refunds_can_be_dropped(con: Any) -> None:
    columns = {
        "client": ["a"] * 4,
        "day": [DAY] * 4,
        "paid": [5.0, -5.0, 3.0, None],
        "no": ["1", "2", "C3", "C4"],
    }
    mapping, marker = LOG | {"order_id": "no"}, Cancellation("order_id", "C")
    dropped = enter(con, columns, mapping, cancellation=marker, refunds="drop")
    assert reasons(dropped) == {None: 1, "refund_dropped": 2, "no_amount": 1}
    assert tuples(used_lines(dropped), "order_id", "amount") == [("1", 50_000)]
    netted = enter(con, columns, mapping, cancellation=marker, refunds="net")
    assert reasons(netted) == {None: 3, "no_amount": 1}


def test_a_log_without_amounts_counts_lines(con: Any) -> None:
    contract = TransactionsContract({"customer_id": "client", "ordered_at": "day"})
    door = at_the_door(keep(con, {"client": ["a", "b"], "day": [DAY] * 2}), contract)
    assert not contract.has_amounts
    assert column(door, "door_amount") == [10_000, 10_000]


@pytest.mark.parametrize("as_text", [False, True])
def test_a_log_with_quantities_alone_counts_lines_and_returned_lines(con: Any, as_text: bool) -> None:
    bad: list[float | None] = [None, math.nan, math.inf, -math.inf]
    values = pa.array([12.0, 1.0, 0.0, -4.0, *bad])
    mapping = {"customer_id": "client", "ordered_at": "day", "quantity": "n"}
    contract = TransactionsContract(mapping)
    quantities = values.cast(pa.string()) if as_text else values
    door = at_the_door(keep(con, {"client": ["a"] * 8, "day": [DAY] * 8, "n": quantities}), contract)
    assert not contract.has_amounts
    assert column(door, "door_amount") == [10_000, 10_000, 0, -10_000] + [None] * 4
    assert column(door, "door_is_refund")[3] is True
    assert reasons(door) == {None: 4, "no_amount": 4}


def test_an_amount_is_enough_and_half_of_one_is_not() -> None:
    needed = {"customer_id": "a", "ordered_at": "b"}
    assert TransactionsContract(needed | {"amount": "c"}).has_amounts
    assert TransactionsContract(needed | {"quantity": "c", "unit_price": "d"}).has_amounts
    assert not TransactionsContract(needed | {"unit_price": "d"}).has_amounts


def test_known_from_the_day_of_the_record_and_never_before_the_order(con: Any) -> None:
    recorded = ["2024-03-04", "2024-02-01", None, "2024-03-01T23:59:59"]
    columns = {"client": ["a"] * 4, "day": [DAY] * 4, "paid": [1.0] * 4, "booked": recorded}
    door = enter(con, columns, LOG | {"recorded_at": "booked"})
    day = (date(2024, 3, 1) - date(1970, 1, 1)).days
    assert column(door, "door_day") == [day] * 4
    assert column(door, "door_known_day") == [day + 3, day, day, day]


def typed_log() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "client": pd.array([17850, 13047, None, 17850, 12583], dtype="Int64"),
            "no": ["536365", "536367", "536368", "C536365", "536370"],
            "day": pd.to_datetime(
                ["2010-12-01 08:26:00", "2010-12-01 08:34:00", None, "2010-12-03 09:00:00", "2010-12-05"],
                format="ISO8601",
            ),
            "n": [6, -1, 2, -6, 24],
            "each": [2.55, 3.39, 4.25, 2.55, math.nan],
            "sku": ["85123A", "71053", None, "85123A", "POST"],
        }
    )


def test_text_columns_give_the_same_as_typed_ones(con: Any, tmp_path: Path) -> None:
    frame, path = typed_log(), tmp_path / "log.csv"
    frame.to_csv(path, index=False)
    text = con.read_csv([str(path)], all_varchar=True, header=True)
    assert {str(kind) for kind in text.schema().types} == {"string"}
    contract = TransactionsContract(
        {
            "customer_id": "client",
            "order_id": "no",
            "ordered_at": "day",
            "quantity": "n",
            "unit_price": "each",
            "product_id": "sku",
        },
        cancellation=Cancellation("order_id", "C"),
    )
    doors = [
        at_the_door(table, contract) for table in (con.create_table("typed", frame, overwrite=True), text)
    ]
    assert tuples(used_lines(doors[0])) == tuples(used_lines(doors[1]))
    assert reasons(doors[0]) == reasons(doors[1]) == {None: 3, "no_customer": 1, "no_amount": 1}


STRANGE = {
    "customer_id": 'khách "hàng"',
    "ordered_at": "ngày giờ",
    "amount": "it's 100% = $",
    "order_id": "select",
    "product_id": "a.b; drop table raw --",
}


def test_column_names_of_every_kind(con: Any) -> None:
    columns = {
        STRANGE["customer_id"]: ["Ánh", None],
        STRANGE["ordered_at"]: [DAY, DAY],
        STRANGE["amount"]: [1.5, 2.5],
        STRANGE["order_id"]: ["1", "2"],
        STRANGE["product_id"]: ["p", "q"],
    }
    door = enter(con, columns, STRANGE)
    assert tuples(used_lines(door), "customer_id", "order_id", "product_id", "amount") == [
        ("Ánh", "1", "p", 15_000)
    ]
    assert set_aside(door).to_pyarrow().to_pylist() == [
        {name: values[1] for name, values in columns.items()} | {"reason": "no_customer"}
    ]


def test_the_line_grain_has_its_columns(con: Any) -> None:
    lines = used_lines(enter(con, {"client": ["a"], "day": [DAY], "paid": [1.0]}, LOG))
    assert {name: str(kind) for name, kind in lines.schema().items()} == {
        "customer_id": "string",
        "order_id": "string",
        "product_id": "string",
        "category": "string",
        "channel": "string",
        "ordered_at": "timestamp",
        "day": "int64",
        "known_day": "int64",
        "amount": "int64",
        "quantity": "int64",
        "discount": "int64",
        "is_refund": "boolean",
    }


@pytest.mark.parametrize("name", ["reason", "Reason"])
def test_a_log_keeps_a_reason_of_its_own(con: Any, name: str) -> None:
    columns = {"client": ["a", None], "day": [DAY] * 2, "paid": [1.0] * 2, name: ["gift", "torn"]}
    columns["door_colour"] = ["red", "blue"]
    door = enter(con, columns, LOG)
    assert tuples(used_lines(door), "customer_id") == [("a",)]
    left = set_aside(door).to_pyarrow().to_pylist()
    assert left == [
        {"client": None, "day": DAY, "paid": 1.0, name: "torn", "door_colour": "blue"}
        | {"quarantine_reason": "no_customer"}
    ]


def test_columns_parsed_for_the_door_are_not_set_aside(con: Any) -> None:
    columns = {"client": ["a"], "day": ["1/3/24"], "paid": [None], "door_parsed_ordered_at": [DAY]}
    mapping = LOG | {"ordered_at": "door_parsed_ordered_at"}
    columns["paid"] = pa.array([None], pa.float64())
    left = set_aside(enter(con, columns, mapping)).to_pyarrow().to_pylist()
    assert left == [{"client": "a", "day": "1/3/24", "paid": None, "reason": "no_amount"}]


OPTIONAL = {"product_id", "category", "channel", "quantity", "discount"}
CLIENTS = {"a": True, " b ": True, "0": True, "": False, "  ": False, None: False}
DAYS = {"2024-01-31": True, "2024-01-31 23:59:59": True, "2024-01-31T10:00Z": True} | dict.fromkeys(
    ["31.01.2024", "never", "", None], False
)
PAID = {"1": True, "-2.5": True, "0": True, "9999999999.99": True} | dict.fromkeys(
    ["10000000001", "NaN", "Infinity", "1.2.3", "", None], False
)


@given(
    log=st.lists(
        st.tuples(st.sampled_from([*CLIENTS]), st.sampled_from([*DAYS]), st.sampled_from([*PAID])),
        min_size=1,
        max_size=30,
    ),
    refunds=st.sampled_from(["net", "drop"]),
)
def test_rows_in_are_rows_used_and_rows_set_aside(
    con: Any, log: list[tuple[str | None, str | None, str | None]], refunds: str
) -> None:
    def expected(client: str | None, day: str | None, paid: str | None) -> str | None:
        if not CLIENTS[client]:
            return "no_customer"
        if not DAYS[day]:
            return "no_date"
        if not PAID[paid]:
            return "no_amount"
        return "refund_dropped" if refunds == "drop" and str(paid).startswith("-") else None

    text = [pa.array([row[i] for row in log], pa.string()) for i in range(3)]
    raw = {"i": list(range(len(log))), "client": text[0], "day": text[1], "paid": text[2]}
    door = enter(con, raw, LOG, refunds=refunds)
    wanted = [(i, *row, expected(*row)) for i, row in enumerate(log)]
    aside = tuples(set_aside(door), "i", "client", "day", "paid", "reason")
    assert sorted(aside) == [row for row in wanted if row[-1] is not None]
    used = used_lines(door).to_pyarrow()
    assert used.num_rows == sum(row[-1] is None for row in wanted)
    assert all(used[c].null_count == 0 for c in used.column_names if c not in OPTIONAL)
    assert sum(reasons(door).values()) == len(log)


def test_the_raw_log_is_not_changed(con: Any) -> None:
    raw = keep(con, {"client": ["a", None], "day": [DAY, DAY], "paid": [1.0, 2.0]})
    before = raw.to_pandas()
    used_lines(at_the_door(raw, TransactionsContract(LOG))).to_pandas()
    pd.testing.assert_frame_equal(raw.to_pandas(), before)


def test_a_missing_column_says_everything(con: Any) -> None:
    raw = keep(con, {"client": ["a"], "day": [DAY], "total paid": [1.0]})
    mapping = LOG | {"amount": "total_paid"}
    with pytest.raises(ContractError) as caught:
        at_the_door(raw, TransactionsContract(mapping, name="orders.parquet"))
    assert str(caught.value) == (
        "orders.parquet: column 'total_paid' (for amount) is missing among 3 columns; "
        "hint: did you mean 'total paid'? known: client, day, total paid"
    )
    assert isinstance(caught.value, ValueError)


def test_a_missing_column_like_no_other_lists_those_there_are(con: Any) -> None:
    raw = keep(con, {"client": ["a"], "day": [DAY], "paid": [1.0]})
    with pytest.raises(ContractError, match=r"hint: known: client, day, paid$"):
        check_columns(raw, TransactionsContract(LOG | {"channel": "zzz"}, name="orders.parquet"))


def test_columns_that_were_put_beside_are_not_among_those_there_are(con: Any) -> None:
    raw = keep(
        con, {"door_parsed_file": ["x"], "client": ["a"], "day": [DAY], "door_parsed_ordered_at": [DAY]}
    )
    with pytest.raises(ContractError, match=r"missing among 2 columns; hint: known: client, day$"):
        check_columns(raw, TransactionsContract(LOG, name="orders.parquet"))


def test_an_unknown_standard_column_says_everything() -> None:
    with pytest.raises(ContractError) as caught:
        TransactionsContract(LOG | {"quantty": "n"}, name="orders.csv")
    assert str(caught.value).startswith(
        "orders.csv: 'quantty' is not a transaction column; hint: did you mean 'quantity'? known: customer_id"
    )


@pytest.mark.parametrize("needed", ["customer_id", "ordered_at"])
def test_a_needed_column_that_is_not_mapped_says_everything(needed: str) -> None:
    mapping = {standard: source for standard, source in LOG.items() if standard != needed}
    with pytest.raises(ContractError) as caught:
        TransactionsContract(mapping, name="orders.csv")
    assert str(caught.value) == (
        f"orders.csv: no source column is mapped to {needed!r}; "
        f'hint: add {needed} = "<your column>" to [tables.transactions] columns'
    )


def test_a_cancellation_by_a_column_that_is_not_mapped_says_everything() -> None:
    with pytest.raises(ContractError) as caught:
        TransactionsContract(LOG, name="orders.csv", cancellation=Cancellation("status", "C"))
    assert str(caught.value) == (
        "orders.csv: [policy] cancellation names 'status', and no such column is mapped: it speaks of a "
        "standard column, as in order_id; hint: if 'status' is a status in your log, [policy] leave_out = { "
        'column = "status", values = ["cancelled"] } leaves out the rows that say so'
    )


@pytest.mark.parametrize("standard", ["ordered_at", "recorded_at"])
def test_numbers_are_no_times(con: Any, standard: str) -> None:
    raw = keep(con, {"client": ["a"], "day": [DAY], "paid": [1.0], "ymd": [20240131]})
    with pytest.raises(
        ContractError, match=rf"^orders: column 'ymd' \(for {standard}\) holds int64, not times"
    ):
        at_the_door(raw, TransactionsContract(LOG | {standard: "ymd"}, name="orders"))


def test_a_column_that_is_empty_everywhere_is_no_mistake(con: Any) -> None:
    columns = {"client": ["a"], "day": pa.nulls(1, pa.string()), "paid": pa.nulls(1, pa.string())}
    assert reasons(enter(con, columns, LOG)) == {"no_date": 1}
