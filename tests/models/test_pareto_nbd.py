"""Pareto/NBD: lifetimes' parameters, the likelihood ratio by integrals, numbers where lifetimes has none."""

import json
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from models import oracle
from models.baselines import BinnedRule
from models.folds import make_fold
from models.oracle import fit_lifetimes_pareto_nbd
from models.pareto_nbd import ParetoNbd
from models.purchase import fit_part, part_from_state, part_state

MODEL = ParetoNbd(r=0.553, alpha=74.0, s=0.606, beta=81.7)
HEAVY = ParetoNbd(r=5.0, alpha=300.0, s=0.01, beta=1e-3)


def histories(*rows: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["frequency", "recency", "T"], dtype=float)


def likelihood(model: ParetoNbd, x: float, t_x: float, age: float) -> float:
    """Up to a constant: bought x times until t_x and is still there, or left in between."""

    def rest(u: float) -> float:
        return (model.alpha + u) ** -(model.r + x) * (model.beta + u) ** -(model.s + 1)

    stayed = (model.alpha + age) ** -(model.r + x) * (model.beta + age) ** -model.s
    return stayed + model.s * quad(rest, t_x, age, epsabs=0, epsrel=1e-11, limit=500)[0]


@pytest.mark.parametrize("row", [(0, 0, 1), (0, 0, 400), (2, 213, 272), (9, 300, 310), (9, 100, 300)])
@pytest.mark.parametrize("horizon", [1, 90, 700])
def test_one_minus_the_ratio_of_a_silent_horizon(row: tuple[float, float, float], horizon: int) -> None:
    x, t_x, age = row
    silent = likelihood(MODEL, x, t_x, age + horizon) / likelihood(MODEL, x, t_x, age)
    assert MODEL.predict(histories(row), horizon)[0] == pytest.approx(1 - silent, rel=1e-7)


def test_the_ratio_is_that_of_lifetimes(lifetimes: ModuleType, cdnow: pd.DataFrame) -> None:
    params = (MODEL.r, MODEL.alpha / 7, MODEL.s, MODEL.beta / 7)  # the sample is in weeks
    history = [cdnow[c].to_numpy() for c in ("frequency", "recency", "T")]
    log_l = lifetimes.ParetoNBDFitter._conditional_log_likelihood
    before, after = (log_l(params, history[0], history[1], history[2] + more) for more in (0, 39))
    model = ParetoNbd(MODEL.r, MODEL.alpha / 7, MODEL.s, MODEL.beta / 7)
    np.testing.assert_allclose(model.predict(cdnow, 39), -np.expm1(after - before), atol=1e-9)


@pytest.mark.parametrize("model", [MODEL, HEAVY])
def test_every_history_has_a_probability_that_grows_with_time(model: ParetoNbd) -> None:
    rows = histories((700, 700, 700), (700, 700, 1400), (300, 400, 410), (0, 0, 0), (3, 3, 3000))
    curve = np.column_stack([model.predict(rows, h) for h in (1, 28, 90, 3650)])
    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve, axis=1) >= -1e-9).all()  # up to how exact the integrals are
    assert curve[0, 1] > 0.999 * curve[0, 2]  # buys every day
    assert curve[1, 2] < 0.01  # bought every day, and stopped


def test_rows_keep_their_order_and_equal_ones_their_probability() -> None:
    rows = histories((2, 213, 272), (0, 0, 272), (2, 213, 272))
    p = MODEL.predict(rows, 90)
    assert p[0] == p[2] != p[1]
    np.testing.assert_array_equal(MODEL.predict(rows.iloc[[1, 2]], 90), p[1:])
    assert MODEL.predict(rows.iloc[:0], 90).shape == (0,)


def test_finds_the_parameters_that_histories_were_drawn_with() -> None:
    rng = np.random.default_rng(3)
    n, age = 6000, 700.0
    rate = rng.gamma(1.2, 1 / 60.0, n)
    mu = rng.gamma(0.9, 1 / 200.0, n)
    life = rng.exponential(1 / mu)
    gaps = rng.exponential(1, (n, 400)) / rate[:, None]
    times = np.cumsum(gaps, axis=1)
    bought = times < np.minimum(life, age)[:, None]
    x = bought.sum(axis=1).astype(float)
    frame = pd.DataFrame({"frequency": x, "recency": np.where(bought, times, 0).max(axis=1), "T": age})
    model = fit_lifetimes_pareto_nbd(frame)
    assert model is not None
    assert model.r == pytest.approx(1.2, rel=0.15)
    assert model.r / model.alpha == pytest.approx(1.2 / 60, rel=0.15)
    alive = life > age
    first = rate / (rate + mu) * -np.expm1(-(rate + mu) * 90)  # buys before they leave, and in time
    share = (alive * first).mean()
    assert model.predict(frame, 90).mean() == pytest.approx(share, rel=0.1)


def test_the_order_of_rows_does_not_matter(panel: SimpleNamespace) -> None:
    mixed = panel.newest.sample(frac=1, random_state=3)
    assert fit_lifetimes_pareto_nbd(panel.newest) == fit_lifetimes_pareto_nbd(mixed)


def test_a_draw_is_enough(panel: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_lifetimes_pareto_nbd(panel.newest)
    monkeypatch.setattr(oracle, "MOST_ROWS", 500)
    drawn = fit_lifetimes_pareto_nbd(panel.newest)
    assert whole is not None
    assert drawn is not None
    assert drawn != whole
    assert np.abs(drawn.predict(panel.newest, 90) - whole.predict(panel.newest, 90)).mean() < 0.03


def test_calibrated_on_a_shop_that_is_nearly_its_own(folds: pd.DataFrame) -> None:
    assert folds["p_pareto_nbd"].mean() == pytest.approx(folds["bought"].mean(), abs=0.03)
    assert np.corrcoef(folds["p_pareto_nbd"], folds["p_bgnbd"])[0, 1] > 0.95


@pytest.mark.parametrize(
    "rows",
    [
        histories((0, 0, 2), (0, 0, 2)),
        histories(*[(0, 0, age) for age in range(1, 31)]),
        histories(*[(100, 100, 101)] * 50),
        histories((699, 700, 700), (1, 1, 700), (0, 0, 300), (3, 30, 200)),
    ],
    ids=["two newcomers", "nobody came back", "every day", "one whale"],
)
def test_hard_data_give_a_usable_model_or_none(rows: pd.DataFrame, capfd: pytest.CaptureFixture[str]) -> None:
    model = fit_lifetimes_pareto_nbd(rows)
    assert capfd.readouterr().out == ""
    if model is not None:
        p = model.predict(rows, 28)
        assert ((p >= 0) & (p <= 1)).all()


def test_where_it_fails_its_candidate_is_the_base_rate(
    panel: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, lifetimes: ModuleType
) -> None:
    nothing = staticmethod(lambda *_args: float("nan"))
    monkeypatch.setattr(lifetimes.ParetoNBDFitter, "_negative_log_likelihood", nothing)
    assert fit_lifetimes_pareto_nbd(panel.newest) is None
    train = make_fold(panel.frame, panel.until, 28).train
    part = fit_part("pareto_nbd", train, panel.newest, 28, panel.features, 7)
    assert isinstance(part, BinnedRule)
    assert part.name == "base_rate"


def test_is_kept_as_plain_json() -> None:
    kind, state = part_state(MODEL)
    assert kind == "pareto_nbd"
    assert part_from_state(kind, json.loads(json.dumps(state)), None) == MODEL
