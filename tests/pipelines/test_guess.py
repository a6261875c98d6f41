"""The guesses about a log's columns: names in two languages, dates in odd forms, money in several shapes."""

from typing import Any

import duckdb
import pandas as pd
import pytest

from features.errors import ContractError
from pipelines.guess import Proposal, propose
from pipelines.guess_dates import formats, read_dates
from pipelines.guess_names import name_score, words

DAYS = pd.date_range("2020-01-03", periods=60, freq="17h")


def log(**columns: Any) -> pd.DataFrame:
    """Make a log of 60 lines, three an order, twelve customers; keywords replace or add columns."""
    base = {
        "customer_id": [f"k{n % 12}" for n in range(60)],
        "order_id": [str(100 + n // 3) for n in range(60)],
        "ordered_at": DAYS,
        "amount": [1.5 + n for n in range(60)],
    }
    return pd.DataFrame({name: values for name, values in (base | columns).items() if values is not None})


def taken(proposal: Proposal) -> dict[str, str]:
    return {guess.column: guess.source_column for guess in proposal.guesses}


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("customer_id", "CustomerID|customer id|CUST_NO|user_id|Mã khách hàng|ma_kh|maKhachHang|MÃ KH|buyer"),
        ("order_id", "InvoiceNo|order_number|Transaction ID|Mã đơn|so_hoa_don|basket_id|Mã đơn hàng"),
        ("ordered_at", "InvoiceDate|order date|purchasedAt|date|Ngày đặt|ngay_mua|thoiGianDat|ts"),
        ("amount", "Amount|total price|sales_value|Thành tiền|tong_tien|Doanh thu (VND)|amount_usd"),
        ("amount", "paid|Paid (USD)|amount_paid|totalPaid|paid_amount|Đã thanh toán|tong_thanh_toan"),
        ("amount", "tien_hang|thanh_tien|so_tien|doanh_thu|gia_tri|tổng giá trị|Doanh số|Khách trả|tien"),
        ("quantity", "Quantity|qty|Số lượng|so_luong|soLuong|SL|order_qty"),
        ("unit_price", "UnitPrice|price|Đơn giá|don_gia|giá bán"),
        ("product_id", "StockCode|SKU|product id|Mã sản phẩm|Sản phẩm|maSP|item_no"),
        ("category", "category|Danh mục|product_category|Nhóm hàng"),
        ("channel", "sales channel|Kênh bán hàng|kenh"),
        ("discount", "discount|Giảm giá|Chiết khấu"),
        ("recorded_at", "recorded_at|loadedAt"),
    ],
)
def test_names_are_known_in_both_languages(column: str, names: str) -> None:
    unknown = [name for name in names.split("|") if name_score(column, name) == 0]
    assert unknown == []


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("customer_id", "customer_country"),
        ("customer_id", "new_customer"),
        ("ordered_at", "ship_date"),
        ("ordered_at", "Ngày sinh"),
        ("amount", "tax_amount"),
        ("amount", "is_paid"),
        ("amount", "shipping paid"),
        ("amount", "hình thức thanh toán"),
        ("unit_price", "đánh giá"),
        ("discount", "discount_pct"),
        ("amount", "顧客"),
    ],
)
def test_names_of_other_things_are_left_alone(column: str, name: str) -> None:
    assert name_score(column, name) == 0


def test_decomposed_accents_and_camel_case_read_the_same() -> None:
    assert words("Ma\u0303 kha\u0301ch ha\u0300ng") == words("maKhachHang") == words("MÃ_KHÁCH_HÀNG")


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y %H:%M", "%m/%d/%Y", "%d-%b-%y", "%Y%m%d", "%b %d, %Y", "%H:%M %d/%m/%Y"]
)
def test_a_written_format_is_found_again(form: str) -> None:
    reading = read_dates(pd.Series(DAYS.strftime(form)))
    assert reading is not None
    assert (reading.format, reading.rival, reading.share) == (form, None, 1.0)


def test_every_format_that_is_tried_is_read_alike_by_the_engine() -> None:
    moment = pd.Timestamp("2011-12-28 14:35:07")
    for form in formats():
        text = moment.strftime(form)
        expected = pd.to_datetime(text, format=form)
        assert duckdb.execute("select strptime(?, ?)", [text, form]).fetchall() == [(expected,)], form


@pytest.mark.parametrize(
    "text", ["2020-02-13", "2020-02-13T08:26:01Z", "2020-2-3 8:05", "2020-02-13 08:26:01.5+07:00"]
)
def test_iso_dates_need_no_format(text: str) -> None:
    reading = read_dates(pd.Series([text]))
    assert reading is not None
    assert reading.format is None


@pytest.mark.parametrize(
    "values", [["12.50", "3"], ["44197"], [1609459200], [1.5], [None], ["soon", "2020-01-01"]]
)
def test_what_is_no_date_is_not_read_as_one(values: list[object]) -> None:
    assert read_dates(pd.Series(values)) is None


def test_day_and_month_are_told_apart_by_the_values_or_doubted() -> None:
    clear = propose(log(ordered_at=DAYS.strftime("%m/%d/%Y")))
    assert clear.formats == {"ordered_at": "%m/%d/%Y"}
    assert clear.notes == ()
    vague = propose(log(ordered_at=["03/04/2020", "05/06/2020"] * 30))
    assert vague.formats == {"ordered_at": "%d/%m/%Y"}
    assert "%m/%d/%Y" in vague.notes[0]


def test_reasons_carry_the_facts() -> None:
    reasons = {g.column: g.reason for g in propose(log(customer_id=[None, "a", "b"] * 20)).guesses}
    assert reasons["customer_id"] == "name looks like a customer, 2 distinct values, 33 % empty"
    assert reasons["ordered_at"].endswith("dates from 2020-01-03 to 2020-02-13")
    assert reasons["amount"].endswith("numbers from 1.5 to 60.5, 0 % negative")


def test_the_only_dates_are_taken_whatever_their_name() -> None:
    proposal = propose(log(ordered_at=None, khi=DAYS))
    assert taken(proposal)["ordered_at"] == "khi"


def test_a_customer_who_repeats_is_preferred_to_a_better_name_that_never_does() -> None:
    sample = log(customer_id=[f"o{n}" for n in range(60)], member_no=[f"k{n % 12}" for n in range(60)])
    assert taken(propose(sample))["customer_id"] == "member_no"


def test_what_was_paid_is_an_amount_and_whether_it_was_paid_is_none() -> None:
    assert taken(propose(log(amount=None, paid=[9.5, 12] * 30)))["amount"] == "paid"
    for flag in ([0, 1] * 30, ["0", "1"] * 30, [True, False] * 30):
        assert "amount" not in taken(propose(log(amount=None, paid=flag)))
        assert taken(propose(log(amount=None, paid=flag, total=[9.5, 12] * 30)))["amount"] == "total"
    assert taken(propose(log(amount=[1] * 60)))["amount"] == "amount"  # one price for all


def test_price_and_quantity_stand_in_for_an_amount() -> None:
    sample = log(amount=None, quantity=[2] * 60, price=[1.25] * 60)
    assert {"quantity", "unit_price"} <= set(taken(propose(sample)))
    alone = propose(log(amount=None, price=[1.25] * 60))
    assert taken(alone)["amount"] == "price"
    assert "no quantity" in alone.notes[0]


def test_an_order_total_on_every_line_is_not_taken_for_a_line_amount() -> None:
    totals = [float(n // 3) for n in range(60)]
    prices = [float(1 + n % 3) for n in range(60)]
    proposal = propose(log(amount=totals, quantity=[1] * 60, unit_price=prices))
    assert "amount" not in taken(proposal)
    assert "same on every line" in proposal.notes[0]
    assert taken(propose(log(amount=totals)))["amount"] == "amount"


def test_an_amount_that_loses_the_sign_of_returns_is_not_taken() -> None:
    quantity = [-1 if n % 10 == 0 else 1 for n in range(60)]
    proposal = propose(log(quantity=quantity, unit_price=[1.5 + n for n in range(60)]))
    assert {"quantity", "unit_price"} <= set(taken(proposal))
    assert "stays positive" in proposal.notes[0]


def test_money_that_is_not_a_plain_number_is_left_out_and_said() -> None:
    proposal = propose(log(amount=["1.234,56"] * 60))
    assert "amount" not in taken(proposal)
    assert "'1.234,56'" in proposal.notes[0]


def test_a_few_odd_values_are_counted_not_a_reason_to_drop_the_column() -> None:
    sample = log(
        ordered_at=["soon", *DAYS.strftime("%Y-%m-%d")[1:]], amount=["1,250"] * 3 + ["9.5", "8", "7"] * 19
    )
    proposal = propose(sample)
    assert {"ordered_at", "amount"} <= set(taken(proposal))
    assert proposal.notes == (
        "'ordered_at': 2 % of the filled values are not such dates",
        "'amount': 5 % of the filled values are not plain numbers, for example '1,250'",
    )


def test_a_log_without_money_or_with_one_price_for_all_is_fine() -> None:
    assert propose(log(amount=None)).notes == (
        "no amounts: purchases and churn can be predicted, money cannot",
    )
    assert propose(log(amount=[5.0] * 60)).notes == ()
    by_order = [float(n // 3) for n in range(60)]
    same = propose(log(amount=by_order, quantity=[1] * 60, unit_price=by_order))
    assert taken(same)["amount"] == "amount"
    assert same.notes == ()


def test_zoned_dates_are_read() -> None:
    assert propose(log(ordered_at=DAYS.tz_localize("Asia/Bangkok"))).formats == {}


@pytest.mark.parametrize(
    ("cancelled", "normal", "prefix"),
    [
        ("C{}", "{}", "C"),
        ("CINV{}", "INV{}", "C"),
        ("CN-{}", "{}", "C"),
        ("C{}", "CA{}", None),
        ("{}", "{}", None),
    ],
)
def test_cancelled_orders_are_known_by_their_letters(cancelled: str, normal: str, prefix: str | None) -> None:
    order = [(cancelled if n % 10 == 0 else normal).format(n) for n in range(60)]
    quantity = [-1 if n % 10 == 0 else 1 for n in range(60)]
    assert propose(log(order_id=order, amount=None, quantity=quantity, price=[2] * 60)).cancellation == prefix


def test_letters_without_negative_lines_are_no_cancellation() -> None:
    assert propose(log(order_id=[f"C{n}" if n % 10 == 0 else f"{n}" for n in range(60)])).cancellation is None


def test_a_bulk_load_date_is_not_the_day_of_knowledge() -> None:
    loaded = propose(log(recorded_at=pd.to_datetime(["2024-01-01"] * 60)))
    assert "recorded_at" not in taken(loaded)
    assert "recorded_at" in loaded.notes[0]
    assert "recorded_at" in taken(propose(log(recorded_at=DAYS + pd.Timedelta("1D"))))


def test_rows_whose_status_says_refund_and_that_are_negative_are_refunds_already() -> None:
    money = [9.0, 5.0, -4.0] * 20
    said = ["done", "cancelled", "refunded"] * 20
    found = propose(log(amount=money, status=said)).left_out
    assert found is not None
    assert (found.values, found.n) == (("cancelled",), 20)
    assert propose(log(amount=money, status=["done", "done", "refunded"] * 20)).left_out is None


def test_a_status_and_a_stand_in_customer_are_pointed_out() -> None:
    status = propose(log(**{"Trạng thái": ["Hoàn thành", "Đã hủy", "Đang chuyển"] * 20}))
    assert "'Đã hủy'" in status.notes[0]
    guest = propose(log(customer_id=["0"] * 20 + [f"k{n}" for n in range(20)] * 2))
    assert "one customer has 33 % of the rows" in guest.notes[0]


@pytest.mark.parametrize(
    ("sample", "words_in_message"),
    [
        (log(customer_id=None), ["no column looks like a customer", "columns: order_id, ordered_at, amount"]),
        (log(ordered_at=[44197] * 60), ["the date of an order", "'ordered_at' sounds like it", "99999"]),
        (log().head(0), ["no rows"]),
        (pd.DataFrame({"17850": [1], "2.55": [2]}), ["first line holds data"]),
    ],
)
def test_what_cannot_be_guessed_says_so(sample: pd.DataFrame, words_in_message: list[str]) -> None:
    with pytest.raises(ContractError) as caught:
        propose(sample, "shop.csv")
    assert str(caught.value).startswith("shop.csv: ")
    assert [text for text in words_in_message if text not in str(caught.value)] == []
    assert caught.value.hint


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    sample = log(quantity=[1] * 60, price=[2.0] * 60, category=["a", "b"] * 30)
    shuffled = sample[sorted(map(str, sample.columns))].sample(frac=1, random_state=3)
    assert taken(propose(shuffled)) == taken(propose(sample))


def test_a_dot_that_may_part_thousands_is_pointed_out() -> None:
    vietnamese = propose(log(amount=[f"{100 + n}.000" for n in range(60)]))
    assert any("1,000 times too small" in note for note in vietnamese.notes)
    plain = propose(log(amount=[f"{100 + n}.00" for n in range(60)]))
    assert not any("1,000 times too small" in note for note in plain.notes)
