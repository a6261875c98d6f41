"""Whether recency groups of 7, 14 and 28 days fit a shop: held against when its customers do come again."""

from dataclasses import dataclass

import numpy as np

from models.silences import SilenceBand, Silences, silence_bands

EARLY, LATE = 0.5, 0.9
"""The groups fit where at least half of all returns come by the last cut-off, and not nearly all of them by
the first."""


@dataclass(frozen=True)
class RecencyFit:
    """What the returns say of the cut-offs.

    Parameters
    ----------
    verdict : {"fit", "too_early", "too_late"}
        The cut-offs end before most returns have come; or nearly all have come by the first of them.
    by_first, by_last : float
        Share of all returns that came by the first and the last cut-off.
    half : int
        Days by which half of the returns have come.
    bands : list of SilenceBand
        From cut-off to cut-off.
    likeliest : SilenceBand
        The band in which a day brings back the largest share of those who are still silent.
    """

    verdict: str
    by_first: float
    by_last: float
    half: int
    bands: list[SilenceBand]
    likeliest: SilenceBand


def recency_fit(silences: Silences, cuts: tuple[int, ...] = (7, 14, 28)) -> RecencyFit | None:
    """Judge cut-offs; None where nobody has returned.

    Examples
    --------
    >>> closed, ongoing = np.zeros(101, np.int64), np.zeros(101, np.int64)
    >>> closed[[5, 20, 60]], ongoing[100] = [10, 20, 70], 100
    >>> found = recency_fit(Silences(closed, ongoing))
    >>> found.verdict, found.by_last, found.half
    ('too_early', 0.3, 60)
    """
    returns = silences.closed.cumsum()
    if not len(returns) or not returns[-1]:
        return None
    bands = silence_bands(silences, (0, *cuts, *(day for day in (60, 90, 180, 365) if day > cuts[-1])))
    if not bands:
        return None
    last = len(returns) - 1
    by_first, by_last = (float(returns[min(cut, last)] / returns[-1]) for cut in (cuts[0], cuts[-1]))
    verdict = "too_early" if by_last < EARLY else "too_late" if by_first >= LATE else "fit"
    half = int(np.searchsorted(returns, returns[-1] / 2))
    return RecencyFit(verdict, by_first, by_last, half, bands, max(bands, key=lambda band: band.daily))
