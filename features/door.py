"""The door: the user's own columns become typed standard columns, and bad rows get a reason."""

import functools
import operator

import ibis
import ibis.expr.types as ir

from features.clock import with_wall_clocks
from features.contracts import (
    AT_THE_DOOR,
    MONEY_UNITS,
    WRITTEN,
    LeaveOut,
    TransactionsContract,
    check_columns,
    own_columns,
)
from features.parts import Keep
from features.spellings import unicode_forms

MAX_AMOUNT = 1e10
"""Amounts beyond this (in currency units) are refused: their sums could leave the int64 range."""

QUANTITY_UNITS = 1000
"""Quantities are int64 counts of 1/1,000: kilograms and metres have decimals."""

LONGEST_TEXT = 1_000
"""Signs of an id or a name; what is longer is none, and a few of a megabyte each would fill the memory."""

_EPOCH = "1970-01-01"


def at_the_door(raw: ir.Table, contract: TransactionsContract) -> ir.Table:
    """Add the standard columns and the reason why a row is left out.

    Parameters
    ----------
    raw : ibis Table
        The user's log; text dates already parsed to timestamps where a format was given, and what was written
        beside them (`features.contracts.WRITTEN`).
    contract : TransactionsContract
        Column mapping and policies.

    Returns
    -------
    ibis Table
        The raw columns, untouched, and these: ``door_customer_id`` (string), ``door_order_id`` (string),
        ``door_ordered_at`` (timestamp, the shop's clock), ``door_day`` and ``door_known_day`` (int64, days
        since 1970-01-01), ``door_amount`` (int64, 1/10,000 of a unit; 1 or −1 unit a line where the log
        has no amounts), ``door_is_refund`` (bool), ``door_product_id``, ``door_category`` and
        ``door_channel`` (string), ``door_quantity`` (int64, 1/1,000), ``door_discount`` (int64, 1/10,000 of a
        unit) and ``door_reason`` (string; null for rows that are used). The columns that nothing is mapped to
        are null.

    Raises
    ------
    ContractError
        If a mapped column does not exist.
    """
    check_columns(raw, contract)
    times = {f"door_{standard}": contract.columns.get(standard) for standard in ("ordered_at", "recorded_at")}
    timed = with_wall_clocks(raw, times, contract.offsets)
    parsed = timed.mutate(
        door_customer_id=text_id(timed[contract.columns["customer_id"]]),
        door_price=_price(timed, contract),
        door_product_id=_optional_text(timed, contract, "product_id"),
        door_category=_optional_text(timed, contract, "category"),
        door_channel=_optional_text(timed, contract, "channel"),
        door_quantity=_optional_size(timed, contract, "quantity", QUANTITY_UNITS),
        door_discount=_optional_size(timed, contract, "discount", MONEY_UNITS),
        door_order_id=_optional_text(timed, contract, "order_id"),
    )
    typed = _add_days(_add_amount(parsed.mutate(door_cancelled=_is_cancelled(parsed, contract))))
    faults = _faults(typed, contract)
    # Twice the same, since a filter on a flag is many times cheaper than one on a text.
    judged = typed.mutate(
        door_reason=ibis.cases(*faults), door_is_used=~functools.reduce(operator.or_, [f for f, _ in faults])
    )
    return judged.drop("door_price", "door_cancelled", "door_recorded_at")


def text_id(column: ir.Value) -> ir.StringValue:
    """Text without blanks around it; null where nothing is left, or more than `LONGEST_TEXT` signs are."""
    text = _float_id(column) if column.type().is_floating() else column.cast("string")
    if column.type().is_string() or column.type().is_binary():
        text = ibis.ifelse(text.length() > LONGEST_TEXT, ibis.null("string"), text)
    # Blanks sort before "!", and so does nothing; few ids have any, and only those pay for the strip.
    ends = [text.endswith(blank) for blank in (" ", "\t", "\n", "\r")]
    has_blanks = functools.reduce(operator.or_, ends, text < "!")
    return ibis.ifelse(has_blanks, text.strip().nullif(""), text)


def _float_id(column: ir.Value) -> ir.Value:
    """Ids as text; 17850.0, which is how pandas writes an integer column with gaps, becomes 17850."""
    whole = column.try_cast("int64")  # null where it does not fit; a plain cast would end the whole run
    text = ibis.ifelse(whole.cast("float64") == column, whole.cast("string"), column.cast("string"))
    return ibis.ifelse(column.isnan() | column.isinf(), ibis.null("string"), text)


def _optional_text(raw: ir.Table, contract: TransactionsContract, standard: str) -> ir.Value:
    source = contract.columns.get(standard)
    return ibis.null("string") if source is None else text_id(raw[source])


def _optional_size(raw: ir.Table, contract: TransactionsContract, standard: str, units: int) -> ir.Value:
    """The size of an optional number: a discount of −2 and of 2 are the same, an unreadable one is none."""
    source = contract.columns.get(standard)
    return ibis.null("int64") if source is None else to_units(number(raw[source]).abs(), units)


def to_units(number: ir.Value, units: int) -> ir.Value:
    """Whole numbers of a small unit; null for what is missing, infinite or beyond `MAX_AMOUNT`."""
    usable = number.abs() <= MAX_AMOUNT  # also false for NaN and infinity
    return ibis.ifelse(usable, (number * units).round().cast("int64"), ibis.null("int64"))


def number(column: ir.Value) -> ir.Value:
    """Floats; text that is no number becomes null."""
    return column.try_cast("float64") if column.type().is_string() else column.cast("float64")


def _price(raw: ir.Table, contract: TransactionsContract) -> ir.Value:
    columns = contract.columns
    if "amount" in columns:
        return number(raw[columns["amount"]])
    if contract.has_amounts:
        return number(raw[columns["quantity"]]) * number(raw[columns["unit_price"]])
    if "quantity" in columns:  # no amounts: a line counts one, a returned line minus one
        quantity = number(raw[columns["quantity"]])
        return ibis.ifelse(
            quantity.abs() <= MAX_AMOUNT, quantity.sign().cast("float64"), ibis.null("float64")
        )
    return ibis.literal(1.0)


def _is_cancelled(parsed: ir.Table, contract: TransactionsContract) -> ir.Value:
    marker = contract.cancellation
    if marker is None:
        return ibis.literal(False)
    is_order = marker.column == "order_id"  # its text is there already
    text = parsed.door_order_id if is_order else text_id(parsed[contract.columns[marker.column]])
    return text.startswith(marker.prefix).fill_null(False)


def _add_amount(parsed: ir.Table) -> ir.Table:
    signed = ibis.ifelse(parsed.door_cancelled, -parsed.door_price.abs(), parsed.door_price)
    with_amount = parsed.mutate(door_amount=to_units(signed, MONEY_UNITS))
    return with_amount.mutate(
        door_is_refund=((with_amount.door_amount < 0) | with_amount.door_cancelled).fill_null(False)
    )


def _add_days(typed: ir.Table) -> ir.Table:
    day = day_number_of(typed.door_ordered_at)
    known = ibis.greatest(day, day_number_of(typed.door_recorded_at.coalesce(typed.door_ordered_at)))
    order_id = typed.door_order_id.coalesce(typed.door_ordered_at.cast("string"))
    return typed.mutate(door_day=day, door_known_day=known, door_order_id=order_id)


def day_number_of(timestamp: ir.Value) -> ir.IntegerValue:
    """Days from 1970-01-01 to the day of a timestamp."""
    return timestamp.date().delta(ibis.date(_EPOCH), unit="day").cast("int64")


def _faults(typed: ir.Table, contract: TransactionsContract) -> list[tuple[ir.BooleanValue, str]]:
    faults = [
        (typed.door_customer_id.isnull(), "no_customer"),
        (typed.door_ordered_at.isnull(), "no_date"),
        (typed.door_amount.isnull(), "no_amount"),
        (_is_unreadable(typed, contract), "no_recorded_date"),
    ]
    if contract.leave_out is not None:
        # First: a cancelled order often has no amount, and that is not what is wrong with it.
        faults.insert(0, (_is_left_out(typed, contract.leave_out), "left_out"))
    if contract.refunds == "drop":
        faults.append((typed.door_is_refund, "refund_dropped"))
    return faults


def _is_left_out(typed: ir.Table, marker: LeaveOut) -> ir.BooleanValue:
    said = text_id(typed[marker.column]).lower()
    # All that a word can look like, as Spark cannot bring the log's own words into one form.
    wanted = [form for value in marker.values for form in unicode_forms(value.strip().lower())]
    return said.isin(wanted).fill_null(False)


def _is_unreadable(typed: ir.Table, contract: TransactionsContract) -> ir.BooleanValue:
    """A date of record that cannot be read: taking the order's own would show the row too early."""
    source = contract.columns.get("recorded_at")
    if source is None:
        return ibis.literal(False)
    written = f"{WRITTEN}recorded_at"
    text = typed[written] if written in typed.columns else typed[source].cast("string")
    return text.strip().nullif("").notnull() & typed.door_recorded_at.isnull()


def used_lines(door: ir.Table) -> ir.Table:
    """Return the standard columns of the rows that are used: the line grain.

    Returns
    -------
    ibis Table
        ``customer_id, order_id, product_id, category, channel, ordered_at, day, known_day, amount, quantity,
        discount, is_refund``.
    """
    used = door.filter("door_is_used")
    names = (
        "customer_id", "order_id", "product_id", "category", "channel", "ordered_at", "day", "known_day",
        "amount", "quantity", "discount", "is_refund",
    )  # fmt: skip
    return used.select(**{name: used[f"door_{name}"] for name in names})


def keep_lines(door: ir.Table, contract: TransactionsContract, keep: Keep) -> ir.Table:
    """Keep the used lines: of their columns, only those that say something.

    Parameters
    ----------
    door : ibis Table
        Of `at_the_door`.
    contract : TransactionsContract
        The same.
    keep : callable
        Computes a table once, given it and a name, and gives it back as one that is there.

    Returns
    -------
    ibis Table
        As of `used_lines`. Columns that nothing is mapped to stay expressions: null, or for ``known_day`` the
        ``day``.
    """
    lines, mapped = used_lines(door), contract.columns
    untold = ("product_id", "category", "channel", "quantity", "discount")
    empty: dict[str, ir.Value] = {c: ibis.null(lines[c].type()) for c in untold if c not in mapped}
    is_late = "recorded_at" in mapped
    kept = keep(lines.drop(*empty, *(() if is_late else ("known_day",))), "lines")
    known = {} if is_late else {"known_day": kept.day}
    return kept.mutate(**empty, **known).select(*lines.columns)


def set_aside(door: ir.Table) -> ir.Table:
    """Return the raw rows that are left out, each with its ``reason``.

    A log that has a ``reason`` of its own keeps it; ours is then ``quarantine_reason``.
    """
    left_out = door.filter(door.door_reason.notnull())
    raw = [c for c in own_columns(left_out) if c not in AT_THE_DOOR]
    taken = any(c.lower() == "reason" for c in raw)  # engines do not tell Reason from reason
    return left_out.select(*raw, **{"quarantine_reason" if taken else "reason": left_out.door_reason})


def count_rows(used: ir.Table, aside: ir.Table) -> ir.Table:
    """Count rows by reason (null: used), and the refunds among them.

    Parameters
    ----------
    used, aside : ibis Table
        Of `used_lines` and `set_aside`, kept: the source need not be read again.

    Returns
    -------
    ibis Table
        ``reason, n, n_refunds``.
    """
    reason, none = aside[aside.columns[-1]], ibis.literal(0, "int64")
    kept = used.aggregate(n=used.count(), n_refunds=used.is_refund.cast("int64").sum().fill_null(0))
    left_out = aside.group_by(reason=reason).agg(n=aside.count())
    return kept.select(reason=ibis.null("string"), n="n", n_refunds=kept.n_refunds.cast("int64")).union(
        left_out.mutate(n_refunds=none)
    )
