"""Whether a stored scorer can be asked about the log at hand."""

import pandas as pd

from models.categories import text_columns
from models.scorer import Scorer


def unfit(scorer: Scorer, panel: pd.DataFrame, period: str) -> str | None:
    """Say why a stored scorer would be refused on this log; None where it would not.

    Parameters
    ----------
    scorer : Scorer
        Of an earlier training.
    panel : DataFrame
        The log's features, text as text.
    period : str
        Grain of the log (`features.periods.Period.kind`).
    """
    if scorer.period != period:
        return f"it was trained on a log dated by the {scorer.period}"
    texts = {*text_columns(panel)}
    gone = scorer.lost({str(name): name in texts for name in panel.columns})
    if gone:
        return f"the tables no longer give {len(gone)} of its features, for example {gone[0]!r}"
    return None
