"""How candidates do on kinds of customers that a shop treats differently."""

from collections.abc import Sequence

import pandas as pd

from models.folds import measure

NEW_DAYS = 90
"""First bought within so many days: a new customer."""


def segments_of(customers: pd.DataFrame) -> "pd.Series[str]":
    """Put every customer into one segment, by recency, frequency and age alone.

    Parameters
    ----------
    customers : DataFrame
        ``frequency``, ``T`` and ``days_since_last_order``, in days.

    Returns
    -------
    Series of str
        ``new`` (first bought within `NEW_DAYS`), else ``one-time``; ``loyal`` (repeat purchases, the last
        within the mean gap or `NEW_DAYS`, whichever is longer), else ``silent``.

    Examples
    --------
    >>> age, silence = [10, 400, 400, 400], [10, 400, 30, 300]
    >>> rows = {"frequency": [0, 0, 3, 3], "T": age, "days_since_last_order": silence}
    >>> segments_of(pd.DataFrame(rows)).tolist()
    ['new', 'one-time', 'loyal', 'silent']
    """
    age, silence, repeats = (customers[c].astype(float) for c in ("T", "days_since_last_order", "frequency"))
    gap = ((age - silence) / repeats.clip(lower=1)).clip(lower=NEW_DAYS)
    found = pd.Series("silent", index=customers.index, dtype=object)
    found[silence <= gap] = "loyal"
    found[repeats == 0] = "one-time"
    found[age < NEW_DAYS] = "new"
    return found


def segment_board(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Measure candidates on each segment.

    Parameters
    ----------
    table : DataFrame
        Test rows with ``segment``, ``bought`` and ``p_<name>``.
    names : sequence of str
        Candidates.

    Returns
    -------
    DataFrame
        One row a segment and candidate: ``segment, candidate, customers, bought`` (share), ``promised`` (mean
        probability), ``log_loss``, ``auc`` (NaN where all end alike), ``ece``.
    """
    parts = []
    for segment, rows in table.groupby("segment", sort=True):
        board = measure(rows, [f"p_{name}" for name in names])[["log_loss", "auc", "ece"]]
        board["promised"] = [float(rows[f"p_{name}"].mean()) for name in names]
        parts.append(board.assign(segment=segment, customers=len(rows), bought=float(rows["bought"].mean())))
    columns = ["segment", "candidate", "customers", "bought", "promised", "log_loss", "auc", "ece"]
    return pd.concat(parts).reset_index()[columns]
