"""Texts that people and programs write for dates, numbers, ids, events; and what the door makes of them."""

from itertools import cycle, islice
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.contracts import Cancellation, LeaveOut, TransactionsContract
from features.door import MAX_AMOUNT, at_the_door, number
from features.event_kinds import event_kind
from pipelines.engine import Engine
from pipelines.zones import utc_offsets
from tests.engines.both import fetched

DATES = [
    "2024-01-02", "2024-1-2", "2024/01/02", "2024\\01\\02", "2024 01 02", "2024-01/02", "2024-01",
    "2024", "20240102", "2024-02-30", "2024-00-10", "2024-001", "01/02/2024", "2 Jan 2024",
    "2024.01.02", "1704189906", "1500-02-29", "2024-01-02 10:05", "2024-01-02 1:5",
    "2024-01-02 10:05:06", "2024-01-02T10:05:06", "2024-01-02  10:05:06", "2024-01-02 10:05:06.5",
    "2024-01-02 10:05:06.1234567", "2024-12-31 23:59:59.999999", "2024-01-02 10:05:06.",
    "2024-01-02 10", "2024-01-02T10", "2024-01-02T1005", "2024-01-02 25:00", "2024-01-02 10:60",
    "2024-01-02 10.05", "12:30", "T12:30", "10:05:06", "now", "today", "2024-01-02T", "2024-01-02 abc",
    "+2024-01-02", "2024-01-02Z", "2024-01-02 10:05:06 AM", "2024-01-02 10:05:06 PM", " 2024-01-02 ",
    "\t2024-01-02\n", "", " ", "1582-10-10", "0001-01-01", "2024-01-02 10:05:06+07:00",
    "2024-01-02 10:05:06+07", "2024-01-02 10:05:06+0700", "2024-01-02 10:05:06-03:30",
    "2024-01-02T20:05:06Z", "2024-01-02T10:05:06z", "2024-01-02 10:05:06 UTC", "2024-01-02 10:05:06UTC",
    "2024-01-02 10:05:06 +07:00", "2024-01-02 10:05:06  -0330", "2024-01-02 10:05Z",
    "2024-01-02 10:05+07", "2024-01-02 10:05:06 Z", "2024-01-02 10:05:06+7",
    "2024-01-02 10:05:06 Europe/London", "2024-07-02 10:05:06 Europe/London",
    "2024-01-02 10:05:06 Asia/Ho_Chi_Minh", "2024-01-02 10:05:06 Nowhere/Here",
    "2024-01-02 23:30:00-07:00", "2024-01-02 10:05:06 ICT", "2024-01-02 10Z",
    "2024-01-02 10:05:06.5+07:00", "2024-01-02 10:05:06 GMT+7", "2024-01-02 10:05:06 UTC+5:30",
    "2024-01-02 10:05:06 +7", "2024-01-02 10:05:06-3", "2024-01-02 10:05:06 7", "2024-01-02 9:5 +07",
    "2024-01-02 9:05 GMT-3:30", "2024-01-02 10:05:06 Etc/GMT+5", "2024-01-02 10:05:06 Z+7",
    "2024-01-02 10:05:06 +7 GMT",
]  # fmt: skip
NUMBERS = [
    "1", "1.5", " 1.5 ", "\t5\n", ".5", "5.", "+5", "-5", "1.5e3", "1E3", "1,5", "1,500", "1d", "1f",
    "1D", "0x10", "0x1p3", "1.5L", "--5", "1 2", "$5", "5%", "1e", "١", "", " ", "inf", "-Infinity",
    "nan", "1e400", "1e-400", "10000000001", "2.675", "0.00005", "0.00015", "-0.00005", "123456.78905",
    "0.1", "0.30000000000000004",
]  # fmt: skip
IDS = [
    "a", "v1f", "f", "v", " b ", "\tc\n", "\x0bx\x0c", "é", "e\u0301", "Đặng Văn", "đặng văn", "ĐẶNG",
    "Z", "z", "ß", "İ", "", " ", "17850.0", "nan", "'q\"", "\\back\\", "$1", "\\1", "%", "_", "a`b",
    "\u00a0n", "日本", "😀", "C12", "c12",
]  # fmt: skip
FLOAT_IDS = [17850.0, 1.5, None, float("nan"), float("inf"), -3.0, 1e18, 12345678.0, 0.0]
EVENTS = [
    "Add_To_Cart", "order_tracking", "THEO DÕI đơn", "theo doi", "Vận Đơn", "Khiếu Nại", "khieu nai",
    "TÌM KIẾM", "Thanh Toán", "thanhtoan", "Giỏ hàng", "gio_hang", "GIỎ HÀNG", "Đặt hàng", "dat hang",
    "Mua hàng", "Xem trang", "view\nitem", "login", "check out", "checkout", "Checkout-Error",
    "remove from cart", "cart", "review", "page.view", "Đơn Hàng", "hủy đơn", "", "track my parcel",
    "tra cứu", "Contact us",
]  # fmt: skip

N = max(len(DATES), len(NUMBERS), len(IDS), len(EVENTS))
CONTRACT = TransactionsContract(
    {
        "customer_id": "id", "order_id": "other", "product_id": "float", "category": "id",
        "ordered_at": "date", "recorded_at": "later", "amount": "number", "quantity": "pieces",
    },
    name="texts",
    cancellation=Cancellation("order_id", "C"),
    leave_out=LeaveOut("id", ("É", "đặng văn")),
    offsets=utc_offsets("Asia/Ho_Chi_Minh"),
)  # fmt: skip


def texts() -> pa.Table:
    """A log in which the texts meet in many ways."""

    def some(values: list[Any], shift: int = 0) -> list[Any]:
        return list(islice(cycle(values[shift:] + values[:shift]), N))

    return pa.table(
        {
            "id": some(IDS), "other": some(IDS, 3), "float": pa.array(some(FLOAT_IDS), pa.float64()),
            "date": some(DATES), "later": some(DATES, 48), "number": some(NUMBERS),
            "pieces": some(NUMBERS, 7), "event": some(EVENTS),
        }
    )  # fmt: skip


class Read:
    """What the door makes of the texts on an engine; times as text: pandas knows fewer years."""

    def __init__(self, engine: Engine, raw: ir.Table) -> None:
        # As the log without amounts, and the kinds of attributes, are told.
        pieces, nothing = number(raw.pieces), ibis.null("float64")
        told = {
            "kind": event_kind(raw.event),
            "direction": ibis.ifelse(pieces.abs() <= MAX_AMOUNT, pieces.sign().cast("float64"), nothing),
            "is_word": raw.pieces.try_cast("float64").isnull(),
        }
        self.table = at_the_door(raw, CONTRACT).mutate(**told)
        kept = engine.keep(self.table, "texts")
        times = {n: kept[n].cast("string") for n, kind in kept.schema().items() if kind.is_timestamp()}
        self.rows = fetched(engine, kept.mutate(**times))
