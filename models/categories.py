"""Which values of a text column models tell apart: learned from training rows, and kept with the model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Categories = Mapping[str, Sequence[str]]

MOST = 30
"""Values of one column at most."""
FEW = 50
"""Customers whom a value needs to be told apart; the rest are one value, the missing ones with them."""


def learn_categories(rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Find the values that enough customers have, the most frequent first.

    What the customers went on to do plays no part: a rare value cannot give away who bought.

    Parameters
    ----------
    rows : DataFrame
        Training rows with ``customer_id``; text columns are categories, numbers are left alone.

    Examples
    --------
    >>> shop = pd.DataFrame({"customer_id": [*map(str, range(120))], "city": ["Hà Nội"] * 60 + ["Huế"] * 60})
    >>> learn_categories(shop), learn_categories(shop.head(100))
    ({'city': ('Huế', 'Hà Nội')}, {'city': ('Hà Nội',)})
    """
    found = {}
    for name in text_columns(rows):
        seen = rows[["customer_id", name]].dropna().drop_duplicates()[name].value_counts()
        common = [(-count, str(value)) for value, count in seen.items() if count >= FEW]
        found[name] = tuple(value for _, value in sorted(common)[:MOST])
    return found


def with_categories(rows: pd.DataFrame, categories: Categories) -> pd.DataFrame:
    """Turn the columns into pandas categories with these values; all others become missing."""
    columns = {}
    for name in (name for name in categories if name in rows.columns):
        values = pd.Index([*categories[name]], dtype="str")
        places = values.get_indexer(pd.Index(rows[name], dtype="str"))
        columns[name] = pd.Categorical.from_codes(places.astype(np.int64), dtype=pd.CategoricalDtype(values))
    return rows.assign(**columns)


def text_columns(rows: pd.DataFrame) -> list[str]:
    """Name the columns of text that are features, in order."""
    kinds = rows.dtypes.drop("customer_id", errors="ignore").items()
    return [str(name) for name, kind in kinds if pd.api.types.is_string_dtype(kind) and not is_category(kind)]


def is_category(kind: Any) -> bool:
    """Whether a dtype is that of a column from `with_categories`."""
    return isinstance(kind, pd.CategoricalDtype)


def as_numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return a column as floats: a category as its place among the values, NaN where it is none of them."""
    if not is_category(column.dtype):
        return column.to_numpy(dtype=np.float64)
    places = column.cat.codes.to_numpy(dtype=np.float64)
    return np.where(places < 0, np.nan, places)
