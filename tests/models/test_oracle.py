"""lifetimes beside ours: the same parameters where there are any, and no noise where there are none."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models import oracle
from models.bgnbd import BetaGeoModel
from models.oracle import fit_lifetimes_bgnbd


def histories(frequency: list[float], recency: list[float], T: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"frequency": frequency, "recency": recency, "T": T}, dtype=float)


TWO_NEWCOMERS = histories([0, 0], [0, 0], [2, 2])  # its Hessian is singular there
HARD = {
    "does not converge": histories([1, 0], [1, 0], [2, 2]),
    "singular": TWO_NEWCOMERS,
    "nobody came back": histories([0] * 30, [0] * 30, list(range(1, 31))),
    "everybody alike": histories([2] * 50, [50] * 50, [60] * 50),
    "every day": histories([100] * 50, [100] * 50, [101] * 50),
    "one whale": histories([699, 1, 0, 3], [700, 1, 0, 30], [700, 500, 300, 200]),
}


def test_agrees_with_ours_on_simulated_data(panel: SimpleNamespace) -> None:
    theirs = fit_lifetimes_bgnbd(panel.newest)
    assert theirs is not None
    ours = panel.btyd.bg
    assert theirs.params_ == pytest.approx(ours.params_, rel=1e-2)
    history = [panel.newest[c].to_numpy() for c in ("frequency", "recency", "T")]
    np.testing.assert_allclose(theirs.p_purchase(90, *history), ours.p_purchase(90, *history), atol=1e-3)
    assert ours.loglik_ >= theirs.loglik(*history).sum() - 1e-6  # nobody finds a higher peak


def test_does_not_depend_on_the_order_of_rows(panel: SimpleNamespace) -> None:
    mixed = panel.newest.sample(frac=1, random_state=3)
    there, back = fit_lifetimes_bgnbd(panel.newest), fit_lifetimes_bgnbd(mixed)
    assert there is not None
    assert back is not None
    assert there.params_ == back.params_


@pytest.mark.parametrize("case", HARD)
def test_hard_data_give_a_usable_model_or_none(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    frame = HARD[case]
    model = fit_lifetimes_bgnbd(frame)
    assert capfd.readouterr().out == ""
    if model is not None:
        p = model.p_purchase(28, frame["frequency"], frame["recency"], frame["T"])
        assert np.isfinite(p).all()
        assert ((p >= 0) & (p <= 1)).all()


def test_none_where_it_converges_under_no_penalty(capfd: pytest.CaptureFixture[str]) -> None:
    assert fit_lifetimes_bgnbd(HARD["does not converge"]) is None
    assert capfd.readouterr().out == ""


def test_penalties_are_tried_in_turn(panel: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first attempts fail, the next penalty's model is handed over."""
    from lifetimes import BetaGeoFitter
    from lifetimes.utils import ConvergenceError

    tried = []
    fit = BetaGeoFitter.fit

    def stubborn(self: BetaGeoFitter, *history: pd.Series) -> BetaGeoFitter:
        tried.append(self.penalizer_coef)
        if self.penalizer_coef < 0.01:
            print("no convergence")
            raise ConvergenceError("no convergence")
        return fit(self, *history)

    monkeypatch.setattr(BetaGeoFitter, "fit", stubborn)
    model = fit_lifetimes_bgnbd(panel.newest)
    assert isinstance(model, BetaGeoModel)
    assert tuple(tried) == oracle.PENALTIES[:3] == (0.0, 0.001, 0.01)
    plain = panel.btyd.bg.params_
    assert model.params_ != pytest.approx(plain, rel=1e-2)  # a penalty draws them towards 0
