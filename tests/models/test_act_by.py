"""How long a chance lasts, against the model asked day by day."""

import numpy as np
import pandas as pd
import pytest

from models.act_by import KEPT, days_of_chance
from models.btyd import FAMILIES, Btyd


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_chance_is_left_up_to_that_day_and_not_a_week_later(family: str) -> None:
    params = {"r": 0.7, "alpha": 20.0, "a": 0.8, "b": 2.5}
    btyd = Btyd(FAMILIES[family].from_dict({"params": params}), None)
    rng = np.random.default_rng(3)
    frequency = rng.integers(0, 30, 500)
    T = rng.integers(30, 700, 500)
    recency = np.where(frequency > 0, np.maximum((T * rng.random(500)).astype(int), 1), 0)
    history = pd.DataFrame({"frequency": frequency, "recency": recency, "T": T})
    days = days_of_chance(btyd, history, 90)
    assert (days >= 7).all()
    assert (days <= 90).all()
    assert ((days % 7 == 0) | (days == 90)).all()
    now = btyd.p_purchase(90, history)
    ends, more = days < 90, days > 7
    left = btyd.p_purchase(90, history.assign(T=history["T"] + days))
    assert (left[more & ends] >= KEPT * now[more & ends]).all()
    later = btyd.p_purchase(90, history.assign(T=history["T"] + days + 7))
    # Of those with a week alone, the chance may have been gone within it.
    assert (later[ends] < KEPT * now[ends]).all()
    assert ends.mean() > 0.05
    assert len(np.unique(days)) > 5


def test_a_short_horizon_is_the_most() -> None:
    btyd = Btyd(FAMILIES["bgnbd"].from_dict({"params": {"r": 1.0, "alpha": 9.0, "a": 1.0, "b": 2.0}}), None)
    history = pd.DataFrame({"frequency": [0, 9], "recency": [0, 20], "T": [50, 300]})
    assert days_of_chance(btyd, history, 5).tolist() == [5, 5]
