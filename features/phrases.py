"""A reader's phrase for every feature, in English and in Vietnamese; `features.wording.phrase` says them.

``{n}`` in a name stands for the days of any window; ``{0}`` and ``{1}`` in a phrase are the windows named.
"""

Phrases = dict[str, tuple[str, str]]

_RFM: Phrases = {
    "frequency": ("repeat purchases", "số lần quay lại mua hàng"),
    "recency": (
        "days from the first to the last order",
        "số ngày từ đơn hàng đầu tiên đến đơn hàng gần nhất",
    ),
    "T": ("days since the first order", "số ngày kể từ đơn hàng đầu tiên"),
    "monetary_value": ("average spend per repeat purchase", "chi tiêu trung bình mỗi lần quay lại mua"),
    "n_orders": ("orders so far", "tổng số đơn hàng đến nay"),
    "total_spend": ("total spend so far, after refunds", "tổng chi tiêu đến nay, đã trừ hoàn tiền"),
    "orders_{n}d": ("orders in the last {0} days", "số đơn hàng trong {0} ngày qua"),
    "spend_{n}d": ("spend in the last {0} days", "chi tiêu trong {0} ngày qua"),
    "orders_share_{n}d_of_{n}d": (
        "share of the last {1} days' orders that fell in the last {0} days",
        "tỷ lệ số đơn hàng của {0} ngày qua trên {1} ngày qua",
    ),
    "spend_share_{n}d_of_{n}d": (
        "share of the last {1} days' spend that fell in the last {0} days",
        "tỷ lệ chi tiêu của {0} ngày qua trên {1} ngày qua",
    ),
}

_CADENCE: Phrases = {
    "mean_gap": ("average days between purchases", "số ngày trung bình giữa hai lần mua"),
    "gap_spread": ("how much the days between purchases vary", "mức chênh lệch số ngày giữa các lần mua"),
    "gap_irregularity": ("how irregularly they buy", "mức độ mua hàng không đều đặn"),
    "last_gap": ("days between the last two purchases", "số ngày giữa hai lần mua gần nhất"),
    "longest_gap": ("longest break between two purchases", "khoảng nghỉ dài nhất giữa hai lần mua"),
    "days_since_last_order": ("days since the last order", "số ngày kể từ đơn hàng gần nhất"),
    "silent_cycles": (
        "time since the last order, compared with the usual wait",
        "thời gian chưa mua lại so với nhịp mua thường lệ",
    ),
    "days_overdue": ("days past the usual time to buy again", "số ngày trễ so với nhịp mua thường lệ"),
    "silence_of_longest_gap": (
        "time since the last order, compared with the longest break before",
        "thời gian chưa mua lại so với khoảng nghỉ dài nhất trước đây",
    ),
    "weekend_share": ("share of purchases made at the weekend", "tỷ lệ lần mua vào cuối tuần"),
    "weekday_share": (
        "share of purchases made on the favourite day of the week",
        "tỷ lệ lần mua vào ngày quen thuộc nhất trong tuần",
    ),
    "month_end_share": (
        "share of purchases made towards the end of the month",
        "tỷ lệ lần mua vào dịp cuối tháng",
    ),
    "season_share": (
        "share of past purchases made at this time of year",
        "tỷ lệ lần mua trước đây vào đúng dịp này trong năm",
    ),
}

_TENURE: Phrases = {
    "purchase_cycles": (
        "time as a customer, compared with the usual wait between purchases",
        "thời gian gắn bó so với nhịp mua thường lệ",
    ),
    "cohort_month": ("month of the year of the first order", "tháng phát sinh đơn hàng đầu tiên"),
    "cohort_age_months": (
        "calendar months since the first order",
        "số tháng kể từ tháng có đơn hàng đầu tiên",
    ),
    "days_since_signup": ("days since signing up", "số ngày kể từ khi đăng ký tài khoản"),
    "days_since_first_touch": ("days since the first visit", "số ngày kể từ lượt truy cập đầu tiên"),
}

_BASKET: Phrases = {
    "average_order_value": ("average order value", "giá trị đơn hàng trung bình"),
    "order_value_trend": (
        "average order value of the last half year, compared with all time",
        "giá trị đơn hàng trung bình nửa năm qua so với từ trước đến nay",
    ),
    "first_order_value": ("value of the first order", "giá trị đơn hàng đầu tiên"),
    "last_order_value_ratio": (
        "value of the last order, compared with the average",
        "giá trị đơn hàng gần nhất so với trung bình",
    ),
    "top_up_share": (
        "share of orders added later on the same day",
        "tỷ lệ đơn hàng đặt thêm trong cùng ngày",
    ),
    "items_per_order": ("items per order", "số mặt hàng trung bình mỗi đơn"),
    "quantity_per_order": ("pieces per order", "số lượng hàng trung bình mỗi đơn"),
    "line_value": ("average spend per item", "số tiền trung bình cho mỗi mặt hàng"),
    "unit_price": ("average price per piece", "đơn giá trung bình"),
    "discount_share": ("share of the full price taken off by discounts", "tỷ lệ giảm giá trên giá gốc"),
    "refund_share": ("share of spend refunded", "tỷ lệ tiền hàng được hoàn lại"),
    "n_refunds": ("items returned or cancelled", "số mặt hàng hoàn trả hoặc hủy"),
    "days_since_last_refund": ("days since the last refund", "số ngày kể từ lần hoàn tiền gần nhất"),
    "n_products": ("different products bought", "số sản phẩm khác nhau đã mua"),
    "product_concentration": (
        "how much they stick to the same few products",
        "mức độ mua tập trung vào một vài sản phẩm",
    ),
    "repeat_product_share": ("share of items that were bought before", "tỷ lệ mặt hàng từng mua trước đó"),
    "n_categories": ("different categories bought from", "số ngành hàng đã mua"),
    "category_concentration": (
        "how much they stick to the same few categories",
        "mức độ mua tập trung vào một vài ngành hàng",
    ),
    "repeat_category_share": (
        "share of items from a category bought before",
        "tỷ lệ mặt hàng thuộc ngành hàng từng mua",
    ),
    "first_product": ("main product of the first purchase", "sản phẩm chính của lần mua đầu tiên"),
    "second_product": ("main product of the second purchase", "sản phẩm chính của lần mua thứ hai"),
    "third_product": ("main product of the third purchase", "sản phẩm chính của lần mua thứ ba"),
    "first_category": ("main category of the first purchase", "ngành hàng chính của lần mua đầu tiên"),
}

_JOURNEY: Phrases = {
    "sessions_{n}d": ("visits in the last {0} days", "số lượt truy cập trong {0} ngày qua"),
    "page_views_{n}d": ("pages viewed in the last {0} days", "số lượt xem trang trong {0} ngày qua"),
    "search_{n}d": ("searches in the last {0} days", "số lượt tìm kiếm trong {0} ngày qua"),
    "support_{n}d": (
        "requests for support in the last {0} days",
        "số lần liên hệ chăm sóc khách hàng trong {0} ngày qua",
    ),
    "tracking_{n}d": (
        "times a delivery was tracked in the last {0} days",
        "số lần theo dõi giao hàng trong {0} ngày qua",
    ),
    "days_since_last_visit": ("days since the last visit", "số ngày kể từ lượt truy cập gần nhất"),
    "longest_dwell_s": ("longest stay on one page", "thời gian ở lại lâu nhất trên một trang"),
    "sessions_since_last_order": ("visits since the last order", "số lượt truy cập kể từ đơn hàng gần nhất"),
    "carts_since_last_order": (
        "times the cart was used since the last order, without ordering",
        "số lần dùng giỏ hàng mà chưa đặt mua kể từ đơn hàng gần nhất",
    ),
    "checkouts_since_last_order": (
        "steps taken at checkout since the last order, without ordering",
        "số lần vào bước thanh toán mà chưa đặt mua kể từ đơn hàng gần nhất",
    ),
    "touches_before_first_order": (
        "visits and clicks before the first order",
        "số lượt tương tác trước đơn hàng đầu tiên",
    ),
    "days_touch_to_first_order": (
        "days from the first visit to the first order",
        "số ngày từ lượt truy cập đầu tiên đến đơn hàng đầu tiên",
    ),
    "n_touch_channels": ("different channels visited through", "số kênh truy cập khác nhau"),
    "touch_channel_concentration": (
        "how much the visits stick to one channel",
        "mức độ tập trung truy cập vào một kênh",
    ),
    "touch_channel_switches": ("changes of channel between visits", "số lần đổi kênh truy cập"),
    "first_touch_channel": ("channel of the first visit", "kênh truy cập đầu tiên"),
    "last_touch_channel": ("channel of the last visit", "kênh truy cập gần nhất"),
    "n_order_channels": ("different channels ordered through", "số kênh đặt hàng khác nhau"),
    "order_channel_concentration": (
        "how much the purchases stick to one channel",
        "mức độ tập trung mua hàng vào một kênh",
    ),
    "order_channel_switches": ("changes of channel between orders", "số lần đổi kênh đặt hàng"),
    "first_order_channel": ("channel of the first order", "kênh của đơn hàng đầu tiên"),
    "last_order_channel": ("channel of the last order", "kênh của đơn hàng gần nhất"),
}

_CONTACTS: Phrases = {
    "contacts_{n}d": (
        "times the shop contacted them in the last {0} days",
        "số lần cửa hàng liên hệ khách trong {0} ngày qua",
    ),
    "n_contacts": ("times the shop has contacted them so far", "tổng số lần cửa hàng liên hệ khách đến nay"),
    "days_since_last_contact": (
        "days since the shop last contacted them",
        "số ngày kể từ lần cửa hàng liên hệ khách gần nhất",
    ),
    "contact_cost": ("cost of contacting them so far", "tổng chi phí liên hệ khách đến nay"),
    "contact_days_with_order": (
        "days of contact soon followed by a purchase",
        "số ngày liên hệ có mua hàng ngay sau đó",
    ),
    "contact_reply_share": (
        "share of the days of contact soon followed by a purchase",
        "tỷ lệ ngày liên hệ có mua hàng ngay sau đó",
    ),
}

_ATTRIBUTES: Phrases = {
    "acquisition_channel": ("channel that brought them to the shop", "kênh đưa khách đến cửa hàng"),
    "acquisition_cost": ("cost of winning them as a customer", "chi phí thu hút khách hàng này"),
    "was_referred": ("referred by another customer", "được khách hàng khác giới thiệu"),
}

PHRASES: Phrases = {**_RFM, **_CADENCE, **_TENURE, **_BASKET, **_JOURNEY, **_CONTACTS, **_ATTRIBUTES}
"""Feature to its phrase in English and in Vietnamese."""
