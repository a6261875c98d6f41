"""Where the MBG/NBD recipe won, all that a score says tells its story, and not BG/NBD's."""

import json

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from models.btyd import Btyd, fit_btyd, with_btyd
from models.mbgnbd import ModifiedBetaGeoModel
from models.purchase import RECIPES, BtydPart, PurchaseModel
from tests.models.story import drawn_histories

PARAMS = {"r": 0.8, "alpha": 60.0, "a": 1.2, "b": 2.0}
TRAINED, FAR = 90, 730


@pytest.fixture(scope="module")
def leavers() -> pd.DataFrame:
    """Customers many of whom left at once, with their purchases of the two years that follow."""
    return drawn_histories(PARAMS, 60_000, 365.0, float(FAR), 11, leaves_at_once=True)


def fitted(rows: pd.DataFrame, recipe: str) -> PurchaseModel:
    btyd = fit_btyd(rows, has_amounts=False, family=RECIPES[recipe].family)
    return PurchaseModel(RECIPES[recipe], {TRAINED: {recipe: BtydPart(btyd.bg)}}, btyd)


def test_far_horizons_come_true(leavers: pd.DataFrame) -> None:
    """Two years ahead BG/NBD, for which nobody leaves at once, expects many more one-time buyers."""
    once = (leavers["frequency"] == 0).to_numpy()
    bought = float((leavers["later"] > 0)[once].sum())
    expected = {
        name: fitted(leavers, name).curve(leavers, [FAR])[once, 0].sum() for name in ("bgnbd", "mbgnbd")
    }
    assert expected["mbgnbd"] == pytest.approx(bought, rel=0.08)
    assert expected["bgnbd"] > 1.5 * bought


def test_the_columns_are_the_models_own(leavers: pd.DataFrame) -> None:
    btyd = fit_btyd(leavers, has_amounts=False, family="mbgnbd")
    assert type(btyd.bg) is ModifiedBetaGeoModel
    found = with_btyd(leavers, btyd, [TRAINED])
    assert (found["btyd_p_alive"][leavers["frequency"] == 0] < 0.9).all()
    np.testing.assert_array_equal(found["btyd_p_alive"], btyd.bg.p_alive(leavers))
    again = Btyd.from_dict(json.loads(json.dumps(btyd.to_dict())))
    pd.testing.assert_frame_equal(with_btyd(leavers, again, [TRAINED]), found)


@pytest.mark.parametrize(
    ("recipe", "family"), [("mbgnbd", "bgnbd"), ("bgnbd", "mbgnbd"), ("blend", "mbgnbd")]
)
def test_one_story_only(leavers: pd.DataFrame, recipe: str, family: str) -> None:
    btyd = fit_btyd(leavers, has_amounts=False, family=family)
    with pytest.raises(
        ContractError, match=f"recipe {recipe} comes with the buy-till-you-die model of another"
    ):
        PurchaseModel(RECIPES[recipe], {}, btyd)
