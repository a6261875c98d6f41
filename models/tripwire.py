"""Too good to be true: figures that in shops almost always mean that a feature has seen the future."""

import pandas as pd

AUC_LIMIT, SPEARMAN_LIMIT = 0.95, 0.8
"""Above them, look for a leak. Shops whose customers buy all the time, as in groceries, may get there."""


def too_good(board: pd.DataFrame, spend: pd.DataFrame) -> list[str]:
    """Name what is too good to be true on the out-of-time folds.

    Parameters
    ----------
    board : DataFrame
        From `models.leaderboard.leaderboard`.
    spend : DataFrame
        From `models.leaderboard.spend_board`; empty without amounts.

    Returns
    -------
    list of str
        One sentence a measure; empty where nothing is.

    Examples
    --------
    >>> board = pd.DataFrame({"auc": [0.97, 0.82]}, index=["boosting", "bgnbd"])
    >>> too_good(board, pd.DataFrame({"spearman": [0.5]}, index=["formula"]))
    ['an AUC of 0.970 (boosting) is too good to be true (above 0.95)']
    """
    limits = [
        ("an AUC", board, "auc", AUC_LIMIT),
        ("a rank correlation of spend", spend, "spearman", SPEARMAN_LIMIT),
    ]
    found = []
    for what, rows, measure, limit in limits:
        values = rows[measure].astype(float).dropna()
        if len(values) and values.max() > limit:
            found.append(
                f"{what} of {values.max():.3f} ({values.idxmax()}) is too good to be true (above {limit:g})"
            )
    return found
