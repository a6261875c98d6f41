"""Which columns carry the money of a log, and how it marks a cancelled line."""

import pandas as pd

from pipelines.guess_names import name_score

ENOUGH = 5  # fewer lines than this prove nothing
MOSTLY = 0.9


def numbers(values: pd.Series) -> pd.Series:
    """
    Read a column as floats; what is not a plain number is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers(pd.Series(["12.5", "-3", "1.234,56"])).tolist()
    [12.5, -3.0, nan]
    """
    plain = values.astype(str) if values.dtype == object else values
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def choose_money(sample: pd.DataFrame, named: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """
    Settle on an amount, or on quantity and price, or on no money at all.

    Parameters
    ----------
    sample : pandas.DataFrame
        Rows of the log.
    named : dict
        Standard column to the log's column, as far as the names go.

    Returns
    -------
    dict
        The same, without a price that is not needed; a quantity stays, to count items.
    list of str
        What a person should know about the choice.

    Examples
    --------
    >>> import pandas as pd
    >>> lines = pd.DataFrame({"price": [2.5, 4.0], "day": ["2020-01-01", "2020-01-02"]})
    >>> choose_money(lines, {"unit_price": "price"})[0]
    {'amount': 'price'}
    """
    chosen = {column: source for column, source in named.items() if column != "unit_price"}
    parts = {column: named[column] for column in ("quantity", "unit_price") if column in named}
    if "amount" in named:
        doubt = _sign_is_lost(sample, named) or _total_is_repeated(sample, named)
        if doubt is None or len(parts) < 2:
            return chosen, [f"{doubt}; please check"] if doubt else []
        del chosen["amount"]
        return chosen | parts, [f"{doubt}; {parts['quantity']!r} × {parts['unit_price']!r} is used instead"]
    if len(parts) == 2:
        return chosen | parts, []
    if "unit_price" in parts:
        price = parts["unit_price"]
        return chosen | {"amount": price}, [f"{price!r} is taken for a line's amount: no quantity was found"]
    return chosen | parts, [_no_money(sample)]


def _sign_is_lost(sample: pd.DataFrame, named: dict[str, str]) -> str | None:
    """Catch returned goods with a positive amount: they would count as purchases."""
    if "quantity" not in named:
        return None
    returned = numbers(sample[named["amount"]])[numbers(sample[named["quantity"]]) < 0]
    if len(returned) < ENOUGH or (returned > 0).mean() <= MOSTLY:
        return None
    return f"{named['amount']!r} stays positive where {named['quantity']!r} is negative"


def _total_is_repeated(sample: pd.DataFrame, named: dict[str, str]) -> str | None:
    """Catch an order's total that stands on each of its lines: it would be counted once a line."""
    if "order_id" not in named:
        return None
    amount, order = numbers(sample[named["amount"]]), sample[named["order_id"]]
    lines = amount.groupby(order).agg(["size", "nunique"])
    several = lines[lines["size"] > 1]
    few_prices = amount.nunique() < 0.1 * len(several)  # a shop of one price has the same on every line too
    if len(several) < ENOUGH or few_prices or (several["nunique"] == 1).mean() <= MOSTLY:
        return None
    if {"quantity", "unit_price"} <= set(named):
        by_line = numbers(sample[named["quantity"]]) * numbers(sample[named["unit_price"]])
        apart = (by_line - amount).abs() > 0.01
        if apart[order.isin(several.index)].mean() < 0.5:
            return None
    return f"{named['amount']!r} is the same on every line of an order, as an order's total would be"


def _no_money(sample: pd.DataFrame) -> str:
    note = "no amounts: purchases and churn can be predicted, money cannot"
    names = [str(source) for source in sample.columns]
    sounds = [name for name in names if name_score("amount", name) or name_score("unit_price", name)]
    if not sounds:
        return note
    values = sample[sounds[0]].dropna().astype(str)
    odd = values[numbers(values).isna()]
    shown = f" such as 1234.56, but {odd.iloc[0]!r}" if len(odd) else ""
    return f"{note}; {sounds[0]!r} sounds like money, but it does not hold plain numbers{shown}"


def find_cancellation(sample: pd.DataFrame, named: dict[str, str]) -> str | None:
    """
    Find the letters that begin the numbers of cancelled orders.

    Parameters
    ----------
    sample : pandas.DataFrame
        Rows of the log.
    named : dict
        Standard column to the log's column; quantity, amount and price tell a returned line by their sign.

    Returns
    -------
    str or None
        The shortest prefix whose lines are nearly all negative while the others are not.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"no": ["C7", "C8", "C9", "C10", "C11"] + ["12"] * 20, "n": [-1] * 5 + [2] * 20})
    >>> find_cancellation(log, {"order_id": "no", "quantity": "n"})
    'C'
    """
    counted = [named[column] for column in ("quantity", "amount", "unit_price") if column in named]
    if "order_id" not in named or not counted:
        return None
    negative = pd.concat([numbers(sample[source]) < 0 for source in counted], axis=1).any(axis=1)
    order = sample[named["order_id"]].astype("string").fillna("")
    letters = order[negative].str.extract(r"^([^\W\d_]+)", expand=False).dropna().drop_duplicates().head(20)
    prefixes = {text[:length] for text in letters for length in range(1, len(text) + 1)}
    fitting = [prefix for prefix in prefixes if _marks_cancelled(order.str.startswith(prefix), negative)]
    return min(fitting, key=lambda prefix: (len(prefix), prefix), default=None)


def _marks_cancelled(marked: pd.Series, negative: pd.Series) -> bool:
    if marked.sum() < ENOUGH or marked.all():
        return False
    return bool(negative[marked].mean() > MOSTLY and negative[~marked].mean() < 0.5 * negative.mean())
