"""What kind of touch an event is, told from the shop's own word for it, in English and Vietnamese."""

import ibis
import ibis.expr.types as ir

# A blank is where two words meet, written apart or not; "_" is where a word ends.
_WORDS = {
    "other": "remove|cancel|delete|error|fail|bug_|banner|h[uủ][yỷ]_|x(oa|oá|óa)_|lỗi|th[aấ]t b[aạ]i",
    "tracking": "tracking|track (my )?(order|parcel|package|shipment|delivery)|"
    "(order|parcel|package|shipment|delivery) (track|status|history)|"
    "theo d[oõ]i|tra c[uứ]u|v[aậ]n [dđ][oơ]n|tr[aạ]ng th[aá]i [dđ][oơ]n",
    "support": "support|chat|ticket (open|creat|submit)|complain|help|hotline|contact us|cskh|h[oỗ] tr[oợ]|"
    "khi[eế]u n[aạ]i|t[uư] v[aấ]n|[dđ][oổ]i tr[aả]|li[eê]n h[eệ]",
    "search": "search|filter|t[iì]m ki[eế]m",
    "checkout": "check out|payment|shipping|thanh to[aá]n",
    "cart": "cart(_|s_|view|add|update|page|open|item)|basket(_|s_)|gi[oỏ](_| h[aà]ng)",
    "page": "(^|[^e])view|page|visit|home|landing|catalog|category|product|listing|xem|trang",
    "order": "purchase|order|transaction|mua h[aà]ng|[dđ][aặ]t h[aà]ng|[dđ][oơ]n h[aà]ng",
}
_APART = "[ _.:/-]"
_BETWEEN = str.maketrans({" ": f"{_APART}?", "_": f"({_APART}|$)"})

EVENT_KINDS = {kind: words.translate(_BETWEEN) for kind, words in _WORDS.items()}
"""Kind to the pattern that tells it; the first kind that fits counts, so ``order_tracking`` is no order, and
what takes something back or fails is no sign of wanting it."""


def event_kind(event_type: ir.Value) -> ir.Value:
    """Name the kind of each event; ``other`` where no word fits.

    Parameters
    ----------
    event_type : ibis Value
        The shop's own text.

    Examples
    --------
    >>> import ibis
    >>> types = ibis.memtable({"t": ["Add_To_Cart", "order_tracking", "login", "Giỏ hàng"]})
    >>> types.select(k=event_kind(types.t)).to_pandas()["k"].tolist()
    ['cart', 'tracking', 'other', 'cart']
    """
    word = event_type.lower()
    return ibis.cases(*[(word.re_search(words), kind) for kind, words in EVENT_KINDS.items()], else_="other")
