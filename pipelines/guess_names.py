"""What people call the columns of a purchase log, in English and Vietnamese."""

import re
from functools import cache

from features.spellings import unaccented

# A bare word such as "customer" may hold anything (a name, a country), so it counts only as the whole name or
# with one of these beside it: customer_id, CustomerNo, mã khách hàng.
AFTER = ("id", "no", "nr", "num", "number", "code", "key", "ref", "uuid", "guid", "hash", "identifier")
BEFORE = ("id", "ma", "so")
THINGS = {
    "customer_id": (
        "customer unique, customer, cust, client, shopper, buyer, household, member, user, account, person, "
        "loyalty card, card, visitor, khach hang, khach, kh, nguoi mua, thanh vien, hoi vien"
    ),
    "order_id": (
        "order, invoice, transaction, txn, receipt, basket, ticket, bill, purchase, sale, sales order, "
        "don hang, don, hoa don, hd, giao dich, chung tu, phieu"
    ),
    "product_id": (
        "product, sku, stock, item, article, upc, ean, barcode, asin, material, "
        "san pham, sp, hang hoa, hang, mat hang, vat tu"
    ),
}
# "=" marks a name too short or too general to be looked for inside a longer one.
NAMES = {
    "customer_id": "=customer name, =ten khach hang, =email, =customer email, =phone, =so dien thoai, =sdt",
    "order_id": "=order name",
    "ordered_at": (
        "ordered at, order date, order datetime, order timestamp, order time, order purchase "
        "timestamp, date ordered, invoice date, purchase date, purchased at, purchase timestamp, "
        "purchase time, transaction date, transaction time, transaction timestamp, transaction "
        "datetime, txn date, sale date, sales date, receipt date, ngay dat hang, ngay dat, ngay mua, "
        "ngay hoa don, ngay giao dich, ngay ban, ngay lap, ngay ct, thoi gian dat, thoi gian mua, "
        "thoi gian, ngay tao, created at, order day, datetime, timestamp, date, =ts, =time, =day, "
        "ngay"
    ),
    "recorded_at": (
        "recorded at, loaded at, ingested at, inserted at, synced at, load date, etl date, ngay ghi nhan"
    ),
    "amount": (
        "net amount, line total, line amount, amount, sales value, net sales, sales amount, revenue, "
        "turnover, gmv, total price, total amount, order value, order total, order amount, total "
        "spend, spend, payment value, subtotal, =sales, =total, =value, amount paid, total paid, paid total, "
        "net paid, =paid, thanh tien, doanh thu, tong tien, so tien, tong cong, gia tri, tri gia, tong thanh "
        "toan, tien thanh toan, tien hang, doanh so, khach tra, =da thanh toan, =thanh toan, =tien"
    ),
    "quantity": "quantity, qty, units, pieces, =items, num items, item count, =count, so luong, =sl",
    "unit_price": (
        "unit price, price each, price per unit, item price, selling price, sale price, price, don "
        "gia, gia ban, =gia"
    ),
    "category": (
        "category, category name, product category, department, product type, product group, danh "
        "muc, nhom hang, nganh hang, loai hang, nhom san pham, loai san pham, phan loai"
    ),
    "channel": "sales channel, order channel, channel, platform, kenh ban hang, kenh ban, kenh",
    "discount": (
        "discount amount, total discount, discount value, discount, retail disc, =disc, chiet khau, "
        "giam gia, tien giam, khuyen mai"
    ),
}
# A name with one of these words is about something else: a ship date, a tax amount, a customer's birthday.
MONEY_APART = (
    "discount disc coupon tax vat shipping freight refund refunded cost fee tip balance giam thue chiet phi"
)
VETO = {
    "ordered_at": "ship shipped shipping delivery delivered due birth dob signup registered updated modified "
    "cancelled canceled paid approved estimated expiry expired limit giao sinh han huy cap",
    "amount": MONEY_APART + " pct percent rate type method currency count",
    "unit_price": MONEY_APART + " list old original type",
    "quantity": "stock available returned min max ton",
    "channel": "acquisition",
    "discount": "pct percent percentage rate type code ty le",
}
# Words that a Vietnamese column name has and an English one has not.
VIETNAMESE = (
    "ma kh khach ngay thoi gian tien gia luong thanh tong doanh danh muc nhom loai kenh chiet khau giam hoa "
    "pham hang mua trang thai sdt dien thoai dia nganh tri"
)
TRAILING = {"usd", "eur", "gbp", "vnd", "dong", "utc", "local", "gmt"}
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def words(name: str) -> tuple[str, ...]:
    """
    Split a column name into plain lower-case words: no accents, no camel case, no currency at the end.

    Examples
    --------
    >>> words("Mã Khách-Hàng"), words("UnitPrice (VND)")
    (('ma', 'khach', 'hang'), ('unit', 'price'))
    """
    found = [word.lower() for word in WORD.findall(unaccented(name))]
    while len(found) > 1 and found[-1] in TRAILING:
        found.pop()
    return tuple(found)


def is_vietnamese(name: str) -> bool:
    """
    Say whether a column's name is Vietnamese.

    Examples
    --------
    >>> is_vietnamese("ma_kh"), is_vietnamese("Ngày đặt"), is_vietnamese("Customer ID")
    (True, True, False)
    """
    return not set(words(name)).isdisjoint(VIETNAMESE.split())


@cache
def known_names(column: str) -> dict[str, tuple[int, bool]]:
    """Map each known name, written together, to (rank, whether it must be the whole name)."""
    listed = [part.strip() for part in NAMES.get(column, "").split(",") if part.strip()]
    known = {
        part.lstrip("=").replace(" ", ""): (100 + n, part.startswith("=")) for n, part in enumerate(listed)
    }
    for rank, thing in enumerate(THINGS.get(column, "").replace(" ", "").split(",")):
        if thing:
            known[thing] = (40 + rank, True)
            known |= {thing + affix: (rank, False) for affix in AFTER}
            known |= {affix + thing: (rank, False) for affix in BEFORE}
    return known


def name_score(column: str, name: str) -> int:
    """
    Say how much a column's name sounds like one of the standard columns.

    Parameters
    ----------
    column : str
        The standard name, for example ``"customer_id"``.
    name : str
        The name in the log.

    Returns
    -------
    int
        0 for not at all; more than 500 where the whole name fits, less where its end or its beginning does.

    Examples
    --------
    >>> name_score("customer_id", "CustomerID") > name_score("customer_id", "web_user_id") > 0
    True
    >>> name_score("customer_id", "customer_country"), name_score("amount", "tax_amount")
    (0, 0)
    >>> name_score("quantity", "Số lượng") > 500
    True
    """
    parts = words(name)
    if set(parts) & set(VETO.get(column, "").split()):
        return 0
    known, best = known_names(column), 0
    for start in range(len(parts)):
        for stop in range(start + 1, len(parts) + 1):
            rank, whole_only = known.get("".join(parts[start:stop]), (0, True))
            whole = (start, stop) == (0, len(parts))
            if whole and "".join(parts) in known:
                best = max(best, 1000 - rank)
            elif not whole_only and (stop == len(parts) or start == 0):
                best = max(best, (450 if stop == len(parts) else 300) - rank)
    return best
