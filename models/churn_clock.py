"""The learned churn clock: the silence after which a customer of this shop is half as likely to return.

Right after a purchase, a customer buys again within a window with some chance. It falls with silence as far
as silence tells those who left, or who buy seldom, from the others; where it does not fall, silence says
nothing. The clock is the silence that halves it. The window is the shop's own: the time by which half of the
returns have come, in whole weeks so that weekdays do not matter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.silences import ENOUGH, Floats, Silences

FRACTION = 0.5
"""Silence means something once the chance of a purchase is at most this fraction of a fresh customer's."""

QUANTILES = (0.5, 0.8, 0.9)
WEEK = 7
_TWO_SIDED = 1.96


@dataclass(frozen=True)
class ChurnClock:
    """What silence means in a shop.

    Parameters
    ----------
    days : int or None
        The clock: after so many days of silence the chance of a purchase within the following `window` days
        has fallen to `FRACTION` of that of a customer who has just bought, and stays there for a window. None
        where it does not fall so far within what can be judged.
    low, high : int or None
        95 % limits of `days`; None where a limit lies beyond what can be judged.
    window : int
        Days, whole weeks: the time by which half of the returns have come, rounded up.
    chance_fresh, chance_silent : float
        That chance right after a purchase, and at the clock (without a clock: at `judged_days`).
    judged_days : int
        The longest silence that this log can judge; −1 if none.
    support : int
        The longest silence looked at: half the log at most, since a longer one can only have begun in its
        first half, and one season would speak for all.
    returned_share : float
        Share of silences that end within `support` days.
    return_days : dict of float to int
        By when 50, 80 and 90 % of those returns have come.
    n_silences, n_returns : int
        What it rests on.
    second_wave : int or None
        The silence, beyond the clock, at which returns are as likely again: a season, or a subscription.
    """

    days: int | None
    low: int | None
    high: int | None
    window: int
    chance_fresh: float
    chance_silent: float
    judged_days: int
    support: int
    returned_share: float
    return_days: dict[float, int]
    n_silences: int
    n_returns: int
    second_wave: int | None


def learn_clock(silences: Silences, span: int) -> ChurnClock | None:
    """Learn the clock of a shop.

    Parameters
    ----------
    silences : Silences
        Of all customers, or of one kind.
    span : int
        Length of the log in days.

    Returns
    -------
    ChurnClock or None
        None where too few silences or returns were watched to say anything.

    Examples
    --------
    Nine in ten buy every 30 days, the rest never again: on day 30 the chance falls from .9 to nothing.

    >>> closed, still = np.zeros(400, dtype=np.int64), np.zeros(400, dtype=np.int64)
    >>> closed[30], still[360] = 900, 100
    >>> clock = learn_clock(Silences(closed, still), span=400)
    >>> clock.days, clock.window, clock.return_days[0.9]
    (30, 35, 30)
    """
    support = _support(silences, span)
    returns = int(silences.closed[: support + 1].sum())
    if returns < ENOUGH:
        return None
    returned: Floats = 1 - silences.survival[: support + 1]
    share = float(returned[support])
    days_to = {q: int(np.searchsorted(returned, q * share)) for q in QUANTILES}
    window = min(-(-days_to[0.5] // WEEK) * WEEK, support)
    last = support - window
    chance, error = silences.chance(window, last), silences.chance_error(window, last)
    limit = FRACTION * chance[0]
    days = _first_stay(chance <= limit, window)
    return ChurnClock(
        days=days,
        low=_first_stay(chance - _TWO_SIDED * error <= limit, window),
        high=_first_stay(chance + _TWO_SIDED * error <= limit, window),
        window=window,
        chance_fresh=float(chance[0]),
        chance_silent=float(chance[last if days is None else days]),
        judged_days=last,
        support=support,
        returned_share=share,
        return_days=days_to,
        n_silences=int(silences.closed.sum() + silences.ongoing.sum()),
        n_returns=returns,
        second_wave=_second_wave(chance - _TWO_SIDED * error > limit, days, window),
    )


def _support(silences: Silences, span: int) -> int:
    watched = np.flatnonzero(silences.at_risk >= ENOUGH)
    return int(min(watched[-1] if watched.size else 0, span // 2))


def _first_stay(under: NDArray[np.bool_], window: int) -> int | None:
    """Return the first place from which on it holds for a window, or to the end: a week at least."""
    broken = np.append(np.flatnonzero(~under), under.size)
    for place in map(int, np.flatnonzero(under)):
        held = int(broken[np.searchsorted(broken, place)]) - place
        if held >= max(WEEK, min(window, under.size - place)):
            return place
    return None


def _second_wave(over: NDArray[np.bool_], days: int | None, window: int) -> int | None:
    """Return where the chance surely rises again above the limit, after the clock."""
    if days is None:
        return None
    again = np.flatnonzero(over[days:])
    return int(days + again[0] + window) if again.size else None
