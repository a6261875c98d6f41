"""Which rows of a log are no purchases, by the words of its status column."""

from dataclasses import dataclass

import pandas as pd

from pipelines.guess_money import numbers
from pipelines.guess_names import words

# What a status says of an order that is not a purchase; each begins a word.
UNDONE = (" cancel", " refund", " return", " void", " fail", " huy", " hoan tra", " hoan tien", " tra hang")

STATUS = ("status", "trangthai", "tinhtrang")


@dataclass(frozen=True)
class LeftOut:
    """A column of the log, its words for rows that are no purchases, and how many rows say one."""

    column: str
    values: tuple[str, ...]
    n: int

    def said(self) -> str:
        """Say it for a person who looks the guesses over."""
        listed = ", ".join(repr(value) for value in self.values)
        return (
            f"{self.n:,} of the rows looked at say {listed} in {self.column!r}: [policy] leave_out leaves "
            "such rows out of all the past, since the log does not say from when on they were no purchase"
        )


def find_left_out(sample: pd.DataFrame, chosen: dict[str, str]) -> LeftOut | None:
    """
    Find the status column that marks orders which came to nothing.

    Parameters
    ----------
    sample : pandas.DataFrame
        Rows of the log.
    chosen : dict
        Standard column to the log's column. A word whose rows are mostly negative is not taken: such lines
        are refunds, and reduce what they refund.

    Returns
    -------
    LeftOut or None
        None where no status says such a thing.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"Trạng thái": ["Hoàn thành", "Đã hủy", "Đang giao"], "paid": [9, 5, 7]})
    >>> find_left_out(log, {"amount": "paid"})
    LeftOut(column='Trạng thái', values=('Đã hủy',), n=1)
    """
    for source in map(str, sample.columns):
        if not is_status(source):
            continue
        said = sample[source].astype("string").str.strip()
        values = [v for v in said.dropna().drop_duplicates().head(200) if is_undone(v)]
        taken = tuple(sorted(v for v in values if not _is_refund(sample[said.eq(v).fillna(False)], chosen)))
        if taken:
            return LeftOut(source, taken, int(said.isin(taken).sum()))
    return None


def is_status(column: str) -> bool:
    """
    Say whether a column's name is that of a status.

    Examples
    --------
    >>> is_status("order_status"), is_status("Tình trạng đơn"), is_status("state")
    (True, True, False)
    """
    name = "".join(words(column))
    return any(stem in name for stem in STATUS)


def is_undone(value: str) -> bool:
    """
    Say whether a word tells of an order that came to nothing.

    Examples
    --------
    >>> is_undone("Cancelled"), is_undone("Đã hủy"), is_undone("Đã giao")
    (True, True, False)
    """
    return any(stem in f" {' '.join(words(value))}" for stem in UNDONE)


def _is_refund(rows: pd.DataFrame, chosen: dict[str, str]) -> bool:
    sizes = [chosen[column] for column in ("amount", "quantity") if column in chosen]
    return any(bool((numbers(rows[source]) < 0).mean() > 0.5) for source in sizes)
